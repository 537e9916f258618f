import type { Clock } from '../../../src/domain/device-ports.ts';
import type { JobQueue } from '../../../src/domain/ports.ts';
import { planJobId, unitJobId } from '../../../src/queue/names.ts';
import { breathe } from './copy.ts';

/** A job as a worker would get it. */
export type QueuedJob =
  | { readonly kind: 'advance'; readonly runId: number; readonly dueAtMs: number }
  | {
      readonly kind: 'plan' | 'unit';
      readonly id: string;
      readonly runId: number;
      readonly unit: string;
      readonly site: string;
      readonly generation: number;
      readonly dueAtMs: number;
    };

/** A queue whose jobs the test takes out by hand. An id is accepted once, also after its job was taken. */
export interface MemoryJobQueue extends JobQueue {
  /** Jobs not taken yet, oldest first. */
  readonly waiting: readonly QueuedJob[];
  /** Takes the oldest job that is due by the clock (and of that kind). */
  take(kind?: QueuedJob['kind']): QueuedJob | undefined;
}

export function createMemoryJobQueue(clock: Clock): MemoryJobQueue {
  const waiting: QueuedJob[] = [];
  const ids = new Set<string>();

  function addOnce(job: QueuedJob & { readonly id: string }): void {
    if (ids.has(job.id)) return;
    ids.add(job.id);
    waiting.push(job);
  }

  return {
    waiting,
    take(kind) {
      const index = waiting.findIndex(
        (job) => job.dueAtMs <= clock.nowMs() && (kind === undefined || job.kind === kind),
      );
      return index === -1 ? undefined : waiting.splice(index, 1)[0];
    },
    async addPlan({ runId, unit, site, generation }) {
      await breathe();
      const id = planJobId(runId, unit, generation);
      addOnce({ kind: 'plan', id, runId, unit, site, generation, dueAtMs: clock.nowMs() });
    },
    async addUnit({ runId, unit, site, generation, delayMs = 0 }) {
      await breathe();
      const id = unitJobId(runId, unit, generation);
      addOnce({ kind: 'unit', id, runId, unit, site, generation, dueAtMs: clock.nowMs() + delayMs });
    },
    async addAdvance({ runId, delayMs = 0 }) {
      await breathe();
      waiting.push({ kind: 'advance', runId, dueAtMs: clock.nowMs() + delayMs });
    },
  };
}
