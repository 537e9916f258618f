import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess, ownStderr } from './read-helpers.ts';

/** What the rshim driver says about one device. A field that an older driver leaves out is undefined. */
export interface RshimMisc {
  readonly displayLevel: number | undefined;
  /** `DPU mode`, `NIC mode`, `Unknown`. */
  readonly mode: string | undefined;
  /** True: another backend (the BMC) owns the card, this one only waits. */
  readonly dropMode: boolean;
  /** `pcie-0000:e1:00.2`. */
  readonly devName: string;
  /** Part number without dashes, shortened by the driver; undefined where it is not known. */
  readonly opn: string | undefined;
  /** Lines of the log part (level 2 only), without the leading blank. */
  readonly log: readonly string[];
}

/**
 * `rshim0` and what it says. `busy`: an installer is collecting its log, so nobody else may read it. `problem`: it is there
 * and cannot be read, so which card it is of is not known.
 */
export type RshimDevice =
  | { readonly name: string; readonly busy: false; readonly misc: RshimMisc }
  | { readonly name: string; readonly busy: false; readonly misc?: never; readonly problem: string }
  | { readonly name: string; readonly busy: true; readonly misc?: never };

/** A device that nobody else reads, which is the one of a card. */
export interface CardRshim {
  readonly name: string;
  readonly misc: RshimMisc;
}

/**
 * Prints `misc` of every device. One that a bfb-install is working on is only named: while it collects the log, each line
 * goes to whoever reads first. One that cannot be read does not hide the others: what cat says of it is printed.
 * Source: Mellanox rshim-user-space, src/rshim_fuse.c and scripts/bfb-install.
 */
export const rshimDevices = defineRead({
  name: 'rshim devices',
  argv: [
    'sudo',
    '-n',
    'sh',
    '-c',
    'for m in /dev/rshim*/misc; do [ -e "$m" ] || continue; n=${m%/misc}; n=${n#/dev/}; if pgrep -f "[b]fb-install .*$n([^0-9]|\\$)" >/dev/null; then echo "=== $n busy"; elif t=$(cat "$m" 2>&1); then printf "=== %s\\n%s\\n" "$n" "$t"; else printf "=== %s silent\\n%s\\n" "$n" "$t"; fi; done',
  ],
});

/** State of the service, and whether there is one. Source: systemctl(1). */
export const rshimService = defineRead({
  name: 'rshim service',
  argv: ['systemctl', 'show', 'rshim.service', '--property=ActiveState,LoadState'],
});

/** Every bfb-install on the host, one a line with its words: two pushes at once disturb each other. */
export const runningInstallers = defineRead({
  name: 'running bfb-install',
  argv: ['sudo', '-n', 'pgrep', '-af', '(^|[ /])[b]fb-install( |$)'],
});

/** Reads all rshim devices of a host. Errors: sudo-refused, command-failed, output-unreadable. */
export async function readRshims(host: HostReader, signal: AbortSignal): Promise<readonly RshimDevice[]> {
  const result = await host.read(rshimDevices.bind({}), { timeoutMs: 30_000, signal });
  expectSuccess(host.name, 'cat /dev/rshim*/misc', result);
  if (result.truncated) throw unreadable(host.name, 'it is not complete', result.stdout);
  return parseRshims(host.name, result.stdout);
}

/** Words of the installers that run now, without their process ids. */
export async function readRunningInstallers(host: HostReader, signal: AbortSignal): Promise<readonly string[]> {
  const result = await host.read(runningInstallers.bind({}), { timeoutMs: 15_000, signal });
  // pgrep(1): 1 means that nothing matched.
  if (result.exitCode === 1 && ownStderr(result).trim() === '') return [];
  expectSuccess(host.name, 'pgrep bfb-install', result);
  return result.stdout
    .split('\n')
    .map((line) => line.replace(/^\d+ /, '').trim())
    .filter((line) => line !== '');
}

/** Is the rshim service of the host running? `missing`: the package is not installed. */
export async function readRshimService(
  host: HostReader,
  signal: AbortSignal,
): Promise<'running' | 'stopped' | 'missing'> {
  const result = await host.read(rshimService.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(host.name, 'systemctl show rshim.service', result);
  const load = /^LoadState=(\S+)$/m.exec(result.stdout)?.[1];
  const active = /^ActiveState=(\S+)$/m.exec(result.stdout)?.[1];
  if (load === undefined || active === undefined)
    throw unreadable(host.name, 'no LoadState and ActiveState', result.stdout);
  if (load === 'not-found') return 'missing';
  return active === 'active' || active === 'activating' || active === 'reloading' ? 'running' : 'stopped';
}

/** Parses what the listing command prints: a line `=== rshim0` before each device. */
export function parseRshims(hostName: string, text: string): readonly RshimDevice[] {
  const blocks = text.split(/^=== /m);
  if (blocks[0]?.trim() !== '') throw unreadable(hostName, 'text before the first device', text);
  return blocks.slice(1).map((block): RshimDevice => {
    const end = block.indexOf('\n');
    const [, name, mark] = /^(rshim\d{1,3})(?: (busy|silent))?$/.exec(end < 0 ? block : block.slice(0, end)) ?? [];
    if (name === undefined) throw unreadable(hostName, 'a device without a name', block);
    if (mark === 'busy') return { name, busy: true };
    const text = end < 0 ? '' : block.slice(end + 1);
    if (mark === 'silent') return { name, busy: false, problem: text.trim().slice(0, 200) || 'without a reason' };
    return { name, busy: false, misc: parseRshimMisc(hostName, text) };
  });
}

/** Parses `misc` of level 0, 1 or 2: keys are padded to 16, the log stands below a ruled heading. */
export function parseRshimMisc(hostName: string, text: string): RshimMisc {
  const [head = '', tail] = splitAtLog(text);
  const fields = new Map<string, string>();
  for (const line of head.split(/\r?\n/)) {
    const [, key, value] = /^([A-Z][A-Z0-9_]*) +(.*?) *$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) fields.set(key, value);
  }
  const devName = fields.get('DEV_NAME');
  if (devName === undefined || devName === '') throw unreadable(hostName, 'misc has no DEV_NAME', text);
  const drop = fields.get('DROP_MODE');
  if (drop !== undefined && !/^[01]\b/.test(drop)) throw unreadable(hostName, `DROP_MODE is "${drop}"`, text);
  const level = /^\d/.exec(fields.get('DISPLAY_LEVEL') ?? '')?.[0];
  const opn = fields.get('OPN_STR');
  return {
    displayLevel: level === undefined ? undefined : Number(level),
    mode: fields.get('BF_MODE'),
    dropMode: drop?.startsWith('1') ?? false,
    devName,
    opn: opn === undefined || opn === '' || opn === 'N/A' ? undefined : opn,
    log: (tail ?? '')
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  };
}

function splitAtLog(text: string): readonly string[] {
  const heading = /^-{10,}\r?\n\s+Log Messages\r?\n-{10,}\r?$/m.exec(text);
  if (heading === null) return [text];
  return [text.slice(0, heading.index), text.slice(heading.index + heading[0].length)];
}

/**
 * The device of a card: its DEV_NAME is a function of the same PCI bus and device as the card's network function. The part
 * number is held against it too, where the driver knows one: a mismatch is `output-unreadable`, nothing may be sent there.
 */
export function findRshim(
  hostName: string,
  devices: readonly RshimDevice[],
  card: { readonly pciAddress: string; readonly partNumber: string },
): CardRshim | undefined {
  const wanted = card.pciAddress.replace(/\.\d$/, '');
  const found = devices.find((device) => device.misc !== undefined && pciSlotOf(device.misc.devName) === wanted);
  if (found?.misc === undefined) return undefined;
  const { opn } = found.misc;
  const partNumber = card.partNumber.replaceAll('-', '').toUpperCase();
  if (opn !== undefined && !partNumber.startsWith(opn.replaceAll('-', '').toUpperCase()))
    throw unreadable(
      hostName,
      `${found.name} is at the PCI address of the card and says part number ${opn}, VPD says ${card.partNumber}`,
      found.misc.devName,
    );
  return { name: found.name, misc: found.misc };
}

/** The first device that is there and cannot be read, and what was said of it. */
export function silentRshim(devices: readonly RshimDevice[]): string | undefined {
  for (const device of devices)
    if ('problem' in device) return `/dev/${device.name}/misc cannot be read (${device.problem})`;
  return undefined;
}

/** `pcie-0000:e1:00.2` -> `0000:e1:00`; older drivers leave the domain out. USB and recovery devices have none. */
function pciSlotOf(devName: string): string | undefined {
  const [, domain = '0000', slot] =
    /^pcie-(?:([0-9a-f]{4}):)?([0-9a-f]{2}:[0-9a-f]{2})\.[0-7]$/.exec(devName.toLowerCase()) ?? [];
  return slot === undefined ? undefined : `${domain}:${slot}`;
}

function unreadable(hostName: string, problem: string, text: string): Error {
  return errors.outputUnreadable({ target: hostName, source: 'rshim misc', problem, evidence: text.slice(0, 600) });
}
