import { describe, expect, it } from 'vitest';
import { parseDpuOs, parseImageMarker, parseMlnxRelease } from '../../../src/facts/card-image.ts';
import { parseRshimSettings } from '../../../src/facts/rshim-owner.ts';
import { jsonFixture } from '../../support/fixture.ts';

const sha256 = 'a'.repeat(64);
const marker = { image: 'bf-2-9-2', sha256, runId: 418, serial: 'MT2334XZ0ABC' };

describe('the image marker on an Arm', () => {
  it('is what a flash wrote, also with fields of a later version', () => {
    expect(parseImageMarker('dpu0', `${JSON.stringify({ ...marker, later: 1 })}\n`)).toEqual(marker);
  });

  it('may be absent', () => {
    expect(parseImageMarker('dpu0', 'absent\n')).toBeUndefined();
  });

  it.each(['', '{', '[]', JSON.stringify({ ...marker, sha256: 'x' })])('is an error when it is %j', (text) => {
    expect(() => parseImageMarker('dpu0', text)).toThrow(expect.objectContaining({ code: 'output-unreadable' }));
  });
});

describe('the release on an Arm', () => {
  it('is the first line of mlnx-release', () => {
    expect(parseMlnxRelease('dpu0', 'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod\n')).toBe(
      'bf-bundle-2.9.2-32_25.02_ubuntu-22.04_prod',
    );
  });

  it('may be absent on a foreign system, and is never a guess', () => {
    expect(parseMlnxRelease('dpu0', 'absent\n')).toBeUndefined();
    for (const text of ['', 'two words\n'])
      expect(() => parseMlnxRelease('dpu0', text)).toThrow(expect.objectContaining({ code: 'output-unreadable' }));
  });
});

describe('what the BMC knows', () => {
  it('of the image is its name, or nothing yet', () => {
    expect(parseDpuOs('dpu0', jsonFixture('redfish/dpu-os.bf24.10.txt'))).toBe(
      'bf-bundle-2.9.0-90_24.10_ubuntu-22.04_prod',
    );
    expect(parseDpuOs('dpu0', { Version: '' })).toBeUndefined();
    expect(() => parseDpuOs('dpu0', {})).toThrow(expect.objectContaining({ code: 'redfish-unexpected' }));
  });

  it('of rshim are two switches, of which older firmware lacks the one of the host', () => {
    const own = jsonFixture('redfish/manager-oem.bf24.10.txt');

    expect(parseRshimSettings('dpu0', own, jsonFixture('redfish/oem-nvidia.bf24.10.txt'))).toEqual({
      bmcEnabled: true,
      host: 'Disabled',
    });
    expect(parseRshimSettings('dpu0', own, {}).host).toBe('not-reported');
    expect(() => parseRshimSettings('dpu0', {}, {})).toThrow(expect.objectContaining({ code: 'redfish-unexpected' }));
  });
});
