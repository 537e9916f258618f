import type { HostSession } from '../domain/device-ports.ts';
import type { HostSlice } from '../domain/inventory.ts';
import type { JournalEntry, JournalEvent, Progress } from '../domain/journal.ts';
import { clipEvent } from '../domain/journal.ts';
import type { UnitPlan } from '../domain/plan.ts';
import type { Lease } from '../domain/ports.ts';
import type { Run, UnitRecord } from '../domain/run.ts';
import type { ActionRecord, Recipe } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { EngineDeps } from './deps.ts';

/** Why a unit stops between two steps. */
export type Checkpoint =
  | { readonly kind: 'go' }
  | { readonly kind: 'cancelled'; readonly by: string }
  | { readonly kind: 'halted'; readonly by: string; readonly reason: string }
  /** Another job of this unit has a higher generation: this one ends without a word. */
  | { readonly kind: 'superseded' };

/** One worker's hand on one unit while it carries out a run: lease, journal, and what was done before. */
export class UnitSession {
  readonly deps: EngineDeps;
  readonly run: Run;
  readonly record: UnitRecord;
  readonly slice: HostSlice;
  readonly recipe: Recipe;
  readonly lease: Lease;
  readonly signal: AbortSignal;
  /** The approved plan, or the newest one where that needs no approval. */
  readonly plan: UnitPlan;
  readonly #actions = new Map<string, ActionRecord[]>();
  #host: HostSession | undefined;
  #wrote: boolean;
  #steps = { index: 0, count: 0 };

  constructor(input: {
    readonly deps: EngineDeps;
    readonly run: Run;
    readonly record: UnitRecord;
    readonly slice: HostSlice;
    readonly recipe: Recipe;
    readonly lease: Lease;
    readonly signal: AbortSignal;
    readonly plan: UnitPlan;
    readonly past: readonly JournalEntry[];
  }) {
    this.deps = input.deps;
    this.run = input.run;
    this.record = input.record;
    this.slice = input.slice;
    this.recipe = input.recipe;
    this.lease = input.lease;
    this.signal = input.signal;
    this.plan = input.plan;
    for (const entry of input.past) this.#remember(entry.event, entry.atMs);
    this.#wrote = input.past.some((entry) => entry.event.type === 'intent');
  }

  /** The host; there once the unit has opened it. */
  get host(): HostSession {
    if (this.#host === undefined) throw errors.bug({ detail: `${this.slice.name} was used before it was opened` });
    return this.#host;
  }

  attach(host: HostSession): void {
    this.#host = host;
  }

  /** True once this run has begun to change the unit: from then on the envelope is compared, not the whole plan. */
  get hasWritten(): boolean {
    return this.#wrote;
  }

  /** True when this run has acted in any other step than this one. */
  hasOtherWrites(step: string): boolean {
    return [...this.#actions].some(([key, list]) => !key.startsWith(`${step} `) && list.length > 0);
  }

  /** What this run did so far in a step on a target, newest last; grows while the step acts. */
  actionsOf(step: string, target: string): readonly ActionRecord[] {
    return this.#listOf(step, target);
  }

  async append(event: JournalEvent): Promise<void> {
    const entry = await this.deps.journal.append(this.run.id, this.record.unit, clipEvent(event));
    this.#remember(event, entry.atMs);
    await this.deps.notifier.changed(this.run.id);
  }

  /** Looked at between steps: has somebody cancelled, halted, or taken over? */
  async checkpoint(): Promise<Checkpoint> {
    this.signal.throwIfAborted();
    const run = await this.deps.runs.get(this.run.id);
    const unit = run?.units[this.record.unit];
    if (run === undefined || unit === undefined || unit.generation !== this.record.generation)
      return { kind: 'superseded' };
    if (run.cancel) return { kind: 'cancelled', by: run.cancel.by.displayName };
    const halt = await this.deps.halt.get();
    return halt ? { kind: 'halted', by: halt.by, reason: halt.reason } : { kind: 'go' };
  }

  /** Before the first write the run takes the hold on the unit; it keeps it until the unit is done. */
  async beforeWrite(): Promise<void> {
    this.signal.throwIfAborted();
    if (!(await this.deps.leases.renew(this.lease, this.deps.leaseMs)))
      throw errors.leaseLost({ unit: this.record.unit });
    const by = this.run.requester.displayName;
    const taken = await this.deps.holds.take([this.record.unit], this.run.id, by, this.deps.clock.nowMs());
    if (!taken.ok)
      throw errors.hostHeld({
        host: taken.hold.unit,
        run: taken.hold.runId,
        by: taken.hold.by,
        since: new Date(taken.hold.sinceMs).toISOString(),
      });
    this.#wrote = true;
  }

  countSteps(index: number, count: number): void {
    this.#steps = { index, count };
  }

  async progress(
    sign: Pick<Progress, 'step' | 'target' | 'text' | 'sinceMs'> &
      Partial<Pick<Progress, 'percent' | 'lastLine' | 'limitMs'>>,
  ): Promise<void> {
    const updatedAtMs = this.deps.clock.nowMs();
    const { index: stepIndex, count: stepCount } = this.#steps;
    await this.deps.progress.set(this.run.id, this.record.unit, { ...sign, stepIndex, stepCount, updatedAtMs });
    await this.deps.notifier.changed(this.run.id);
  }

  #listOf(step: string, target: string): ActionRecord[] {
    const key = `${step} ${target}`;
    const list = this.#actions.get(key) ?? [];
    this.#actions.set(key, list);
    return list;
  }

  #remember(event: JournalEvent, atMs: number): void {
    if (event.type === 'intent')
      this.#listOf(event.step, event.target).push({
        action: event.action,
        ...(event.before === undefined ? {} : { before: event.before }),
        done: false,
        atMs,
      });
    if (event.type === 'done') {
      const list = this.#listOf(event.step, event.target);
      const index = list.findLastIndex((action) => action.action === event.action);
      const known = list[index];
      if (known) list[index] = { ...known, done: true };
    }
  }
}
