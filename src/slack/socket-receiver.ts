import { setTimeout as sleep } from 'node:timers/promises';
import type { App, Receiver } from '@slack/bolt';
import { SocketModeClient } from '@slack/socket-mode';
import { errors } from '../errors.ts';
import { webClientOptions } from './chat-client.ts';
import { libraryLogger } from './library-logger.ts';
import type { Log, Wait } from './log.ts';
import { reasonOf } from './log.ts';
import { slackErrorCode } from './web-client.ts';

export interface SocketReceiverOptions {
  readonly appToken: string;
  readonly apiUrl?: string;
  readonly log: Log;
  /** Time to open a connection, until Slack's hello. */
  readonly connectTimeoutMs?: number;
  readonly wait?: Wait;
}

const CONNECT_TIMEOUT_MS = 15_000;
const CLOSE_TIMEOUT_MS = 2000;
const BACKOFF_MS = { first: 50, most: 30_000 } as const;
/** A connection that lasted this long was a good one: the next is opened without delay. */
const LASTING_MS = 10_000;
/** Refusals that no waiting cures. */
const FATAL = new Set([
  'invalid_auth',
  'not_authed',
  'account_inactive',
  'token_revoked',
  'token_expired',
  'not_allowed_token_type',
  'missing_scope',
]);
/** Slack closes each connection now and then and delivers nothing while there is none; a payload goes to one of them. */
const CONNECTIONS = 2;

/** What the client hands over with an envelope. */
interface SlackEnvelope {
  readonly ack: (response?: Record<string, unknown>) => Promise<void>;
  readonly envelope_id?: string;
  readonly body: Record<string, unknown>;
  readonly retry_num?: number;
  readonly retry_reason?: string;
}

/**
 * Socket Mode for Bolt, with reconnecting of our own: the library's (socket-mode 3.1.0) ends the process with an unhandled
 * rejection when a reconnect fails, gives up on HTTP errors, and leaves a gap of 5 to 12 s when Slack refreshes a
 * connection (slackapi/node-slack-sdk#2656, #2752). Here each connection is a client that never reconnects by itself, two
 * are held, and the next one is opened as soon as Slack announces that it closes one.
 */
export class SocketReceiver implements Receiver {
  readonly #options: SocketReceiverOptions;
  readonly #stop = new AbortController();
  readonly #closing = new Set<Promise<void>>();
  #app: App | undefined;
  readonly #clients = new Set<SocketModeClient>();
  #keeping: Promise<unknown> | undefined;

  constructor(options: SocketReceiverOptions) {
    this.#options = options;
  }

  init(app: App): void {
    this.#app = app;
  }

  /** True while a connection is open. */
  get connected(): boolean {
    return this.#clients.size > 0;
  }

  /**
   * Resolves once the first connection is open; later ones are looked after in the background. Errors: config-invalid when
   * Slack refuses the token; rejects also when it is stopped before.
   */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(new Error('stopped before it was connected'));
      this.#stop.signal.addEventListener('abort', onAbort, { once: true });
      const keepers = Array.from({ length: CONNECTIONS }, async () => this.#keep(resolve, reject));
      this.#keeping = Promise.all(keepers).catch((error: unknown) => {
        this.#options.log.error({ reason: reasonOf(error) }, 'socket keeper ended');
      });
    });
  }

  /** Closes the connection; resolves when it is closed, at the latest after 2 s. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#keeping;
    await Promise.all(this.#closing);
  }

  async #keep(onFirst: () => void, onFatal: (error: unknown) => void): Promise<void> {
    const stop = this.#stop.signal;
    const wait: Wait = this.#options.wait ?? (async (ms, signal) => sleep(ms, undefined, { signal }));
    let backoffMs: number = BACKOFF_MS.first;
    while (!stop.aborted) {
      const beganMs = performance.now();
      try {
        const connection = await this.#connect();
        this.#clients.add(connection.client);
        this.#options.log.info({}, 'connected to Slack by socket');
        onFirst();
        await untilAborted(AbortSignal.any([stop, connection.ended]));
        this.#clients.delete(connection.client);
        this.#letGo(connection.client, stop.aborted);
      } catch (error) {
        const refusal = slackErrorCode(error) ?? '';
        if (FATAL.has(refusal))
          onFatal(errors.configInvalid({ problems: [`SLACK_APP_TOKEN is refused by Slack: ${refusal}`] }));
        if (!stop.aborted) this.#options.log.warn({ reason: reasonOf(error), backoffMs }, 'no socket to Slack');
      }
      if (performance.now() - beganMs > LASTING_MS) backoffMs = BACKOFF_MS.first;
      else {
        await wait(backoffMs, stop).catch(() => undefined);
        backoffMs = Math.min(BACKOFF_MS.most, backoffMs * 2);
      }
    }
  }

  /** Opens one connection. `ended` fires when it broke, or when Slack announced that it will close it. */
  async #connect(): Promise<{ readonly client: SocketModeClient; readonly ended: AbortSignal }> {
    const { appToken, log, connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const ended = new AbortController();
    const client = new SocketModeClient({
      appToken,
      autoReconnectEnabled: false,
      logger: libraryLogger(log),
      clientOptions: webClientOptions(this.#options.apiUrl),
    });
    client.on('disconnected', () => ended.abort());
    client.on('ws_message', (data: unknown) => {
      if (isDisconnect(data)) ended.abort();
    });
    client.on('slack_event', (envelope: SlackEnvelope) => void this.#receive(envelope));
    const late = new AbortController();
    const timeout = sleep(connectTimeoutMs, undefined, { signal: late.signal }).then(() => {
      throw new Error(`no hello within ${connectTimeoutMs} ms`);
    });
    try {
      await Promise.race([client.start(), timeout, rejectWhenAborted(this.#stop.signal, late.signal)]);
      return { client, ended: ended.signal };
    } catch (error) {
      this.#letGo(client, true);
      throw error;
    } finally {
      late.abort();
      timeout.catch(() => undefined);
    }
  }

  /** The old connection still delivers acknowledgements under way; it is closed in the background. */
  #letGo(client: SocketModeClient, now: boolean): void {
    const closing = (async () => {
      if (!now) await sleep(CLOSE_TIMEOUT_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      await Promise.race([client.disconnect(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    })().catch((error: unknown) => {
      this.#options.log.debug({ reason: reasonOf(error) }, 'old socket not closed cleanly');
    });
    this.#closing.add(closing);
    void closing.finally(() => this.#closing.delete(closing));
  }

  async #receive(envelope: SlackEnvelope): Promise<void> {
    let acknowledged = false;
    try {
      await this.#app?.processEvent({
        body: envelope.body,
        ack: async (response?: Record<string, unknown> | string) => {
          if (acknowledged) return;
          acknowledged = true;
          await envelope.ack(typeof response === 'string' ? { text: response } : response);
        },
        ...(envelope.retry_num === undefined ? {} : { retryNum: envelope.retry_num }),
        ...(envelope.retry_reason === undefined ? {} : { retryReason: envelope.retry_reason }),
        customProperties: { envelopeId: envelope.envelope_id },
      });
    } catch (error) {
      this.#options.log.error({ reason: reasonOf(error) }, 'an event from Slack could not be handled');
    }
  }
}

function isDisconnect(data: unknown): boolean {
  if (typeof data !== 'string' || !data.includes('"disconnect"')) return false;
  try {
    const message: unknown = JSON.parse(data);
    return typeof message === 'object' && message !== null && 'type' in message && message.type === 'disconnect';
  } catch {
    return false;
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

async function rejectWhenAborted(signal: AbortSignal, over: AbortSignal): Promise<never> {
  await untilAborted(AbortSignal.any([signal, over]));
  throw new Error('stopped');
}
