import type { CardRecords, Clock } from '../domain/device-ports.ts';
import type {
  Dedupe,
  HaltStore,
  HoldStore,
  IncarnationStore,
  Journal,
  LeaseStore,
  LockStore,
  Notifier,
  OutboxStore,
  ProgressStore,
  RecipientStore,
} from '../domain/ports.ts';
import type { ArtefactStore } from '../domain/artefacts.ts';
import type { ResultStore } from '../domain/bench.ts';
import type { CardFactsStore } from '../domain/card-facts.ts';
import type { StepTimeStore } from '../domain/step-times.ts';
import { createArtefactStore } from './artefacts.ts';
import type { RedisAuditStore } from './audit.ts';
import { createAuditStore } from './audit.ts';
import { createCardFactsStore } from './card-facts.ts';
import { createCardRecords } from './card-records.ts';
import { createDedupe } from './dedupe.ts';
import { createHaltStore } from './halt.ts';
import { createHoldStore } from './holds.ts';
import { createIncarnationStore } from './incarnation.ts';
import { createJournal } from './journal.ts';
import { createLeaseStore } from './leases.ts';
import { createLockStore } from './locks.ts';
import { createNotifier } from './notifier.ts';
import { createOutboxStore } from './outbox.ts';
import type { RedisPinStore } from './pins.ts';
import { createPinStore } from './pins.ts';
import { createProgressStore } from './progress.ts';
import type { RedisSpace, StoreLogger } from './redis.ts';
import { createRecipientStore } from './recipients.ts';
import type { RedisRunStore } from './runs.ts';
import { createResultStore } from './results.ts';
import { createRunStore } from './runs.ts';
import { createStepTimeStore } from './step-times.ts';

/** Everything kept in Redis that is no secret: what bot and worker share. */
export interface Stores {
  readonly runs: RedisRunStore;
  readonly journal: Journal;
  readonly progress: ProgressStore;
  readonly leases: LeaseStore;
  readonly holds: HoldStore;
  readonly locks: LockStore;
  readonly halt: HaltStore;
  readonly audit: RedisAuditStore;
  readonly pins: RedisPinStore;
  readonly records: CardRecords;
  readonly facts: CardFactsStore;
  readonly artefacts: ArtefactStore;
  readonly results: ResultStore;
  readonly stepTimes: StepTimeStore;
  readonly incarnations: IncarnationStore;
  readonly notifier: Notifier;
  readonly outbox: OutboxStore;
  readonly recipients: RecipientStore;
  readonly dedupe: Dedupe;
}

/** Builds the stores on one connection. `firstRunNumber` (default 1) counts only on an empty Redis. */
export function createStores(
  space: RedisSpace,
  options: { readonly clock: Clock; readonly logger: StoreLogger; readonly firstRunNumber?: number },
): Stores {
  const { clock, logger, firstRunNumber } = options;
  return {
    runs: createRunStore(space, firstRunNumber === undefined ? {} : { firstNumber: firstRunNumber }),
    journal: createJournal(space),
    progress: createProgressStore(space),
    leases: createLeaseStore(space),
    holds: createHoldStore(space),
    locks: createLockStore(space),
    halt: createHaltStore(space),
    audit: createAuditStore(space),
    pins: createPinStore(space, clock),
    records: createCardRecords(space),
    facts: createCardFactsStore(space),
    artefacts: createArtefactStore(space),
    results: createResultStore(space),
    stepTimes: createStepTimeStore(space),
    incarnations: createIncarnationStore(space),
    notifier: createNotifier(space, logger),
    outbox: createOutboxStore(space, clock),
    recipients: createRecipientStore(space),
    dedupe: createDedupe(space),
  };
}
