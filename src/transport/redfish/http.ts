import { Agent } from 'node:https';
import type { Duplex } from 'node:stream';
import { create as createAxios, isAxiosError } from 'axios';
import type { CallOptions } from '../../domain/device-ports.ts';
import { limitText } from '../../domain/limit-text.ts';
import { errors, OpsError } from '../../errors.ts';
import { type Call, reasonOf, withCall } from '../call.ts';
import type { Redactor } from '../redact.ts';
import { type BmcDial, connectPinned } from './tls.ts';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

export interface HttpRequest {
  readonly method: Method;
  /** Path under `/redfish`, query included. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes the body right before it is sent, so that a revealed secret is held nowhere. */
  readonly body?: (() => string) | undefined;
}

export interface HttpReply {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** One BMC over pinned HTTPS. */
export interface BmcHttp {
  readonly target: string;
  /**
   * Sends one request, never twice, and follows no redirect. Any status is a reply. Throws `bmc-unreachable` (nothing was
   * sent), `bmc-cert-changed` (likewise), `bmc-reply-lost`, `bmc-timeout`, `redfish-unexpected` (not HTTP, or too large).
   */
  send(request: HttpRequest, options: Pick<CallOptions, 'timeoutMs' | 'signal'>): Promise<HttpReply>;
}

/** `sent`: the request may have left; before that the BMC has certainly not seen it. */
interface SendState {
  sent: boolean;
}

const maxReplyBytes = 8 * 1024 * 1024;
const maxRequestBytes = 1024 * 1024;
const axios = createAxios({
  proxy: false,
  maxRedirects: 0,
  maxContentLength: maxReplyBytes,
  maxBodyLength: maxRequestBytes,
  responseType: 'text',
  validateStatus: () => true,
  transformRequest: [(data: unknown) => data],
  transformResponse: [(data: unknown) => data],
});

/** HTTPS to one BMC, accepting only the certificate with the SHA-256 `pin`. */
export function createBmcHttp(dial: BmcDial, pin: string, redactor: Redactor): BmcHttp {
  return {
    target: dial.target,
    async send(request, options) {
      const { method, path } = request;
      if (!/^\/redfish(\/[\x21-\x7e]*)?$/.test(path)) throw new RangeError('a Redfish path begins with /redfish');
      const name = `${method} ${path}`;
      const state: SendState = { sent: false };
      const onTimeout = (): OpsError => timeoutError(dial, request, name, options.timeoutMs, state.sent);
      return withCall(options, onTimeout, (call) => exchange(dial, pin, redactor, request, state, call));
    },
  };
}

async function exchange(
  dial: BmcDial,
  pin: string,
  redactor: Redactor,
  request: HttpRequest,
  state: SendState,
  call: Call,
): Promise<HttpReply> {
  const agent = new PinnedAgent(dial, pin, call, state);
  const data = request.body?.();
  try {
    const response = await axios.request<unknown>({
      method: request.method,
      url: `https://${urlHost(dial.address)}:${dial.port}${request.path}`,
      headers: {
        Accept: 'application/json',
        ...(data !== undefined && { 'Content-Type': 'application/json' }),
        ...request.headers,
      },
      ...(data !== undefined && { data }),
      httpsAgent: agent,
      signal: call.signal,
    });
    return { status: response.status, headers: flat(response.headers), text: textOf(response.data) };
  } catch (error) {
    if (call.signal.aborted) throw reasonOf(call.signal);
    throw sendError(dial, request, redactor, { ...state, failure: agent.failure }, error);
  } finally {
    agent.destroy();
  }
}

/**
 * The agent of one request to one BMC: its connection is handed to HTTP only after the certificate was compared.
 * Connections are not kept: BMCs run out of them, and a stale one would make a lost reply out of a request never sent.
 */
class PinnedAgent extends Agent {
  failure: unknown;
  readonly #dial: BmcDial;
  readonly #pin: string;
  readonly #call: Call;
  readonly #state: SendState;

  constructor(dial: BmcDial, pin: string, call: Call, state: SendState) {
    super({ keepAlive: false, maxCachedSessions: 0 });
    this.#dial = dial;
    this.#pin = pin;
    this.#call = call;
    this.#state = state;
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    void this.#open(callback);
  }

  async #open(callback: ((error: Error | null, stream: Duplex) => void) | undefined): Promise<void> {
    let socket: Duplex;
    try {
      socket = await connectPinned(this.#dial, this.#pin, this.#call);
    } catch (error) {
      this.failure = error;
      const shown = error instanceof Error ? error : new Error(String(error));
      // Node's own type asks for a stream beside an error.
      (callback as ((error: Error) => void) | undefined)?.(shown);
      return;
    }
    this.#state.sent = true;
    callback?.(null, socket);
  }
}

function sendError(
  dial: BmcDial,
  request: HttpRequest,
  redactor: Redactor,
  state: SendState & { readonly failure: unknown },
  error: unknown,
): Error {
  if (state.failure instanceof OpsError) return state.failure;
  const cause = plainError(error, redactor);
  const { target } = dial;
  const name = `${request.method} ${request.path}`;
  if (!state.sent) return errors.bmcUnreachable({ target, address: `${dial.address}:${dial.port}`, cause });
  const code = isAxiosError(error) ? (error.code ?? '') : '';
  if (code.startsWith('HPE_') || /maxContentLength/.test(cause.message)) {
    const deviceState = request.method === 'GET' ? 'unchanged' : 'unknown';
    return errors.redfishUnexpected({ target, request: name, problem: cause.message, state: deviceState });
  }
  return errors.bmcReplyLost({ target, request: name, cause });
}

/** Axios errors carry the whole request, body and token included: only code and message may leave. */
function plainError(error: unknown, redactor: Redactor): Error {
  const code = isAxiosError(error) && error.code !== undefined ? `${error.code}: ` : '';
  return new Error(redactor.redact(`${code}${error instanceof Error ? error.message : String(error)}`));
}

function timeoutError(dial: BmcDial, request: HttpRequest, name: string, timeoutMs: number, sent: boolean): OpsError {
  const { target } = dial;
  if (sent)
    return errors.bmcTimeout({
      target,
      request: name,
      timeoutMs,
      state: request.method === 'GET' ? 'unchanged' : 'unknown',
    });
  const cause = new Error(`no connection within ${limitText(timeoutMs)}`);
  return errors.bmcUnreachable({ target, address: `${dial.address}:${dial.port}`, cause });
}

function urlHost(address: string): string {
  return address.includes(':') && !address.startsWith('[') ? `[${address}]` : address;
}

function flat(headers: object): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]: [string, unknown]) => [
      name.toLowerCase(),
      Array.isArray(value) ? value.join(', ') : String(value),
    ]),
  );
}

function textOf(data: unknown): string {
  return typeof data === 'string' ? data : '';
}
