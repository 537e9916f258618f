/**
 * systemctl, journalctl, timedatectl, hostnamectl of hosts and Arms.
 *
 * Source: systemd 249 verbs, messages and exit codes; chrony 4.2.
 */
import { complain, out } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Frame, Program } from '../shell/types.ts';
import { packagesOf } from '../packages/of-machine.ts';
import { journal, startRshimService, stopRshimService } from '../rshim/service.ts';
import { dataPathUnit } from './arm-units.ts';
import { dateText } from './dates.ts';
import { parseOptions } from './options.ts';
import { stopMachine } from './shutdown.ts';

interface Unit {
  exists: boolean;
  active: boolean;
  start: () => void;
  stop: () => void;
}

const always = ['ssh', 'sshd', 'cron', 'dbus', 'networkd', 'systemd-networkd', 'unattended-upgrades'];

function unitOf(frame: Frame, name: string): Unit {
  const { machine, rack } = frame;
  const { host, card } = machine;
  const nothing = (): void => undefined;
  const installed = (packageName: string): boolean =>
    packagesOf(machine).installed[packageName]?.status === 'installed';
  if (name === 'rshim' && host !== null) {
    return {
      exists: installed('rshim'),
      active: host.rshimServiceActive,
      start: () => startRshimService(rack, host),
      stop: () => stopRshimService(rack, host),
    };
  }
  const ofDataPath = dataPathUnit(frame, name);
  if (ofDataPath !== null) return ofDataPath;
  const own = host ?? card?.armOs ?? null;
  if (name === 'systemd-timesyncd' || name === 'chrony' || name === 'chronyd') {
    const set = (active: boolean) => (): void => {
      if (own !== null) own.timesyncActive = active;
    };
    const present = name === 'systemd-timesyncd' ? !installed('chrony') : installed('chrony');
    return { exists: present, active: present && (own?.timesyncActive ?? false), start: set(true), stop: set(false) };
  }
  if (name === 'tailscaled')
    return { exists: installed('tailscale'), active: installed('tailscale'), start: nothing, stop: nothing };
  if (name === 'openibd')
    return { exists: card !== null || host?.driver.installed !== null, active: true, start: nothing, stop: nothing };
  return { exists: always.includes(name), active: always.includes(name), start: nothing, stop: nothing };
}

/** Units that failed: none. Source: systemctl 249 without failed units. */
function listFailed(frame: Frame, plain: boolean): number {
  out(frame, plain ? '' : '  UNIT LOAD ACTIVE SUB DESCRIPTION\n0 loaded units listed.\n');
  return 0;
}

function statusText(name: string, active: boolean): string {
  return `● ${name}.service - ${name}\n     Loaded: loaded (/lib/systemd/system/${name}.service; enabled; vendor preset: enabled)\n     Active: ${active ? 'active (running)' : 'inactive (dead)'}\n`;
}

function change(frame: Frame, verb: string, name: string, now: boolean): number {
  const unit = unitOf(frame, name);
  const { host } = frame.machine;
  if (!frame.root) {
    complain(frame, `Failed to ${verb} ${name}.service: Interactive authentication required.\n`);
    return 1;
  }
  if (!unit.exists) {
    const inFile = verb === 'enable' || verb === 'disable';
    complain(
      frame,
      inFile
        ? `Failed to ${verb} unit: Unit file ${name}.service does not exist.\n`
        : `Failed to ${verb} ${name}.service: Unit ${name}.service not found.\n`,
    );
    return inFile ? 1 : 5;
  }
  if (verb === 'enable' || verb === 'disable') {
    if (host !== null)
      host.disabledUnits = [
        ...host.disabledUnits.filter((each) => each !== name),
        ...(verb === 'disable' ? [name] : []),
      ];
    if (now) (verb === 'enable' ? unit.start : unit.stop)();
    return 0;
  }
  if (verb === 'stop') unit.stop();
  else if (verb !== 'start' || !unit.active) {
    if (verb !== 'start' && name === 'rshim' && host !== null) journal(frame.rack, host, 'rshim', 'restarting');
    unit.start();
  }
  return 0;
}

function show(frame: Frame, name: string, args: string[]): number {
  const { exists, active } = unitOf(frame, name);
  const all: Record<string, string> = {
    Id: `${name}.service`,
    LoadState: exists ? 'loaded' : 'not-found',
    ActiveState: active ? 'active' : 'inactive',
    SubState: active ? 'running' : 'dead',
    UnitFileState: exists ? (frame.machine.host?.disabledUnits.includes(name) === true ? 'disabled' : 'enabled') : '',
    MainPID: active ? '881' : '0',
  };
  const at = args.findIndex((arg) => arg === '-p' || arg === '--property');
  const wanted = (
    at === -1
      ? (args.find((arg) => arg.startsWith('--property='))?.slice(11) ?? Object.keys(all).join(','))
      : (args[at + 1] ?? '')
  ).split(',');
  for (const property of wanted)
    out(frame, args.includes('--value') ? `${all[property] ?? ''}\n` : `${property}=${all[property] ?? ''}\n`);
  return 0;
}

const systemctl: Program = simply((frame, args) => {
  const flags = new Set(args.filter((arg) => arg.startsWith('-')));
  const [verb = '', ...words] = args.filter(
    (arg, index) => !arg.startsWith('-') && !['-p', '--property'].includes(args[index - 1] ?? ''),
  );
  if (verb === 'reboot') return stopMachine(frame, 'restart');
  if (verb === 'poweroff') return stopMachine(frame, 'off');
  const failedOnly = flags.has('--failed') || flags.has('--state=failed');
  if ((verb === '' || verb === 'list-units') && failedOnly) return listFailed(frame, flags.has('--no-legend'));
  if (verb === 'is-system-running') {
    out(frame, 'running\n');
    return 0;
  }
  if (verb === 'daemon-reload' || verb === 'reset-failed') return 0;
  const quiet = flags.has('--quiet') || flags.has('-q');
  let status = 0;
  for (const word of words) {
    const name = word.replace(/\.service$/, '');
    const unit = unitOf(frame, name);
    switch (verb) {
      case 'is-active':
        if (!quiet) out(frame, unit.active ? 'active\n' : 'inactive\n');
        status = unit.active ? status : 3;
        break;
      case 'is-enabled': {
        const disabled = frame.machine.host?.disabledUnits.includes(name) === true;
        if (!unit.exists)
          complain(frame, `Failed to get unit file state for ${name}.service: No such file or directory\n`);
        else if (!quiet) out(frame, disabled ? 'disabled\n' : 'enabled\n');
        status = unit.exists && !disabled ? status : 1;
        break;
      }
      case 'status':
        if (!unit.exists) complain(frame, `Unit ${name}.service could not be found.\n`);
        else out(frame, Buffer.from(statusText(name, unit.active)).toString('latin1'));
        status = unit.exists ? (unit.active ? status : 3) : 4;
        break;
      case 'show':
        status = show(frame, name, args);
        break;
      case 'start':
      case 'stop':
      case 'restart':
      case 'reload':
      case 'try-restart':
      case 'enable':
      case 'disable':
        status = change(frame, verb, name, flags.has('--now')) || status;
        break;
      default:
        complain(frame, `Unknown command verb ${verb}.\n`);
        return 1;
    }
  }
  return status;
});

/** A stored line in a format of `journalctl -o`: the stamp of `short` names no year. */
function journalLine(line: string, format: string): string {
  const [stamp = '', ...rest] = line.split(' ');
  if (format === 'short-iso') return `${stamp}+0000 ${rest.join(' ')}`;
  if (format === 'cat') return line.replace(/^.*?\]: /, '');
  return `${dateText(Date.parse(`${stamp}Z`), '%b %d %T')} ${rest.join(' ')}`;
}

const journalctl: Program = simply((frame, args) => {
  const options = parseOptions(frame, 'journalctl', args, {
    flags: 'no-pager q quiet=q b boot=b k dmesg=k r reverse=r x a e f utc no-hostname',
    values: 'u unit=u n lines=n o output=o S since=S U until=U p priority=p t identifier=t',
  });
  if (options === null) return 1;
  const { flags, values } = options;
  const unit = values['u']?.replace(/\.service$/, '');
  const format = values['o'] ?? 'short';
  if (!['short', 'short-iso', 'cat'].includes(format)) {
    complain(frame, `Unknown output format '${format}'.\n`);
    return 1;
  }
  const lines = (frame.machine.host?.log ?? []).filter((line) => unit === undefined || line.includes(` ${unit}[`));
  const shown = values['n'] === undefined ? lines : lines.slice(-Number(values['n']));
  if (flags.has('r')) shown.reverse();
  const none = flags.has('q') ? '' : '-- No entries --\n';
  out(frame, shown.length === 0 ? none : shown.map((line) => `${journalLine(line, format)}\n`).join(''));
  return 0;
});

/** Servers named in timesyncd's configuration. */
function timeServers(frame: Frame): string {
  const { files } = frame.machine;
  const folder = '/etc/systemd/timesyncd.conf.d';
  const paths = files.find(folder) === null ? [] : files.list(folder).map((name) => `${folder}/${name}`);
  const texts = ['/etc/systemd/timesyncd.conf', ...paths]
    .filter((path) => files.find(path) !== null)
    .map((path) => files.read(path, { user: 'root', root: true }));
  return texts.flatMap((text) => [...text.matchAll(/^NTP=(.*)$/gm)].map((match) => match[1] ?? '')).at(-1) ?? '';
}

const timedatectl: Program = simply((frame, args) => {
  const [verb = 'status'] = args.filter((arg) => !arg.startsWith('-'));
  const active = (frame.machine.host ?? frame.machine.card?.armOs)?.timesyncActive ?? false;
  if (verb === 'set-ntp') {
    const own = frame.machine.host ?? frame.machine.card?.armOs;
    if (own !== undefined) own.timesyncActive = ['true', 'yes', '1', 'on'].includes(args.at(-1) ?? '');
    return 0;
  }
  if (verb === 'show-timesync') {
    out(
      frame,
      `SystemNTPServers=${timeServers(frame)}\nFallbackNTPServers=ntp.ubuntu.com\nServerName=${timeServers(frame).split(' ')[0] || 'ntp.ubuntu.com'}\n`,
    );
    return 0;
  }
  const at = args.findIndex((arg) => arg === '-p' || arg === '--property');
  const all: Record<string, string> = {
    Timezone: 'Etc/UTC',
    LocalRTC: 'no',
    CanNTP: 'yes',
    NTP: active ? 'yes' : 'no',
    NTPSynchronized: active ? 'yes' : 'no',
  };
  const property = at === -1 ? args.find((arg) => arg.startsWith('--property='))?.slice(11) : args[at + 1];
  if (verb === 'show') {
    for (const [name, value] of Object.entries(all)) {
      if (property === undefined || property.split(',').includes(name))
        out(frame, args.includes('--value') ? `${value}\n` : `${name}=${value}\n`);
    }
    return 0;
  }
  out(
    frame,
    `System clock synchronized: ${active ? 'yes' : 'no'}\n              NTP service: ${active ? 'active' : 'inactive'}\n`,
  );
  return 0;
});

const hostnamectl: Program = simply((frame, args) => {
  const [verb = 'status', name = ''] = args.filter((arg) => !arg.startsWith('-'));
  const { card, host, files } = frame.machine;
  if ((verb === 'set-hostname' || verb === 'hostname') && name !== '') {
    if (!frame.root) {
      complain(frame, 'Could not set static hostname: Interactive authentication required.\n');
      return 1;
    }
    files.write('/etc/hostname', `${name}\n`, frame);
    if (card !== null) card.armOs.hostname = name;
    return 0;
  }
  if (verb === 'hostname' || args.includes('--static')) {
    out(frame, `${frame.machine.hostName()}\n`);
    return 0;
  }
  if (verb !== 'status') {
    complain(frame, `Unknown command verb ${verb}.\n`);
    return 1;
  }
  const kernel = card?.armOs.kernel ?? host?.hardware.kernel ?? '';
  out(
    frame,
    ` Static hostname: ${frame.machine.hostName()}\n       Icon name: computer\n         Boot ID: ${(card?.arm.bootId ?? host?.bootId ?? '').replaceAll('-', '')}\n` +
      `Operating System: Ubuntu 22.04.5 LTS\n          Kernel: Linux ${kernel}\n    Architecture: ${card === null ? 'x86-64' : 'arm64'}\n`,
  );
  return 0;
});

/** Name -> program. */
export const systemdPrograms: Record<string, Program> = {
  systemctl,
  journalctl,
  timedatectl,
  hostnamectl,
  chronyc: simply((frame) => {
    out(frame, 'Reference ID    : A29FC87B (ntp.ubuntu.com)\nStratum         : 3\nLeap status     : Normal\n');
    return 0;
  }),
};
