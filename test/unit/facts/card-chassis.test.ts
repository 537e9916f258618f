import { describe, expect, it } from 'vitest';
import { parseCardChassis } from '../../../src/facts/card-chassis.ts';

describe('the card that a BMC sits on', () => {
  it('has part number and serial without the blanks that firmware pads them with', () => {
    const body = { PartNumber: '900-9D3B6-00CV-AA0  ', SerialNumber: 'MT2423600ANG         ' };

    expect(parseCardChassis('as7-dpu0', body)).toEqual({ partNumber: '900-9D3B6-00CV-AA0', serial: 'MT2423600ANG' });
  });

  it.each([[null], [undefined], ['   ']])('has no part number where the BMC tells %j', (PartNumber) => {
    expect(parseCardChassis('as7-dpu0', { PartNumber }).partNumber).toBeUndefined();
  });

  it('is an error where the part number is no text', () => {
    expect(() => parseCardChassis('as7-dpu0', { PartNumber: 900 })).toThrow(/PartNumber/);
  });
});
