import type { BenchTool } from '../domain/bench.ts';
import { errors } from '../errors.ts';

/** What each tool needs, and why. Source: release notes of iperf 3 and of DPDK 20.11. */
const oldest = {
  iperf3: { version: '3.7', why: 'It has no time limit for a connection, and a dead path would hold it for minutes' },
  testpmd: { version: '20.11', why: 'It does not know the option that names the device (`-a`)' },
} as const satisfies Readonly<Record<BenchTool, { readonly version: string; readonly why: string }>>;

/**
 * Passes on the version of a tool on a host (`iperf 3.12`, `DPDK 22.11.11`) that can be measured with. Errors:
 * bench-tool-too-old. An iperf3 before 3.16 has one thread for all streams; dpubot starts one for each stream anyway.
 */
export function supportedVersion(tool: BenchTool, host: string, version: string): string {
  const { version: least, why } = oldest[tool];
  if (isBefore(version, least)) throw errors.benchToolTooOld({ host, tool, version, oldest: least, why });
  return version;
}

/** By the first two numbers. A version without numbers is older than all. */
function isBefore(version: string, other: string): boolean {
  const [major, minor] = numbersOf(version);
  const [otherMajor, otherMinor] = numbersOf(other);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

function numbersOf(version: string): readonly [number, number] {
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(version) ?? [];
  return [Number(major), Number(minor)];
}
