/**
 * The part of udev that sets the MTU of network devices when they appear.
 *
 * Source: udev(7) (operators, globs, alternatives), systemd 249: 80-net-setup-link.rules decides the name, which rules after
 * it can match as NAME; the rename brings a second event, of kind move, under the new name.
 */
import type { StoredFiles } from './files/nodes.ts';
import { nameOf, parentOf, patternToRegExp } from './files/paths.ts';

/** A rule that sets an MTU, with what a device must be for it. */
export interface MtuRule {
  /** Key, operator `==` or `!=`, and the pattern. */
  matches: { key: string; equal: boolean; pattern: string }[];
  mtu: number;
  /** It runs after the name of the device is known. */
  knowsName: boolean;
}

const folders = ['/etc/udev/rules.d', '/run/udev/rules.d', '/usr/lib/udev/rules.d', '/lib/udev/rules.d'];
const namingFile = '80-net-setup-link.rules';

function readRule(line: string, knowsName: boolean): MtuRule | null {
  const rule: MtuRule = { matches: [], mtu: 0, knowsName };
  for (const [, key = '', operator = '', pattern = ''] of line.matchAll(
    /([A-Z]+(?:\{[^}]*\})?)\s*([=!:+-]?=)\s*"([^"]*)"/g,
  )) {
    if (operator === '==' || operator === '!=') rule.matches.push({ key, equal: operator === '==', pattern });
    else if (key === 'ATTR{mtu}' && /^\d+$/.test(pattern)) rule.mtu = Number(pattern);
  }
  return rule.mtu === 0 ? null : rule;
}

/** The rules a system has at its start; a file in /etc hides one of the same name elsewhere. */
export function mtuRules(files: StoredFiles): MtuRule[] {
  const texts = new Map<string, string>();
  for (const folder of folders) {
    for (const [path, node] of Object.entries(files)) {
      if (parentOf(path) !== folder || !path.endsWith('.rules') || texts.has(nameOf(path))) continue;
      if (node.kind === 'file') texts.set(nameOf(path), node.text);
    }
  }
  return [...texts.keys()].sort().flatMap((name) =>
    (texts.get(name) ?? '')
      .replaceAll('\\\n', ' ')
      .split('\n')
      .filter((line) => !line.trimStart().startsWith('#'))
      .map((line) => readRule(line, name > namingFile))
      .filter((rule) => rule !== null),
  );
}

/** A device as rules see it. */
export interface AppearingDevice {
  name: string;
  mac: string;
  driver: string;
  pci: string | null;
}

function valueOf(key: string, device: AppearingDevice, event: Record<string, string>): string | null {
  const own: Record<string, string> = {
    SUBSYSTEM: 'net',
    'ATTR{address}': device.mac,
    'ATTR{type}': '1',
    DRIVERS: device.driver,
    KERNELS: device.pci ?? '',
    ...event,
  };
  return own[key] ?? null;
}

/** The MTU that rules give a device when it appears; null when none does. */
export function mtuOfRules(rules: MtuRule[], device: AppearingDevice): number | null {
  let mtu: number | null = null;
  const { name } = device;
  for (const event of [
    { ACTION: 'add', KERNEL: 'eth0', NAME: name },
    { ACTION: 'move', KERNEL: name, NAME: '' },
  ]) {
    for (const rule of rules) {
      const seen = rule.knowsName ? event : { ...event, NAME: '' };
      const applies = rule.matches.every(({ key, equal, pattern }) => {
        const value = valueOf(key, device, seen);
        if (value === null) return false;
        return pattern.split('|').some((each) => patternToRegExp(each, true).test(value)) === equal;
      });
      if (applies) mtu = rule.mtu;
    }
  }
  return mtu;
}
