import { repeatOfTestpmd } from '../bench/repeat.ts';
import type { TestpmdFlow, TestpmdWish } from '../bench/testpmd-arguments.ts';
import { pacingCommands, testpmdArgv, testpmdSenders } from '../bench/testpmd-arguments.ts';
import { isForwarding, joinSenders, lastReceivedGbps, parseTestpmdLog } from '../bench/testpmd-log.ts';
import { supportedVersion } from '../bench/tool-versions.ts';
import { errors } from '../errors.ts';
import { readTestpmdVersion } from '../facts/bench-tools.ts';
import { limited } from './measure-jobs.ts';
import type { Tool, ToolEnd, ToolSetting } from './measure-tool.ts';

/** testpmd of DPDK: sends frames of one size as fast as it can, and counts what arrives. */
export const testpmdTool: Tool = {
  name: 'testpmd',
  version: async (host, signal) => supportedVersion('testpmd', host.name, await readTestpmdVersion(host, signal)),
  receive: (setting, limitS) => [limited(limitS, testpmdArgv('receive', wishOf(setting, setting.to)))],
  send: (setting, limitS) => testpmdSenders(sendWishOf(setting), flowsOf(setting)).map((argv) => limited(limitS, argv)),
  isReady: async (_setting, _host, logs) => Promise.resolve(logs.every(isForwarding)),
  pacing: (setting, gbps) =>
    pacingCommands(wishOf(setting, setting.from), (gbps * 1e9) / (frameOf(setting) * 8) / sendersOf(setting)),
  hasBegun: (logs) => logs.every(isForwarding),
  read: ({ sent, received }, { point, warmUpS }) => {
    const receivedLog = parseTestpmdLog(received[0] ?? '');
    // A sender that was never started says nothing; why it was not is in the log of the receiver.
    if (sent.every((text) => text === '') && receivedLog.problem !== undefined)
      return { kind: 'failed', problem: receivedLog.problem };
    const sentLog = joinSenders(sent.map(parseTestpmdLog));
    const wish = { frameBytes: frameOf({ point }), warmUpS, durationS: point.durationS };
    const repeat = repeatOfTestpmd(sentLog, receivedLog, wish);
    if ('error' in repeat) return { kind: 'failed', problem: repeat.error };
    return { kind: 'measured', repeat, version: receivedLog.version && `DPDK ${receivedLog.version}` };
  },
  rateGbps: ([log = '']) => lastReceivedGbps(log),
};

function wishOf(setting: ToolSetting, end: ToolEnd): TestpmdWish {
  const { point, nextMac } = setting;
  return {
    settings: end.tools.testpmd,
    pciFunction: end.facts.pciFunction,
    link: end.facts.link.name,
    cpus: end.cpus,
    frameBytes: frameOf(setting),
    mtuBytes: point.mtuBytes,
    streams: point.streams,
    peerMac: nextMac,
  };
}

function sendWishOf(setting: ToolSetting): TestpmdWish {
  const { commandsFile } = setting;
  return { ...wishOf(setting, setting.from), ...(commandsFile !== undefined && { commandsFile }) };
}

function sendersOf(setting: ToolSetting): number {
  return Math.max(1, flowsOf(setting).length);
}

/** One flow for each association, where the cards route: their selectors know addresses, and no others get through. */
function flowsOf({ point, from, to, isRouted }: ToolSetting): readonly TestpmdFlow[] {
  if (!isRouted) return [];
  return Array.from({ length: Math.max(1, point.sas) }, (_one, index) => ({
    sourceIp: from.addresses[index % from.addresses.length] ?? '',
    destinationIp: to.addresses[index % to.addresses.length] ?? '',
  }));
}

function frameOf({ point }: Pick<ToolSetting, 'point'>): number {
  if (point.frameBytes === undefined) throw errors.bug({ detail: 'a point of testpmd has no frame' });
  return point.frameBytes;
}
