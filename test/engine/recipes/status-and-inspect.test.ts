import { describe, expect, it } from 'vitest';
import { inspect } from '../../../jobs/inspect.ts';
import { comparableSnapshot } from '../../../src/lab/rack/model.ts';
import type { LookPiece } from '../../../src/domain/look.ts';
import { diag } from '../../../src/looks/diag.ts';
import { status } from '../../../src/looks/status.ts';
import type { World } from '../../support/engine-world.ts';
import { order, startEngine, workUntilStopped } from '../../support/engine-world.ts';
import { provisionedWorld, runRecipe } from '../../support/provisioned.ts';
import { wholeWorld } from '../../support/whole-rack.ts';

async function look(world: World): Promise<readonly LookPiece[]> {
  const deps = startEngine(world, { look: status, leaseMs: 36_000_000 });
  const change = { recipe: status.name, recipeVersion: status.version, text: 'status as7 --refresh' };
  const run = await workUntilStopped(world, deps, (await order(world, change)).id);
  expect([run.state, run.failure]).toEqual(['done', undefined]);
  const entries = await world.stores.journal.read(run.id, 'as7');
  return entries.flatMap(({ event }) => (event.type === 'looked' ? [event] : []));
}

function rowsOf(piece: LookPiece | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries((piece?.rows ?? []).map(({ label, value }) => [label, value]));
}

describe('/dpu status --refresh', () => {
  it('shows and remembers everything of a card that dpubot has set up, and changes nothing', async () => {
    const world = await provisionedWorld();
    const before = comparableSnapshot(world.rack.snapshot());

    const [piece] = await look(world);

    const { serial } = world.rack.card('as7-dpu0');
    expect(rowsOf(piece)).toMatchObject({
      serial,
      mode: 'DPU mode',
      'Secure Boot': 'off (running boot: Disabled)',
      image: expect.stringContaining('bf-2.9.2-patched'),
      'NIC firmware running': expect.stringMatching(/^32\./),
      'BMC firmware': expect.stringMatching(/^BF-/),
      'PCIe link': '32 GT/s x16',
      'rshim owner': expect.stringContaining('host (rshim'),
      Arm: 'OsIsRunning, power On',
    });
    expect((await world.stores.facts.get('as7-dpu0'))?.facts.serial?.value).toBe(serial);
    expect(comparableSnapshot(world.rack.snapshot())).toEqual(before);
  });

  it('tries no password on a card that nobody has set up: what only the BMC knows is not read, with the reason', async () => {
    const world = wholeWorld();

    const [piece] = await look(world);

    const gap = piece?.rows?.find(({ value }) => value.startsWith('mode, Secure Boot'));
    expect(gap).toMatchObject({ label: 'not read', warning: expect.stringContaining('not pinned') });
    expect((await world.stores.facts.get('as7-dpu0'))?.unread.mode?.reason).toContain('was not asked');
    expect(rowsOf(piece)['part number']).toContain('900-9D3B6');
    const card = world.rack.snapshot().cards.find(({ name }) => name === 'as7-dpu0');
    expect(card?.bmc.failedLogins).toBe(0);
  });

  it('says what a dead host leaves unread, and still shows what the BMC knows', async () => {
    const world = await provisionedWorld();
    await look(world);
    world.rack.injectFault('ssh-refuse', { target: 'as7' });

    const [piece] = await look(world);

    expect(rowsOf(piece)['mode']).toBe('DPU mode');
    expect(rowsOf(piece)['PCIe link']).toBeUndefined();
    expect(rowsOf(piece)['not read']).toContain('PCIe link');
  });
});

describe('/dpu diag', () => {
  it('asks the BMC of a card that nobody has looked at before, and tries no other password', async () => {
    const world = await provisionedWorld();
    const deps = startEngine(world, { look: diag, leaseMs: 36_000_000 });
    const change = { recipe: diag.name, recipeVersion: diag.version, params: { probe: 'versions' } };

    const run = await workUntilStopped(world, deps, (await order(world, change)).id);

    expect([run.state, run.failure]).toEqual(['done', undefined]);
    const card = world.rack.snapshot().cards.find(({ name }) => name === 'as7-dpu0');
    expect(card?.bmc.failedLogins).toBe(0);
  });
});

describe('/dpu inspect', () => {
  it('finds nothing on a card that is as its profile wants it', async () => {
    const world = await provisionedWorld();

    const run = await runRecipe(world, inspect, { viaCard: true }, { planOnly: true });

    expect([run.state, run.failure]).toEqual(['satisfied', undefined]);
  });

  it('finds what somebody changed by hand, and leaves it so', async () => {
    const world = await provisionedWorld();
    world.rack.card('as7-dpu0').armExec('ubuntu', 'sudo hostnamectl set-hostname somebody');
    const before = comparableSnapshot(world.rack.snapshot());

    const run = await runRecipe(world, inspect, { viaCard: true }, { planOnly: true });

    expect(run.state).toBe('planned');
    const plan = await world.stores.runs.plan(run.id, 'as7', run.units['as7']?.planHash ?? '');
    expect(plan?.steps.filter((step) => step.state === 'change').map((step) => step.step)).toEqual(['set-hostname']);
    expect(comparableSnapshot(world.rack.snapshot())).toEqual(before);
  });
});
