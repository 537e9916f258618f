import { defineRead } from '../domain/commands.ts';
import { errors } from '../errors.ts';

/** Source: proc_meminfo(5). */
export const memoryInfo = defineRead({ name: 'meminfo', argv: ['cat', '/proc/meminfo'] });
/** `-P`: one line each, in KiB. Source: df(1). */
export const fileSystems = defineRead({
  name: 'df',
  argv: ['df', '-P', '-k', '-x', 'tmpfs', '-x', 'devtmpfs', '-x', 'squashfs', '-x', 'efivarfs'],
});
/** Source: systemctl(1): one unit a line, no heading. */
export const failedUnits = defineRead({
  name: 'systemctl --failed',
  argv: ['systemctl', 'list-units', '--failed', '--plain', '--no-legend', '--no-pager'],
});
/** `running`, `degraded`, `starting`, `offline`; ends with 1 for all but the first. */
export const systemState = defineRead({ name: 'systemctl state', argv: ['systemctl', 'is-system-running'] });

export interface Memory {
  readonly totalKib: number;
  readonly availableKib: number;
  readonly hugePages: number;
  readonly hugePageKib: number;
}

export interface FileSystem {
  readonly device: string;
  readonly mountPoint: string;
  readonly sizeKib: number;
  readonly freeKib: number;
  readonly usedPercent: number;
}

export function parseMemory(target: string, text: string): Memory {
  const field = (name: string): number => {
    const value = new RegExp(`^${name}:\\s+(\\d+)(?: kB)?$`, 'm').exec(text)?.[1];
    if (value !== undefined) return Number(value);
    throw unreadable(target, '/proc/meminfo', `no ${name}`, text);
  };
  return {
    totalKib: field('MemTotal'),
    availableKib: field('MemAvailable'),
    hugePages: field('HugePages_Total'),
    hugePageKib: field('Hugepagesize'),
  };
}

/** Parses `df -P -k`; a mount point may hold blanks. */
export function parseFileSystems(target: string, text: string): readonly FileSystem[] {
  const [heading = '', ...lines] = text.trimEnd().split('\n');
  if (!/^Filesystem\s+1024-blocks\s+Used\s+Available\s+Capacity\s+Mounted on$/.test(heading.trim()))
    throw unreadable(target, 'df', 'another heading', text);
  return lines.map((line) => {
    const [, device, size, free, used, mountPoint] =
      /^(\S+)\s+(\d+)\s+\d+\s+(\d+)\s+(?:(\d+)%|-)\s+(\/.*)$/.exec(line) ?? [];
    if (device === undefined || mountPoint === undefined)
      throw unreadable(target, 'df', 'a line of another form', line);
    const usedPercent = Number(used ?? 0);
    return { device, mountPoint, sizeKib: Number(size), freeKib: Number(free), usedPercent };
  });
}

/** Names of the units; some versions put a mark before them. */
export function parseFailedUnits(target: string, text: string): readonly string[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, unit] = /^(?:[●*] )?(\S+\.\w+)\s+\S+\s+failed\b/.exec(line.trim()) ?? [];
      if (unit !== undefined) return unit;
      throw unreadable(target, 'systemctl list-units --failed', 'a line of another form', line);
    });
}

/** One word. */
export function parseSystemState(target: string, text: string): string {
  const word = /^([a-z]+)\n?$/.exec(text)?.[1];
  if (word !== undefined) return word;
  throw unreadable(target, 'systemctl is-system-running', 'not one word', text);
}

function unreadable(target: string, source: string, problem: string, text: string): Error {
  return errors.outputUnreadable({ target, source, problem, evidence: text.slice(0, 400) });
}
