import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Delivery, Envelope } from './deliverer.ts';
import type { Ids } from './ids.ts';
import type { Stats } from './stats.ts';
import type { Clock } from './types.ts';

interface Pending {
  sentAtMs: number;
  settle: (delivery: Delivery) => void;
}

/** At most ten connections an app (docs.slack.dev/apis/events-api/using-socket-mode). */
const maxConnections = 10;
const pingIntervalMs = 10_000;
/** How long after its `disconnect` message Slack ends a connection: "in about 10 seconds", says the same page. */
const graceMs = 10_000;

export type DisconnectReason = 'refresh_requested' | 'warning' | 'link_disabled' | 'too_many_websockets';

export interface SocketModeOptions {
  ids: Ids;
  stats: Stats;
  clock: Clock;
  random: () => number;
  ackTimeoutMs: number;
  appId: string;
  /** How old a connection gets before it is renewed; undefined = never. */
  refreshEveryMs: () => number | undefined;
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
  readonly #refreshers = new Set<NodeJS.Timeout>();
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

  /** Tells every connection to go, or cuts them without a word (`cut`). */
  disconnectAll(reason: DisconnectReason | 'cut'): void {
    for (const socket of this.#open) {
      if (reason === 'cut') {
        socket.terminate();
      } else {
        this.#disconnect(socket, reason);
      }
    }
  }

  /** Gives the open connections the age limit of now. They end one after another: an app that has two keeps one. */
  followRefresh(): void {
    for (const timer of this.#refreshers) {
      clearTimeout(timer);
    }
    this.#refreshers.clear();
    const everyMs = this.#options.refreshEveryMs() ?? 0;
    [...this.#open].forEach((socket, index) => {
      this.#refreshAfter(socket, (everyMs * (index + 1)) / this.#open.size);
    });
  }

  close(): void {
    clearInterval(this.#pinger);
    for (const timer of this.#refreshers) {
      clearTimeout(timer);
    }
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
      this.#disconnect(socket, 'too_many_websockets');
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
    this.#refreshAfter(socket, this.#options.refreshEveryMs() ?? 0);
  }

  /** `warning` announces the end, the connection still gets payloads; after the other reasons it gets none. */
  #disconnect(socket: WebSocket, reason: DisconnectReason): void {
    socket.send(JSON.stringify({ type: 'disconnect', reason, debug_info: this.#debugInfo() }));
    if (reason !== 'warning') {
      this.#forget(socket);
    }
    setTimeout(() => socket.terminate(), graceMs).unref();
  }

  #refreshAfter(socket: WebSocket, delayMs: number): void {
    if (this.#options.refreshEveryMs() === undefined) {
      return;
    }
    const timer = setTimeout(() => {
      this.#refreshers.delete(timer);
      if (this.#options.refreshEveryMs() !== undefined && this.#open.has(socket)) {
        this.#options.stats.sockets.refreshed += 1;
        this.#disconnect(socket, 'refresh_requested');
      }
    }, delayMs);
    timer.unref();
    this.#refreshers.add(timer);
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
