import { describe, expect, it } from 'vitest';
import type { CommandResult, HostReader } from '../../../src/domain/device-ports.ts';
import { readIperf3Version, readTestpmdVersion } from '../../../src/facts/bench-tools.ts';
import { codeOf } from '../../support/arm-world.ts';
import { fixture } from '../../support/fixture.ts';

const { signal } = new AbortController();

function hostWith(result: Partial<CommandResult>): HostReader {
  const whole = { stdout: '', stderr: '', exitCode: 0, truncated: false, durationMs: 1, ...result };
  return { name: 'as7', read: async () => Promise.resolve(whole) };
}

describe('versions of the measuring tools', () => {
  it('stand in what they print', async () => {
    expect(await readIperf3Version(hostWith({ stdout: fixture('iperf3/version.txt') }), signal)).toBe('iperf 3.12');
    const help = fixture('testpmd/version.txt');
    expect(await readTestpmdVersion(hostWith({ stdout: help, exitCode: 1 }), signal)).toBe('DPDK 22.11.11');
    const ofNvidia = "EAL: Detected CPU lcores: 64\nEAL: RTE Version: 'MLNX_DPDK 22.11.2410.2.0'\n";
    expect(await readTestpmdVersion(hostWith({ stderr: ofNvidia, exitCode: 1 }), signal)).toBe('DPDK 22.11.2410.2.0');
  });

  it('of a tool that is not there are an error that names its package', async () => {
    const none = hostWith({ stderr: 'sudo: dpdk-testpmd: command not found\n', exitCode: 1 });
    expect(await codeOf(async () => readTestpmdVersion(none, signal))).toBe('host-tool-missing');
    expect(await codeOf(async () => readIperf3Version(hostWith({ exitCode: 127 }), signal))).toBe('host-tool-missing');
  });

  it('that are not printed are an error', async () => {
    expect(await codeOf(async () => readIperf3Version(hostWith({ stdout: 'usage\n' }), signal))).toBe(
      'output-unreadable',
    );
  });
});
