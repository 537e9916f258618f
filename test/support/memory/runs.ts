import type { UnitPlan } from '../../../src/domain/plan.ts';
import type { RunStore, StreamEvent } from '../../../src/domain/ports.ts';
import type { Run } from '../../../src/domain/run.ts';
import { isEnded } from '../../../src/domain/run.ts';
import { errors } from '../../../src/errors.ts';
import { encodeEvent } from '../../../src/store/journal.ts';
import { breathe, copy } from './copy.ts';

/**
 * Runs in memory. `change` meets concurrent writers as it would with Redis, and may run again. `append` writes to the
 * journal in the same breath as the record.
 */
export function createMemoryRunStore(options: {
  readonly append: (runId: number, entry: StreamEvent) => void;
  readonly firstNumber?: number;
}): RunStore {
  const runs = new Map<number, Run>();
  const plans = new Map<string, UnitPlan>();
  let last = (options.firstNumber ?? 1) - 1;
  const planKey = (runId: number, unit: string, hash: string): string => `${runId} ${unit} ${hash}`;

  return {
    async create(newRun, events) {
      await breathe();
      last += 1;
      const run: Run = { ...copy(newRun), id: last, version: 1 };
      const entries = events?.(copy(run)) ?? [];
      for (const { event } of entries) encodeEvent(event);
      runs.set(run.id, run);
      for (const entry of entries) options.append(run.id, entry);
      return copy(run);
    },
    async get(id) {
      await breathe();
      const run = runs.get(id);
      return run && copy(run);
    },
    async update(id, change, events) {
      for (;;) {
        const before = runs.get(id);
        if (before === undefined) throw errors.runUnknown({ run: id });
        const changed = change(copy(before));
        if (changed === undefined) return { run: copy(before), changed: false };
        await breathe();
        if (runs.get(id)?.version !== before.version) continue;
        const after: Run = { ...copy(changed), id, version: before.version + 1 };
        const entries = events?.(copy(before), copy(after)) ?? [];
        for (const { event } of entries) encodeEvent(event);
        runs.set(id, after);
        for (const entry of entries) options.append(id, entry);
        return { run: copy(after), changed: true };
      }
    },
    async open() {
      await breathe();
      return [...runs.values()].filter((run) => !isEnded(run.state)).map((run) => run.id);
    },
    async recent(limit, filter) {
      await breathe();
      return [...runs.values()]
        .filter((run) => filter?.states?.includes(run.state) ?? true)
        .filter((run) => run.id < (filter?.before ?? Infinity))
        .toReversed()
        .slice(0, limit)
        .map(copy);
    },
    async savePlan(plan) {
      await breathe();
      plans.set(planKey(plan.runId, plan.unit, plan.hash), copy(plan));
    },
    async plan(runId, unit, hash) {
      await breathe();
      const plan = plans.get(planKey(runId, unit, hash));
      return plan && copy(plan);
    },
  };
}
