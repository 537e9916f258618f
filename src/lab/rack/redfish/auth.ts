/**
 * Who is asking: Basic, X-Auth-Token, sessions, and what a default password may still do.
 *
 * Source: bmcweb http/authentication.hpp and redfish-core/lib/redfish_sessions.hpp; DSP0266 (session login).
 */
import { passwordIsDefault, roleOf, tryLogin } from '../accounts.ts';
import type { AccountRole, Session } from '../bmc-state.ts';
import { randomText } from '../random.ts';
import { useCardFault } from '../state.ts';
import type { CardState, Rack } from '../state.ts';
import { errorBody, fail, failProperty, message } from './messages.ts';
import { isJsonObject } from './types.ts';
import type { Json, JsonObject, RedfishRequest, RouteReply } from './types.ts';
import { sessionResource } from './view.ts';

const maxSessions = 64;
const rootAccountPath = '/redfish/v1/AccountService/Accounts/root';
const sessionsPath = '/redfish/v1/SessionService/Sessions';

/** A caller that proved who it is. */
export interface Caller {
  user: string;
  sessionId: string | null;
  /** The password is still the factory one: only changing it is allowed. */
  restricted: boolean;
  role: AccountRole;
}

export type Authentication = { caller: Caller } | { reply: RouteReply };

function unauthorized(json: Json): RouteReply {
  return { status: 401, json, headers: { 'WWW-Authenticate': 'Basic' } };
}

function loginFailure(uri: string, locked: boolean): RouteReply {
  const why = locked ? 'Account temporarily locked out' : 'Invalid username or password';
  return unauthorized(errorBody([message('Base', 'ResourceAtUriUnauthorized', [uri, why])]));
}

function dropOldSessions(rack: Rack, card: CardState): void {
  const oldestMs = rack.sessionNowMs() - card.bmc.sessionTimeoutSeconds * 1000;
  card.bmc.sessions = card.bmc.sessions.filter((session) => session.lastUsedAtMs > oldestMs);
}

function tokenOf(request: RedfishRequest): string | null {
  const header = request.headers['x-auth-token'];
  if (header !== undefined) return header;
  const authorization = request.headers['authorization'] ?? '';
  return authorization.startsWith('Token ') ? authorization.slice(6).trim() : null;
}

function basicOf(request: RedfishRequest): { user: string; password: string } | null {
  const match = /^basic\s+(\S+)$/i.exec(request.headers['authorization'] ?? '');
  if (match === null) return null;
  const decoded = Buffer.from(match[1] ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return colon === -1 ? null : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

function callerOf(card: CardState, user: string, sessionId: string | null): Caller {
  return { user, sessionId, restricted: user === 'root' && passwordIsDefault(card), role: roleOf(card, user) };
}

/** Check the credentials of a request. */
export function authenticate(rack: Rack, card: CardState, request: RedfishRequest): Authentication {
  dropOldSessions(rack, card);
  if (useCardFault(rack, card, 'redfish-401')) return { reply: unauthorized(null) };
  const token = tokenOf(request);
  if (token !== null) {
    const session = card.bmc.sessions.find((each) => each.token === token);
    if (session === undefined) return { reply: unauthorized(null) };
    session.lastUsedAtMs = rack.sessionNowMs();
    return { caller: callerOf(card, session.user, session.id) };
  }
  const basic = basicOf(request);
  if (basic === null) return { reply: unauthorized(null) };
  const outcome = tryLogin(rack, card, basic.user, basic.password);
  if (outcome === 'wrong' || outcome === 'locked') {
    return { reply: loginFailure(request.path, outcome === 'locked') };
  }
  return { caller: callerOf(card, basic.user, null) };
}

/** May a caller with the factory password do this? Its own account and session, nothing else. */
export function allowedWhileRestricted(method: string, path: string, caller: Caller): boolean {
  if (path === rootAccountPath) return method === 'GET' || method === 'HEAD' || method === 'PATCH';
  if (caller.sessionId === null || path !== `${sessionsPath}/${caller.sessionId}`) return false;
  return method === 'GET' || method === 'HEAD' || method === 'DELETE';
}

/** May this role write there? Everybody may change the own password and end the own session. */
export function mayWrite(caller: Caller, path: string): boolean {
  if (caller.role === 'Administrator') return true;
  if (path === `/redfish/v1/AccountService/Accounts/${caller.user}`) return true;
  if (caller.sessionId !== null && path === `${sessionsPath}/${caller.sessionId}`) return true;
  // ConfigureComponents: systems, chassis and updates, but neither the BMC nor its users.
  return caller.role === 'Operator' && /^\/redfish\/v1\/(Systems|Chassis|UpdateService)(\/|$)/.test(path);
}

/** The 403 that a factory password earns. */
export function passwordChangeRequired(): RouteReply {
  return fail(403, 'PasswordChangeRequired', [rootAccountPath]);
}

function openSession(rack: Rack, card: CardState, user: string, remote: string): Session {
  const session: Session = {
    id: randomText(rack.state, 10),
    token: randomText(rack.state, 20),
    user,
    remote,
    createdAtMs: rack.nowMs(),
    lastUsedAtMs: rack.sessionNowMs(),
  };
  card.bmc.sessions.push(session);
  return session;
}

function stringField(body: JsonObject, name: string): string | RouteReply {
  const value = body[name];
  if (value === undefined) return fail(400, 'PropertyMissing', [name]);
  return typeof value === 'string'
    ? value
    : failProperty(name, 'PropertyValueTypeError', [JSON.stringify(value), name]);
}

function credentials(
  body: JsonObject,
  userField: string,
  passwordField: string,
): { user: string; password: string } | RouteReply {
  for (const name of Object.keys(body)) {
    if (name !== userField && name !== passwordField && name !== 'Context' && name !== 'SessionType') {
      return failProperty(name, 'PropertyUnknown', [name]);
    }
  }
  const user = stringField(body, userField);
  if (typeof user !== 'string') return user;
  const password = stringField(body, passwordField);
  return typeof password === 'string' ? { user, password } : password;
}

/** POST to the Sessions collection. */
export function createSession(rack: Rack, card: CardState, request: RedfishRequest, body: JsonObject): RouteReply {
  dropOldSessions(rack, card);
  const login = credentials(body, 'UserName', 'Password');
  if ('status' in login) return login;
  const outcome = tryLogin(rack, card, login.user, login.password);
  if (outcome === 'wrong' || outcome === 'locked') return loginFailure(sessionsPath, outcome === 'locked');
  if (card.bmc.sessions.length >= maxSessions) return fail(503, 'SessionLimitExceeded');
  const session = openSession(rack, card, login.user, request.remote ?? '127.0.0.1');
  const json = sessionResource(card, session.id);
  if (isJsonObject(json) && outcome === 'change-required') {
    json['@Message.ExtendedInfo'] = [message('Base', 'PasswordChangeRequired', [rootAccountPath])];
  }
  return {
    status: 201,
    json,
    headers: { 'X-Auth-Token': session.token, Location: `${sessionsPath}/${session.id}` },
  };
}

/** POST /login, the older way in that the BFB installer uses. */
export function login(rack: Rack, card: CardState, request: RedfishRequest, body: JsonObject): RouteReply {
  dropOldSessions(rack, card);
  const found = credentials(body, 'username', 'password');
  if ('status' in found) return { status: 400, json: null };
  const outcome = tryLogin(rack, card, found.user, found.password);
  if (outcome === 'wrong' || outcome === 'locked') return { status: 401, json: null };
  const session = openSession(rack, card, found.user, request.remote ?? '127.0.0.1');
  return { status: 200, json: { token: session.token } };
}

/** End a session; false when there is none of that id. */
export function deleteSession(card: CardState, id: string): boolean {
  const before = card.bmc.sessions.length;
  card.bmc.sessions = card.bmc.sessions.filter((session) => session.id !== id);
  return card.bmc.sessions.length < before;
}
