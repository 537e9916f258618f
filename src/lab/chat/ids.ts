import { randomBytes } from 'node:crypto';
import type { Clock } from './types.ts';

/** Small seeded generator (mulberry32), so that a run's random choices can be repeated from its printed seed. */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Makes ids and message timestamps in Slack's form. */
export class Ids {
  readonly #clock: Clock;
  #lastMicros = 0;
  #count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A message timestamp: seconds and microseconds, unique and rising, also on a clock that stands still. */
  ts(): string {
    const micros = Math.max(Math.floor(this.#clock.nowMs()) * 1000, this.#lastMicros + 100);
    this.#lastMicros = micros;
    const seconds = Math.floor(micros / 1_000_000);
    return `${seconds}.${String(micros % 1_000_000).padStart(6, '0')}`;
  }

  /** An object id such as `F0LAB00001A`. */
  next(prefix: string): string {
    this.#count += 1;
    return `${prefix}0LAB${this.#count.toString(36).toUpperCase().padStart(6, '0')}`;
  }

  /** An unguessable string for tokens, tickets and hooks. */
  secret(bytes = 12): string {
    return randomBytes(bytes).toString('hex');
  }
}
