import { describe, expect, it } from 'vitest';
import { parseBmcManager } from '../../../src/facts/bmc-manager.ts';
import { jsonFixture } from '../../support/fixture.ts';

describe('the BMC as it reports itself', () => {
  it('has firmware and start time, as captured from a B3220', () => {
    expect(parseBmcManager('as7-dpu0', jsonFixture('redfish/manager.bf24.10.txt'))).toEqual({
      firmware: 'BF-24.10-10',
      lastResetTime: '2024-11-08T23:09:30+00:00',
    });
  });

  it('says so where it tells no start time', () => {
    expect(parseBmcManager('as7-dpu0', { FirmwareVersion: 'BF-23.07-2 ' })).toEqual({
      firmware: 'BF-23.07-2',
      lastResetTime: 'not-reported',
    });
  });

  it('is an error where it names no firmware', () => {
    expect(() => parseBmcManager('as7-dpu0', {})).toThrow(/FirmwareVersion/);
  });
});
