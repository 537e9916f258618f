import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../../src/domain/device-ports.ts';

interface Timer {
  readonly atMs: number;
  readonly go: () => void;
}

/** A wall clock that stands still until everything that can happen now has happened, then jumps to the next timer. */
export class FakeTime implements Clock {
  #nowMs: number;
  #timers: Timer[] = [];

  /** How many turns of the event loop everything that can happen at one moment takes at most. */
  readonly #turns: number;

  constructor(startMs: number, turns = 8) {
    this.#nowMs = startMs;
    this.#turns = turns;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wait = async (ms: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        reject(signal.reason);
      };
      const go = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const timer = { atMs: this.#nowMs + ms, go };
      this.#timers.push(timer);
      signal.addEventListener('abort', onAbort);
    });

  /** Lets time pass until the condition holds; throws when it does not within so many ms. */
  async until(holds: () => boolean, limitMs: number): Promise<void> {
    const endMs = this.#nowMs + limitMs;
    for (;;) {
      for (let index = 0; index < this.#turns; index += 1) await turn();
      if (holds()) return;
      const next = this.#timers.reduce<Timer | undefined>(
        (first, timer) => (first === undefined || timer.atMs < first.atMs ? timer : first),
        undefined,
      );
      if (next === undefined || next.atMs > endMs) throw new Error(`not within ${limitMs} ms`);
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.go();
    }
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    const stop = new AbortController();
    let over = false;
    void this.wait(ms, stop.signal).then(() => {
      over = true;
    });
    await this.until(() => over && this.#nowMs >= endMs, ms + 1);
  }
}
