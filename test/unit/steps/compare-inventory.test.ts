import { describe, expect, it } from 'vitest';
import type { PciCard } from '../../../src/facts/pci-cards.ts';
import { compareInventory, differencesOf } from '../../../src/steps/compare-inventory.ts';

function card(serial: string, pciAddress = '0000:e1:00.0'): PciCard {
  const link = { gtPerS: 32, width: 16 };
  return { serial, pciAddress, partNumber: '900-9D3B6-00CN-AB0', productName: 'B3240', link, capable: link };
}

const entry = { name: 'as7-dpu0', serial: 'MT1' };
const dpu = { name: 'as7-dpu0' } as never;

describe('cards and inventory', () => {
  it.each([
    ['by serial', [card('MT1')], [entry]],
    ['by PCI address', [card('MT9')], [{ name: 'as7-dpu0', pciAddress: '0000:e1:00.0' }]],
    ['as the only one', [card('MT9')], [{ name: 'as7-dpu0' }]],
  ])('are paired %s', (_how, found, entries) => {
    expect(differencesOf({ host: 'as7', found, entries })).toEqual([]);
  });

  it('a card that was swapped is both missing and a stranger', () => {
    expect(differencesOf({ host: 'as7', found: [card('MT2')], entries: [entry] })).toEqual([
      'In the inventory and not found in as7: as7-dpu0 (serial MT1).',
      'Found in as7 and not in the inventory: 900-9D3B6-00CN-AB0, serial MT2, at 0000:e1:00.0.',
    ]);
  });

  it('an entry without a name for its card takes none of several', () => {
    const found = [card('MT1'), card('MT2', '0000:21:00.0')];
    const entries = [entry, { name: 'as7-dpu1' }];

    expect(differencesOf({ host: 'as7', found, entries })).toHaveLength(2);
  });

  it('what differs is a warning: looking refuses nothing', () => {
    expect(compareInventory.diff({ host: 'as7', found: [card('MT2')], entries: [entry] }, {}, dpu)).toMatchObject({
      kind: 'satisfied',
      warning: expect.stringContaining('MT2'),
    });
    expect(compareInventory.diff({ host: 'as7', found: [card('MT1')], entries: [entry] }, {}, dpu)).toEqual({
      kind: 'satisfied',
      reason: '1 BlueField-3 card in as7, each with its entry',
    });
  });
});
