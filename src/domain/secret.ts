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

  /** A text around the secret, as a file of a device has it; that is a secret too, and who composes it keeps nothing of it. */
  within(compose: (value: string) => string): Secret {
    return new Secret(compose(this.#value));
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
