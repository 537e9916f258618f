import { describe, expect, it } from 'vitest';
import { supportedVersion } from '../../../src/bench/tool-versions.ts';

describe('versions of the tools that measure', () => {
  it.each([
    ['iperf3', 'iperf 3.12'],
    ['iperf3', 'iperf 3.7'],
    ['iperf3', 'iperf 4.0'],
    ['testpmd', 'DPDK 22.11.11'],
    ['testpmd', 'DPDK 20.11.10.5.1'],
    ['testpmd', 'DPDK 25.07.0-rc1'],
  ] as const)('pass for %s: %s', (tool, version) => {
    expect(supportedVersion(tool, 'as7', version)).toBe(version);
  });

  it.each([
    ['iperf3', 'iperf 3.6', '3.7'],
    ['iperf3', 'iperf 3.0.11', '3.7'],
    ['iperf3', 'iperf 2.1.8', '3.7'],
    ['testpmd', 'DPDK 19.11.14', '20.11'],
    ['testpmd', 'DPDK 20.08', '20.11'],
  ] as const)('that are too old are named with their host: %s %s', (tool, version, oldest) => {
    expect(() => supportedVersion(tool, 'as7', version)).toThrow(
      expect.objectContaining({
        failure: expect.objectContaining({
          code: 'bench-tool-too-old',
          what: expect.stringMatching(new RegExp(`as7.*${version}.*${oldest.replace('.', '\\.')}`)),
          deviceState: 'unchanged',
        }),
      }),
    );
  });

  it('of no known form pass nowhere', () => {
    expect(() => supportedVersion('iperf3', 'as7', 'iperf')).toThrow(/too old/);
  });
});
