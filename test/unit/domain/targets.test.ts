import { describe, expect, test } from 'vitest';
import { Inventory } from '../../../src/domain/inventory.ts';
import { nearest, resolveTargets, targetNames } from '../../../src/domain/targets.ts';
import { sampleInventory } from '../commands/sample-inventory.ts';

const inventory = Inventory.parse(sampleInventory());

describe('resolveTargets', () => {
  test('a rack stands for each of its hosts with all their cards', () => {
    const result = resolveTargets(inventory, 'rack1');

    expect(result).toEqual({
      ok: true,
      what: 'rack',
      name: 'rack1',
      units: [
        { host: 'host-a', dpus: ['dpu-a'] },
        { host: 'host-b', dpus: ['dpu-b0', 'dpu-b1'] },
      ],
    });
  });

  test('a host stands for all its cards, a DPU only for itself', () => {
    expect(resolveTargets(inventory, 'host-b')).toMatchObject({
      what: 'host',
      units: [{ host: 'host-b', dpus: ['dpu-b0', 'dpu-b1'] }],
    });
    expect(resolveTargets(inventory, 'dpu-b1')).toMatchObject({
      what: 'dpu',
      units: [{ host: 'host-b', dpus: ['dpu-b1'] }],
    });
  });

  test('capitals and blanks around the name do not matter', () => {
    expect(resolveTargets(inventory, ' Rack1 ')).toMatchObject({ ok: true, what: 'rack' });
  });

  test('an unknown name comes with the nearest one that exists', () => {
    expect(resolveTargets(inventory, 'rakc1')).toEqual({ ok: false, reason: 'unknown', suggestion: 'rack1' });
  });

  test('a name like nothing in the inventory comes without a suggestion', () => {
    expect(resolveTargets(inventory, 'zzzzzzzz')).toEqual({ ok: false, reason: 'unknown' });
  });

  test.each(['constructor', '__proto__', 'toString'])('%s, a name every object has, is unknown', (word) => {
    expect(resolveTargets(inventory, word)).toMatchObject({ ok: false, reason: 'unknown' });
  });

  test('nothing is never everything', () => {
    expect(resolveTargets(inventory, '  ')).toEqual({ ok: false, reason: 'empty' });
  });
});

test('targetNames lists every rack, host and DPU once', () => {
  expect(targetNames(inventory)).toEqual([
    'rack1',
    'rack2',
    'host-a',
    'host-b',
    'host-c',
    'dpu-a',
    'dpu-b0',
    'dpu-b1',
    'dpu-c',
  ]);
});

describe('nearest', () => {
  test('prefers the candidate with the fewest edits', () => {
    expect(nearest('host-1', ['host-11x', 'host-12', 'rack-1'])).toBe('host-12');
  });

  test('suggests nothing that shares no letter with a short word', () => {
    expect(nearest('x', ['a', 'plan'])).toBeUndefined();
  });
});
