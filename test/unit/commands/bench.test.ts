import { describe, expect, test } from 'vitest';
import { PairEntry } from '../../../src/domain/pairs.ts';
import { Tools } from '../../../src/domain/profile.ts';
import { pointOf, recordOf } from '../../support/bench-results.ts';
import type { World } from './doubles.ts';
import { createWorld, words } from './doubles.ts';

/** A fleet with one pair: the card of host-a, and the first one of host-b. */
function withPair(): World {
  const world = createWorld();
  const ends = [
    { card: 'dpu-a', hostAddress: '10.9.0.1/24' },
    { card: 'dpu-b0', hostAddress: '10.9.0.2/24' },
  ];
  world.inventory.pairs['wire1'] = PairEntry.parse({ ends });
  return world;
}

/** Profiles that say how testpmd runs. */
function withTestpmd(queues: number): World {
  const world = withPair();
  const tools = Tools.parse({ testpmd: { queues } });
  world.inventory.profiles['default'] = { ...world.inventory.profiles['quick'], tools } as never;
  return world;
}

describe('/dpu bench', () => {
  test('without a pair means the only one, measures with what runs everywhere, and takes both hosts as one', async () => {
    const world = withPair();

    await world.say('UANA', 'bench raw');

    const run = world.runs.get(418);
    expect(run).toMatchObject({
      recipe: 'bench',
      params: { kind: 'raw', tool: 'iperf3', durationS: 30, repeats: 3, streams: [4], sas: [1], zeroLoss: false },
      planOnly: false,
    });
    expect(Object.values(run?.units ?? {}).map(({ unit, hosts }) => [unit, hosts])).toEqual([
      ['host-a+host-b', ['host-a', 'host-b']],
    ]);
  });

  test('measures with testpmd where the profiles say how it runs, one flow a queue', async () => {
    const world = withTestpmd(16);

    await world.say('UANA', 'bench ipsec wire1 --sas 8 --frame 64,1500,9000 --duration 2m --repeat 5 --mtu 9000');

    expect(world.runs.get(418)?.params).toMatchObject({
      kind: 'ipsec',
      tool: 'testpmd',
      framesBytes: [64, 1500, 9000],
      mtusBytes: [9000],
      durationS: 120,
      repeats: 5,
      streams: [16],
      sas: [8],
    });
  });

  test('takes the pair of the channel before it asks', async () => {
    const world = withPair();
    world.inventory.pairs['wire2'] = world.inventory.pairs['wire1'] ?? PairEntry.parse({});

    expect(words(await world.say('UANA', 'bench raw'))).toContain('The inventory has: wire1, wire2.');
    world.inventory.channelPairs['C0FLEET1'] = 'wire1';
    await world.say('UANA', 'bench raw');

    expect(world.runs.size).toBe(1);
  });

  test.each([
    ['bench', '<kind> is missing'],
    ['bench rwa', 'did you mean "raw"?'],
    ['bench raw wire9', 'Did you mean \\"wire1\\"?'],
    ['bench raw --sas 4', '--sas goes with ipsec only'],
    ['bench raw --tool iperf3 --frame 1500', '--frame goes with testpmd only'],
    ['bench raw --tool iperf3 --zero-loss', '--zero-loss goes with testpmd only'],
    ['bench raw --tool ipref3', 'did you mean "iperf3"?'],
    ['bench raw --duration 1s', 'is a time from 3s to 1h'],
    ['bench raw --repeat 0', 'is a whole number from 1 to 20'],
    ['bench raw --frame 64,64', 'names 64 twice'],
    ['bench raw --mtu 1500,9000', '/dpu bench sweep raw --mtu 1500,9000'],
    ['bench raw --mtu 12', 'whole numbers from 1280 to 9978 bytes'],
    ['bench raw --duration 1h --repeat 20', '24 h are the most'],
    ['bench sweep raw --streams 4', 'needs two values at least'],
    ['bench sweep', '<kind> is missing'],
    ['sweep raw', 'Did you mean \\"bench sweep\\"?'],
    ['bench compare 3 3', 'Run 3 is named twice'],
    ['bench baseline 99', 'There is no run 99'],
    ['bench history wire9', 'Did you mean \\"wire1\\"?'],
  ])('"%s" is refused with the way on, and starts nothing', async (line, why) => {
    const world = withPair();

    expect(words(await world.say('UANA', line))).toContain(why);
    expect(world.runs.size).toBe(0);
  });

  test('as a sweep measures every setting in one run', async () => {
    const world = withTestpmd(8);

    await world.say('UANA', 'bench sweep raw --mtu 1500,9000 --streams 1,4,16');

    expect(world.runs.get(418)?.params).toMatchObject({ mtusBytes: [1500, 9000], streams: [1, 4, 16] });
  });

  test('is explained with all its forms', async () => {
    const text = words(await withPair().say('UANA', 'help bench'));

    for (const form of ['bench raw', 'bench sweep', 'bench history', 'bench compare', 'bench baseline'])
      expect(text).toContain(`/dpu ${form}`);
  });
});

describe('figures of the past', () => {
  const slow = recordOf(7, [340, 341, 342, 340, 341]);
  const fast = recordOf(9, [380, 381, 382, 380, 381]);

  test('become the baseline by whoever may operate, with an entry in the audit list that says what they replace', async () => {
    const world = withPair();
    await world.results.add([slow, fast]);

    await world.say('UANA', 'bench baseline 7');
    const text = words(await world.say('UANA', 'bench baseline 9'));
    const refused = words(await world.say('UGUEST', 'bench baseline 7'));

    expect(text).toContain('in place of run 7');
    expect(await world.results.baseline(fast.key)).toEqual(fast);
    expect(refused).not.toContain('is the baseline');
    expect(world.audit.map(({ action, runId, detail }) => [action, runId, detail])).toContainEqual([
      'bench baseline',
      9,
      '1 setting, in place of run 7',
    ]);
  });

  test('stand newest first, with the change to the one before and to the baseline', async () => {
    const world = withPair();
    await world.results.add([slow, fast]);
    await world.say('UANA', 'bench baseline 7');

    const text = words(await world.say('UANA', 'bench history'));

    expect(text.indexOf('381.0')).toBeLessThan(text.indexOf('341.0'));
    expect(text).toMatch(/\+11\.7 % to run 7/);
    expect(text).toContain('this is it');
  });

  test('are held against each other with a test where they were measured alike', async () => {
    const world = withPair();
    await world.results.add([slow, fast]);

    const text = words(await world.say('UANA', 'bench compare 7 9'));

    expect(text).toMatch(/better.*p = |p = .*better/s);
    expect(text).toContain('not kept any more');
  });

  test('get no verdict where firmware or stamp differ, and the difference is named', async () => {
    const world = withPair();
    const other = { ...fast, key: `${fast.key}x` as never, firmware: '32.41.1000', stamp: 'SIMULATED' as const };
    await world.results.add([slow, other, recordOf(9, [1], { point: pointOf({ streams: 1 }) })]);

    const text = words(await world.say('UANA', 'bench compare 7 9'));

    expect(text).toContain('no verdict');
    expect(text).toContain('firmware 32.43.2566, then 32.41.1000');
    expect(text).toContain('Only run 9 has measured');
  });
});
