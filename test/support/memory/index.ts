import type { Clock } from '../../../src/domain/device-ports.ts';
import type { Secret } from '../../../src/domain/secret.ts';
import { createMemoryJobQueue } from './job-queue.ts';
import { createMemoryJournal, createMemoryProgressStore } from './journal.ts';
import { createMemoryHoldStore, createMemoryLeaseStore } from './leases.ts';
import { createMemoryLockStore } from './locks.ts';
import { createMemoryArtefactStore, createMemoryCardFactsStore } from './looks.ts';
import { createMemoryOutboxStore, createMemoryRecipientStore } from './outbox.ts';
import { createMemoryResultStore } from './results.ts';
import { createMemoryRunStore } from './runs.ts';
import { createMemoryStepTimeStore } from './step-times.ts';
import { createMemoryCredentialStore, createMemoryEscrow, createMemoryLoginBudget } from './secrets.ts';
import {
  createMemoryAuditStore,
  createMemoryCardRecords,
  createMemoryDedupe,
  createMemoryHaltStore,
  createMemoryIncarnationStore,
  createMemoryNotifier,
  createMemoryPinStore,
} from './switches.ts';

/** All ports of store and queue in memory, by one clock. They survive the engine that uses them, as Redis would. */
export type MemoryStores = ReturnType<typeof createMemoryStores>;

export function createMemoryStores(options: {
  readonly clock: Clock;
  readonly firstRunNumber?: number;
  readonly named?: ReadonlyMap<string, Secret>;
}) {
  const { clock, firstRunNumber } = options;
  const journal = createMemoryJournal(clock);
  return {
    runs: createMemoryRunStore({
      append: (runId, { unit, event }) => journal.appendNow(runId, unit, event),
      ...(firstRunNumber !== undefined && { firstNumber: firstRunNumber }),
    }),
    journal,
    progress: createMemoryProgressStore(),
    leases: createMemoryLeaseStore(clock),
    holds: createMemoryHoldStore(),
    locks: createMemoryLockStore(),
    halt: createMemoryHaltStore(),
    audit: createMemoryAuditStore(),
    pins: createMemoryPinStore(),
    records: createMemoryCardRecords(),
    facts: createMemoryCardFactsStore(),
    artefacts: createMemoryArtefactStore(),
    results: createMemoryResultStore(),
    stepTimes: createMemoryStepTimeStore(),
    incarnations: createMemoryIncarnationStore(),
    notifier: createMemoryNotifier(),
    outbox: createMemoryOutboxStore(clock),
    recipients: createMemoryRecipientStore(),
    dedupe: createMemoryDedupe(clock),
    credentials: createMemoryCredentialStore(clock, options.named),
    escrow: createMemoryEscrow(),
    loginBudget: createMemoryLoginBudget(clock),
    queue: createMemoryJobQueue(clock),
  };
}
