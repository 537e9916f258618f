import { describe, expect, it } from 'vitest';
import type { BenchResult } from '../../../src/domain/bench.ts';
import { errors } from '../../../src/errors.ts';
import { codeOf } from '../../support/arm-world.ts';
import { createBenchMemory, fileOf } from '../../support/bench-context.ts';
import { cleanUp, leftOn, liveOnce, shortBench } from '../../support/bench-measuring.ts';
import { fakeParts } from '../../support/bench-parts.ts';
import { createBenchWorld } from '../../support/bench-world.ts';

function resultIn(memory: ReturnType<typeof createBenchMemory>): BenchResult {
  return JSON.parse(fileOf(memory, memory.told[0], '-result.json')) as BenchResult;
}

describe('a tool that fails', () => {
  it('is tried a second time, and the reader is told', async () => {
    const world = createBenchWorld();
    world.faults.senderDies = 1;
    const memory = createBenchMemory();

    await liveOnce(world, memory, shortBench);

    expect(memory.told[0]?.warnings).toContainEqual(
      expect.stringMatching(/^a-to-b, repeat 1 of 2 was measured a second time: testpmd on as7 was lost/),
    );
    expect(resultIn(memory).series[0]?.repeats).toHaveLength(2);
    expect(world.clashes).toEqual([]);
  });

  it.each([
    ['its sender dies', { senderDies: 2 }, 'testpmd', 'was lost (its process is gone'],
    ['its receiver never starts', { receiverNeverStarts: 2 }, 'testpmd', 'ended before it received anything (exit 1)'],
    ['its log is not complete', { logTruncated: 2 }, 'testpmd', 'breaks off before its totals'],
    ['one of four clients gets no connection', { clientRefused: 2 }, 'iperf3', 'Connection refused'],
  ] as const)('gives no figure when %s twice, and clears away', async (_title, faults, tool, why) => {
    const world = createBenchWorld();
    Object.assign(world.faults, faults);
    const memory = createBenchMemory();
    const work = liveOnce(world, memory, { ...shortBench, tool });

    await expect(work).rejects.toMatchObject({ failure: { code: 'bench-tool-failed' } });
    await expect(work).rejects.toThrow(why);
    expect(memory.told).toEqual([]);
    expect(await memory.results.ofRun(418)).toEqual([]);

    await cleanUp(world, memory);

    expect(leftOn(world)).toEqual([]);
  });

  it('shows the ends of its logs in the thread', async () => {
    const world = createBenchWorld();
    world.faults.receiverNeverStarts = 2;
    const memory = createBenchMemory();

    await codeOf(async () => liveOnce(world, memory, shortBench));

    expect(memory.snippets.join('\n')).toContain('EAL: FATAL: Cannot get hugepage information.');
  });
});

describe('a measurement that is cancelled', () => {
  it('ends in the middle, and what runs is stopped and removed on both hosts, nobody else is touched', async () => {
    const world = createBenchWorld();
    const memory = createBenchMemory();
    let looks = 0;
    memory.checkpoint = () => {
      looks += 1;
      if (looks > 6) throw errors.cancelled({ run: 418, by: 'Ana', target: 'as7-as8', state: 'changed' });
    };

    const code = await codeOf(async () => liveOnce(world, memory, shortBench));
    expect(code).toBe('cancelled');
    expect(leftOn(world)).toHaveLength(2);

    await cleanUp(world, memory);

    expect(leftOn(world)).toEqual([]);
    expect(world.hosts.flatMap(({ others }) => others)).toHaveLength(4);
    expect(world.log.filter((line) => line.includes(': stop '))).toEqual([
      'as7: stop run418-measure-p1-1-send-1',
      'as8: stop run418-measure-p1-1-receive-1',
    ]);
  });

  it('is measured anew when it is resumed after its clean-up: what was kept belongs to other settings', async () => {
    const world = createBenchWorld();
    const memory = createBenchMemory();
    const log: string[] = [];
    memory.checkpoint = () => {
      if (memory.progress.some((text) => text.startsWith('b-to-a')))
        throw errors.cancelled({ run: 418, by: 'Ana', target: 'as7-as8', state: 'changed' });
    };
    await codeOf(async () => liveOnce(world, memory, shortBench));
    await cleanUp(world, memory);
    memory.checkpoint = () => undefined;

    await liveOnce(world, memory, shortBench, { parts: fakeParts(log) });

    expect(log.filter((line) => line.startsWith('proof begins'))).toHaveLength(2);
  });
});

describe('clearing away', () => {
  it('names what does not go away', async () => {
    const world = createBenchWorld();
    const memory = createBenchMemory();
    await liveOnce(world, memory, shortBench);
    const stuck = world.hosts[1].jobs;
    stuck.delete = () => false;

    const work = cleanUp(world, memory);

    await expect(work).rejects.toMatchObject({ failure: { code: 'bench-left-behind' } });
    expect([...world.hosts[0].jobs.keys()]).toEqual([]);
  });

  it('may be done twice', async () => {
    const world = createBenchWorld();
    const memory = createBenchMemory();
    await liveOnce(world, memory, shortBench);

    await cleanUp(world, memory);
    await cleanUp(world, memory);

    expect(leftOn(world)).toEqual([]);
  });
});
