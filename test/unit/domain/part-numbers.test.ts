import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultMinPcieLink, findSku, meaningOf, pcieGbps } from '../../../src/domain/part-numbers.ts';

describe('findSku', () => {
  it('knows the card of the field report and what it needs', () => {
    const sku = findSku('900-9d3b6-00cn-ab0');

    expect(sku).toMatchObject({ model: 'B3240', crypto: true, portGbps: 400, class: 'dpu', psid: 'MT_0000000883' });
    expect(sku && defaultMinPcieLink(sku)).toEqual({ gtPerS: 32, width: 16 });
  });

  it.each([
    ['900-9D3B6-00SN-AB0', { model: 'B3240', crypto: false, class: 'dpu', psid: 'MT_0000000964' }],
    ['900-9D3B6-00CN-PA0', { model: 'B3240', crypto: true, class: 'dpu', portGbps: 400 }],
    ['900-9D3B6-00CV-AA0', { model: 'B3220', crypto: true, portGbps: 200, psid: 'MT_0000000884' }],
    ['900-9D3B6-00CV-AAH', { model: 'B3220', crypto: true, portGbps: 200, partNumber: '900-9D3B6-00CV-AAH' }],
    ['900-9D3B6-00SV-AA0', { model: 'B3220', crypto: false, psid: 'MT_0000000965' }],
    ['900-9D3B6-00CC-AA0', { model: 'B3210', crypto: true, portGbps: 100, psid: 'MT_0000001024' }],
    ['900-9D3B6-00SC-AA0', { model: 'B3210', crypto: false, psid: 'MT_0000001025' }],
    ['900-9D3B6-00CC-EA0', { model: 'B3210E', crypto: true, series: 'E', armCores: 16 }],
    ['900-9D3B6-00SC-EA0', { model: 'B3210E', crypto: false, series: 'E' }],
    ['900-9D3B4-00CC-EA0', { model: 'B3210L', class: 'supernic', armCores: 8, memoryGb: 16, psid: 'MT_0000000966' }],
    ['900-9D3B4-00SC-EA0', { model: 'B3210L', crypto: false, psid: 'MT_0000000967' }],
    ['900-9D3B4-00CV-EA0', { model: 'B3220L', crypto: true, portGbps: 200 }],
    ['900-9D3B4-00SV-EA0', { model: 'B3220L', crypto: false }],
    ['900-9D3B4-00EN-EA0', { model: 'B3140L', crypto: true, ports: 1, portGbps: 400, psid: 'MT_0000001010' }],
    ['900-9D3B4-00PN-EA0', { model: 'B3140L', crypto: 'unknown', psid: 'MT_0000001011' }],
    ['900-9D3D4-00EN-HA0', { model: 'B3140H', crypto: true, class: 'supernic', psid: 'MT_0000001069' }],
    ['900-9D3D4-00NN-HAS', { model: 'B3140H', crypto: 'unknown' }],
    ['900-9D3D4-00NN-LA0', { model: 'B3140H', crypto: 'unknown' }],
    ['900-9D3C6-00CV-DA0', { model: 'B3220SH', class: 'controller', crypto: true, memoryGb: 48 }],
    ['900-9D3C6-00CV-GA0', { class: 'controller', crypto: true }],
    ['900-9D3C6-00SV-DA0', { class: 'controller', crypto: false }],
    ['900-9D3C6-00SV-GA', { class: 'controller', crypto: false }],
    ['900-9D3C6-B9SV-DA0', { class: 'controller', crypto: false }],
    ['900-9D3C6-99XX-ZZ9', { class: 'controller', crypto: 'unknown' }],
    ['900-9D3L6-00CN-AA0', { class: 'dpu', ports: 'unknown', armCores: 16, inferred: ['crypto', 'portGbps'] }],
  ])('%s is %j', (partNumber, expected) => {
    expect(findSku(partNumber)).toMatchObject(expected);
  });

  it.each([
    ['9009D3B600CNAB', '900-9D3B6-00CN-AB0'],
    ['9009d3b600cnab0', '900-9D3B6-00CN-AB0'],
    ['900-9D3B6-00CN-A_Ax', '900-9D3B6-00CN-AB0'],
    ['900-9D3B6-00CV-A_Ax', '900-9D3B6-00CV-AA0'],
    [' 900 9D3B6 00SN AB0 ', '900-9D3B6-00SN-AB0'],
  ])('reads %s, as rshim, firmware or people write it, as %s', (written, partNumber) => {
    expect(findSku(written)?.partNumber).toBe(partNumber);
  });

  it.each(['900-9D3B6-00QQ-AB0', '900-9D3B6', '', 'N/A', '_Ax', '900-9D3B6-00CN-AB0-extra'])(
    'does not guess what "%s" is',
    (partNumber) => {
      expect(findSku(partNumber)).toBeUndefined();
    },
  );

  it('asks a 200G card for 16 GT/s x16 only', () => {
    const sku = findSku('900-9D3B6-00CV-AA0');

    expect(sku && defaultMinPcieLink(sku)).toEqual({ gtPerS: 16, width: 16 });
    expect(Math.round(pcieGbps({ gtPerS: 32, width: 16 }))).toBe(504);
  });
});

describe('meaningOf', () => {
  it.each([
    ['0HFWRM', { vendor: 'Dell', armCores: 16, memoryGb: 32 }],
    ['06cmw1', { vendor: 'Dell', armCores: 8, memoryGb: 16 }],
    ['P66584-001', { vendor: 'HPE', armCores: 8 }],
    ['SN37B36732', { vendor: 'Lenovo', armCores: 16, class: 'dpu' }],
    ['8217991', { armCores: 16, memoryGb: 32 }],
  ])('knows of the server vendor part %s what is published', (partNumber, card) => {
    expect(meaningOf(partNumber)).toMatchObject({ kind: 'oem', card });
  });

  it('guesses by the letters of an unlisted part, and names the listed one that is most like it', () => {
    expect(meaningOf('900-9D3B4-00SV-ZZ9')).toEqual({
      kind: 'unknown',
      guess: { class: 'supernic', crypto: false, portGbps: 200 },
      nearest: '900-9D3B4-00SV-EA0',
    });
  });

  it('says nothing of letters that have no published meaning', () => {
    expect(meaningOf('900-9D3X9-00QZ-ZZ9')).not.toHaveProperty('guess');
    expect(meaningOf('hello')).toEqual({ kind: 'unknown' });
  });

  it('finds every listed part again in whatever case and with whatever dashes it is written', () => {
    const listed = ['900-9D3B6-00CN-AB0', '900-9D3D4-00NN-HAS', '900-9D3C6-B9SV-DA0', 'P66102-001', '0X5DXX'];
    fc.assert(
      fc.property(fc.constantFrom(...listed), fc.array(fc.boolean(), { maxLength: 20 }), (partNumber, lower) => {
        const letters = partNumber.split('').filter((_, index) => partNumber[index] !== '-' || lower[index] !== true);
        const written = letters
          .map((letter, index) => (lower[index] === true ? letter.toLowerCase() : letter))
          .join('');

        expect(meaningOf(written)).toEqual(meaningOf(partNumber));
        expect(meaningOf(written).kind).not.toBe('unknown');
      }),
    );
  });

  it('answers whatever is written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(['sku', 'oem', 'unknown']).toContain(meaningOf(text).kind);
      }),
    );
  });
});
