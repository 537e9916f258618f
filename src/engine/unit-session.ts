import type { HostSession } from '../domain/device-ports.ts';
import type { HostSlice } from '../domain/inventory.ts';
import type { JournalEntry, JournalEvent, Progress } from '../domain/journal.ts';
import { clipEvent } from '../domain/journal.ts';
import type { UnitPlan } from '../domain/plan.ts';
import type { Lease } from '../domain/ports.ts';
import type { Run, UnitRecord, WalkEnd } from '../domain/run.ts';
import { hostsOf } from '../domain/run.ts';
import type { ActionRecord, Recipe } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { ActionLog } from './action-log.ts';
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
  /** The hosts of the unit: one, or the two of a pair. */
  readonly slices: readonly HostSlice[];
  readonly recipe: Recipe;
  readonly lease: Lease;
  readonly signal: AbortSignal;
  /** The approved plan, or the newest one where that needs no approval. */
  readonly plan: UnitPlan;
  readonly #actions: ActionLog;
  readonly #hosts = new Map<string, HostSession>();
  #wrote: boolean;
  #steps = { index: 0, count: 0 };

  constructor(input: {
    readonly deps: EngineDeps;
    readonly run: Run;
    readonly record: UnitRecord;
    readonly slices: readonly HostSlice[];
    readonly recipe: Recipe;
    readonly lease: Lease;
    readonly signal: AbortSignal;
    readonly plan: UnitPlan;
    readonly past: readonly JournalEntry[];
  }) {
    this.deps = input.deps;
    this.run = input.run;
    this.record = input.record;
    this.slices = input.slices;
    this.recipe = input.recipe;
    this.lease = input.lease;
    this.signal = input.signal;
    this.plan = input.plan;
    this.#actions = new ActionLog(input.past);
    this.#wrote = input.past.some((entry) => entry.event.type === 'intent');
  }

  /** True for a pair: what one end cannot do, the unit cannot do. */
  get isPair(): boolean {
    return this.record.hosts !== undefined;
  }

  /** A cancelled run that cleans up, and has begun: no step is carried out any more, only undone. */
  get mustOnlyClean(): boolean {
    return this.recipe.onFailure === 'cleanup' && this.run.cancel !== undefined && this.#wrote;
  }

  /** A host; there once the unit has opened it. */
  hostOf(name: string): HostSession {
    const host = this.#hosts.get(name);
    if (host === undefined) throw errors.bug({ detail: `${name} was used before it was opened` });
    return host;
  }

  attach(name: string, host: HostSession): void {
    this.#hosts.set(name, host);
  }

  /** True once this run has begun to change the unit: from then on the envelope is compared, not the whole plan. */
  get hasWritten(): boolean {
    return this.#wrote;
  }

  /** True when this run has acted in any other step than this one. */
  hasOtherWrites(step: string): boolean {
    return this.#actions.hasOthers(step);
  }

  /** What this run did so far in a step on a target, newest last; grows while the step acts. */
  actionsOf(step: string, target: string): readonly ActionRecord[] {
    return this.#actions.of(step, target);
  }

  async append(event: JournalEvent): Promise<void> {
    const entry = await this.deps.journal.append(this.run.id, this.record.unit, clipEvent(event));
    this.#actions.note(event, entry.atMs);
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

  /** The same in the middle of a long act: throws what ends it. Errors: cancelled, halted, lease-lost (another job has the unit). */
  async breakOff(target: string): Promise<void> {
    const checkpoint = await this.checkpoint();
    switch (checkpoint.kind) {
      case 'go':
        return;
      case 'superseded':
        throw errors.leaseLost({ unit: this.record.unit });
      case 'cancelled':
        throw errors.cancelled({ run: this.run.id, by: checkpoint.by, target, state: 'changed' });
      case 'halted':
        throw errors.halted(checkpoint);
    }
  }

  /** Before the first write the run takes the hold on the unit; it keeps it until the unit is done. */
  async beforeWrite(): Promise<void> {
    this.signal.throwIfAborted();
    if (!(await this.deps.leases.renew(this.lease, this.deps.leaseMs)))
      throw errors.leaseLost({ unit: this.record.unit });
    const by = this.run.requester.displayName;
    const taken = await this.deps.holds.take(hostsOf(this.record), this.run.id, by, this.deps.clock.nowMs());
    if (!taken.ok)
      throw errors.hostHeld({
        host: taken.hold.unit,
        run: taken.hold.runId,
        by: taken.hold.by,
        since: new Date(taken.hold.sinceMs).toISOString(),
      });
    this.#wrote = true;
  }

  /** Before the first step is undone: a worker that takes over from then on goes on there. */
  async noteEnd(cleaning: WalkEnd): Promise<void> {
    const { unit, generation, cleaning: noted } = this.record;
    if (noted) return;
    const { changed } = await this.deps.runs.update(this.run.id, (current) => {
      const now = current.units[unit];
      if (now === undefined || now.generation !== generation) return undefined;
      return { ...current, units: { ...current.units, [unit]: { ...now, cleaning } } };
    });
    if (!changed) throw errors.leaseLost({ unit });
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
}
