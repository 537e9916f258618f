import type { Ids } from './ids.ts';
import type { Clock } from './types.ts';

export type TriggerError = 'invalid_trigger_id' | 'expired_trigger_id' | 'exchanged_trigger_id';

export interface Trigger {
  user: string;
  /** The modal in which the action happened; needed for `views.push`. */
  viewId: string | undefined;
}

/** Trigger ids: one use, three seconds (docs.slack.dev/interactivity/handling-user-interaction, views.open errors). */
export class Triggers {
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #ttlMs: number;
  readonly #issued = new Map<string, Trigger & { issuedAtMs: number; used: boolean }>();

  constructor(clock: Clock, ids: Ids, ttlMs: number) {
    this.#clock = clock;
    this.#ids = ids;
    this.#ttlMs = ttlMs;
  }

  issue(user: string, viewId?: string): string {
    const id = `${this.#ids.ts()}.${this.#ids.secret(16)}`;
    this.#issued.set(id, { user, viewId, issuedAtMs: this.#clock.nowMs(), used: false });
    return id;
  }

  /** Spends a trigger id, or says why it cannot be spent. */
  exchange(id: string): Trigger | TriggerError {
    const trigger = this.#issued.get(id);
    if (trigger === undefined) {
      return 'invalid_trigger_id';
    }
    if (trigger.used) {
      return 'exchanged_trigger_id';
    }
    if (this.#clock.nowMs() - trigger.issuedAtMs > this.#ttlMs) {
      return 'expired_trigger_id';
    }
    trigger.used = true;
    return trigger;
  }
}
