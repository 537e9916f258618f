import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { defineRead } from '../domain/commands.ts';
import { errors } from '../errors.ts';

/** A network port of the card, as the kernel of its Arm sees it. */
export interface Port {
  /** `p0`, `p1`. */
  readonly name: string;
  readonly state: string;
  readonly mtuBytes: number;
}

/** Source: ethtool(8). */
export const ethtoolLink = defineRead({
  name: 'ethtool',
  argv: ['sudo', '-n', 'ethtool', '{link}'],
  holes: { link: /p[01]/ },
});

/** Where the port is on the Arm's own PCI bus. Source: kernel sysfs ABI, /sys/class/net/<iface>/device. */
export const portDevice = defineRead({
  name: 'PCI device of a port',
  argv: ['readlink', '{path}'],
  holes: { path: /\/sys\/class\/net\/p[01]\/device/ },
});

/** Link, FEC, advice and module of one port; only reads. Source: NVIDIA MFT documentation, mlxlink. */
export const mlxlinkQuery = defineRead({
  name: 'mlxlink',
  argv: ['sudo', '-n', 'mlxlink', '-d', '{device}', '-m'],
  holes: { device: /[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]/ },
});

const Links = z.array(z.object({ ifname: z.string(), operstate: z.string(), mtu: z.number().int() }));

/** The uplink ports among the links of `ip -json link`. Source: mlnx-tools names them p0 and p1. */
export function parsePorts(target: string, text: string): readonly Port[] {
  const parsed = Links.safeParse(jsonOf(text));
  if (!parsed.success)
    throw unreadable(target, 'ip -json link', 'no JSON list of links with name, state and MTU', text);
  return parsed.data
    .filter((link) => /^p[01]$/.test(link.ifname))
    .map((link) => ({ name: link.ifname, state: link.operstate, mtuBytes: link.mtu }));
}

/** `0000:03:00.0` at the end of what `readlink` prints. */
export function parsePortDevice(target: string, text: string): string {
  const device = /(?:^|\/)([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])\n?$/.exec(text)?.[1];
  if (device !== undefined) return device;
  throw unreadable(target, 'readlink of a port', 'no PCI address at its end', text);
}

/** What ethtool says of a port. */
export interface PortLink {
  /** Undefined where it is unknown, as it is without a link. */
  readonly speedMbps: number | undefined;
  readonly detected: boolean;
  /** Drivers that can tell say why there is no link, from ethtool 5.8 on. Source: ethtool, netlink/settings.c. */
  readonly hasNoCable: boolean;
}

export function parseEthtool(target: string, text: string): PortLink {
  const speed = /^\s*Speed: (.*)$/m.exec(text)?.[1]?.trim();
  const [, detected, reason] = /^\s*Link detected: (yes|no)\b(?: \(([^)\n]*)\))?/m.exec(text) ?? [];
  const mbps = /^(\d+)Mb\/s$/.exec(speed ?? '')?.[1];
  if (speed === undefined || detected === undefined || (mbps === undefined && !speed.startsWith('Unknown')))
    throw unreadable(target, 'ethtool', 'no Speed and Link detected', text);
  return {
    speedMbps: mbps === undefined ? undefined : Number(mbps),
    detected: detected === 'yes',
    hasNoCable: /^No cable\b/i.test(reason ?? ''),
  };
}

/** What mlxlink says of a port; a field that it leaves out is undefined. */
export interface PortHealth {
  readonly state: string;
  readonly physicalState: string;
  readonly speed: string | undefined;
  readonly fec: string | undefined;
  readonly advice: string | undefined;
  readonly module: string | undefined;
  /** Status opcode 1024, "Cable is unplugged". Source: NVIDIA MFT documentation, mlxlink. */
  readonly isUnplugged: boolean;
}

/** Parses the human form of mlxlink: `Key : Value` under ruled headings, with colours on some versions. */
export function parseMlxlink(target: string, text: string): PortHealth {
  const plain = stripVTControlCharacters(text);
  const field = (name: string): string | undefined => {
    const value = new RegExp(`^${name}\\s*: *(.*)$`, 'm').exec(plain)?.[1]?.trim();
    return value === undefined || value === '' || value === 'N/A' ? undefined : value;
  };
  const [state, physicalState] = ['State', 'Physical state'].map(field);
  if (state === undefined || physicalState === undefined)
    throw unreadable(target, 'mlxlink', 'no State and Physical state', text);
  const cable = field('Cable Type');
  const identifier = field('Identifier');
  const module = [identifier, cable, field('Vendor Part Number')].filter((part) => part !== undefined).join(', ');
  return {
    state,
    physicalState,
    speed: field('Speed'),
    fec: field('FEC'),
    advice: field('Recommendation'),
    module: module === '' ? undefined : module,
    isUnplugged: field('Status Opcode') === '1024' || /\bunplugged\b/i.test(field('Recommendation') ?? ''),
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreadable(target: string, source: string, problem: string, text: string): Error {
  return errors.outputUnreadable({ target, source, problem, evidence: text.slice(0, 400) });
}
