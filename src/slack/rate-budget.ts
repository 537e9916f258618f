import type { Clock } from '../domain/device-ports.ts';
import type { Wait } from './log.ts';

export interface BudgetOptions {
  /** How many may go at once after a quiet time. */
  readonly burst: number;
  readonly perMinute: number;
  readonly clock: Clock;
  readonly wait: Wait;
}

/** Lower goes first. A function is asked again at every turn: what waits may become urgent. */
export type Priority = number | (() => number);

interface Waiter {
  readonly priority: () => number;
  readonly signal: AbortSignal;
  readonly go: () => void;
}

/**
 * Token bucket with priorities, in front of one kind of request. The most urgent goes first, then whoever asked first. A 429 pauses it for as long as the chat asked.
 */
export class RateBudget {
  readonly #options: BudgetOptions;
  readonly #waiters: Waiter[] = [];
  #tokens: number;
  #countedAtMs: number;
  #pausedUntilMs = 0;
  #pumping = false;

  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#countedAtMs = options.clock.nowMs();
  }

  /** Resolves when one request may be made; rejects with the signal's reason when aborted while waiting. */
  async take(priority: Priority, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      const go = (): void => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiters.push({ priority: typeof priority === 'number' ? () => priority : priority, signal, go });
      this.#pump().catch(reject);
    });
  }

  /** Takes a turn only when one is free now: for what can as well be left out. */
  tryTake(): boolean {
    if (this.#waiters.length > 0 || this.#delayMs() > 0) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Lets nothing through for so long: the chat said so. */
  pause(ms: number): void {
    this.#pausedUntilMs = Math.max(this.#pausedUntilMs, this.#options.clock.nowMs() + ms);
    this.#tokens = Math.min(this.#tokens, 1);
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (;;) {
        const next = this.#takeNext();
        if (next === 'empty') return;
        if (next !== 'granted') await this.#options.wait(next.delayMs, next.signal).catch(() => undefined);
      }
    } finally {
      this.#pumping = false;
    }
  }

  /** Lets the first waiter go if there is a token; otherwise says how long until there is one. */
  #takeNext(): 'empty' | 'granted' | { readonly delayMs: number; readonly signal: AbortSignal } {
    const live = this.#waiters.filter((waiter) => !waiter.signal.aborted);
    this.#waiters.splice(0, this.#waiters.length, ...live);
    const first = live.reduce<Waiter | undefined>(
      (best, waiter) => (best === undefined || waiter.priority() < best.priority() ? waiter : best),
      undefined,
    );
    if (first === undefined) return 'empty';
    const delayMs = this.#delayMs();
    if (delayMs > 0) return { delayMs, signal: first.signal };
    this.#tokens -= 1;
    this.#waiters.splice(this.#waiters.indexOf(first), 1);
    first.go();
    return 'granted';
  }

  #delayMs(): number {
    const { burst, perMinute, clock } = this.#options;
    const nowMs = clock.nowMs();
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#countedAtMs) * perMinute) / 60_000);
    this.#countedAtMs = nowMs;
    const paused = this.#pausedUntilMs - nowMs;
    const missing = 1 - this.#tokens;
    const refill = missing <= 1e-9 ? 0 : Math.ceil((missing * 60_000) / perMinute);
    return Math.max(paused, refill, 0);
  }
}

/** All limits of the publisher: edits share one budget of the workspace, posts have one per channel. */
export class PublisherBudgets {
  /** chat.update is a tier 3 method: about 50 a minute for the whole workspace. */
  readonly edits: RateBudget;
  /** The files.* methods are tier 4, about 100 a minute each; one budget for all of them is well below. */
  readonly files: RateBudget;
  /** conversations.open is a tier 3 method, about 50 a minute. */
  readonly opens: RateBudget;
  /** conversations.replies, to see whether what waits for an answer is still there: tier 3, and look-ups of posts need it too. */
  readonly looks: RateBudget;
  readonly #base: Pick<BudgetOptions, 'clock' | 'wait'>;
  readonly #posts = new Map<string, RateBudget>();

  constructor(base: Pick<BudgetOptions, 'clock' | 'wait'>, editsPerMinute = 48) {
    this.#base = base;
    this.edits = new RateBudget({ ...base, burst: 5, perMinute: editsPerMinute });
    this.files = new RateBudget({ ...base, burst: 10, perMinute: 90 });
    this.opens = new RateBudget({ ...base, burst: 20, perMinute: 40 });
    this.looks = new RateBudget({ ...base, burst: 5, perMinute: 25 });
  }

  /** chat.postMessage: one a second and channel. */
  posts(channel: string): RateBudget {
    const known = this.#posts.get(channel);
    if (known !== undefined) return known;
    const budget = new RateBudget({ ...this.#base, burst: 1, perMinute: 60 });
    this.#posts.set(channel, budget);
    return budget;
  }
}
