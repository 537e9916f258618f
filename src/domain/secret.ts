import { inspect } from 'node:util';

/**
 * A secret in memory. Printing, logging or serialising it shows `[secret]`; only `reveal()` gives the value, and only
 * the transport and the encrypting store call it.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}
