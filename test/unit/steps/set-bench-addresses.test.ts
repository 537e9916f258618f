import { describe, expect, it } from 'vitest';
import type { BenchMemory } from '../../support/bench-context.ts';
import { benchContext, createBenchMemory } from '../../support/bench-context.ts';
import type { BenchWorld } from '../../support/bench-world.ts';
import { createBenchWorld } from '../../support/bench-world.ts';
import { setBenchAddresses } from '../../../src/steps/set-bench-addresses.ts';
import type { Diff } from '../../../src/domain/step.ts';

const bridged = { routed: false, sas: 1 };
const routed = { routed: true, sas: 3 };

async function look(world: BenchWorld, memory: BenchMemory, params: object): Promise<Diff> {
  const context = benchContext(world, memory);
  return setBenchAddresses.diff(await setBenchAddresses.observe(context, params), params, context.dpu);
}

async function liveOnce(world: BenchWorld, memory: BenchMemory, params: object): Promise<void> {
  const context = benchContext(world, memory);
  const observed = await setBenchAddresses.observe(context, params);
  const diff = setBenchAddresses.diff(observed, params, context.dpu);
  if (diff.kind === 'change') await setBenchAddresses.apply?.(context, diff.changes, params, observed);
}

async function undo(world: BenchWorld, memory: BenchMemory, params: object): Promise<void> {
  await setBenchAddresses.undo?.(benchContext(world, memory), params);
}

function picture({ hosts }: BenchWorld): unknown {
  return hosts.map(({ links, routes }) => ({ links: [...links], routes }));
}

const linkOf = (world: BenchWorld, index: 0 | 1) => {
  const link = world.hosts[index].links.get('ens3f0np0');
  if (link === undefined) throw new Error('the host has no such link');
  return link;
};

describe('addresses to measure with', () => {
  it('are added where they are missing, links that are off are switched on, and both is taken back', async () => {
    const world = createBenchWorld();
    const memory = createBenchMemory();
    linkOf(world, 1).up = false;
    const before = JSON.stringify(picture(world));

    await liveOnce(world, memory, bridged);
    const during = JSON.stringify([0, 1].map((index) => linkOf(world, index as 0 | 1)));
    await undo(world, memory, bridged);

    expect(during).toContain('192.168.50.1/24');
    expect(during).toContain('192.168.50.2/24');
    expect(during).not.toContain('"up":false');
    expect(JSON.stringify(picture(world))).toBe(before);
  });

  it('that are there already stay there', async () => {
    const world = createBenchWorld();
    const memory = createBenchMemory();
    linkOf(world, 0).addresses.push('192.168.50.1/24');

    await liveOnce(world, memory, bridged);
    await undo(world, memory, bridged);

    expect(linkOf(world, 0).addresses).toEqual(['192.168.50.1/24']);
    expect(linkOf(world, 1).addresses).toEqual([]);
    expect(world.log.filter((line) => line.startsWith('as7'))).toEqual([]);
  });

  it('that a person gives after the clean-up are not taken away by the next one', async () => {
    const world = createBenchWorld();
    const memory = createBenchMemory();
    await liveOnce(world, memory, bridged);
    await undo(world, memory, bridged);
    linkOf(world, 0).addresses.push('192.168.50.1/24');

    await liveOnce(world, memory, bridged);
    await undo(world, memory, bridged);

    expect(linkOf(world, 0).addresses).toEqual(['192.168.50.1/24']);
  });

  it('are one for each association and a route, where the cards route', async () => {
    const world = createBenchWorld();
    const memory = createBenchMemory();

    await liveOnce(world, memory, routed);

    expect(linkOf(world, 0).addresses).toEqual(['10.1.0.2/24', '10.1.0.3/24', '10.1.0.4/24']);
    expect(world.hosts[1].routes).toEqual([{ dst: '10.1.0.0/24', gateway: '10.2.0.1', dev: 'ens3f0np0' }]);
    expect(await look(world, memory, routed)).toMatchObject({ kind: 'satisfied' });
    await undo(world, memory, routed);
    expect(linkOf(world, 0).addresses).toEqual([]);
    expect(world.hosts.flatMap(({ routes }) => routes)).toEqual([]);
  });

  it('are refused when the subnet has not enough of them', async () => {
    const diff = await look(createBenchWorld(), createBenchMemory(), { routed: true, sas: 254 });

    expect(diff).toMatchObject({ kind: 'refused', failure: { code: 'bench-impossible' } });
  });

  it('are refused when one of them stands on another link of the host', async () => {
    const world = createBenchWorld();
    world.hosts[0].links.get('eno1')?.addresses.push('192.168.50.1/24');

    const diff = await look(world, createBenchMemory(), bridged);

    expect(diff).toMatchObject({ kind: 'refused', failure: { code: 'bench-address-taken' } });
    expect(world.log).toEqual([]);
  });

  it('are complete and taken back completely, wherever the worker dies', async () => {
    const points: string[] = [];
    const probe = createBenchWorld();
    probe.tick = (point) => points.push(point);
    await liveOnce(probe, createBenchMemory(), routed);
    expect(points.length).toBeGreaterThan(20);

    for (const [index, point] of points.entries()) {
      const world = createBenchWorld();
      const before = JSON.stringify(picture(world));
      const memory = createBenchMemory();
      let passed = 0;
      world.tick = () => {
        passed += 1;
        if (passed > index) throw new Error('dead');
      };
      await expect(liveOnce(world, memory, routed), point).rejects.toThrow('dead');
      world.tick = () => undefined;

      await liveOnce(world, memory, routed);
      expect(await look(world, memory, routed), point).toMatchObject({ kind: 'satisfied' });
      await undo(world, memory, routed);

      expect(JSON.stringify(picture(world)), point).toBe(before);
    }
  });
});
