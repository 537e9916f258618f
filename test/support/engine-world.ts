import { createHash } from 'node:crypto';
import { provision } from '../../jobs/provision.ts';
import type { CardRecords, CredentialStore, DeviceClock, Escrow, PinStore } from '../../src/domain/device-ports.ts';
import type { Inventory } from '../../src/domain/inventory.ts';
import { castVote, policyHash } from '../../src/domain/policy.ts';
import type { Look } from '../../src/domain/look.ts';
import type { Journal, RunStore } from '../../src/domain/ports.ts';
import type { Run } from '../../src/domain/run.ts';
import { isEnded } from '../../src/domain/run.ts';
import type { Secret } from '../../src/domain/secret.ts';
import type { Recipe } from '../../src/domain/step.ts';
import { advance } from '../../src/engine/advance.ts';
import type { EngineDeps } from '../../src/engine/deps.ts';
import { runPlanJob } from '../../src/engine/plan-job.ts';
import { runUnit } from '../../src/engine/run-unit.ts';
import { sweep } from '../../src/engine/sweep.ts';
import type { RackModel } from '../../src/lab/rack/model.ts';
import { createRack } from '../../src/lab/rack/model.ts';
import { ben, makeNewRun } from './make-run.ts';
import type { MemoryStores } from './memory/index.ts';
import type { QueuedJob } from './memory/job-queue.ts';
import { createMemoryStores } from './memory/index.ts';
import { createRackArms, createRackHostBmcs } from './rack-arm.ts';
import { createFakeClock, createRackBmcs, createRackHosts } from './rack-devices.ts';

const sweepMs = 2_000;

/** Thrown at a crash point: the engine of this life is gone, and everything it still tries fails. */
export class Crash extends Error {}

export interface World {
  readonly clock: DeviceClock & { advance(ms: number): void };
  readonly rack: RackModel;
  readonly stores: MemoryStores;
  readonly inventory: Inventory;
  /** Crash points passed so far, in order. */
  readonly points: string[];
  /** The step in which each of them lies: the last one that began. */
  readonly during: string[];
  /** Units whose job waits. */
  readonly parked: { readonly job: QueuedJob; readonly dueAtMs: number }[];
  /** How many engines there were. */
  lives: number;
}

/** An inventory and a rack model with stores that outlive the engines. */
/** `named`: what the operator has imported. */
export function createWorld(
  inventory: Inventory,
  rack?: (nowMs: () => number) => RackModel,
  named?: ReadonlyMap<string, Secret>,
): World {
  const clock = createFakeClock();
  const nowMs = (): number => clock.nowMs();
  return {
    clock,
    rack: rack?.(nowMs) ?? createRack({ nowMs, seed: 1 }),
    stores: createMemoryStores({ clock, firstRunNumber: 418, ...(named && { named }) }),
    inventory,
    points: [],
    during: [],
    parked: [],
    lives: 0,
  };
}

/** A new engine on the world, as a worker that starts. `crashAt`: index of the point where it dies. */
export function startEngine(
  world: World,
  options: { crashAt?: number; recipe?: Recipe; look?: Look; leaseMs?: number } = {},
): EngineDeps {
  world.lives += 1;
  let passed = 0;
  let dead = false;
  let during = 'plan and approval';
  const tick = (point: string): void => {
    if (!dead) {
      world.points.push(point);
      world.during.push(during);
      dead = passed === options.crashAt;
      passed += 1;
    }
    if (dead) throw new Crash(point);
  };
  const alive = (): void => {
    if (dead) throw new Crash('dead');
  };
  const { stores, clock, rack } = world;
  const recipe = options.recipe ?? provision;
  return {
    ...stores,
    recipes: { [recipe.name]: recipe },
    looks: options.look === undefined ? {} : { [options.look.name]: options.look },
    runs: crashingRuns(stores.runs, tick),
    journal: crashingJournal(stores.journal, tick, (step) => (during = step)),
    leases: {
      ...stores.leases,
      release: async (lease) => {
        alive();
        return stores.leases.release(lease);
      },
      renew: async (lease, ttlMs) => {
        alive();
        return stores.leases.renew(lease, ttlMs);
      },
    },
    clock,
    devices: {
      hosts: createRackHosts(rack, clock, tick),
      bmc: createRackBmcs(rack, { ...stores, clock }, tick),
      arm: createRackArms(rack, clock, stores.pins, tick),
      hostBmc: createRackHostBmcs(rack, tick),
      records: crashingRecords(stores.records, tick),
      pins: crashingPins(stores.pins, tick),
      credentials: crashingCredentials(stores.credentials, tick),
      escrow: crashingEscrow(stores.escrow, tick),
      random: { bytes: seededBytes(world.lives) },
      clockOf: () => clock,
    },
    worker: { id: 'w1', incarnation: world.lives },
    inventory: () => world.inventory,
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    leaseMs: options.leaseMs ?? 10_000,
    renewMs: 1_000_000,
  };
}

/** Creates a run of Ana's on every host of the inventory and queues its first look. */
export async function order(world: World, change: Parameters<typeof makeNewRun>[1] = {}): Promise<Run> {
  const run = await world.stores.runs.create(
    makeNewRun(world.inventory, { createdAtMs: world.clock.nowMs(), ...change }),
  );
  await world.stores.queue.addAdvance({ runId: run.id });
  return run;
}

/**
 * Works off the queue until the run has ended or nothing moves any more. Approves as Ben when asked. Returns the run.
 * Throws Crash when the engine dies.
 */
export async function workUntilStopped(
  world: World,
  deps: EngineDeps,
  runId: number,
  answer: 'approve' | 'wait' = 'approve',
): Promise<Run> {
  let version = 0;
  for (let sweeps = 0; sweeps < 40;) {
    const worked = await workOnce(world, deps);
    const run = await world.stores.runs.get(runId);
    if (run === undefined) throw new Error('the run is gone');
    if (isEnded(run.state)) return run;
    if (run.state === 'awaiting-approval' && run.approval?.state === 'open') {
      if (answer === 'wait') return run;
      await approve(world, runId);
      continue;
    }
    // A unit that looks again and again at what it waits for changes its record, and gets nowhere.
    if (run.version !== version && !Object.values(run.units).some((unit) => unit.state === 'waiting')) sweeps = 0;
    version = run.version;
    if (worked) continue;
    sweeps += 1;
    const wakesAtMs = Math.min(...world.parked.map((parked) => parked.dueAtMs));
    world.clock.advance(Number.isFinite(wakesAtMs) ? Math.max(sweepMs, wakesAtMs - world.clock.nowMs()) : sweepMs);
    await sweep(deps);
  }
  throw new Error(`run ${runId} does not move any more`);
}

/** Takes one job that is due. A unit that waits comes back at its time, as the queue would do it. */
async function workOnce(world: World, deps: EngineDeps): Promise<boolean> {
  const signal = new AbortController().signal;
  const due = world.parked.findIndex((parked) => parked.dueAtMs <= world.clock.nowMs());
  const job = due === -1 ? world.stores.queue.take() : world.parked.splice(due, 1)[0]?.job;
  if (job === undefined) return false;
  if (job.kind === 'advance') await advance(deps, job);
  else if (job.kind === 'plan') await runPlanJob(deps, job, signal);
  else {
    const again = await runUnit(deps, job, signal);
    if (again) world.parked.push({ job, dueAtMs: world.clock.nowMs() + again.againInMs });
  }
  return true;
}

/** Ben's click on Approve. */
export async function approve(world: World, runId: number): Promise<void> {
  const { inventory, clock, stores } = world;
  const vote = {
    by: ben,
    vote: 'approve',
    roles: ['approvers'],
    policyHash: policyHash(inventory),
    atMs: clock.nowMs(),
  } as const;
  await stores.runs.update(runId, (run) => {
    const result = castVote(run, vote, inventory.policy, clock.nowMs());
    return result.kind === 'refused' ? undefined : result.run;
  });
  await stores.queue.addAdvance({ runId });
}

function crashingRuns(runs: RunStore, tick: (point: string) => void): RunStore {
  return {
    ...runs,
    update: async (id, change, events) => {
      let names = '';
      const seen =
        events &&
        ((before: Run, after: Run) => {
          const list = events(before, after);
          names = list.map((entry) => entry.event.type).join('+');
          return list;
        });
      tick(`before update ${id}`);
      const result = await runs.update(id, change, seen);
      tick(`after update ${names}`);
      return result;
    },
  };
}

function crashingJournal(journal: Journal, tick: (point: string) => void, begins: (step: string) => void): Journal {
  return {
    ...journal,
    append: async (runId, unit, event) => {
      if (event.type === 'step-started') begins(event.step);
      tick(`before journal ${event.type}`);
      const entry = await journal.append(runId, unit, event);
      tick(`after journal ${event.type}`);
      return entry;
    },
  };
}

function crashingPins(pins: PinStore, tick: (point: string) => void): PinStore {
  return {
    ...pins,
    set: async (...input) => {
      tick('before pin');
      await pins.set(...input);
      tick('after pin');
    },
  };
}

function crashingRecords(records: CardRecords, tick: (point: string) => void): CardRecords {
  return {
    ...records,
    put: async (...input) => {
      tick('before record');
      await records.put(...input);
      tick('after record');
    },
  };
}

function crashingCredentials(credentials: CredentialStore, tick: (point: string) => void): CredentialStore {
  return {
    ...credentials,
    savePending: async (...input) => {
      tick('before savePending');
      await credentials.savePending(...input);
      tick('after savePending');
    },
    rekey: async (...input) => {
      tick('before rekey');
      await credentials.rekey(...input);
      tick('after rekey');
    },
    retire: async (...input) => {
      tick('before retire');
      await credentials.retire(...input);
      tick('after retire');
    },
    promote: async (...input) => {
      tick('before promote');
      await credentials.promote(...input);
      tick('after promote');
    },
  };
}

function crashingEscrow(escrow: Escrow, tick: (point: string) => void): Escrow {
  return {
    write: async (entry) => {
      tick('before escrow');
      await escrow.write(entry);
      tick('after escrow');
    },
  };
}

function seededBytes(seed: number): (count: number) => Uint8Array {
  let counter = 0;
  return (count) => {
    counter += 1;
    return createHash('sha256').update(`${seed} ${counter}`).digest().subarray(0, count);
  };
}
