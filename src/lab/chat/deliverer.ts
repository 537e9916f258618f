import { setTimeout as delay } from 'node:timers/promises';
import type { Faults } from './faults.ts';
import type { Stats } from './stats.ts';

export type EnvelopeType = 'slash_commands' | 'interactive' | 'events_api';

/** One payload on its way to the app. */
export interface Envelope {
  type: EnvelopeType;
  payload: Record<string, unknown>;
  acceptsResponsePayload: boolean;
  retry?: { attempt: number; reason: string };
}

/**
 * What the person is told of a delivery that failed: nobody there, no answer within three seconds, or (over HTTP) an answer
 * of the 400s or 500s (words of the client; docs.slack.dev/interactivity/implementing-slash-commands).
 */
export type DeliveryError = 'operation_timeout' | 'dispatch_failed' | 'http_client_error' | 'http_service_error';

export type Delivery =
  | { status: 'acked'; latencyMs: number; response: Record<string, unknown> | undefined }
  /** `noRetry` = the app has asked for no further attempt (`X-Slack-No-Retry: 1`). */
  | { status: 'failed'; error: DeliveryError; noRetry?: boolean };

/** What came of a payload, of both its copies while it is delivered twice: every answer that the app gave. */
export type Delivered =
  | { status: 'acked'; latencyMs: number; responses: Record<string, unknown>[] }
  | Extract<Delivery, { status: 'failed' }>;

/** A way to the app: Socket Mode, or a request URL. */
export interface Carrier {
  send(envelope: Envelope): Promise<Delivery>;
}

/** Brings payloads to the app over whichever carrier is in use, twice while the fault `duplicate` is on. */
export class Deliverer {
  readonly #faults: Faults;
  readonly #stats: Stats;
  readonly #carrier: () => Carrier;

  constructor(faults: Faults, stats: Stats, carrier: () => Carrier) {
    this.#faults = faults;
    this.#stats = stats;
    this.#carrier = carrier;
  }

  /** Delivers once, or twice: one copy that is acknowledged is enough, and what either was answered counts. */
  async send(envelope: Envelope): Promise<Delivered> {
    if (this.#faults.down !== undefined) {
      this.#stats.ackMissed('dispatch_failed');
      return { status: 'failed', error: 'dispatch_failed' };
    }
    const twice = this.#faults.take('duplicate', envelope.type);
    const first = this.#carrier().send(envelope);
    if (twice === undefined) {
      return together(await first);
    }
    if ((twice.gapMs ?? 0) > 0) {
      await Promise.all([first, delay(twice.gapMs)]);
    }
    return together(...(await Promise.all([first, this.#carrier().send(envelope)])));
  }
}

function together(...[first, ...more]: [Delivery, ...Delivery[]]): Delivered {
  const acked = [first, ...more].filter((one) => one.status === 'acked');
  if (first.status === 'failed' && acked.length === 0) {
    return first;
  }
  return {
    status: 'acked',
    latencyMs: Math.min(...acked.map((one) => one.latencyMs)),
    responses: acked.flatMap(({ response }) => (response === undefined ? [] : [response])),
  };
}
