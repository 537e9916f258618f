import { describe, expect, it } from 'vitest';
import type { BenchResult } from '../../../src/domain/bench.ts';
import type { MeasureParams } from '../../../src/steps/measure-points.ts';
import { createBenchMemory, fileOf } from '../../support/bench-context.ts';
import { cleanUp, leftOn, liveOnce, shortBench } from '../../support/bench-measuring.ts';
import type { BenchWorld } from '../../support/bench-world.ts';
import { createBenchWorld } from '../../support/bench-world.ts';

class Death extends Error {}

/** Lets the worker die at a point; whatever it still tries fails. Returns the points that were passed. */
function dieAt(world: BenchWorld, index: number): { readonly points: string[]; revive: () => void } {
  const points: string[] = [];
  let isDead = false;
  world.tick = (point) => {
    if (!isDead) points.push(point);
    isDead ||= points.length - 1 === index;
    if (isDead) throw new Death(point);
  };
  return { points, revive: () => (world.tick = () => undefined) };
}

async function pointsOf(params: MeasureParams): Promise<string[]> {
  const world = createBenchWorld();
  const memory = createBenchMemory();
  const life = dieAt(world, -1);
  await liveOnce(world, memory, params);
  return life.points;
}

const benches = {
  testpmd: shortBench,
  iperf3: { ...shortBench, tool: 'iperf3', streams: [2], repeats: 1 },
} as const satisfies Record<string, MeasureParams>;

describe.each(Object.entries(benches))('a worker that dies while it measures with %s', (_tool, params) => {
  it('is followed by one that tells one complete result, whatever the point; nothing ran beside a measurement', async () => {
    const points = await pointsOf(params);
    expect(points.length).toBeGreaterThan(30);

    for (const [index, point] of points.entries()) {
      const world = createBenchWorld();
      const memory = createBenchMemory();
      const life = dieAt(world, index);
      await expect(liveOnce(world, memory, params), point).rejects.toBeInstanceOf(Death);
      life.revive();
      // Somebody notices it and another worker takes over.
      world.clock.advance(5_000);
      await liveOnce(world, memory, params);

      expect(memory.told, point).toHaveLength(1);
      const { series } = JSON.parse(fileOf(memory, memory.told[0], '-result.json')) as BenchResult;
      const figures = series.map(({ point: { direction }, repeats }) => [
        direction,
        repeats.length,
        Math.round(repeats[0]?.receivedGbps ?? 0),
      ]);
      const gbps = params.tool === 'iperf3' ? 780 : 390;
      expect(figures, point).toEqual([
        ['a-to-b', params.repeats, gbps],
        ['b-to-a', params.repeats, gbps],
      ]);
      expect(world.clashes, point).toEqual([]);
      await cleanUp(world, memory);
      expect(leftOn(world), point).toEqual([]);
    }
  });

  it('measures a point that was complete not again', async () => {
    const points = await pointsOf(params);
    const world = createBenchWorld();
    const memory = createBenchMemory();
    const life = dieAt(world, points.indexOf('after intent p2'));
    await expect(liveOnce(world, memory, params)).rejects.toBeInstanceOf(Death);
    life.revive();

    await liveOnce(world, memory, params);

    expect(world.log.filter((line) => /start .*-p1-1-send-1$/.test(line))).toHaveLength(1);
  });
});

describe('a worker that dies while a regression is measured a second time', () => {
  const params = { ...shortBench, repeats: 5 };

  async function afterBaseline(): Promise<[BenchWorld, ReturnType<typeof createBenchMemory>]> {
    const before = createBenchMemory();
    await liveOnce(createBenchWorld({ rates: [390, 391, 392, 389, 388, 390, 391, 392, 389, 388] }), before, params);
    await before.results.setBaseline(418);
    return [createBenchWorld({ rates: [360] }), { ...createBenchMemory(), results: before.results }];
  }

  it('is followed by one that keeps the first measurement and comes to the same verdict', async () => {
    const [all, itsMemory] = await afterBaseline();
    const life = dieAt(all, -1);
    await liveOnce(all, itsMemory, params);
    const [from, to] = [life.points.indexOf('before intent keep-p1-first'), life.points.indexOf('after done p1-again')];
    expect(to - from).toBeGreaterThan(30);

    for (let index = from; index <= to; index += 9) {
      const [world, memory] = await afterBaseline();
      const point = life.points[index];
      const death = dieAt(world, index);
      await expect(liveOnce(world, memory, params), point).rejects.toBeInstanceOf(Death);
      death.revive();
      world.clock.advance(5_000);
      await liveOnce(world, memory, params);

      const { series } = JSON.parse(fileOf(memory, memory.told[0], '-result.json')) as BenchResult;
      expect(
        series.map(({ repeats, verdict }) => [repeats.length, verdict.kind]),
        point,
      ).toEqual([
        [10, 'worse'],
        [10, 'worse'],
      ]);
      expect(memory.told.map(({ regression }) => regression)).toEqual([true]);
      expect(world.clashes, point).toEqual([]);
      const firsts = world.log.filter((line) => /start .*-p1-1-send-1$/.test(line));
      // The worker had to have put it aside before it died.
      if (index > life.points.indexOf('after done keep-p1-first')) expect(firsts, point).toHaveLength(1);
      await cleanUp(world, memory);
      expect(leftOn(world), point).toEqual([]);
    }
  });
});

describe('a worker that dies while it clears away', () => {
  it('is followed by one that finishes it', async () => {
    const prepared = async (): Promise<[BenchWorld, ReturnType<typeof createBenchMemory>]> => {
      const world = createBenchWorld();
      const memory = createBenchMemory();
      const middle = (await pointsOf(benches.testpmd)).indexOf('after intent p2') + 5;
      const life = dieAt(world, middle);
      await expect(liveOnce(world, memory, benches.testpmd)).rejects.toBeInstanceOf(Death);
      life.revive();
      return [world, memory];
    };
    const [first, itsMemory] = await prepared();
    const all = dieAt(first, -1);
    await cleanUp(first, itsMemory);
    expect(all.points.length).toBeGreaterThan(10);

    for (const [index, point] of all.points.entries()) {
      const [world, memory] = await prepared();
      const life = dieAt(world, index);
      await expect(cleanUp(world, memory), point).rejects.toBeInstanceOf(Death);
      life.revive();

      await cleanUp(world, memory);

      expect(leftOn(world), point).toEqual([]);
      expect(
        world.hosts.flatMap(({ others }) => others),
        point,
      ).toHaveLength(4);
    }
  });
});
