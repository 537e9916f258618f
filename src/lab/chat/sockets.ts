import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Ids } from './ids.ts';
import type { Stats } from './stats.ts';
import type { Clock } from './types.ts';

export type EnvelopeType = 'slash_commands' | 'interactive' | 'events_api';

export interface Envelope {
  type: EnvelopeType;
  payload: unknown;
  acceptsResponsePayload: boolean;
  retry?: { attempt: number; reason: string };
}

export type Delivery =
  | { status: 'acked'; latencyMs: number; response: Record<string, unknown> | undefined }
  | { status: 'failed'; error: 'operation_timeout' | 'dispatch_failed' };

interface Pending {
  sentAtMs: number;
  settle: (delivery: Delivery) => void;
}

/** At most ten connections an app (docs.slack.dev/apis/events-api/using-socket-mode). */
const maxConnections = 10;
const pingIntervalMs = 10_000;

export interface SocketModeOptions {
  ids: Ids;
  stats: Stats;
  clock: Clock;
  random: () => number;
  ackTimeoutMs: number;
  appId: string;
}

/**
 * Slack's end of Socket Mode (docs.slack.dev/apis/events-api/using-socket-mode): tickets, hello, envelopes that go to one
 * random open connection each, acknowledgements, pings, and disconnect messages.
 */
export class SocketMode {
  readonly #options: SocketModeOptions;
  readonly #server = new WebSocketServer({ noServer: true });
  readonly #tickets = new Set<string>();
  readonly #open = new Set<WebSocket>();
  readonly #pending = new Map<string, Pending>();
  readonly #pinger: NodeJS.Timeout;

  constructor(options: SocketModeOptions) {
    this.#options = options;
    this.#pinger = setInterval(() => this.#pingAll(), pingIntervalMs);
    this.#pinger.unref();
  }

  /** A ticket for one WebSocket connection, as `apps.connections.open` hands out. */
  issueTicket(): string {
    const ticket = this.#options.ids.secret(16);
    this.#tickets.add(ticket);
    return ticket;
  }

  /** Takes over an HTTP upgrade whose ticket is good; false = the caller refuses it. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    const ticket = new URL(request.url ?? '/', 'http://lab').searchParams.get('ticket') ?? '';
    if (!this.#tickets.delete(ticket)) {
      return false;
    }
    this.#server.handleUpgrade(request, socket, head, (connection) => this.#welcome(connection));
    return true;
  }

  /** Sends an envelope to one open connection and waits for its acknowledgement. */
  send(envelope: Envelope): Promise<Delivery> {
    const { random, ids, clock, stats, ackTimeoutMs } = this.#options;
    const open = [...this.#open];
    const socket = open[Math.floor(random() * open.length)];
    if (socket === undefined) {
      stats.ackMissed('dispatch_failed');
      return Promise.resolve({ status: 'failed', error: 'dispatch_failed' });
    }
    const envelopeId = `${ids.secret(4)}-${ids.secret(2)}-${ids.secret(2)}-${ids.secret(2)}-${ids.secret(6)}`;
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle({ status: 'failed', error: 'operation_timeout' }), ackTimeoutMs);
      const settle = (delivery: Delivery): void => {
        clearTimeout(timer);
        this.#pending.delete(envelopeId);
        if (delivery.status === 'acked') {
          stats.acked(delivery.latencyMs);
        } else {
          stats.ackMissed(delivery.error);
        }
        resolve(delivery);
      };
      this.#pending.set(envelopeId, { sentAtMs: clock.nowMs(), settle });
      socket.send(
        JSON.stringify({
          envelope_id: envelopeId,
          payload: envelope.payload,
          type: envelope.type,
          accepts_response_payload: envelope.acceptsResponsePayload,
          ...(envelope.type === 'events_api' && {
            retry_attempt: envelope.retry?.attempt ?? 0,
            retry_reason: envelope.retry?.reason ?? '',
          }),
        }),
      );
    });
  }

  /** Tells every connection to go (`refresh_requested`, `warning`), or cuts them without a word (`cut`). */
  disconnectAll(reason: 'refresh_requested' | 'warning' | 'link_disabled' | 'cut'): void {
    for (const socket of this.#open) {
      if (reason === 'cut') {
        socket.terminate();
        continue;
      }
      socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: this.#debugInfo() }));
      if (reason === 'refresh_requested') {
        // Slack delivers nothing more on a connection it has asked to refresh.
        this.#forget(socket);
      }
    }
  }

  close(): void {
    clearInterval(this.#pinger);
    for (const client of this.#server.clients) {
      client.terminate();
    }
    for (const pending of this.#pending.values()) {
      pending.settle({ status: 'failed', error: 'dispatch_failed' });
    }
    this.#server.close();
  }

  #welcome(socket: WebSocket): void {
    if (this.#open.size >= maxConnections) {
      socket.send(JSON.stringify({ type: 'disconnect', reason: 'too_many_websockets', debug_info: this.#debugInfo() }));
      socket.close();
      return;
    }
    this.#open.add(socket);
    this.#options.stats.sockets.opened += 1;
    this.#options.stats.sockets.open = this.#open.size;
    socket.on('message', (data: Buffer) => this.#receive(data.toString('utf8')));
    socket.on('close', () => this.#forget(socket));
    socket.on('error', () => socket.terminate());
    socket.send(
      JSON.stringify({
        type: 'hello',
        num_connections: this.#open.size,
        debug_info: { ...this.#debugInfo(), build_number: 1, approximate_connection_time: 18_060 },
        connection_info: { app_id: this.#options.appId },
      }),
    );
  }

  #receive(text: string): void {
    const message: unknown = parseJson(text);
    if (typeof message !== 'object' || message === null || !('envelope_id' in message)) {
      return;
    }
    const pending = this.#pending.get(String(message.envelope_id));
    const payload: unknown = 'payload' in message ? message.payload : undefined;
    pending?.settle({
      status: 'acked',
      latencyMs: this.#options.clock.nowMs() - pending.sentAtMs,
      response: isFilledObject(payload) ? payload : undefined,
    });
  }

  /** A payload whose connection ends unacknowledged is not sent to another one: Slack lets it time out. */
  #forget(socket: WebSocket): void {
    this.#open.delete(socket);
    this.#options.stats.sockets.open = this.#open.size;
  }

  #pingAll(): void {
    for (const socket of this.#open) {
      socket.ping(`Ping from ${this.#debugInfo().host}`);
    }
  }

  #debugInfo(): { host: string } {
    return { host: 'applink-lab' };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isFilledObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}
