import { defineRead } from '../domain/commands.ts';
import { errors } from '../errors.ts';

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

/** Mode of the embedded switch; the card is `0000:03:00.0` on its own Arm. Source: devlink-dev(8); mlnx-tools. */
export const eswitchMode = defineRead({
  name: 'devlink eswitch',
  argv: ['sudo', '-n', 'devlink', 'dev', 'eswitch', 'show', 'pci/0000:03:00.0'],
});

export interface FlowCounts {
  readonly offloaded: number;
  /** Part of the actions is done in software. */
  readonly partial: number;
  readonly software: number;
  /** Packets of the flows that the hardware carries, and of the others. */
  readonly packetsOffloaded: number;
  readonly packetsSoftware: number;
}

/** Parses `ovs-vsctl get`: a quoted word, or an empty line. */
export function parseHwOffload(target: string, text: string): 'true' | 'false' | 'unset' {
  const word = /^"?(true|false)?"?\n?$/i.exec(text);
  if (word) return word[1] === undefined ? 'unset' : word[1].toLowerCase() === 'true' ? 'true' : 'false';
  throw unreadable(target, 'ovs-vsctl get other_config:hw-offload', 'neither true nor false nor empty', text);
}

/** Counts flows by who carries them. `truncated`: a line may be broken, and is left out. */
export function parseFlows(target: string, text: string, truncated = false): FlowCounts {
  const counts = { offloaded: 0, partial: 0, software: 0, packetsOffloaded: 0, packetsSoftware: 0 };
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('flow-dump from ')) continue;
    const packets = /, packets:(\d+),/.exec(line)?.[1];
    if (packets === undefined || !line.includes('actions:')) {
      if (truncated) continue;
      throw unreadable(target, 'ovs-appctl dpctl/dump-flows -m', 'a line is no flow', line);
    }
    const how = /, offloaded:(yes|partial)\b/.exec(line)?.[1];
    if (how === 'yes') counts.offloaded += 1;
    else if (how === 'partial') counts.partial += 1;
    else counts.software += 1;
    if (how === 'yes') counts.packetsOffloaded += Number(packets);
    else counts.packetsSoftware += Number(packets);
  }
  return counts;
}

/** `switchdev` or `legacy`. */
export function parseEswitch(target: string, text: string): string {
  const mode = /^pci\/\S+: mode (\w+)/m.exec(text)?.[1];
  if (mode !== undefined) return mode;
  throw unreadable(target, 'devlink dev eswitch show', 'no mode', text);
}

function unreadable(target: string, source: string, problem: string, text: string): Error {
  return errors.outputUnreadable({ target, source, problem, evidence: text.slice(0, 400) });
}
