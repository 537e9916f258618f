import type { DeliveryError } from './deliverer.ts';

export interface MethodStats {
  ok: number;
  errors: Record<string, number>;
}

export interface ChatStats {
  calls: Record<string, MethodStats>;
  rateLimited: number;
  invalidBlocks: number;
  /** Why Slack would have refused the blocks, newest last, at most 20. */
  invalidBlockMessages: string[];
  /** `refused` = answered by the app with HTTP 4xx or 5xx. */
  acks: { count: number; timeouts: number; dispatchFailed: number; refused: number; maxMs: number; p50Ms: number };
  /** `refreshed` = renewed by the fault socket-refresh. */
  sockets: { open: number; opened: number; refreshed: number };
  /** `implicitReplace` = posts about a message that did not say whether they replace it. */
  responseUrl: { posts: number; refused: number; implicitReplace: number };
  redeliveries: number;
}

const keptLatencies = 1_000;

/** Counts what the bot does to the pretend Slack, for tests and for the demo's summary. */
export class Stats {
  readonly #calls: Record<string, MethodStats> = {};
  readonly #invalidBlockMessages: string[] = [];
  readonly #ackMs: number[] = [];
  readonly #acks = { count: 0, timeouts: 0, dispatchFailed: 0, refused: 0, maxMs: 0 };
  readonly responseUrl = { posts: 0, refused: 0, implicitReplace: 0 };
  readonly sockets = { open: 0, opened: 0, refreshed: 0 };
  rateLimited = 0;
  invalidBlocks = 0;
  redeliveries = 0;

  called(method: string, error?: string): void {
    const entry = (this.#calls[method] ??= { ok: 0, errors: {} });
    if (error === undefined) {
      entry.ok += 1;
    } else {
      entry.errors[error] = (entry.errors[error] ?? 0) + 1;
    }
    if (error === 'ratelimited') {
      this.rateLimited += 1;
    }
  }

  refusedBlocks(messages: string[]): void {
    this.invalidBlocks += 1;
    this.#invalidBlockMessages.push(...messages);
    this.#invalidBlockMessages.splice(0, this.#invalidBlockMessages.length - 20);
  }

  acked(latencyMs: number): void {
    this.#acks.count += 1;
    this.#acks.maxMs = Math.max(this.#acks.maxMs, latencyMs);
    this.#ackMs.push(latencyMs);
    this.#ackMs.splice(0, this.#ackMs.length - keptLatencies);
  }

  ackMissed(error: DeliveryError): void {
    switch (error) {
      case 'operation_timeout':
        this.#acks.timeouts += 1;
        return;
      case 'dispatch_failed':
        this.#acks.dispatchFailed += 1;
        return;
      case 'http_client_error':
      case 'http_service_error':
        this.#acks.refused += 1;
    }
  }

  snapshot(): ChatStats {
    const sorted = [...this.#ackMs].sort((a, b) => a - b);
    return structuredClone({
      calls: this.#calls,
      rateLimited: this.rateLimited,
      invalidBlocks: this.invalidBlocks,
      invalidBlockMessages: this.#invalidBlockMessages,
      acks: { ...this.#acks, p50Ms: sorted[Math.floor(sorted.length / 2)] ?? 0 },
      sockets: this.sockets,
      responseUrl: this.responseUrl,
      redeliveries: this.redeliveries,
    });
  }
}
