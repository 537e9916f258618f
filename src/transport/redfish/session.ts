import type { BmcSession, CallOptions, DeviceClock, RedfishReply, SecretBody } from '../../domain/device-ports.ts';
import { Secret } from '../../domain/secret.ts';
import { errors, OpsError } from '../../errors.ts';
import type { Redactor } from '../redact.ts';
import { type BmcAuth, logout } from './auth.ts';
import { isBusy, jsonOf, replyError, retriedReads, retryAfterMs } from './errors.ts';
import type { BmcHttp, HttpReply, HttpRequest } from './http.ts';
import { countdown, longestWaitMs, retried, type Tried } from './retry.ts';
import { followTask } from './task.ts';

export interface RedfishSessionDeps {
  readonly http: BmcHttp;
  readonly auth: BmcAuth;
  /** A new login after the session expired; throws what the login throws. */
  readonly renew: (options: CallOptions) => Promise<BmcAuth>;
  /** Told before each write leaves: what was known about the BMC may no longer hold. */
  readonly onWrite: (path: string) => void;
  readonly clock: DeviceClock;
  readonly redactor: Redactor;
  /** 0 to 1, for the spread of retries. */
  readonly random: () => number;
}

/** A session that can also be ended. */
export interface OpenRedfishSession extends BmcSession {
  /** What authorises its requests now. */
  auth(): BmcAuth;
  logout(options: CallOptions): Promise<void>;
}

/**
 * A logged-in Redfish session. Reads are tried up to three times when the BMC is away or busy; writes are sent once. An
 * expired session is renewed once per call: the 401 says that the request was not carried out.
 */
export function createRedfishSession(deps: RedfishSessionDeps): OpenRedfishSession {
  const { http, clock, redactor } = deps;
  let auth = deps.auth;
  let renewing: Promise<BmcAuth> | undefined;

  async function send(request: HttpRequest, options: CallOptions): Promise<HttpReply> {
    const left = countdown(options);
    const used = auth;
    const reply = await http.send({ ...request, headers: used.headers() }, options);
    // Without a session the password itself was sent: asking again would be another wrong try.
    if (reply.status !== 401 || used.kind === 'password') return reply;
    if (auth === used) {
      renewing ??= deps.renew(left()).finally(() => (renewing = undefined));
      auth = await renewing;
    }
    return http.send({ ...request, headers: auth.headers() }, left());
  }

  async function readOnce(path: string, options: CallOptions): Promise<Tried<HttpReply>> {
    try {
      const reply = await send({ method: 'GET', path }, options);
      if (!isBusy(reply.status)) return { kind: 'value', value: reply };
      const retryMs = retryAfterMs(reply.headers, clock.nowMs(), longestWaitMs);
      const error = replyError(http.target, 'GET', path, reply, redactor);
      return { kind: 'transient', error, retryAfterMs: retryMs };
    } catch (error) {
      if (error instanceof OpsError && retriedReads.has(error.code)) return { kind: 'transient', error };
      throw error;
    }
  }

  async function write(method: 'PATCH' | 'POST', path: string, body: () => string, options: CallOptions) {
    deps.onWrite(path);
    const reply = await send({ method, path, body }, options);
    if (reply.status < 200 || reply.status > 299) throw replyError(http.target, method, path, reply, redactor);
    return redfishReply(http.target, method, path, reply, redactor);
  }

  return {
    target: http.target,
    auth: () => auth,
    async get(resource, options) {
      const reply = await retried(deps, options, (left) => readOnce(resource.path, left));
      if (reply.status !== 200) throw replyError(http.target, 'GET', resource.path, reply, redactor);
      return resourceOf(http.target, `GET ${resource.path}`, reply, redactor);
    },
    patch: (path, body, options) => write('PATCH', path, () => JSON.stringify(body), options),
    post: (path, body, options) => write('POST', path, () => JSON.stringify(body), options),
    patchSecret(path, body, options) {
      for (const secret of secretsIn(body)) redactor.add(secret);
      return write('PATCH', path, () => JSON.stringify(revealed(body)), options);
    },
    waitTask: (path, options) =>
      followTask(
        { target: http.target, read: (p, o) => send({ method: 'GET', path: p }, o), clock, redactor },
        ownPath(path),
        options,
      ),
    logout: (options) => logout(http, auth, options),
  };
}

/** A monitor may be named with scheme and host (`Location`); it is asked for where the session is, nowhere else. */
function ownPath(path: string): string {
  if (path.startsWith('/') || !URL.canParse(path)) return path;
  const { pathname, search } = new URL(path);
  return `${pathname}${search}`;
}

function secretsIn(body: SecretBody): readonly Secret[] {
  return Object.values(body).flatMap((value) => {
    if (value instanceof Secret) return [value];
    return typeof value === 'string' ? [] : secretsIn(value);
  });
}

function revealed(body: SecretBody): object {
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => {
      if (value instanceof Secret) return [name, value.reveal()];
      return [name, typeof value === 'string' ? value : revealed(value)];
    }),
  );
}

/** The JSON object or array of a reply, without known secrets. Throws `redfish-unexpected`. */
function resourceOf(target: string, request: string, reply: HttpReply, redactor: Redactor): unknown {
  const body = jsonOf(reply.text);
  if (typeof body === 'object' && body !== null) return withoutSecrets(body, reply.text, redactor);
  const shown = redactor.redact(reply.text.slice(0, 2_000)).slice(0, 80);
  const problem = reply.text === '' ? 'The reply is empty.' : `The reply is not a JSON object: ${shown}`;
  throw errors.redfishUnexpected({ target, request, problem });
}

function redfishReply(
  target: string,
  method: string,
  path: string,
  reply: HttpReply,
  redactor: Redactor,
): RedfishReply {
  const { 'x-auth-token': _token, 'set-cookie': _cookie, ...headers } = reply.headers;
  const empty = reply.text.trim() === '';
  const body = empty ? undefined : jsonOf(reply.text);
  // The BMC accepted the write: a body that cannot be read takes nothing back, but nothing in it is known.
  if (!empty && body === undefined) {
    const problem = 'The write was accepted, but the reply is not JSON.';
    throw errors.redfishUnexpected({ target, request: `${method} ${path}`, problem, state: 'changed' });
  }
  return { status: reply.status, headers, body: withoutSecrets(body, reply.text, redactor) };
}

/** BMCs quote what they were sent (`PropertyValueFormatError` names the value): known secrets are cut out of strings. */
function withoutSecrets(body: unknown, text: string, redactor: Redactor): unknown {
  return redactor.redactKnown(text) === text ? body : redactStrings(body, redactor);
}

function redactStrings(value: unknown, redactor: Redactor): unknown {
  if (typeof value === 'string') return redactor.redactKnown(value);
  if (Array.isArray(value)) return value.map((one: unknown) => redactStrings(one, redactor));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, redactStrings(one, redactor)]));
}
