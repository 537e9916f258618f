import type { ArmAccess } from '../domain/arm-ports.ts';
import type {
  BmcAccess,
  CardRecords,
  CredentialStore,
  DeviceClock,
  Escrow,
  HostAccess,
  HostBmcAccess,
  PinStore,
  RandomSource,
  Clock,
} from '../domain/device-ports.ts';
import type { HostSlice, Inventory } from '../domain/inventory.ts';
import type {
  AuditStore,
  HaltStore,
  HoldStore,
  JobQueue,
  Journal,
  LeaseStore,
  LockStore,
  Notifier,
  ProgressStore,
  RunStore,
} from '../domain/ports.ts';
import type { ArtefactStore } from '../domain/artefacts.ts';
import type { ResultStore } from '../domain/bench.ts';
import type { CardFactsStore } from '../domain/card-facts.ts';
import type { Look } from '../domain/look.ts';
import type { StepTimeStore } from '../domain/step-times.ts';
import type { Recipe } from '../domain/step.ts';

/** Where devices and secrets come in. */
export interface DevicePorts {
  readonly hosts: HostAccess;
  readonly bmc: BmcAccess;
  readonly arm: ArmAccess;
  readonly hostBmc: HostBmcAccess;
  readonly pins: PinStore;
  readonly records: CardRecords;
  readonly credentials: CredentialStore;
  readonly escrow: Escrow;
  readonly random: RandomSource;
  /** Device time of a site: scaled only where the site is simulated. */
  clockOf(slice: HostSlice): DeviceClock;
}

export interface EngineLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Everything the engine needs from outside; it imports nothing but the domain. */
export interface EngineDeps {
  readonly recipes: Readonly<Record<string, Recipe>>;
  readonly looks: Readonly<Partial<Record<string, Look>>>;
  readonly artefacts: ArtefactStore;
  readonly results: ResultStore;
  readonly facts: CardFactsStore;
  readonly stepTimes: StepTimeStore;
  readonly runs: RunStore;
  readonly journal: Journal;
  readonly progress: ProgressStore;
  readonly leases: LeaseStore;
  readonly holds: HoldStore;
  readonly locks: LockStore;
  readonly halt: HaltStore;
  readonly audit: AuditStore;
  readonly queue: JobQueue;
  readonly notifier: Notifier;
  readonly clock: Clock;
  readonly devices: DevicePorts;
  readonly worker: { readonly id: string; readonly incarnation: number };
  readonly inventory: () => Inventory;
  readonly log: EngineLog;
  /** Lease time and how often it is renewed, wall milliseconds. */
  readonly leaseMs: number;
  readonly renewMs: number;
}
