import type { CallOptions } from '../../domain/device-ports.ts';
import type { Secret } from '../../domain/secret.ts';
import { errors, OpsError } from '../../errors.ts';
import type { Redactor } from '../redact.ts';
import { basicAuth, type LoginVerdict, type ProbeDeps, sessionsPath, tokenAuth } from './auth.ts';
import { extendedInfo, hasMessage, isBusy, jsonOf, prop, replyError, retriedReads } from './errors.ts';
import type { BmcHttp, HttpReply } from './http.ts';
import { countdown, retried, type Tried } from './retry.ts';

const rootPath = '/redfish/v1/';
/** A resource of every Redfish service that only a login may read. */
const lockedPath = '/redfish/v1/Systems';
/** Statuses with which a service says that it makes no sessions. */
const noSessions: ReadonlySet<number> = new Set([404, 405, 501]);
/** Wrong passwords are 401 by the specification; iLO says 400, others 403. */
const refusals: ReadonlySet<number> = new Set([400, 401, 403]);
const redirects: ReadonlySet<number> = new Set([301, 302, 307, 308]);

/** Who logs in, and where sessions are made; without such a place each request carries the password. */
interface HostAccount {
  readonly user: string;
  readonly sessions: string | undefined;
}

/**
 * Tries the password of a host's management controller, once: as a session where there are some, otherwise as Basic
 * authentication on a read. Whatever is not clearly another problem counts as a refusal, because the next try could be
 * the one that locks the account. Busy is thrown as `redfish-busy`, other statuses as `redfish-error`.
 * Sources: DMTF DSP0266 (sessions); iDRAC: 503 RAC0218 at the limit of sessions; iLO: 400 for a wrong password.
 */
export async function tryHostLogin(
  http: BmcHttp,
  { user, sessions: path }: HostAccount,
  password: Secret,
  redactor: Redactor,
  options: CallOptions,
): Promise<LoginVerdict> {
  redactor.add(password);
  const left = countdown(options);
  if (path === undefined) return tryBasic(http, user, password, redactor, left());
  const body = (): string => JSON.stringify({ UserName: user, Password: password.reveal() });
  const reply = await http.send({ method: 'POST', path, body }, left());
  if (noSessions.has(reply.status)) return tryBasic(http, user, password, redactor, left());
  const parsed = jsonOf(reply.text);
  const messages = extendedInfo(parsed);
  if (hasMessage(messages, 'SessionLimitExceeded') || hasMessage(messages, 'RAC0218'))
    throw errors.redfishBusy({ target: http.target, request: `POST ${path}`, status: reply.status });
  const mustChange = hasMessage(messages, 'PasswordChangeRequired');
  if (reply.status === 403 && mustChange) return { kind: 'right', mustChange, auth: basicAuth(user, password) };
  if (refusals.has(reply.status)) return refusal(reply);
  const auth = reply.status === 200 || reply.status === 201 ? tokenAuth(reply, parsed, redactor) : undefined;
  if (auth === undefined) throw replyError(http.target, 'POST', path, reply, redactor);
  return { kind: 'right', mustChange, auth };
}

/** Where sessions are made, as the service root says without a login; undefined when it names no place. Sends no secret. */
export async function findSessions(deps: ProbeDeps, options: CallOptions): Promise<string | undefined> {
  return retried(deps, options, (left) => findOnce(deps, left));
}

async function findOnce({ http, redactor }: ProbeDeps, options: CallOptions): Promise<Tried<string | undefined>> {
  let reply: HttpReply;
  try {
    reply = await http.send({ method: 'GET', path: rootPath }, options);
  } catch (error) {
    if (error instanceof OpsError && retriedReads.has(error.code)) return { kind: 'transient', error };
    throw error;
  }
  // Against the specification some services hide their root as well.
  if (reply.status === 401 || reply.status === 403) return { kind: 'value', value: sessionsPath };
  const root = jsonOf(reply.text);
  if (reply.status === 200 && root !== undefined) return { kind: 'value', value: sessionsIn(root) };
  const error = replyError(http.target, 'GET', rootPath, reply, redactor);
  if (isBusy(reply.status)) return { kind: 'transient', error };
  throw error;
}

function sessionsIn(root: unknown): string | undefined {
  const given = prop(prop(prop(root, 'Links'), 'Sessions'), '@odata.id');
  return typeof given === 'string' && /^\/redfish\/v1\/[\w/]+$/.test(given) ? given : undefined;
}

async function tryBasic(
  http: BmcHttp,
  user: string,
  password: Secret,
  redactor: Redactor,
  options: CallOptions,
): Promise<LoginVerdict> {
  const auth = basicAuth(user, password);
  const reply = await http.send({ method: 'GET', path: lockedPath, headers: auth.headers() }, options);
  const mustChange = hasMessage(extendedInfo(jsonOf(reply.text)), 'PasswordChangeRequired');
  if (reply.status === 200 || mustChange) return { kind: 'right', mustChange, auth };
  if (refusals.has(reply.status)) return refusal(reply);
  throw replyError(http.target, 'GET', lockedPath, reply, redactor);
}

function refusal(reply: HttpReply): LoginVerdict {
  return { kind: /locked/i.test(reply.text) ? 'locked' : 'wrong' };
}

/**
 * Follows the one redirect that is no journey: to the same path with or without a slash at its end (iLO, older Supermicro).
 * Such an answer says that the request was not carried out. It is sent again to the same pinned server, whatever host the
 * `Location` names.
 */
export function slashTolerant(http: BmcHttp): BmcHttp {
  return {
    target: http.target,
    async send(request, options) {
      const left = countdown(options);
      const reply = await http.send(request, options);
      const path = redirects.has(reply.status) ? otherSlash(request.path, reply.headers['location']) : undefined;
      return path === undefined ? reply : http.send({ ...request, path }, left());
    },
  };
}

function otherSlash(path: string, location: string | undefined): string | undefined {
  if (location === undefined || !URL.canParse(location, 'https://bmc')) return undefined;
  const bare = (text: string): string => text.replace(/\/$/, '');
  const { pathname, search } = new URL(location, 'https://bmc');
  const [asked = '', query] = path.split('?');
  if (pathname === asked || bare(pathname) !== bare(asked)) return undefined;
  if (search !== '' || query === undefined) return `${pathname}${search}`;
  return `${pathname}?${query}`;
}
