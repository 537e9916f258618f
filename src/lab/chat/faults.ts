import type { Clock } from './types.ts';

/**
 * Faults that can be switched on. `times` = how often it strikes, `forMs` = how long it lasts; without them, until cleared.
 * - slack-down: Web API and response_url answer HTTP 503 (or refuse), sockets are closed and not accepted, nothing is delivered
 * - api-error: a method answers `{ok: false, error}`
 * - lost-reply: a method is executed, then the connection is cut before the answer
 * - slow: a method answers late
 * - rate-limit-now: a method (or all) answers HTTP 429
 * The method `upload` is the host that takes the bytes of files; it answers HTTP 503 for `api-error`.
 * - socket-disconnect: every open socket gets a `disconnect` message, or is cut without one; happens at once
 * - socket-refresh: Slack renews every socket when it is `everyMs` old (10 s), those that are open now one after another
 * - duplicate: every payload arrives twice, `gapMs` apart (0): another envelope_id, the same event_id and trigger_id
 */
export type Fault =
  | { fault: 'slack-down'; how?: 'http-503' | 'refused'; forMs?: number }
  | { fault: 'api-error'; method: string; error?: string; times?: number }
  | { fault: 'lost-reply'; method: string; times?: number }
  | { fault: 'slow'; method: string; delayMs: number; times?: number }
  | { fault: 'rate-limit-now'; method?: string; retryAfterSec?: number; times?: number; forMs?: number }
  | { fault: 'socket-disconnect'; reason?: 'refresh_requested' | 'warning' | 'link_disabled' | 'cut' }
  | { fault: 'socket-refresh'; everyMs?: number; forMs?: number }
  | { fault: 'duplicate'; gapMs?: number; times?: number; forMs?: number };

export type FaultName = Fault['fault'];

export const faultNames: readonly FaultName[] = [
  'slack-down',
  'api-error',
  'lost-reply',
  'slow',
  'rate-limit-now',
  'socket-disconnect',
  'socket-refresh',
  'duplicate',
];

const standardRefreshMs = 10_000;

interface Rule {
  fault: Fault;
  left: number;
  untilMs: number;
}

/** The faults that are on now, each with the uses and the time it has left. */
export class Faults {
  readonly #clock: Clock;
  #rules: Rule[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(fault: Fault): void {
    const left = 'times' in fault && fault.times !== undefined ? fault.times : Infinity;
    const forMs = 'forMs' in fault && fault.forMs !== undefined ? fault.forMs : Infinity;
    this.#rules.push({ fault, left, untilMs: this.#clock.nowMs() + forMs });
  }

  clear(name?: FaultName): void {
    this.#rules = name === undefined ? [] : this.#rules.filter((rule) => rule.fault.fault !== name);
  }

  list(): Fault[] {
    return this.#live().map((rule) => rule.fault);
  }

  get down(): 'http-503' | 'refused' | undefined {
    for (const fault of this.list()) {
      if (fault.fault === 'slack-down') {
        return fault.how ?? 'http-503';
      }
    }
    return undefined;
  }

  /** How old a socket gets before Slack renews it; undefined = hours, as in real life. */
  get refreshEveryMs(): number | undefined {
    const fault = this.list().find((one) => one.fault === 'socket-refresh');
    return fault?.fault === 'socket-refresh' ? (fault.everyMs ?? standardRefreshMs) : undefined;
  }

  /** Takes one use of the first rule of that name that fits the method. */
  take<Name extends FaultName>(name: Name, method: string): Extract<Fault, { fault: Name }> | undefined {
    const rule = this.#live().find(
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

  #live(): Rule[] {
    const nowMs = this.#clock.nowMs();
    this.#rules = this.#rules.filter((rule) => rule.untilMs > nowMs);
    return this.#rules;
  }
}
