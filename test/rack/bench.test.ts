import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alone, capHosts, expectSame, iperfByHand, medianOf } from './support/by-hand.ts';
import { addresses, pairName } from './support/inventory.ts';
import type { Rack } from './support/rack.ts';
import { type Benched, RackStack } from './support/rack-stack.ts';
import { tracesOnMachines } from './support/traces.ts';

/** A rate that this machine can fill whatever else it does, so that figures repeat. */
const cap = '40mbit';
const quick = '--tool iperf3 --duration 4s --repeat 1 --streams 1';

let world: RackStack;
/** The first bench, which finds the cards as they come. */
let first: Benched | undefined;

beforeAll(async () => {
  world = await RackStack.start();
  await capHosts(world.rack, cap);
}, 60_000);
afterAll(async () => world.stop());

/** What a person would do: addresses on both hosts, iperf3, and the addresses taken away again. Gb/s from a to b. */
async function overBridgesByHand(rack: Rack): Promise<number> {
  const address = addresses['dpu-b'].host;
  await rack.ok('host-a', ['ip', 'address', 'add', `${addresses['dpu-a'].host}/24`, 'dev', 'ens1f0np0']);
  await rack.ok('host-b', ['ip', 'address', 'add', `${address}/24`, 'dev', 'ens1f0np0']);
  const gbps = await iperfByHand(rack, { from: 'host-a', to: 'host-b', address, seconds: 4 });
  for (const host of ['host-a', 'host-b'] as const) await rack.ok(host, ['ip', 'address', 'flush', 'dev', 'ens1f0np0']);
  return gbps;
}

describe('a look at the rack through bot and worker', () => {
  it('tells what the real Open vSwitch of a card forwards, and that no hardware does it', async () => {
    const id = await world.stack.order('ana', '/dpu diag dpu-a offload-flows');

    const { run, log } = await world.ended(id);

    expect(run.state, log).toBe('done');
    expect(await world.thread(id)).toMatch(/Flows in hardware +0[^]*hw-offload|hw-offload[^]*Flows in hardware +0/);
  });
});

describe('bench raw over real OpenSSH, Open vSwitch and iperf3', () => {
  // Once more where the machine was too busy for two equal figures.
  it('sets the data path up and gives the figure of the same iperf3 by hand', { retry: 1 }, async () => {
    const { rack } = world;

    const [benched, byHand] = await alone(async () => [
      await world.bench(`/dpu bench raw ${quick}`),
      await overBridgesByHand(rack),
    ]);

    first = benched;
    expect(first.run.state, first.log).toBe('done');
    expect(await rack.ok('dpu-a', ['cat', '/sys/class/net/p0/mtu'])).toBe('1600\n');
    expectSame(medianOf(first.results, 'a-to-b'), byHand);
    expectSame(medianOf(first.results, 'b-to-a'), byHand);
    expect(first.results.every(({ stamp, pair }) => stamp === 'TESTBED' && pair === pairName)).toBe(true);
  });

  it('says TESTBED wherever a figure stands, and never SIMULATED', async () => {
    const thread = await world.thread(first?.id ?? 0);

    expect(thread).toMatch(/Raw throughput of wire, iperf3: MTU \d+, \d+ streams? \(TESTBED\)/);
    expect(thread).toMatch(/picture: TESTBED/);
    expect(thread).not.toContain('SIMULATED');
  });

  it('says that the hardware did not do it, and why', async () => {
    const thread = await world.thread(first?.id ?? 0);

    expect(first?.results.map(({ offload }) => offload)).toEqual(['not-offloaded', 'not-offloaded']);
    expect(thread).toMatch(/NOT OFFLOADED: .*hw-offload/);
  });

  it('run again asks nobody and changes nothing that was there before', async () => {
    const before = await tracesOnMachines(world.rack);

    const { run, log } = await world.bench(`/dpu bench raw ${quick}`);

    expect(run.state, log).toBe('done');
    expect(run.approval).toBeUndefined();
    expect(await tracesOnMachines(world.rack)).toEqual(before);
  });

  it('measures frames with testpmd too', async () => {
    const wish = '--tool testpmd --frame 1400 --duration 4s --repeat 1 --streams 1';

    const { run, log, results } = await alone(async () => world.bench(`/dpu bench raw ${wish}`));

    expect(run.state, log).toBe('done');
    expect(results.map(({ point }) => point.frameBytes)).toEqual([1400, 1400]);
    // DPDK sends past the limit of the hosts: how fast depends on what else this machine does.
    for (const { medianGbps } of results) expect(medianGbps).toBeGreaterThan(0.01);
  });
});
