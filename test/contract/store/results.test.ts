import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pointOf, recordOf } from '../../support/bench-results.ts';
import type { Backend, Ports } from './backends.ts';
import { backends } from './backends.ts';

describe.each(backends)('results of benches, in $kind', ({ open }) => {
  let backend: Backend;
  let ports: Ports;
  beforeAll(async () => {
    backend = await open();
  });
  beforeEach(async () => {
    ports = await backend.fresh();
  });
  afterAll(async () => backend.stop());

  const back = pointOf({ direction: 'b-to-a' });

  it('come back newest first, by pair and kind, and no more runs than were asked for', async () => {
    await ports.results.add([recordOf(3, [1]), recordOf(3, [2], { point: back })]);
    await ports.results.add([recordOf(12, [3])]);
    await ports.results.add([recordOf(5, [4], { point: pointOf({ kind: 'ipsec', sas: 1 }) })]);
    await ports.results.add([recordOf(6, [5], { pair: 'wire2' })]);

    const found = await ports.results.history('wire1', 'raw', 10);

    expect(found.map(({ run }) => run)).toEqual([12, 3, 3]);
    expect((await ports.results.history('wire1', 'raw', 1)).map(({ run }) => run)).toEqual([12]);
    expect((await ports.results.history('wire1', 'ipsec', 9)).map(({ run }) => run)).toEqual([5]);
    expect(await ports.results.history('wire9', 'raw', 9)).toEqual([]);
  });

  it('of a point that was measured again replace the older ones of the same run', async () => {
    await ports.results.add([recordOf(3, [1])]);
    await ports.results.add([recordOf(3, [2])]);

    expect((await ports.results.ofRun(3)).map((record) => record.repeatsGbps)).toEqual([[2]]);
  });

  it('become the baseline of their keys, until another run does', async () => {
    const [first, second, other] = [recordOf(3, [1]), recordOf(4, [2]), recordOf(4, [3], { point: back })];
    await ports.results.add([first]);
    await ports.results.add([second, { ...other, key: 'another' as typeof other.key }]);

    expect(await ports.results.baseline(first.key)).toBeUndefined();
    expect(await ports.results.setBaseline(3)).toEqual([first]);
    expect(await ports.results.baseline(first.key)).toEqual(first);
    await ports.results.setBaseline(4);
    expect(await ports.results.baseline(first.key)).toEqual(second);
    expect(await ports.results.setBaseline(99)).toEqual([]);
  });
});
