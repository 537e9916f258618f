import { describe, expect, it } from 'vitest';
import { powerCycleHost } from '../../../src/steps/power-cycle.ts';
import { openAfterPowerCycle } from '../../../src/steps/power-rescue.ts';
import { powerWords } from '../../../src/steps/power-reset.ts';
import { Death, PowerWorld } from './power-world.ts';

const firstBoot = '00000000-0000-0000-0000-000000000001';

function powerOf(resetTypes: readonly string[]): Parameters<typeof powerWords>[1] {
  return { id: '1', powerState: 'On', model: 'x', resetPath: '/redfish/v1/x', resetTypes };
}

describe('power-cycle: how a host is told', () => {
  it('asks its system first, then switches hard, and uses Off and On where both are offered', () => {
    expect(powerWords('as7', powerOf(['On', 'PowerCycle', 'ForceOff', 'GracefulShutdown']))).toEqual({
      off: ['GracefulShutdown', 'ForceOff'],
      on: 'On',
    });
    expect(powerWords('as7', powerOf(['ForceOn', 'ForceOff']))).toEqual({ off: ['ForceOff'], on: 'ForceOn' });
  });

  it('falls back to PowerCycle only where nothing else is offered, and refuses a BMC with warm resets only', () => {
    expect(powerWords('as7', powerOf(['PowerCycle', 'ForceRestart', 'On']))).toBeUndefined();
    expect(() => powerWords('as7', powerOf(['ForceRestart', 'On']))).toThrow(
      expect.objectContaining({ code: 'host-power-unsupported' }),
    );
  });
});

describe('power-cycle: one cycle', () => {
  it('goes down gracefully, stays off for 30 s, comes back, and waits for host and card', async () => {
    const world = new PowerWorld();
    const startMs = world.clock.nowMs();

    await powerCycleHost(world.context());

    expect(world.posts).toEqual(['GracefulShutdown', 'On']);
    expect(world.actions.map(({ action, done }) => [action, done])).toEqual([
      ['power-off', true],
      ['power-on', true],
    ]);
    expect(world.actions[0]?.before).toEqual({ bootId: firstBoot, powerState: 'On', running: ['as7-dpu0'] });
    expect(world.bootId).not.toBe(firstBoot);
    // 40 s of shutting down, 30 s off, 200 s until the card runs.
    expect(world.clock.nowMs() - startMs).toBeGreaterThanOrEqual(270_000);
  });

  it('does not take power from a host on which somebody is flashing a card', async () => {
    const world = new PowerWorld();
    world.installers = ['4711 bfb-install --rshim rshim1 --bfb /root/other.bfb'];

    await expect(powerCycleHost(world.context())).rejects.toThrow(
      expect.objectContaining({ code: 'power-while-flashing' }),
    );

    expect(world.posts).toEqual([]);
    expect(world.actions).toEqual([]);
  });

  it('forgets the connections to every card of the host, also those the run does not name', async () => {
    const world = new PowerWorld();

    await powerCycleHost(world.context());

    expect(new Set(world.forgotten)).toEqual(new Set(['as7-dpu0', 'as7-dpu1']));
  });

  it('switches hard when the system does not shut down within three minutes', async () => {
    const world = new PowerWorld();
    world.ignoresGraceful = true;

    await powerCycleHost(world.context());

    expect(world.posts).toEqual(['GracefulShutdown', 'ForceOff', 'On']);
  });

  it('sends one PowerCycle where the BMC offers nothing else', async () => {
    const world = new PowerWorld();
    world.resetTypes = ['PowerCycle', 'ForceRestart'];

    await powerCycleHost(world.context());

    expect(world.posts).toEqual(['PowerCycle']);
  });

  it.each<readonly [string, (world: PowerWorld) => void, string]>([
    [
      'a host that does not go off at all',
      (world) => {
        world.ignoresGraceful = true;
        world.ignoresForceOff = true;
      },
      'host-power-stuck',
    ],
    ['a host that does not boot', (world) => (world.neverBoots = true), 'host-not-back'],
    ['a card that does not boot', (world) => (world.cardStaysDown = true), 'card-not-back'],
  ])('%s ends with a person', async (_title, fault, code) => {
    const world = new PowerWorld();
    fault(world);

    await expect(powerCycleHost(world.context())).rejects.toMatchObject({ code, failure: { kind: 'needs-human' } });
  });

  it('does not insist on a card that had no running system before', async () => {
    const world = new PowerWorld();
    world.cardState = 'UEFI';

    await powerCycleHost(world.context());

    expect(world.posts).toEqual(['GracefulShutdown', 'On']);
  });
});

async function ask(world: PowerWorld, ResetType: string): Promise<void> {
  const bmc = await world.context().hostBmc.open(world.slice, { timeoutMs: 1 });
  const path = '/redfish/v1/Systems/System.Embedded.1/Actions/ComputerSystem.Reset';
  await bmc?.post(path, { ResetType }, { timeoutMs: 1 });
}

describe('power-cycle: after the worker died', () => {
  it.each<readonly [string, readonly string[]]>([
    ['before power-off', ['GracefulShutdown', 'On']],
    ['after power-off', ['GracefulShutdown', 'On']],
    ['before power-on', ['GracefulShutdown', 'On']],
    ['after power-on', ['GracefulShutdown', 'On']],
  ])('%s the cycle is finished and the host goes off exactly once', async (dieAt, posts) => {
    const world = new PowerWorld();
    world.dieAt = dieAt;
    await expect(powerCycleHost(world.context())).rejects.toThrow(Death);

    await powerCycleHost(world.context());

    expect(world.posts).toEqual(posts);
    expect(world.power).toBe('On');
  });

  it('does not switch off again when the shutdown it had asked for is only slow', async () => {
    const world = new PowerWorld();
    const context = world.context();
    world.actions.push({
      action: 'power-off',
      before: { bootId: firstBoot, powerState: 'On', running: ['as7-dpu0'] },
      done: false,
      atMs: 0,
    });
    await ask(world, 'GracefulShutdown');

    await powerCycleHost(context);

    expect(world.posts).toEqual(['GracefulShutdown', 'On']);
  });

  it('never switches off a second time once it was seen off', async () => {
    const world = new PowerWorld();
    world.actions.push({
      action: 'power-off',
      before: { bootId: firstBoot, powerState: 'On', running: [] },
      done: true,
      atMs: 0,
    });

    await expect(powerCycleHost(world.context())).rejects.toMatchObject({ code: 'host-not-back' });

    expect(world.posts).toEqual([]);
  });
});

describe('power-rescue: a resumed unit whose host was left off', () => {
  const openHost = (world: PowerWorld): (() => Promise<string>) => {
    const { host } = world.context();
    return async () => {
      await host.read({ kind: 'read-command', name: 'x', argv: ['boot_id'] }, { timeoutMs: 1 });
      return 'open';
    };
  };

  it('waits for a shutdown that is still under way, and switches the host on after it', async () => {
    const world = new PowerWorld();
    world.actions.push({ action: 'power-off', done: false, atMs: world.clock.nowMs() });
    await ask(world, 'GracefulShutdown');

    const opened = await openAfterPowerCycle(world.context(), openHost(world));

    expect(opened).toBe('open');
    expect(world.posts).toEqual(['GracefulShutdown', 'On']);
    expect(world.power).toBe('On');
  });

  it('goes on with a host that was asked to shut down and did not within three minutes', async () => {
    const world = new PowerWorld();
    world.ignoresGraceful = true;
    world.actions.push({ action: 'power-off', done: false, atMs: world.clock.nowMs() });
    await ask(world, 'GracefulShutdown');
    const sinceMs = world.clock.nowMs();

    const opened = await openAfterPowerCycle(world.context(), openHost(world));

    expect(opened).toBe('open');
    expect(world.clock.nowMs() - sinceMs).toBe(180_000);
    expect(world.posts).toEqual(['GracefulShutdown']);
  });

  it('waits for a host that was switched on and still boots', async () => {
    const world = new PowerWorld();
    world.dieAt = 'after power-on';
    await expect(powerCycleHost(world.context())).rejects.toThrow(Death);

    const opened = await openAfterPowerCycle(world.context(), openHost(world));

    expect(opened).toBe('open');
    expect(world.posts).toEqual(['GracefulShutdown', 'On']);
  });

  it('switches the host on and waits until SSH opens', async () => {
    const world = new PowerWorld();
    world.dieAt = 'after power-off';
    await expect(powerCycleHost(world.context())).rejects.toThrow(Death);
    const context = world.context();

    const opened = await openAfterPowerCycle(context, async () => {
      await context.host.read({ kind: 'read-command', name: 'x', argv: ['boot_id'] }, { timeoutMs: 1 });
      return 'open';
    });

    expect(opened).toBe('open');
    expect(world.posts).toEqual(['GracefulShutdown', 'On']);
    await powerCycleHost(world.context());
    expect(world.posts).toEqual(['GracefulShutdown', 'On']);
  });

  it('leaves a host alone that is on, and gives up on one that never answers', async () => {
    const world = new PowerWorld();
    world.dieAt = 'after power-off';
    world.neverBoots = true;
    await expect(powerCycleHost(world.context())).rejects.toThrow(Death);
    const context = world.context();
    const open = (): Promise<unknown> =>
      context.host.read({ kind: 'read-command', name: 'x', argv: ['boot_id'] }, { timeoutMs: 1 });

    await expect(openAfterPowerCycle(context, open)).rejects.toMatchObject({ code: 'host-not-back' });
    await expect(openAfterPowerCycle(context, open)).rejects.toMatchObject({ code: 'host-not-back' });

    expect(world.posts).toEqual(['GracefulShutdown', 'On']);
  });
});
