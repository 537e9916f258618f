import type { CallOptions } from '../../domain/device-ports.ts';
import { Secret } from '../../domain/secret.ts';
import { errors, OpsError } from '../../errors.ts';
import type { Redactor } from '../redact.ts';
import { extendedInfo, hasMessage, isBusy, jsonOf, prop, replyError, retriedReads } from './errors.ts';
import type { BmcHttp, HttpReply } from './http.ts';
import { type RetryDeps, retried, type Tried } from './retry.ts';

/** The BMC account dpubot uses; the only administrator a BlueField BMC ships with. */
const bmcUser = 'root';
/** Where sessions are made on a BlueField BMC, and by the specification wherever nothing else is said. */
export const sessionsPath = '/redfish/v1/SessionService/Sessions';
/** Any resource that an account with an expired password may not read. */
const probePath = '/redfish/v1/Managers';

/** What authorises requests after a login. */
export interface BmcAuth {
  headers(): Readonly<Record<string, string>>;
  /** A token of a session expires; the password itself does not. */
  readonly kind: 'token' | 'password';
  /** Path of the session resource to delete at the end; none when the BMC gave no session. */
  readonly location: string | undefined;
}

export type LoginVerdict =
  /** `mustChange` is true when the BMC said so at the login; otherwise a probe tells. */
  | { readonly kind: 'right'; readonly mustChange: boolean; readonly auth: BmcAuth }
  | { readonly kind: 'wrong' }
  | { readonly kind: 'locked' };

/**
 * Tries one password, once. 401 is wrong, or locked when the BMC says so. With the factory password OpenBMC gives either
 * a session that may only change the password, or 403 `PasswordChangeRequired` without one (then each request carries the
 * password itself): both are right, and it must be changed. Other statuses are thrown as `redfish-busy` or `redfish-error`.
 */
export async function tryLogin(
  http: BmcHttp,
  password: Secret,
  redactor: Redactor,
  options: CallOptions,
): Promise<LoginVerdict> {
  redactor.add(password);
  const body = (): string => JSON.stringify({ UserName: bmcUser, Password: password.reveal() });
  const reply = await http.send({ method: 'POST', path: sessionsPath, body }, options);
  if (reply.status === 401) return { kind: /locked/i.test(reply.text) ? 'locked' : 'wrong' };
  if (isChangeRequired(reply)) return { kind: 'right', mustChange: true, auth: basicAuth(bmcUser, password) };
  const parsed = jsonOf(reply.text);
  const auth = reply.status === 201 || reply.status === 200 ? tokenAuth(reply, parsed, redactor) : undefined;
  if (auth === undefined) throw replyError(http.target, 'POST', sessionsPath, reply, redactor);
  return { kind: 'right', mustChange: hasMessage(extendedInfo(parsed), 'PasswordChangeRequired'), auth };
}

/** What a login is worth now: it may do all, only change its password, or nothing any more. */
export type Standing = 'free' | 'must-change' | 'expired';

export interface ProbeDeps extends RetryDeps {
  readonly http: BmcHttp;
  readonly redactor: Redactor;
}

/**
 * Asks with a GET, which is tried as often as any read. A BMC that does not say is an error and never taken to allow all:
 * the factory password would look like one that need not be changed. Throws what the last try threw.
 */
export async function probeStanding(deps: ProbeDeps, auth: BmcAuth, options: CallOptions): Promise<Standing> {
  return retried(deps, options, (left) => probeOnce(deps, auth, left));
}

async function probeOnce({ http, redactor }: ProbeDeps, auth: BmcAuth, options: CallOptions): Promise<Tried<Standing>> {
  let reply: HttpReply;
  try {
    reply = await http.send({ method: 'GET', path: probePath, headers: auth.headers() }, options);
  } catch (error) {
    if (error instanceof OpsError && retriedReads.has(error.code)) return { kind: 'transient', error };
    throw error;
  }
  if (reply.status === 401) return { kind: 'value', value: 'expired' };
  if (isChangeRequired(reply)) return { kind: 'value', value: 'must-change' };
  if (isBusy(reply.status))
    return { kind: 'transient', error: replyError(http.target, 'GET', probePath, reply, redactor) };
  if (reply.status === 200 && jsonOf(reply.text) === undefined)
    return { kind: 'transient', error: unreadable(http.target) };
  return { kind: 'value', value: 'free' };
}

function unreadable(target: string): OpsError {
  return errors.redfishUnexpected({ target, request: `GET ${probePath}`, problem: 'The reply is not JSON.' });
}

/** 403 with `PasswordChangeRequired`, or with nothing at all (seen on real cards; NICo's BMC model does the same). */
function isChangeRequired(reply: HttpReply): boolean {
  if (reply.status !== 403) return false;
  return reply.text.trim() === '' || hasMessage(extendedInfo(jsonOf(reply.text)), 'PasswordChangeRequired');
}

/** Ends a session; answers do not matter. */
export async function logout(http: BmcHttp, auth: BmcAuth, options: CallOptions): Promise<void> {
  if (auth.location === undefined) return;
  await http.send({ method: 'DELETE', path: auth.location, headers: auth.headers() }, options);
}

/** The session that a BMC made, by its token; undefined when the reply has none. */
export function tokenAuth(reply: HttpReply, body: unknown, redactor: Redactor): BmcAuth | undefined {
  const value = reply.headers['x-auth-token'];
  if (value === undefined || value === '') return undefined;
  const token = new Secret(value);
  redactor.add(token);
  return {
    kind: 'token',
    headers: () => ({ 'X-Auth-Token': token.reveal() }),
    location: sessionLocation(reply.headers['location'] ?? prop(body, '@odata.id')),
  };
}

/**
 * `Location` may be absolute; only its path is used, and only when it is a session. Beside the place of the specification
 * there is `/redfish/v1/Sessions/ID` (iDRAC).
 */
function sessionLocation(given: unknown): string | undefined {
  if (typeof given !== 'string' || !URL.canParse(given, 'https://bmc')) return undefined;
  const { pathname } = new URL(given, 'https://bmc');
  return /^\/redfish\/v1\/(SessionService\/)?Sessions\/[^/]+\/?$/.test(pathname) ? pathname : undefined;
}

/** The password itself with each request, for a BMC that gives no session. */
export function basicAuth(user: string, password: Secret): BmcAuth {
  const encode = (): string => Buffer.from(`${user}:${password.reveal()}`, 'utf8').toString('base64');
  return { kind: 'password', headers: () => ({ Authorization: `Basic ${encode()}` }), location: undefined };
}
