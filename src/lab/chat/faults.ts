/**
 * Faults that can be switched on. `times` = how often it strikes; without it, until cleared.
 * - slack-down: Web API and response_url answer HTTP 503 (or refuse), sockets are closed and not accepted
 * - api-error: a method answers `{ok: false, error}`
 * - lost-reply: a method is executed, then the connection is cut before the answer
 * - slow: a method answers late
 * - rate-limit-now: a method (or all) answers HTTP 429
 * The method `upload` is the host that takes the bytes of files; it answers HTTP 503 for `api-error`.
 * - socket-disconnect: every open socket gets a `disconnect` message, or is cut without one; happens at once
 */
export type Fault =
  | { fault: 'slack-down'; how?: 'http-503' | 'refused' }
  | { fault: 'api-error'; method: string; error?: string; times?: number }
  | { fault: 'lost-reply'; method: string; times?: number }
  | { fault: 'slow'; method: string; delayMs: number; times?: number }
  | { fault: 'rate-limit-now'; method?: string; retryAfterSec?: number; times?: number }
  | { fault: 'socket-disconnect'; reason?: 'refresh_requested' | 'warning' | 'cut' };

export type FaultName = Fault['fault'];

export const faultNames: readonly FaultName[] = [
  'slack-down',
  'api-error',
  'lost-reply',
  'slow',
  'rate-limit-now',
  'socket-disconnect',
];

interface Rule {
  fault: Fault;
  left: number;
}

/** The faults that are on now, each with the uses it has left. */
export class Faults {
  #rules: Rule[] = [];

  add(fault: Fault): void {
    this.#rules.push({ fault, left: 'times' in fault && fault.times !== undefined ? fault.times : Infinity });
  }

  clear(name?: FaultName): void {
    this.#rules = name === undefined ? [] : this.#rules.filter((rule) => rule.fault.fault !== name);
  }

  list(): Fault[] {
    return this.#rules.map((rule) => rule.fault);
  }

  get down(): 'http-503' | 'refused' | undefined {
    for (const { fault } of this.#rules) {
      if (fault.fault === 'slack-down') {
        return fault.how ?? 'http-503';
      }
    }
    return undefined;
  }

  /** Takes one use of the first rule of that name that fits the method. */
  take<Name extends FaultName>(name: Name, method: string): Extract<Fault, { fault: Name }> | undefined {
    const rule = this.#rules.find(
      ({ fault }) => fault.fault === name && (!('method' in fault) || (fault.method ?? method) === method),
    );
    if (rule === undefined) {
      return undefined;
    }
    rule.left -= 1;
    if (rule.left <= 0) {
      this.#rules = this.#rules.filter((other) => other !== rule);
    }
    return rule.fault as Extract<Fault, { fault: Name }>;
  }
}
