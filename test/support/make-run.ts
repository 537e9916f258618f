import { recipeVersions } from '../../jobs/payloads.ts';
import type { Actor } from '../../src/domain/journal.ts';
import { Inventory, sliceHash, sliceOf } from '../../src/domain/inventory.ts';
import type { UnitPlan } from '../../src/domain/plan.ts';
import { planHash, planRisk } from '../../src/domain/plan.ts';
import type { PlannedStep } from '../../src/domain/plan.ts';
import type { NewRun } from '../../src/domain/ports.ts';
import type { Run, UnitRecord } from '../../src/domain/run.ts';

export const ana: Actor = { userId: 'U0ANA', teamId: 'T1', displayName: 'Ana' };
export const ben: Actor = { userId: 'U0BEN', teamId: 'T1', displayName: 'Ben' };

/** An inventory with so many hosts `as1`..., one card each, on a simulated site. */
export function makeInventory(hostNames: readonly string[], dpusPerHost = 1): Inventory {
  return Inventory.parse({
    version: 1,
    sites: { lab: { simulated: true, recipient: `age1${'q'.repeat(58)}` } },
    hosts: Object.fromEntries(
      hostNames.map((name) => [
        name,
        {
          site: 'lab',
          rack: 'rack1',
          ssh: { address: '127.0.0.1', user: 'ops', key: 'ssh-ops', hostKeys: [`SHA256:${'A'.repeat(43)}`] },
          dpus: Array.from({ length: dpusPerHost }, (_, index) => ({
            name: `${name}-dpu${index}`,
            bmc: { address: '127.0.0.1' },
          })),
        },
      ]),
    ),
    roles: { operators: { users: ['U0ANA', 'U0BEN'] }, approvers: { users: ['U0ANA', 'U0BEN'] } },
    policy: {
      operate: ['operators'],
      administer: [],
      approvals: { disruptive: { role: 'approvers' }, destructive: { role: 'approvers' } },
      waves: 'all',
    },
  });
}

/** A new run of `provision` by Ana on all hosts of the inventory. */
export function makeNewRun(inventory: Inventory, change: Partial<NewRun> = {}): NewRun {
  const names = Object.keys(inventory.hosts);
  const slices = Object.fromEntries(names.map((name) => [name, sliceOf(inventory, name)]));
  return {
    recipe: 'provision',
    recipeVersion: recipeVersions.provision,
    params: {},
    text: 'provision rack1',
    requester: ana,
    channel: 'C1',
    createdAtMs: 0,
    state: 'planning',
    planOnly: false,
    simulated: true,
    slices,
    sliceHashes: Object.fromEntries(Object.entries(slices).map(([name, slice]) => [name, sliceHash(slice)])),
    units: Object.fromEntries(names.map((name) => [name, makeUnit(inventory, name)])),
    waves: [],
    waveIndex: 0,
    maxFailures: 0,
    approvalMinutes: 60,
    startByMinutes: 60,
    waveSpec: inventory.policy.waves,
    ...change,
  };
}

export function makeRun(inventory: Inventory, change: Partial<Run> = {}): Run {
  return { ...makeNewRun(inventory), id: 7, version: 1, ...change };
}

/** Sets the state of every unit, or of the named ones. */
export function withUnits(run: Run, change: Partial<UnitRecord>, names = Object.keys(run.units)): Run {
  const units = { ...run.units };
  for (const name of names) {
    const unit = units[name];
    if (unit) units[name] = { ...unit, ...change };
  }
  return { ...run, units };
}

/** A plan of a unit with one step in the given state. */
export function makePlan(unit: string, state: PlannedStep['state'], change: Partial<PlannedStep> = {}): UnitPlan {
  const step: PlannedStep = {
    step: 'disable-secure-boot',
    title: 'Switch Secure Boot off',
    target: `${unit}-dpu0`,
    serial: `MT-${unit}`,
    state,
    reason: 'as asked',
    changes: [],
    params: {},
    wanted: 'off',
    risk: 'disruptive',
    reboots: [],
    ...change,
  };
  const body = {
    unit,
    site: 'lab',
    simulated: true,
    recipe: { name: 'provision', version: 1 },
    profileHash: 'p',
    steps: [step],
    pins: [],
    refused: [],
  };
  return { ...body, runId: 7, risk: planRisk(body.steps), hash: planHash(body), madeAtMs: 0 };
}

function makeUnit(inventory: Inventory, name: string): UnitRecord {
  const targets = (inventory.hosts[name]?.dpus ?? []).map((dpu) => dpu.name);
  return { unit: name, site: 'lab', targets, state: 'planning', generation: 0 };
}
