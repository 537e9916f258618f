import type { Approval, Run, RunState, UnitState } from '../../../src/domain/run.ts';
import type { Person } from '../../../src/domain/ports.ts';
import { Inventory } from '../../../src/domain/inventory.ts';
import { createWorld, type World } from '../../unit/commands/doubles.ts';
import { sampleInventory } from '../../unit/commands/sample-inventory.ts';
import { recordOf } from '../bench-results.ts';

/** Runs of Ana, one in each state that commands treat differently. */
const states: readonly (readonly [id: number, run: RunState, unit: UnitState])[] = [
  [418, 'awaiting-approval', 'planned'],
  [419, 'failed', 'failed'],
  [420, 'done', 'done'],
  [421, 'running', 'running'],
];

/** Who may speak: the roles of the sample inventory, and those who are refused whatever they say. */
export const speakers = {
  operators: ['UANA', 'UBEN'],
  admins: ['UCLEO'],
  approvers: ['UDAN'],
  nobodies: ['UEVE'],
  strangers: ['UGUEST', 'UGONE', 'UAWAY'],
} as const;

/** Names as people choose them. */
const people: Readonly<Record<string, Partial<Person>>> = {
  UANA: { displayName: 'Ana <!channel> `*_~' },
  UBEN: { displayName: 'Ben\u202E <@U0EVIL>\u0000' },
  UEVE: { displayName: `Eve ${'<'.repeat(300)}` },
  UGUEST: { displayName: '&lt;!here&gt;', guest: true },
  UGONE: { active: false },
  UAWAY: { displayName: '\uD83D', external: true, teamId: 'T2' },
};

/** Everybody of the tests: whom dpubot may mention. */
export const everybody: ReadonlySet<string> = new Set(Object.values(speakers).flat());

const inventory = Inventory.parse(sampleInventory());
const nasty = '<!channel> ``` <@U0EVIL> \u001B[31m';

/** The runs as they come out of the command, once: making them is most of the time of a case. */
const runs: Promise<readonly Run[]> = makeRuns();

async function makeRuns(): Promise<Run[]> {
  const world = createWorld(inventory);
  for (const _ of states) await world.say('UANA', 'provision rack1');
  return states.map(([id, state, unitState]) => {
    const run = world.runs.get(id);
    if (run === undefined) throw new Error(`run ${id} was not created`);
    const units = Object.values(run.units).map((unit) => [unit.unit, { ...unit, state: unitState }] as const);
    const asked = { ...run, state, text: `provision rack1 --reason '${nasty}'`, units: Object.fromEntries(units) };
    return state === 'awaiting-approval' ? { ...asked, approval: openApproval(run) } : asked;
  });
}

function openApproval(run: Run): Approval {
  return {
    generation: 2,
    state: 'open',
    hashes: { 'host-a': 'hash-a', 'host-b': 'hash-b' },
    risk: 'destructive',
    requestedAtMs: 0,
    expiresAtMs: 2_000_000,
    votes: [],
    askers: [run.requester],
  };
}

/** A bot in the middle of its day: runs in all states, a host that is held, cards that were looked at, results. */
export async function busyWorld(): Promise<World> {
  const world = createWorld(inventory);
  for (const run of await runs) world.runs.set(run.id, run);
  for (const [id, person] of Object.entries(people)) world.people.set(id, person);
  world.holds.set('host-b', { unit: 'host-b', runId: 419, sinceMs: 0, by: `ana ${nasty}` });
  world.facts.set('dpu-a', {
    facts: {
      mode: { value: nasty, warning: nasty, from: 'bmc', atMs: 1 },
      image: { value: nasty, from: 'arm', atMs: 1 },
    },
    unread: { 'arm-state': { reason: nasty, atMs: 2 } },
    runId: 417,
    atMs: 2,
  });
  await world.results.add([recordOf(12, [390, 391]), recordOf(13, [380])]);
  return world;
}
