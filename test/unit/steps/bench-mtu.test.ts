import { describe, expect, it } from 'vitest';
import { setPathMtu, undoPathMtu } from '../../../src/steps/bench-mtu.ts';
import { benchContext, createBenchMemory } from '../../support/bench-context.ts';
import type { BenchWorld } from '../../support/bench-world.ts';
import { createBenchWorld } from '../../support/bench-world.ts';

const arms = { arms: true } as const;

function mtusOf({ hosts, arms: cards }: BenchWorld): Record<string, number> {
  return Object.fromEntries(
    [...hosts, ...cards].flatMap(({ name, links }) => [...links].map(([link, { mtu }]) => [`${name} ${link}`, mtu])),
  );
}

/** Hosts and cards at 1500, but for one card that differs. */
function createNarrowWorld(): BenchWorld {
  const world = createBenchWorld();
  for (const machine of [...world.hosts, ...world.arms]) for (const link of machine.links.values()) link.mtu = 1500;
  const uplink = world.arms[1].links.get('p0');
  if (uplink) uplink.mtu = 2000;
  return world;
}

describe('the MTU of a path', () => {
  it('is raised from the wire to the hosts, and given back the other way round', async () => {
    const world = createNarrowWorld();
    const memory = createBenchMemory();
    const before = mtusOf(world);

    await setPathMtu(benchContext(world, memory, arms), 9000, false);
    const raised = [...world.log];
    world.log.length = 0;
    await undoPathMtu(benchContext(world, memory, arms));

    expect(raised).toEqual([
      'as7-dpu0: ip link set dev p0 mtu 9000',
      'as7-dpu0: ip link set dev pf0hpf mtu 9000',
      'as8-dpu0: ip link set dev p0 mtu 9000',
      'as8-dpu0: ip link set dev pf0hpf mtu 9000',
      'as7: ip link set dev ens3f0np0 mtu 9000',
      'as8: ip link set dev ens3f0np0 mtu 9000',
    ]);
    expect(world.log).toHaveLength(6);
    expect(world.log[0]).toBe('as8: ip link set dev ens3f0np0 mtu 1500');
    expect(world.log.at(-1)).toBe('as7-dpu0: ip link set dev p0 mtu 1500');
    expect(mtusOf(world)).toEqual(before);
  });

  it('has room for the tunnel on the cards where one is', async () => {
    const world = createNarrowWorld();

    await setPathMtu(benchContext(world, createBenchMemory(), arms), 1500, true);

    expect(mtusOf(world)).toMatchObject({
      'as7 ens3f0np0': 1500,
      'as7-dpu0 p0': 1700,
      'as7-dpu0 pf0hpf': 1700,
      'as8-dpu0 p0': 2000,
    });
  });

  it('is lowered on the hosts alone', async () => {
    const world = createBenchWorld();

    await setPathMtu(benchContext(world, createBenchMemory(), arms), 1500, false);

    expect(world.log).toEqual(['as7: ip link set dev ens3f0np0 mtu 1500', 'as8: ip link set dev ens3f0np0 mtu 1500']);
  });

  it('goes back to what it was before the first of several changes, wherever the worker dies', async () => {
    const work = async (world: BenchWorld, memory: ReturnType<typeof createBenchMemory>): Promise<void> => {
      await setPathMtu(benchContext(world, memory, arms), 9000, false);
      await setPathMtu(benchContext(world, memory, arms), 4000, false);
      await undoPathMtu(benchContext(world, memory, arms));
    };
    const points: string[] = [];
    const probe = createNarrowWorld();
    const before = mtusOf(probe);
    probe.tick = (point) => points.push(point);
    await work(probe, createBenchMemory());
    expect(points.length).toBeGreaterThan(60);

    for (const [index, point] of points.entries()) {
      const world = createNarrowWorld();
      const memory = createBenchMemory();
      let passed = 0;
      world.tick = () => {
        passed += 1;
        if (passed > index) throw new Error('dead');
      };
      await expect(work(world, memory), point).rejects.toThrow('dead');
      world.tick = () => undefined;

      await undoPathMtu(benchContext(world, memory, arms));

      expect(mtusOf(world), `${index}: ${point}`).toEqual(before);
    }
  });

  it('that a person sets after it was given back is left alone', async () => {
    const world = createNarrowWorld();
    const memory = createBenchMemory();
    await setPathMtu(benchContext(world, memory, arms), 9000, false);
    await undoPathMtu(benchContext(world, memory, arms));
    const link = world.hosts[0].links.get('ens3f0np0');
    if (link) link.mtu = 4200;

    await undoPathMtu(benchContext(world, memory, arms));

    expect(link?.mtu).toBe(4200);
  });
});
