import type { Iperf3Report, Iperf3Wish } from '../bench/iperf3.ts';
import { iperf3ClientArgv, iperf3ServerArgv, lastServerGbps, parseIperf3, sumReports } from '../bench/iperf3.ts';
import { supportedVersion } from '../bench/tool-versions.ts';
import { readIperf3Version } from '../facts/bench-tools.ts';
import { readListeningPorts } from '../facts/listening-ports.ts';
import { limited } from './measure-jobs.ts';
import type { Tool, ToolReading, ToolSetting } from './measure-tool.ts';

/** iperf3: TCP through the kernels of both hosts, one process a stream, because a process of it used to have one thread. */
export const iperf3Tool: Tool = {
  name: 'iperf3',
  version: async (host, signal) => supportedVersion('iperf3', host.name, await readIperf3Version(host, signal)),
  receive: (setting, limitS) =>
    wishes(setting).map((wish) => limited(limitS, iperf3ServerArgv({ ...wish, cpus: setting.to.cpus }))),
  send: (setting, limitS) =>
    wishes(setting).map((wish) => limited(limitS, iperf3ClientArgv({ ...wish, cpus: setting.from.cpus }))),
  isReady: async (setting, host, _logs, signal) => {
    const listening = await readListeningPorts(host, signal);
    return wishes(setting).every(({ port }) => listening.has(port));
  },
  read: ({ sent, received }): ToolReading => {
    // Clients that were never started say nothing; why they were not is in the log of a server.
    const complaint = received.map((log) => /^iperf3: (.*)$/m.exec(log)?.[1]).find((line) => line !== undefined);
    if (sent.every((text) => text === '') && complaint !== undefined)
      return { kind: 'failed', problem: `a server complains: ${complaint}` };
    const reports: Iperf3Report[] = [];
    for (const [index, text] of sent.entries()) {
      const report = parseIperf3(text);
      const which = sent.length > 1 ? `stream ${index + 1} of ${sent.length}: ` : '';
      // A sum of the others would be taken for the whole.
      if ('error' in report)
        return { kind: 'failed', problem: `${which}${report.error}${silence(report.error, received[index])}` };
      reports.push(report);
    }
    const repeat = sumReports(reports);
    if ('error' in repeat) return { kind: 'failed', problem: repeat.error };
    return { kind: 'measured', repeat, version: reports[0] && `iperf ${reports[0].version}` };
  },
  rateGbps: (logs) => {
    const rates = logs.flatMap((log) => lastServerGbps(log) ?? []);
    return rates.length < logs.length ? undefined : rates.reduce((sum, rate) => sum + rate, 0);
  },
};

/**
 * What it means that a client gets no answer from a server that listens: pings did get through, or nothing would have been
 * measured. Seen on links of veth in a bridge of Open vSwitch.
 */
function silence(error: string, serverLog = ''): string {
  const isWaiting = serverLog.includes('Server listening') && !serverLog.includes('Accepted connection');
  if (!isWaiting || !/timed out/.test(error)) return '';
  return `; it listens, and pings to it were answered: TCP is dropped on the way, by a filter, or because packets come with wrong checksums from a link that leaves these to a card`;
}

/** Servers and clients by pairs; where the cards route, each association has addresses of its own. */
function wishes({ point, warmUpS, from, to, isRouted }: ToolSetting): readonly Iperf3Wish[] {
  const { firstPort } = to.tools.iperf3;
  return Array.from({ length: point.streams }, (_one, index) => {
    const localAddress = from.addresses[index % from.addresses.length];
    return {
      address: to.addresses[index % to.addresses.length] ?? '',
      ...(isRouted && localAddress !== undefined && { localAddress }),
      port: firstPort + index,
      durationS: point.durationS,
      warmUpS,
      cpus: [],
    };
  });
}
