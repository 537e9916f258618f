import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { readTool } from './probe-tool.ts';

/** Source: iperf3(1). */
export const iperf3Version = defineRead({ name: 'iperf3 --version', argv: ['iperf3', '--version'] });

/** `-v` prints the version of DPDK, `-h` ends it before it touches a device. Source: DPDK Linux guide, EAL parameters. */
export const testpmdVersion = defineRead({
  name: 'dpdk-testpmd -v -h',
  argv: ['sudo', '-n', 'dpdk-testpmd', '-v', '-h'],
});

/** "iperf 3.12". Errors: host-tool-missing, output-unreadable. */
export async function readIperf3Version(host: HostReader, signal: AbortSignal): Promise<string> {
  const tool = { name: 'iperf3', need: 'to measure with it', package: 'iperf3' };
  const { stdout, stderr } = await readTool(host, iperf3Version.bind({}), tool, signal);
  const version = /^iperf (\d+\.\d+[^ \n]*)/m.exec(stdout)?.[1];
  if (version !== undefined) return `iperf ${version}`;
  throw unreadable(host, 'iperf3 --version', `${stderr}${stdout}`);
}

/** "DPDK 22.11.11". Its help ends with 1. Errors: host-tool-missing, output-unreadable. */
export async function readTestpmdVersion(host: HostReader, signal: AbortSignal): Promise<string> {
  const packages = 'dpdk (Ubuntu), dpdk-dev (Debian) or mlnx-dpdk (of DOCA)';
  const tool = { name: 'dpdk-testpmd', need: 'to measure with it', package: packages };
  const { stdout, stderr } = await readTool(host, testpmdVersion.bind({}), tool, signal);
  const version = /^EAL: RTE Version: '[A-Za-z_ ]*(\d+\.\d+[^' ]*)'/m.exec(`${stderr}\n${stdout}`)?.[1];
  if (version !== undefined) return `DPDK ${version}`;
  throw unreadable(host, 'dpdk-testpmd -v -h', `${stderr}${stdout}`);
}

function unreadable(host: HostReader, source: string, text: string): Error {
  return errors.outputUnreadable({ target: host.name, source, problem: 'no version', evidence: text.slice(0, 400) });
}
