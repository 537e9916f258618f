/**
 * The web server of one BMC as a pure function of request and state: authentication, routing, headers, faults.
 *
 * Source: bmcweb http/http_connection.hpp, http/routing.hpp, http/http_response.hpp, redfish-core/include/redfish.hpp;
 * DSP0266; behaviour of the default password from doca-platform and NICo.
 */
import { createHash } from 'node:crypto';
import { advanceCard } from '../card-clock.ts';
import { cardFault, useCardFault } from '../state.ts';
import type { CardState, Rack } from '../state.ts';
import { actions } from './actions.ts';
import { accountsPath, addedAccount, addedAccountPatch, createAccount, deleteAccount } from './added-accounts.ts';
import {
  allowedWhileRestricted,
  authenticate,
  createSession,
  deleteSession,
  login,
  mayWrite,
  passwordChangeRequired,
} from './auth.ts';
import type { Caller } from './auth.ts';
import { capturedTree, normalPath } from './capture.ts';
import { errorBody, fail, message, noContent, notFound } from './messages.ts';
import { openDocument } from './open-documents.ts';
import { patch, patchable } from './patch.ts';
import { applyQuery } from './query.ts';
import { monitoredTask, readMonitor } from './tasks.ts';
import { isJsonObject } from './types.ts';
import type { JsonObject, RedfishAnswer, RedfishReply, RedfishRequest, ReplyFault, RouteReply } from './types.ts';
import { viewResources } from './view.ts';

const sessionsPath = '/redfish/v1/SessionService/Sessions';
const biosPath = '/redfish/v1/Systems/Bluefield/Bios';
const oemPath = '/redfish/v1/Systems/Bluefield/Oem/Nvidia';

/** Headers that bmcweb puts on every answer. */
const commonHeaders: Record<string, string> = {
  'Cache-Control': 'no-store, max-age=0',
  'Content-Security-Policy': "default-src 'none'; img-src 'self' data:; font-src 'self'; style-src 'self'",
  'Permissions-Policy': 'accelerometer=(), camera=(), geolocation=(), microphone=(), usb=()',
  Pragma: 'no-cache',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000; includeSubdomains',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

interface Target {
  path: string;
  query: string;
}

function splitPath(raw: string): Target {
  const mark = raw.indexOf('?');
  const path = mark === -1 ? raw : raw.slice(0, mark);
  return { path: normalPath(path), query: mark === -1 ? '' : raw.slice(mark + 1) };
}

/** Methods a path takes; empty when there is no such path. */
function methodsOf(rack: Rack, card: CardState, path: string): string[] {
  if (path === '/login' || Object.hasOwn(actions, path) || isAdvertisedAction(path)) return ['POST'];
  const monitored = monitoredTask(path);
  if (monitored !== null) return viewResources(rack, card).get(path.replace(/\/Monitor$/, '')) ? ['GET', 'HEAD'] : [];
  if (openDocument(path) !== null) return ['GET', 'HEAD'];
  if (viewResources(rack, card).get(path) === null) return [];
  const methods = ['GET', 'HEAD'];
  if (path === sessionsPath || path === accountsPath) methods.push('POST');
  if (path.startsWith(`${sessionsPath}/`)) methods.push('DELETE');
  if (addedAccount(card, path) !== null) methods.push('PATCH', 'DELETE');
  if (Object.hasOwn(patchable, path)) methods.push('PATCH');
  return methods;
}

let advertised: Set<string> | null = null;

/** Targets that some captured resource names as an action. */
function isAdvertisedAction(path: string): boolean {
  if (advertised === null) {
    const text = JSON.stringify([...capturedTree().values()]);
    advertised = new Set([...text.matchAll(/"target":"([^"]+)"/g)].map((match) => match[1] ?? ''));
  }
  return advertised.has(path);
}

function methodNotAllowed(method: string, path: string): RouteReply {
  return method === 'DELETE' ? fail(405, 'ResourceCannotBeDeleted') : fail(405, 'OperationNotAllowed', [path]);
}

function parseBody(request: RedfishRequest): JsonObject | RouteReply {
  let parsed: unknown;
  try {
    parsed = JSON.parse(request.body === '' ? '{}' : request.body);
  } catch {
    return fail(400, 'MalformedJSON');
  }
  return isJsonObject(parsed) ? parsed : fail(400, 'UnrecognizedRequestBody');
}

function isReply(value: JsonObject | RouteReply): value is RouteReply {
  return typeof value['status'] === 'number' && 'json' in value;
}

function readResource(rack: Rack, card: CardState, target: Target): RouteReply {
  const monitored = monitoredTask(target.path);
  if (monitored !== null) return readMonitor(rack, card, monitored);
  const view = viewResources(rack, card);
  const resource = view.get(target.path);
  if (resource === null) return notFound(target.path);
  // Source: libredfish: the answer is an error, and what it asks for is in it all the same.
  if (target.path === biosPath && card.mode.current === 'nic' && cardFault(rack, card, 'bios-get-500'))
    return { status: 500, json: { ...resource, ...errorBody([message('Base', 'InternalError')]) } };
  const result = applyQuery(view, resource, target.query);
  return isReply(result) ? result : { status: 200, json: result };
}

function writeResource(rack: Rack, card: CardState, request: RedfishRequest, path: string, caller: Caller): RouteReply {
  if (!mayWrite(caller, path)) return fail(403, 'InsufficientPrivilege');
  if (request.method === 'DELETE') {
    if (path.startsWith(`${accountsPath}/`)) return deleteAccount(card, path);
    const id = path.slice(sessionsPath.length + 1);
    return deleteSession(card, id) ? noContent : notFound(path);
  }
  const body = parseBody(request);
  if (isReply(body)) return body;
  if (request.method === 'PATCH') {
    const resource = addedAccount(card, path) === null ? patchable[path] : addedAccountPatch(path, caller);
    const present = viewResources(rack, card).get(path);
    if (resource === undefined || present === null) return notFound(path);
    return patch({ rack, card, caller }, resource, present, body);
  }
  if (path === accountsPath) return createAccount(card, body);
  const action = actions[path];
  if (action !== undefined) return action({ rack, card, request }, body);
  return fail(400, 'ActionNotSupported', [path.split('/').at(-1) ?? path]);
}

/** Everything that needs no credentials, or null. */
function openRoute(rack: Rack, card: CardState, request: RedfishRequest, target: Target): RouteReply | null {
  const { method } = request;
  const reading = method === 'GET' || method === 'HEAD';
  if (reading && openDocument(target.path) !== null) return openDocument(target.path);
  // Expanding shows other resources, which need a login.
  if (reading && target.path === '/redfish/v1' && !/expand/i.test(target.query))
    return readResource(rack, card, target);
  if (method !== 'POST') return null;
  if (target.path !== '/login' && target.path !== sessionsPath && target.path !== `${sessionsPath}/Members`)
    return null;
  const body = parseBody(request);
  if (isReply(body)) return body;
  return target.path === '/login' ? login(rack, card, request, body) : createSession(rack, card, request, body);
}

function route(rack: Rack, card: CardState, request: RedfishRequest): RouteReply {
  const target = splitPath(request.path);
  const version = request.headers['odata-version'];
  if (version !== undefined && version !== '4.0') return fail(412, 'PreconditionFailed');
  const open = openRoute(rack, card, request, target);
  if (open !== null) return open;
  const authentication = authenticate(rack, card, request);
  if ('reply' in authentication) return authentication.reply;
  const { caller } = authentication;
  const methods = methodsOf(rack, card, target.path);
  if (caller.restricted && !allowedWhileRestricted(request.method, target.path, caller))
    return passwordChangeRequired();
  if (methods.length === 0) return notFound(target.path);
  const allow = { Allow: methods.join(', ') };
  if (!methods.includes(request.method)) {
    return { ...methodNotAllowed(request.method, target.path), headers: allow };
  }
  const reply =
    request.method === 'GET' || request.method === 'HEAD'
      ? readResource(rack, card, target)
      : writeResource(rack, card, request, target.path, caller);
  return { ...reply, headers: { ...allow, ...reply.headers } };
}

function etagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('hex').slice(0, 8).toUpperCase()}"`;
}

function finish(request: RedfishRequest, reply: RouteReply): RedfishReply {
  const headers: Record<string, string> = { ...commonHeaders, 'OData-Version': '4.0', ...reply.headers };
  const text = typeof reply.json === 'string' ? reply.json : JSON.stringify(reply.json, null, 2);
  const body = reply.json === null ? '' : text;
  if (body !== '') headers['Content-Type'] ??= 'application/json';
  const reading = request.method === 'GET' || request.method === 'HEAD';
  if (reading && reply.status === 200) {
    headers['ETag'] = etagOf(body);
    if (request.headers['if-none-match'] === headers['ETag']) return { status: 304, headers, body: '' };
  }
  headers['Content-Length'] = String(Buffer.byteLength(body));
  return { status: reply.status, headers, body: request.method === 'HEAD' ? '' : body };
}

function unavailable(retryAfterSeconds: number): RouteReply {
  const seconds = String(Math.max(1, Math.ceil(retryAfterSeconds)));
  return {
    status: 503,
    json: errorBody([message('Base', 'ServiceTemporarilyUnavailable', [seconds])]),
    headers: { 'Retry-After': seconds },
  };
}

function faultOnReply(rack: Rack, card: CardState): ReplyFault | undefined {
  if (useCardFault(rack, card, 'redfish-drop-reply')) return 'drop';
  return useCardFault(rack, card, 'redfish-truncated') ? 'truncate' : undefined;
}

/** Answer one request at the present device time. */
export function handleRedfish(rack: Rack, card: CardState, request: RedfishRequest): RedfishAnswer {
  advanceCard(rack, card);
  const nowMs = rack.nowMs();
  if (nowMs < card.bmc.downUntilMs) return { refused: true };
  if (nowMs < card.bmc.webUpAtMs) return finish(request, unavailable((card.bmc.webUpAtMs - nowMs) / 1000));
  const hangs = cardFault(rack, card, 'oem-timeout') && normalPath(splitPath(request.path).path) === oemPath;
  if ((hangs && useCardFault(rack, card, 'oem-timeout')) || useCardFault(rack, card, 'redfish-hang')) {
    return { status: 0, headers: {}, body: '', fault: 'hang' };
  }
  if (useCardFault(rack, card, 'redfish-503')) return finish(request, unavailable(5));
  const reply = finish(request, route(rack, card, request));
  if (useCardFault(rack, card, 'redfish-wrong-json')) {
    const body = '{"@odata.id": "/redfish/v1", "Status": {"Health": OK,';
    return { ...reply, status: 200, body, headers: { ...reply.headers, 'Content-Length': String(body.length) } };
  }
  const fault = faultOnReply(rack, card);
  return fault === undefined ? reply : { ...reply, fault };
}
