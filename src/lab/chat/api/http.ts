import type { Request, Response } from 'express';
import { setTimeout as delay } from 'node:timers/promises';
import { isObject } from '../blocks/report.ts';
import type { Lab } from '../lab.ts';
import { ApiError, type Method } from './call.ts';
import { chatMethods } from './chat.ts';
import { conversationMethods } from './conversations.ts';
import { fileMethods } from './files.ts';
import { scopes } from './scopes.ts';
import { userMethods } from './users.ts';
import { viewMethods } from './views.ts';

const botMethods: Record<string, Method> = {
  ...chatMethods,
  ...conversationMethods,
  ...fileMethods,
  ...userMethods,
  ...viewMethods,
};

const appMethods: Record<string, Method> = {
  'apps.connections.open': ({ lab }) => ({
    url: `${lab.origin.replace('http', 'ws')}/link/?ticket=${lab.sockets.issueTicket()}&app_id=${lab.directory.app.appId}`,
  }),
};

/** Answers `/api/<method>`: faults, token, rate limit, then the method, in that order. */
export async function answerApi(lab: Lab, request: Request, response: Response): Promise<void> {
  const method = request.path.replace(/^\/api\//, '');
  if (lab.faults.down !== undefined) {
    refuse(lab.faults.down, response);
    return;
  }
  const slow = lab.faults.take('slow', method);
  if (slow !== undefined) {
    await delay(slow.delayMs);
  }
  const args = argsOf(request);
  const answer = call(lab, method, args, tokenOf(request, args));
  lab.stats.called(method, answer.error);
  if (answer.lostReply) {
    response.socket?.destroy();
    return;
  }
  response.set('x-oauth-scopes', scopes).set('x-slack-req-id', lab.ids.secret(8));
  if (answer.retryAfterSec !== undefined) {
    response.status(429).set('Retry-After', String(answer.retryAfterSec));
  }
  response.json(answer.body);
}

interface ApiAnswer {
  body: object;
  error?: string;
  retryAfterSec?: number;
  lostReply?: boolean;
}

function call(lab: Lab, name: string, args: Record<string, unknown>, token: string | undefined): ApiAnswer {
  const method = botMethods[name] ?? appMethods[name];
  if (method === undefined) {
    return failure('unknown_method', { req_method: name });
  }
  const tokenProblem = checkToken(lab, token, name in appMethods);
  if (tokenProblem !== undefined) {
    return failure(tokenProblem);
  }
  const forced = lab.faults.take('rate-limit-now', name);
  const channel = typeof args.channel === 'string' ? args.channel : undefined;
  const retryAfterSec = forced === undefined ? lab.limits.take(name, channel) : (forced.retryAfterSec ?? 1);
  if (retryAfterSec > 0) {
    return { ...failure('ratelimited'), retryAfterSec };
  }
  const broken = lab.faults.take('api-error', name);
  if (broken !== undefined) {
    return failure(broken.error ?? 'fatal_error');
  }
  const lostReply = lab.faults.take('lost-reply', name) !== undefined;
  try {
    return { body: { ok: true, ...method({ lab, args }) }, lostReply };
  } catch (error) {
    if (error instanceof ApiError) {
      return { ...failure(error.code, error.extra), lostReply };
    }
    throw error;
  }
}

function failure(error: string, extra: Record<string, unknown> = {}): ApiAnswer {
  return { body: { ok: false, error, ...extra }, error };
}

function checkToken(lab: Lab, token: string | undefined, wantsAppToken: boolean): string | undefined {
  if (token === undefined) {
    return 'not_authed';
  }
  if (token !== lab.tokens.bot && token !== lab.tokens.app) {
    return 'invalid_auth';
  }
  return (token === lab.tokens.app) === wantsAppToken ? undefined : 'not_allowed_token_type';
}

function tokenOf(request: Request, args: Record<string, unknown>): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/i.exec(request.get('authorization') ?? '')?.[1];
  return bearer ?? (typeof args.token === 'string' ? args.token : undefined);
}

function argsOf(request: Request): Record<string, unknown> {
  const body: unknown = request.body;
  return { ...request.query, ...(isObject(body) ? body : {}) };
}

/** What a Slack that is down looks like: HTTP 503, or a connection that is cut. */
export function refuse(how: 'http-503' | 'refused', response: Response): void {
  if (how === 'refused') {
    response.socket?.destroy();
    return;
  }
  response.status(503).type('text').send('Service Unavailable');
}
