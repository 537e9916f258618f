import { describe, expect, test } from 'vitest';
import { sliceHash, sliceOf } from '../../../src/domain/inventory.ts';
import { makeInventory } from '../../support/make-run.ts';

describe('the slice of a host', () => {
  const inventory = makeInventory(['as7']);
  const entry = inventory.hosts['as7'];
  if (entry === undefined) throw new Error('no host');
  const tagged = {
    ...entry,
    tags: ['gen5'],
    dpus: entry.dpus.map((dpu) => ({ ...dpu, tags: ['spare'] })),
  };

  test('has no tags: a new tag does not disturb the runs at work there', () => {
    const slice = sliceOf({ ...inventory, hosts: { as7: tagged } }, 'as7');

    expect(slice).toEqual(sliceOf(inventory, 'as7'));
    expect(JSON.stringify(slice)).not.toMatch(/gen5|spare/);
  });

  test('that was kept with tags is the same as without', () => {
    const slice = sliceOf(inventory, 'as7');

    expect(sliceHash({ ...slice, entry: tagged })).toBe(sliceHash(slice));
    expect(sliceHash({ ...slice, entry: { ...tagged, rack: 'rack9' } })).not.toBe(sliceHash(slice));
  });
});
