import { describe, expect, it } from 'vitest';
import type { BenchResult, Proof } from '../../../src/domain/bench.ts';
import { createMeasure } from '../../../src/steps/measure-step.ts';
import { benchContext, createBenchMemory, fileOf } from '../../support/bench-context.ts';
import { cleanUp, leftOn, liveOnce, shortBench } from '../../support/bench-measuring.ts';
import { fakeParts } from '../../support/bench-parts.ts';
import { createBenchWorld } from '../../support/bench-world.ts';

function resultIn(memory: ReturnType<typeof createBenchMemory>): BenchResult {
  return JSON.parse(fileOf(memory, memory.told[0], '-result.json')) as BenchResult;
}

describe('measuring a pair', () => {
  it('measures both directions one after the other and tells figures, files and what was wrong with the machines', async () => {
    const world = createBenchWorld({ rates: [390, 388, 380, 382] });
    const memory = createBenchMemory();
    const log: string[] = [];

    await liveOnce(world, memory, shortBench, { parts: fakeParts(log) });

    const result = resultIn(memory);
    expect(result.series.map(({ point }) => point.direction)).toEqual(['a-to-b', 'b-to-a']);
    expect(result.series.map(({ summary }) => Math.round(summary.medianGbps))).toEqual([389, 381]);
    expect(result.cards).toEqual(['as7-dpu0', 'as8-dpu0']);
    expect(result.toolVersion).toBe('DPDK 22.11.11');
    expect(result).not.toHaveProperty('stamp');
    expect(log).toEqual([
      'proof begins: a to b, frames of 1500 bytes, MTU 9000, 4 streams',
      'proof watches: a to b, frames of 1500 bytes, MTU 9000, 4 streams',
      'proof ends: a to b, frames of 1500 bytes, MTU 9000, 4 streams, 972 GB',
      'proof begins: b to a, frames of 1500 bytes, MTU 9000, 4 streams',
      'proof watches: b to a, frames of 1500 bytes, MTU 9000, 4 streams',
      'proof ends: b to a, frames of 1500 bytes, MTU 9000, 4 streams, 953 GB',
    ]);
    expect(memory.told.map(({ files }) => files.map(({ name }) => name))).toEqual([
      ['run418-samples.png', 'run418-result.json', 'run418-tool-logs.txt'],
    ]);
    expect(memory.told[0]?.warnings).toEqual(['CPU governor (a) is powersave: cores do not reach their clock']);
    expect(fileOf(memory, memory.told[0], '-tool-logs.txt')).toContain('===== p2 b-to-a, repeat 2 of 2, receive 1');
    expect(world.clashes).toEqual([]);
  });

  it('starts the receiver on the far host and waits until it listens before anything is sent', async () => {
    const world = createBenchWorld();

    await liveOnce(world, createBenchMemory(), { ...shortBench, repeats: 1 });

    expect(world.log.filter((line) => line.includes(': start '))).toEqual([
      'as8: start run418-measure-p1-1-receive-1',
      'as7: start run418-measure-p1-1-send-1',
      'as7: start run418-measure-p2-1-receive-1',
      'as8: start run418-measure-p2-1-send-1',
    ]);
  });

  it('looks at the cards once a point, while packets are under way', async () => {
    const world = createBenchWorld();
    const running: (readonly string[])[] = [];
    const watchProof = async (): Promise<string> => {
      running.push(leftOn(world).map((folder) => folder.replace(/^.*-measure-/, '')));
      return Promise.resolve('watched');
    };
    const starts: unknown[] = [];
    const usual = fakeParts();
    const parts = fakeParts([], {
      watchProof,
      endProof: async (context, start, point, bytes) => {
        starts.push(start);
        return usual.endProof(context, start, point, bytes);
      },
    });

    await liveOnce(world, createBenchMemory(), shortBench, { parts });

    expect(running.map((folders) => folders.toSorted())).toEqual([
      ['p1-1-receive-1', 'p1-1-send-1'],
      expect.arrayContaining(['p2-1-receive-1', 'p2-1-send-1']),
    ]);
    expect(starts).toEqual(['watched', 'watched']);
  });

  it('says how far it is, with the rate of the last second', async () => {
    const world = createBenchWorld();
    const memory = createBenchMemory();

    await liveOnce(world, memory, shortBench);

    expect(memory.progress).toContain('a-to-b, repeat 1 of 2, warming up');
    expect(memory.progress).toContain('b-to-a, repeat 2 of 2, 7 of 10 s, 390 Gb/s');
  });

  it('keeps the series for history and baseline, with the stamp of the site', async () => {
    const world = createBenchWorld();
    const memory = createBenchMemory();

    await liveOnce(world, memory, shortBench, { setting: { testbed: true } });

    const records = await memory.results.ofRun(418);
    expect(records.map(({ stamp, firmware, image, offload }) => [stamp, firmware, image, offload])).toEqual(
      Array.from({ length: 2 }, () => ['TESTBED', '32.43.2566', 'bf-bundle-2.9.2', 'offloaded']),
    );
    expect(resultIn(memory).stamp).toBe('TESTBED');
    expect(memory.told[0]?.stamp).toBe('TESTBED');
  });

  it('says NOT OFFLOADED with the cause before all other warnings', async () => {
    const world = createBenchWorld();
    const memory = createBenchMemory();
    const proof: Proof = {
      verdict: 'not-offloaded',
      checks: [{ label: 'flows', pass: false, saw: '2 of 2 in software' }],
      cause: 'hw-offload is on, but Open vSwitch was not restarted since',
    };

    await liveOnce(world, memory, shortBench, {
      parts: fakeParts([], { endProof: async () => Promise.resolve(proof) }),
    });

    expect(memory.told[0]?.warnings[0]).toBe(
      'NOT OFFLOADED: hw-offload is on, but Open vSwitch was not restarted since.',
    );
  });

  it('sets the MTU once for all points that share it', async () => {
    const world = createBenchWorld();
    const log: string[] = [];
    const sweep = { ...shortBench, kind: 'ipsec' as const, mtusBytes: [1500, 9000], sas: [1, 8], streams: [1, 4] };

    await liveOnce(world, createBenchMemory(), { ...sweep, repeats: 1 }, { parts: fakeParts(log) });

    expect(log.filter((line) => line.startsWith('set: '))).toEqual(['set: MTU 1500', 'set: MTU 9000']);
    expect(log.filter((line) => line.startsWith('proof begins'))).toHaveLength(16);
  });

  it('refuses frames that are longer than the links let through, before anything runs', async () => {
    const world = createBenchWorld();
    const context = benchContext(world, createBenchMemory());
    const step = createMeasure(fakeParts());
    const params = { ...shortBench, framesBytes: [64, 9015] };

    const diff = step.diff(await step.observe(context, params), params, context.dpu);

    expect(diff).toMatchObject({ kind: 'refused', failure: { code: 'bench-impossible' } });
    expect(world.log).toEqual([]);
  });
});

describe('a kind of path that nobody sets up', () => {
  it('is refused: its figures would have a name that they do not deserve', async () => {
    const context = benchContext(createBenchWorld(), createBenchMemory());
    const step = createMeasure(fakeParts([], { kinds: ['raw'] }));
    const params = { ...shortBench, kind: 'ipsec' as const };

    const diff = step.diff(await step.observe(context, params), params, context.dpu);

    expect(diff).toMatchObject({ kind: 'refused', failure: { code: 'bench-impossible' } });
  });
});

describe('line rate', () => {
  it('is what the slower port runs at, and gives the percentage on the wire', async () => {
    const memory = createBenchMemory();

    await liveOnce(createBenchWorld(), memory, shortBench, { setting: { arms: true } });

    // 390 Gb/s of frames of 1500 bytes are 396.2 Gb/s with preamble, FCS and gap.
    expect(resultIn(memory).series[0]?.summary.lineRatePercent).toBeCloseTo(99.06, 1);
  });

  it('is not told where a card has no login, and never on a rack without cards', async () => {
    for (const setting of [{}, { arms: true, testbed: true }] as const) {
      const memory = createBenchMemory();
      await liveOnce(createBenchWorld(), memory, shortBench, { setting });
      expect(resultIn(memory).series[0]?.summary).not.toHaveProperty('lineRatePercent');
    }
  });
});

describe('the rate without loss', () => {
  it('is looked for by halves below the rate that was sent without a limit', async () => {
    const world = createBenchWorld({ capacityGbps: 250 });
    const memory = createBenchMemory();

    await liveOnce(world, memory, { ...shortBench, repeats: 1, zeroLoss: true });

    const [first] = resultIn(memory).series;
    expect(first?.repeats[0]?.lossPercent).toBeGreaterThan(10);
    expect(first?.zeroLoss?.gbps).toBeGreaterThan(245);
    expect(first?.zeroLoss?.gbps).toBeLessThanOrEqual(250.5);
    expect(first?.zeroLoss?.tries).toBeLessThanOrEqual(12);
    await cleanUp(world, memory);
    expect(leftOn(world)).toEqual([]);
  });

  it('is not told, with the reason, where the device cannot keep a rate', async () => {
    const world = createBenchWorld();
    const memory = createBenchMemory();
    const setting = { profile: { tools: { testpmd: { device: 'af-packet', hugepages: false } } } };

    await liveOnce(world, memory, { ...shortBench, repeats: 1, zeroLoss: true }, { setting });

    expect(resultIn(memory).series.every((series) => !('zeroLoss' in series))).toBe(true);
    expect(memory.told[0]?.warnings).toContain('Rate without loss, a-to-b: testpmd cannot keep a rate on this device.');
  });
});

describe('a regression', () => {
  const slow = [360, 361, 362, 363, 364];
  const fast = [390, 391, 392, 389, 388];
  const params = { ...shortBench, repeats: 5 };

  async function afterBaseline(rates: readonly number[]): Promise<ReturnType<typeof createBenchMemory>> {
    const memory = createBenchMemory();
    await liveOnce(createBenchWorld({ rates: [...fast, ...fast] }), memory, params);
    await memory.results.setBaseline(418);
    const next = { ...createBenchMemory(), results: memory.results };
    await liveOnce(createBenchWorld({ rates: [...rates] }), next, params);
    return next;
  }

  it('is told after a second measurement has found it too, and both count', async () => {
    const memory = await afterBaseline([...slow, ...slow, ...fast]);

    const [first, second] = resultIn(memory).series;
    expect(first?.verdict.kind).toBe('worse');
    expect(first?.verdict.text).toMatch(/^worse than run 418 .*, confirmed by a second measurement/);
    expect(first?.repeats).toHaveLength(10);
    expect(first).not.toHaveProperty('unconfirmed');
    expect(second?.verdict.kind).toBe('same');
    expect(second?.repeats).toHaveLength(5);
    expect(memory.told[0]?.regression).toBe(true);
  });

  it('is not told when a second measurement does not find it: that one counts, and a warning tells of the first', async () => {
    const memory = await afterBaseline([...slow, ...fast, ...fast]);

    const [first] = resultIn(memory).series;
    expect(first?.verdict.kind).toBe('same');
    expect(first?.repeats.map(({ receivedGbps }) => Math.round(receivedGbps))).toEqual(fast);
    expect(first?.unconfirmed?.map(({ receivedGbps }) => Math.round(receivedGbps))).toEqual(slow);
    expect(first?.summary.repeats).toBe(5);
    expect(memory.told[0]).not.toHaveProperty('regression');
    expect(memory.told[0]?.warnings).toContainEqual(
      expect.stringMatching(/^a to b, .*: a first measurement was worse than run 418 .*did not confirm it/),
    );
  });

  it('is measured with the first measurement kept, when the worker dies in the second one', async () => {
    const baseline = createBenchMemory();
    await liveOnce(createBenchWorld({ rates: [...fast, ...fast] }), baseline, params);
    await baseline.results.setBaseline(418);
    const memory = { ...createBenchMemory(), results: baseline.results };
    const world = createBenchWorld({ rates: [...slow, ...slow, ...fast] });
    world.tick = (point) => {
      if (point === 'after intent p1-again') throw new Error('the worker dies');
    };
    await expect(liveOnce(world, memory, params)).rejects.toThrow('the worker dies');
    world.tick = () => undefined;

    await liveOnce(world, memory, params);

    expect(resultIn(memory).series[0]?.repeats).toHaveLength(10);
    expect(memory.told[0]?.regression).toBe(true);
    expect(world.log.filter((line) => /start .*-p1-1-send-1$/.test(line))).toHaveLength(1);
    expect(fileOf(memory, memory.told[0], '-tool-logs.txt')).toContain('===== p1 a-to-b, repeat 1 of 5, send 1');
  });
});
