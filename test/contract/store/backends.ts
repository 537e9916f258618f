import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import type { ArtefactStore } from '../../../src/domain/artefacts.ts';
import type { ResultStore } from '../../../src/domain/bench.ts';
import type { CardFactsStore } from '../../../src/domain/card-facts.ts';
import type { StepTimeStore } from '../../../src/domain/step-times.ts';
import type {
  CardRecords,
  Clock,
  CredentialStore,
  Escrow,
  LoginBudget,
  PinStore,
} from '../../../src/domain/device-ports.ts';
import type {
  AuditStore,
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
  RunStore,
} from '../../../src/domain/ports.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createStores } from '../../../src/store/index.ts';
import { createCredentialImporter } from '../../../src/store/named-credentials.ts';
import { connect } from '../../../src/store/redis.ts';
import { createSecretStores } from '../../../src/store/secret-stores.ts';
import { createMemoryStores } from '../../support/memory/index.ts';
import { startRedis } from '../../support/redis.ts';

/** The ports that both kinds of store implement. */
export interface Ports {
  readonly runs: RunStore;
  readonly results: ResultStore;
  readonly journal: Journal;
  readonly progress: ProgressStore;
  readonly leases: LeaseStore;
  readonly holds: HoldStore;
  readonly locks: LockStore;
  readonly halt: HaltStore;
  readonly audit: AuditStore;
  readonly pins: PinStore;
  readonly records: CardRecords;
  readonly facts: CardFactsStore;
  readonly stepTimes: StepTimeStore;
  readonly artefacts: ArtefactStore;
  readonly incarnations: IncarnationStore;
  readonly notifier: Notifier;
  readonly outbox: OutboxStore;
  readonly recipients: RecipientStore;
  readonly dedupe: Dedupe;
  readonly credentials: CredentialStore;
  readonly escrow: Escrow;
  readonly loginBudget: LoginBudget;
}

/** One kind of store. `fresh` gives empty ones; `until` lets the time of the store pass until something is so. */
export interface Backend {
  fresh(): Promise<Ports>;
  until(holds: () => Promise<boolean>): Promise<void>;
  /** Where a BMC password must be encrypted to. */
  readonly recipient: string;
  stop(): Promise<void>;
}

/** The named credential that every backend has. */
export const namedCredential = { ref: 'ssh-ops', value: 'PRIVATE KEY of ssh-ops' };

export const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function openRedis(): Promise<Backend> {
  const redis = await startRedis();
  const identity = await generateIdentity();
  const recipient = await identityToRecipient(identity);
  const escrowDirectory = await mkdtemp(join(tmpdir(), 'dpubot-escrow-'));
  const closing: (() => Promise<void>)[] = [];
  const clock: Clock = { nowMs: () => Date.now() };
  return {
    recipient,
    async fresh() {
      const space = await connect(redis.url, 'worker', { logger: silent, tag: redis.newTag() });
      closing.push(async () => space.close());
      const importer = createCredentialImporter(space, clock);
      await importer.saveNamed(namedCredential.ref, new Secret(namedCredential.value), [recipient]);
      return {
        ...createStores(space, { clock, logger: silent }),
        ...createSecretStores(space, { identities: [new Secret(identity)], escrowDirectory, clock }),
      };
    },
    async until(holds) {
      const deadlineMs = Date.now() + 10_000;
      while (!(await holds())) {
        if (Date.now() > deadlineMs) throw new Error('it did not become so within 10 s');
        await pause(5);
      }
    },
    async stop() {
      await Promise.all(closing.map(async (close) => close()));
      await redis.stop();
      await rm(escrowDirectory, { recursive: true });
    },
  };
}

async function openMemory(): Promise<Backend> {
  let nowMs = Date.UTC(2026, 10, 22);
  const clock: Clock = { nowMs: () => nowMs };
  return Promise.resolve({
    recipient: 'age1memory',
    fresh: async () =>
      Promise.resolve(
        createMemoryStores({ clock, named: new Map([[namedCredential.ref, new Secret(namedCredential.value)]]) }),
      ),
    async until(holds) {
      const deadlineMs = nowMs + 10_000;
      while (!(await holds())) {
        if (nowMs > deadlineMs) throw new Error('it did not become so within 10 s');
        nowMs += 5;
      }
    },
    stop: async () => Promise.resolve(),
  });
}

/** For `describe.each`: one suite, both kinds. */
export const backends = [
  { kind: 'Redis', open: openRedis },
  { kind: 'memory', open: openMemory },
] as const;
