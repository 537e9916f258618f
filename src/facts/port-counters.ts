import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** Counters of a port of the card; the driver asks the hardware for them. Source: kernel docs, mlx5 ethtool counters. */
export const portCounters = defineRead({
  name: 'ethtool -S',
  argv: ['sudo', '-n', 'ethtool', '-S', '{link}'],
  holes: { link: /p[01]/ },
});

/** One direction of what the card itself has encrypted or decrypted, since it was started. */
export interface IpsecCount {
  readonly packets: number;
  /** Undefined, as the next one, where the driver does not count them. */
  readonly bytes?: number;
  readonly droppedPackets?: number;
}

/** What the hardware of a port has counted. A driver that does not count something leaves it out. */
export interface PortCounters {
  /** Only packet offload counts: these packets never met a CPU. */
  readonly ipsec?: { readonly tx: IpsecCount; readonly rx: IpsecCount };
  /** Everything on the wire. */
  readonly wire?: { readonly txBytes: number; readonly rxBytes: number };
}

/** Reads the counters of a port. Errors: command-failed (no such link), sudo-refused, output-unreadable. */
export async function readPortCounters(
  reader: HostReader,
  link: 'p0' | 'p1',
  signal: AbortSignal,
): Promise<PortCounters> {
  const options = { timeoutMs: 30_000, signal, maxBytes: 1024 * 1024 };
  const result = await reader.read(portCounters.bind({ link }), options);
  expectSuccess(reader.name, `ethtool -S ${link}`, result);
  // Of half a list a counter would be missing that is there at another time.
  if (result.truncated) throw unreadable(reader.name, 'it is not complete', result.stdout);
  return parsePortCounters(reader.name, result.stdout);
}

/** Parses `ethtool -S`: a heading, then `name: number`. Queues and links of other drivers have other names; they are passed over. */
export function parsePortCounters(target: string, text: string): PortCounters {
  if (!/^NIC statistics:/m.test(text)) throw unreadable(target, 'no heading "NIC statistics"', text);
  const count = counterIn(text);
  const ipsec = ipsecIn(count);
  // Uplink representors name the counters of the wire only; functions have those of their virtual port. Source: mlx5 en_rep.c.
  const txBytes = count('tx_bytes_phy') ?? count('tx_vport_unicast_bytes');
  const rxBytes = count('rx_bytes_phy') ?? count('rx_vport_unicast_bytes');
  return {
    ...(ipsec && { ipsec }),
    ...(txBytes !== undefined && rxBytes !== undefined && { wire: { txBytes, rxBytes } }),
  };
}

type Counter = (name: string) => number | undefined;

function counterIn(text: string): Counter {
  const counters = new Map(
    [...text.matchAll(/^\s+(\w+): (\d+)$/gm)].map(([, name = '', value]) => [name, Number(value)]),
  );
  return (name) => counters.get(name);
}

/** `ipsec_tx_pkts` of the kernel; `ipsec_full_tx_pkts` and `ipsec_full_tx_pkts_drop` of older drivers of OFED. */
function ipsecIn(count: Counter): PortCounters['ipsec'] {
  const one = (direction: 'tx' | 'rx'): IpsecCount | undefined => {
    const of = (unit: string): number | undefined =>
      count(`ipsec_${direction}_${unit}`) ?? count(`ipsec_full_${direction}_${unit}`);
    const [packets, bytes, droppedPackets] = [of('pkts'), of('bytes'), of('drop_pkts') ?? of('pkts_drop')];
    if (packets === undefined) return undefined;
    return { packets, ...(bytes !== undefined && { bytes }), ...(droppedPackets !== undefined && { droppedPackets }) };
  };
  const [tx, rx] = [one('tx'), one('rx')];
  return tx && rx && { tx, rx };
}

function unreadable(target: string, problem: string, text: string): Error {
  return errors.outputUnreadable({ target, source: 'ethtool -S', problem, evidence: text.slice(0, 400) });
}
