import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultMinPcieLink, findSku, pcieGbps } from '../../../src/domain/part-numbers.ts';
import { BMC_PASSWORD_BYTES, generateBmcPassword, isGoodBmcPassword } from '../../../src/domain/password.ts';

describe('part-numbers', () => {
  it('knows the card of the field report and what it needs', () => {
    const sku = findSku('900-9d3b6-00cn-ab0');

    expect(sku).toMatchObject({ model: 'B3240', crypto: true, portGbps: 400, class: 'dpu' });
    expect(sku && defaultMinPcieLink(sku)).toEqual({ gtPerS: 32, width: 16 });
  });

  it.each([
    ['900-9D3B6-00SN-AB0', { crypto: false, class: 'dpu' }],
    ['900-9D3B6-00CV-AAH', { model: 'B3220', portGbps: 200 }],
    ['900-9D3C6-00CV-DA0', { model: 'B3220SH', class: 'controller' }],
    ['900-9D3C6-99XX-ZZ9', { class: 'controller', crypto: 'unknown' }],
    ['900-9D3B4-00EN-EA0', { class: 'supernic', ports: 1 }],
  ])('%s is %j', (partNumber, expected) => {
    expect(findSku(partNumber)).toMatchObject(expected);
  });

  it('does not guess a part number it does not know', () => {
    expect(findSku('900-9D3B6-00QQ-AB0')).toBeUndefined();
    expect(findSku('')).toBeUndefined();
  });

  it('asks a 200G card for 16 GT/s x16 only', () => {
    const sku = findSku('900-9D3B6-00CV-AA0');

    expect(sku && defaultMinPcieLink(sku)).toEqual({ gtPerS: 16, width: 16 });
    expect(Math.round(pcieGbps({ gtPerS: 32, width: 16 }))).toBe(504);
  });
});

describe('password', () => {
  it('is always good by the rules of the BMC, and 16 bytes of plain ASCII', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(255)), (stream) => {
        const password = generateBmcPassword({
          bytes: (count) => Uint8Array.from(Array.from({ length: count }, () => stream.next().value ?? 0)),
        });

        expect(Buffer.byteLength(password)).toBe(BMC_PASSWORD_BYTES);
        expect(password).toMatch(/^[\x21-\x7e]+$/);
        expect(isGoodBmcPassword(password)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it.each(['0penBmc', 'short-A1', 'alllowercase-1234', 'Abcdefgh-12345678', 'NoSpecialChar123', 'Seventeen-Bytes-17'])(
    'refuses %s',
    (password) => {
      expect(isGoodBmcPassword(password)).toBe(false);
    },
  );
});
