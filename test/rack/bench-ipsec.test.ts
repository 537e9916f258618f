import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alone, Capture, capHosts, expectSame, iperfByHand, medianOf } from './support/by-hand.ts';
import { foreignTunnel, foreignTunnelCarries, setUpForeignTunnel } from './support/foreign-tunnel.ts';
import { addresses } from './support/inventory.ts';
import { type Benched, RackStack } from './support/rack-stack.ts';
import { tracesOnMachines } from './support/traces.ts';
import { overTunnelByHand } from './support/tunnel-by-hand.ts';

const line = '/dpu bench ipsec --tool iperf3 --duration 4s --repeat 1 --streams 1';

let world: RackStack;
let benched: Benched | undefined;

beforeAll(async () => {
  world = await RackStack.start();
  await setUpForeignTunnel(world.rack);
  await capHosts(world.rack, '40mbit');
  await world.settle();
}, 60_000);
afterAll(async () => world.stop());

describe('bench ipsec over real strongSwan', () => {
  // Once more where the machine was too busy for two equal figures.
  it(
    'sends ESP and nothing in clear between the cards, gives the figure of the same by hand, and leaves nothing',
    { retry: 1 },
    async () => {
      const { rack } = world;
      const before = await tracesOnMachines(rack);
      const wire = await Capture.start(rack, 'dpu-a', 'p0');
      const inside = await Capture.start(rack, 'dpu-a', 'pf0hpf');

      const way = { from: 'host-a', to: 'host-b', address: addresses['dpu-b'].routedHost, seconds: 4 } as const;

      const measured = await alone(async () => {
        const bot = await world.bench(line);
        await Promise.all([wire.end(), inside.end()]);
        const traces = await tracesOnMachines(rack);
        return { bot, traces, byHand: await overTunnelByHand(rack, async () => iperfByHand(rack, way)) };
      });

      benched = measured.bot;
      const { run, log, results } = benched;
      expect(run.state, log).toBe('done');
      const esp = await wire.lines('udp port 4500 and udp[8:4] != 0');
      expect(esp.length).toBeGreaterThan(1000);
      expect(esp[10]).toMatch(/UDP-encap: ESP\(spi=0x[0-9a-f]+,seq=0x[0-9a-f]+\)/);
      expect(await inside.lines('tcp and net 10.1.0.0/24 and net 10.2.0.0/24')).not.toEqual([]);
      expect(await wire.lines('tcp or icmp or net 10.1.0.0/24 or net 10.2.0.0/24')).toEqual([]);
      expect(measured.traces).toEqual(before);
      expectSame(medianOf(results, 'a-to-b'), measured.byHand);
      expectSame(medianOf(results, 'b-to-a'), measured.byHand);
    },
  );

  it('says NOT OFFLOADED with the reason, and TESTBED', async () => {
    const thread = await world.thread(benched?.id ?? 0);

    expect(thread).toContain('TESTBED');
    expect(thread).toMatch(/NOT OFFLOADED: \w+/);
    expect(benched?.results.map(({ offload }) => offload)).toEqual(['not-offloaded', 'not-offloaded']);
  });

  it("leaves somebody else's tunnel between the same cards alone", async () => {
    const before = await Promise.all([foreignTunnel(world.rack, 'dpu-a'), foreignTunnel(world.rack, 'dpu-b')]);

    const { run, log } = await world.bench(line);

    expect(run.state, log).toBe('done');
    expect(await Promise.all([foreignTunnel(world.rack, 'dpu-a'), foreignTunnel(world.rack, 'dpu-b')])).toEqual(before);
    expect(await foreignTunnelCarries(world.rack)).toBe(true);
  });
});
