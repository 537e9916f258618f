import { describe, expect, it } from 'vitest';
import { bench } from '../../../jobs/bench.ts';
import { BenchParams } from '../../../jobs/payloads.ts';
import { PairEntry } from '../../../src/domain/pairs.ts';
import type { Inventory } from '../../../src/domain/inventory.ts';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import type { Failure } from '../../../src/domain/outcome.ts';
import { rack1 } from '../../../src/lab/rack/layouts.ts';
import type { FaultName } from '../../../src/lab/rack/faults.ts';
import type { World } from '../../support/engine-world.ts';
import { order, startEngine, workUntilStopped } from '../../support/engine-world.ts';
import { orderPair } from '../../support/pair-world.ts';
import { wholeWorld } from '../../support/whole-rack.ts';

const leaseMs = 36_000_000;

function withPair(inventory: Inventory): Inventory {
  const ends = [1, 2].map((number) => ({
    card: `as${number + 6}-dpu0`,
    hostAddress: `192.168.60.${number}/24`,
    wireAddress: `192.168.40.${number}/24`,
    routed: { host: `10.60.${number}.2/24`, card: `10.60.${number}.1/24` },
  }));
  return { ...inventory, pairs: { wire1: PairEntry.parse({ ends }) } };
}

let provisioned: Promise<World> | undefined;

/** Two hosts with their cards, provisioned once: a bench leaves nothing behind. Faults that leave something come last. */
async function provisionedPair(): Promise<World> {
  provisioned ??= provision();
  return provisioned;
}

async function provision(): Promise<World> {
  const world = wholeWorld(rack1({ factoryFresh: true }), ['as7', 'as8'], withPair);
  const run = await workUntilStopped(world, startEngine(world, { leaseMs }), (await order(world)).id);
  expect(run.state).toBe('done');
  return world;
}

interface Told {
  readonly state: string;
  readonly failure: Failure | undefined;
  /** Gb/s of the first direction. */
  readonly gbps: number | undefined;
  /** All that a person reads of the result. */
  readonly text: string;
}

async function measure(world: World, params: Partial<BenchParams>): Promise<Told> {
  const wanted = BenchParams.parse({
    kind: 'raw',
    tool: 'testpmd',
    durationS: 3,
    warmUpS: 1,
    repeats: 1,
    streams: [8],
    ...params,
  });
  const ordered = await orderPair(world);
  await world.stores.runs.update(ordered.id, (run) => ({ ...run, params: wanted }));
  const run = await workUntilStopped(world, startEngine(world, { recipe: bench, leaseMs }), ordered.id);
  const events = (await world.stores.journal.read(run.id, 'as7+as8')).map(({ event }) => event);
  const told = events.find((event): event is Extract<JournalEvent, { type: 'measured' }> => event.type === 'measured');
  const records = await world.stores.results.ofRun(run.id);
  const first = records.find(({ point }) => point.direction === 'a-to-b');
  const text = [told?.line, ...(told?.warnings ?? [])].join('\n');
  return { state: run.state, failure: run.units['as7+as8']?.failure, gbps: first?.medianGbps, text };
}

describe('a bench on the pretend rack', () => {
  it('that is tuned reaches what two such cards are known to reach, with and without IPsec, and is offloaded', async () => {
    const world = await provisionedPair();

    const raw = await measure(world, {});
    const ipsec = await measure(world, { kind: 'ipsec', sas: [1] });

    expect(raw.gbps).toBeGreaterThan(375);
    expect(raw.gbps).toBeLessThan(395);
    expect(raw.text).toContain('; offloaded;');
    expect(ipsec.state).toBe('done');
    expect(ipsec.gbps).toBeGreaterThan(175);
    expect(ipsec.gbps).toBeLessThan(200);
    expect(ipsec.text).toContain('; offloaded;');
  });

  it.each<readonly [string, Partial<BenchParams>, RegExp]>([
    ['one stream', { streams: [1] }, /It was one stream: one queue with one core/],
    ['short frames', { framesBytes: [64] }, /Frames of 64 bytes would have to be/],
  ])('with %s is slower, and the result says so', async (_name, params, cause) => {
    const told = await measure(await provisionedPair(), params);

    expect(told.gbps).toBeLessThan(200);
    expect(told.text).toMatch(cause);
  });

  it.each<readonly [FaultName, string, Partial<BenchParams>, string]>([
    ['iperf3-busy', 'as8', { tool: 'iperf3', streams: [4] }, 'bench-tool-failed'],
    ['hw-offload-refused', 'as7-dpu0', { kind: 'ipsec' }, 'ipsec-offload-refused'],
    ['crypto-less-no-offload', 'as7-dpu0', { kind: 'ipsec' }, 'ipsec-offload-refused'],
  ])(
    'with the fault %s gives no figure, says what to do, and measures when it is gone',
    async (fault, target, params, code) => {
      const world = await provisionedPair();
      world.rack.injectFault(fault, { target });

      const failed = await measure(world, params);
      world.rack.clearFault(fault);
      const again = await measure(world, { ...params });

      expect(failed.failure?.code).toBe(code);
      expect(failed.failure?.next).not.toBe('');
      expect(failed.gbps).toBeUndefined();
      expect(again.state).toBe('done');
    },
  );

  it.each<readonly [FaultName, string, Partial<BenchParams>, number, RegExp]>([
    ['rx-nombuf', 'as8', {}, 340, /RX-nombuf/],
    ['ipsec-auto-fallback', 'as7-dpu0', { kind: 'ipsec' }, 20, /NOT OFFLOADED: strongSwan fell back on as7-dpu0/],
    ['pcie-downgraded', 'as7-dpu0', {}, 200, /PCIe/],
    ['ovs-not-restarted', 'as7-dpu0', {}, 20, /NOT OFFLOADED: Open vSwitch on as7-dpu0 was not restarted/],
  ])('with the fault %s is slower, and names the cause that it sees', async (fault, target, params, most, cause) => {
    const world = await provisionedPair();
    world.rack.injectFault(fault, { target });

    const told = await measure(world, params);
    world.rack.clearFault(fault);

    expect(told.state).toBe('done');
    expect(told.gbps).toBeLessThan(most);
    expect(told.text).toMatch(cause);
  });
});
