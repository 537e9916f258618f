import type { RateBudget } from './rate-budget.ts';

/**
 * A read that many people need at the same moment, and that the chat allows a few times a minute only: whoever asks before
 * a read has begun gets what it reads. So nobody is ever given something that was read before they asked.
 */
export class SharedRead<T> {
  readonly #budget: RateBudget;
  readonly #read: () => Promise<T>;
  #next: Promise<T> | undefined;

  constructor(budget: RateBudget, read: () => Promise<T>) {
    this.#budget = budget;
    this.#read = read;
  }

  async get(): Promise<T> {
    this.#next ??= this.#begin();
    return this.#next;
  }

  async #begin(): Promise<T> {
    try {
      await this.#budget.take(0, NEVER);
    } finally {
      this.#next = undefined;
    }
    return this.#read();
  }
}

/** Nobody takes the question back. */
const NEVER = new AbortController().signal;
