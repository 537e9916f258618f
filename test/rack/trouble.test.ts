import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { alone } from './support/by-hand.ts';
import { RackStack } from './support/rack-stack.ts';
import { tracesOnMachines } from './support/traces.ts';

const quick = '--tool iperf3 --duration 3s --repeat 1 --streams 1';

let world: RackStack;
let before: Awaited<ReturnType<typeof tracesOnMachines>>;

beforeAll(async () => {
  world = await RackStack.start();
  await world.settle();
}, 60_000);
afterAll(async () => world.stop());

beforeEach(async () => {
  before = await tracesOnMachines(world.rack);
});
afterEach(async () => {
  // Whatever a bench met, nothing of it stays.
  expect(await tracesOnMachines(world.rack)).toEqual(before);
});

/** Turns the checksums of the host functions over to the card, as a host does by default: here nobody computes them. */
async function leaveChecksumsToCard(on: boolean): Promise<void> {
  const to = on ? 'on' : 'off';
  for (const host of ['host-a', 'host-b'] as const)
    await world.rack.ok(host, ['ethtool', '-K', 'ens1f0np0', 'tx', to, 'tso', to, 'gso', to]);
}

describe('a path that only looks well', () => {
  it('pings and carries no TCP: the bench says so and gives no figure', async () => {
    await leaveChecksumsToCard(true);

    const { run, failure, results, log } = await world.bench(`/dpu bench raw ${quick}`);
    await leaveChecksumsToCard(false);

    expect(run.state, log).not.toBe('done');
    expect(results).toEqual([]);
    expect(`${failure?.what} ${failure?.why}`).toMatch(/TCP/);
    expect(`${failure?.what} ${failure?.why}`).toMatch(/ping/i);
  });

  it('has an association that says INSTALLED, and a peer that is dead', async () => {
    const { rack, stack } = world;
    const id = await world.order(`/dpu bench ipsec ${quick}`);
    await stack.records.waitForEvent(
      id,
      'host-a+host-b',
      (event) => event.type === 'step-applied' && event.step === 'set-up-ipsec',
      60_000,
    );
    await rack.sh('dpu-b', 'kill -KILL "$(cat /run/charon-systemd.rack.pid)"');

    const { run, failure, results, log } = await world.ended(id);
    const survivor = await rack.sh('dpu-a', 'swanctl --list-sas --raw');
    await rack.sh('dpu-b', 'systemctl restart strongswan');

    expect(run.state, log).not.toBe('done');
    expect(results).toEqual([]);
    expect(`${failure?.what} ${failure?.why}`).toMatch(/INSTALLED/);
    expect(survivor).not.toContain('dpubot');
  });
});

describe('a tool that ends well and has failed', () => {
  it('is iperf3 whose server dies: no figure, and its own words as the cause', async () => {
    const { rack } = world;
    // Only what serves: an `iperf3 --version` that dies while dpubot looks is another trouble, with another end.
    const killer = rack.sh(
      'host-b',
      "while [ ! -e /tmp/enough ]; do pkill -KILL -f '^iperf3 -s ' || :; sleep 0.3; done; rm /tmp/enough",
    );

    const { run, failure, results, log } = await world.bench(`/dpu bench raw ${quick}`);
    await rack.ok('host-b', ['touch', '/tmp/enough']);
    await killer;

    expect(run.state, log).toBe('failed');
    expect(results).toEqual([]);
    expect(failure?.code, failure?.why).toBe('bench-tool-failed');
    expect(failure?.why).toMatch(/iperf3|server|connect|closed/i);
  });

  it('is testpmd whose frames never arrive: the count of the sender is no figure', async () => {
    const { rack, stack } = world;
    const wish = '--tool testpmd --frame 1400 --duration 3s --repeat 1 --streams 1';

    const { run, failure, results, log } = await alone(async () => {
      const id = await world.order(`/dpu bench raw ${wish}`);
      await stack.records.waitForEvent(
        id,
        'host-a+host-b',
        (event) => event.type === 'step-started' && event.step === 'measure',
        60_000,
      );
      await rack.sh('dpu-b', 'ovs-ofctl add-flow ovsbr1 priority=100,in_port=p0,actions=drop');
      return world.ended(id);
    });
    await rack.sh('dpu-b', 'ovs-ofctl --strict del-flows ovsbr1 priority=100,in_port=p0');

    expect(run.state, log).toBe('failed');
    expect(results).toEqual([]);
    expect(failure?.why).toMatch(/no frame has arrived/);
  });
});
