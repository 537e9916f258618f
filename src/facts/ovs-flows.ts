import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** What the setting is; `unset` means off. Source: ovs-vswitchd.conf.db(5), other_config:hw-offload. */
export const hwOffloadSetting = defineRead({
  name: 'ovs-vsctl get hw-offload',
  argv: ['sudo', '-n', 'ovs-vsctl', '--if-exists', 'get', 'Open_vSwitch', '.', 'other_config:hw-offload'],
});

/** `-m`: only then ufid, `offloaded` and `dp` are printed. Source: openvswitch lib/dpctl.c, format_dpif_flow. */
export const datapathFlows = defineRead({
  name: 'ovs-appctl dpctl/dump-flows -m',
  argv: ['sudo', '-n', 'ovs-appctl', 'dpctl/dump-flows', '-m'],
});

/** One flow of a data path. */
export interface Flow {
  readonly carriedBy: 'hardware' | 'hardware-in-part' | 'software';
  /** `tc`: the kernel classifier, the way to the hardware; `ovs`: the switch itself; undefined where it is not told. */
  readonly layer: string | undefined;
  readonly packets: number;
  /** Ethernet addresses, where the flow is bound to them: a switch that learns does so. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly isDropped: boolean;
}

export interface FlowCounts {
  readonly offloaded: number;
  /** Part of the actions is done in software. */
  readonly partial: number;
  readonly software: number;
  /** Packets of the flows that the hardware carries, and of the others. */
  readonly packetsOffloaded: number;
  readonly packetsSoftware: number;
}

/** Reads the flows that are alive: they go some seconds after their traffic. Errors: command-failed, sudo-refused, output-unreadable. */
export async function readFlows(arm: HostReader, signal: AbortSignal): Promise<readonly Flow[]> {
  const options = { timeoutMs: 30_000, signal, maxBytes: 4 * 1024 * 1024 };
  const result = await arm.read(datapathFlows.bind({}), options);
  expectSuccess(arm.name, 'ovs-appctl dpctl/dump-flows -m', result);
  return parseFlowList(arm.name, result.stdout, result.truncated);
}

/** Parses `ovs-vsctl get`: a quoted word, or an empty line. */
export function parseHwOffload(target: string, text: string): 'true' | 'false' | 'unset' {
  const word = /^"?(true|false)?"?\n?$/i.exec(text);
  if (word) return word[1] === undefined ? 'unset' : word[1].toLowerCase() === 'true' ? 'true' : 'false';
  throw unreadable(target, 'ovs-vsctl get other_config:hw-offload', 'neither true nor false nor empty', text);
}

/** Parses `dpctl/dump-flows -m`. `truncated`: a line may be broken, and is left out. */
export function parseFlowList(target: string, text: string, truncated = false): readonly Flow[] {
  return text.split('\n').flatMap((line): Flow[] => {
    if (line.trim() === '' || line.startsWith('flow-dump from ')) return [];
    const packets = /, packets:(\d+),/.exec(line)?.[1];
    const actions = /, actions:(.*)$/.exec(line)?.[1];
    if (packets === undefined || actions === undefined) {
      if (truncated) return [];
      throw unreadable(target, 'ovs-appctl dpctl/dump-flows -m', 'a line is no flow', line);
    }
    const [, from, to] = /[, ]eth\(src=([0-9a-f:]{17}),dst=([0-9a-f:]{17})\)/.exec(line) ?? [];
    const how = /, offloaded:(yes|partial)\b/.exec(line)?.[1];
    const carriedBy = how === 'yes' ? 'hardware' : how === 'partial' ? 'hardware-in-part' : 'software';
    const layer = /, dp:(\w+)/.exec(line)?.[1];
    return [{ carriedBy, layer, packets: Number(packets), from, to, isDropped: /^drop\b/.test(actions) }];
  });
}

/** Counts flows by who carries them. `truncated`: a line may be broken, and is left out. */
export function parseFlows(target: string, text: string, truncated = false): FlowCounts {
  return countFlows(parseFlowList(target, text, truncated));
}

/** Counts flows by who carries them. */
export function countFlows(flows: readonly Flow[]): FlowCounts {
  const by = (who: Flow['carriedBy']): readonly Flow[] => flows.filter(({ carriedBy }) => carriedBy === who);
  const packets = (some: readonly Flow[]): number => some.reduce((sum, flow) => sum + flow.packets, 0);
  const [offloaded, partial, software] = [by('hardware'), by('hardware-in-part'), by('software')];
  return {
    offloaded: offloaded.length,
    partial: partial.length,
    software: software.length,
    packetsOffloaded: packets(offloaded),
    packetsSoftware: packets(partial) + packets(software),
  };
}

function unreadable(target: string, source: string, problem: string, text: string): Error {
  return errors.outputUnreadable({ target, source, problem, evidence: text.slice(0, 400) });
}
