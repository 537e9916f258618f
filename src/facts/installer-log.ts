import { stripVTControlCharacters } from 'node:util';

/**
 * What the output of bfb-install means. The tool ends with 0 also when the installation failed, so the log alone decides.
 * Source: Mellanox rshim-user-space, scripts/bfb-install and src/rshim_log.c; Mellanox bfb-build, common/install.env.
 */

/** A log read so far: give each piece to `feedInstallerLog`, in any pieces. */
export interface InstallerLog {
  /** The line that is not complete yet. */
  readonly open: string;
  readonly push: 'waiting' | 'running' | 'ended';
  /** Bytes that pv has counted, and its rate; undefined without pv. */
  readonly pushedBytes: number | undefined;
  readonly bytesPerSecond: number | undefined;
  /** First line that says the push failed, or that the tool gave up. */
  readonly pushError: string | undefined;
  /** Our own look right before the push ended it: not a byte was sent. */
  readonly notBegun: string | undefined;
  /** First line that says the installation failed. */
  readonly installError: string | undefined;
  /** The installer has given up, or the card has crashed; after other errors the installer may go on with the rest. */
  readonly fatal: boolean;
  /** Lines about BMC, CEC and golden images that went wrong: whether that matters depends on what was asked for. */
  readonly bmcProblems: readonly string[];
  /** Newest message of the card: what the installer is doing. */
  readonly phase: string | undefined;
  readonly finished: boolean;
  readonly rebooting: boolean;
  readonly bmcRebooting: boolean;
  /** A system said that it is up. Before the end of the installation that is forgotten: it was the old one. */
  readonly up: boolean;
  /** The last word of a system that starts for the first time. */
  readonly ready: boolean;
  /** Lines that say what a restart of BMC or host has to make active. */
  readonly notes: readonly string[];
  /** Last complete lines, without the ones of pv. */
  readonly tail: readonly string[];
}

export type InstallVerdict =
  | { readonly kind: 'not-begun'; readonly line: string }
  | { readonly kind: 'push-failed'; readonly line: string }
  | { readonly kind: 'installer-failed'; readonly line: string }
  | { readonly kind: 'finished'; readonly bmcProblems: readonly string[] }
  /** Neither an end nor an error so far. */
  | { readonly kind: 'open' };

const tailMax = 40;
const problemsMax = 10;
/** A line is kept up to here; the rest of it is dropped. */
const lineMax = 2_000;

export const emptyInstallerLog: InstallerLog = {
  open: '',
  push: 'waiting',
  pushedBytes: undefined,
  bytesPerSecond: undefined,
  pushError: undefined,
  notBegun: undefined,
  installError: undefined,
  fatal: false,
  bmcProblems: [],
  phase: undefined,
  finished: false,
  rebooting: false,
  bmcRebooting: false,
  up: false,
  ready: false,
  notes: [],
  tail: [],
};

/** Takes in the next piece. The result does not depend on how the text was cut into pieces. */
export function feedInstallerLog(log: InstallerLog, text: string): InstallerLog {
  const [first = '', ...rest] = text.split(/[\r\n]/);
  let open = (log.open + first).slice(0, lineMax);
  let next = log;
  for (const piece of rest) {
    next = takeLine(next, open);
    open = piece.slice(0, lineMax);
  }
  return { ...next, open };
}

/** The log with its last line counted as complete: the tool has ended. */
export function closeInstallerLog(log: InstallerLog): InstallerLog {
  return { ...takeLine(log, log.open), open: '' };
}

/** What the log proves. */
export function judgeInstallerLog(log: InstallerLog): InstallVerdict {
  if (log.notBegun !== undefined) return { kind: 'not-begun', line: log.notBegun };
  if (log.pushError !== undefined) return { kind: 'push-failed', line: log.pushError };
  if (log.installError !== undefined) return { kind: 'installer-failed', line: log.installError };
  if (log.finished) return { kind: 'finished', bmcProblems: log.bmcProblems };
  if (log.rebooting) return { kind: 'installer-failed', line: 'Rebooting..., without "Installation finished" before' };
  return { kind: 'open' };
}

/** What a terminal would not show: colours, cursor moves, other control characters. */
function clean(line: string): string {
  return stripVTControlCharacters(line)
    .replaceAll('\t', ' ')
    .replace(/\p{Cc}/gu, '');
}

function takeLine(log: InstallerLog, raw: string): InstallerLog {
  const line = clean(raw).trimEnd();
  if (line.trim() === '') return log;
  const pv = parsePv(line);
  if (pv !== undefined) return { ...log, push: log.push === 'ended' ? 'ended' : 'running', ...pv };
  const next = { ...log, tail: [...log.tail, line].slice(-tailMax) };
  const [, level, module, message] = /^ *(INFO|WARN|ERR|ASSERT)\[([A-Z0-9]+)\]: *(.*)$/.exec(line) ?? [];
  if (level !== undefined && module !== undefined && message !== undefined)
    return takeMessage(next, line.trim(), level, module, message);
  return takeToolLine(next, line.trim());
}

/** ` 1.41GiB 0:02:02 [11.7MiB/s] [   <=>   ]` */
function parsePv(line: string): { readonly pushedBytes: number; readonly bytesPerSecond: number } | undefined {
  const match = /^ *([\d.,]+) ?([KMGT]i)?B +[\d:]+ +\[ *([\d.,]+) ?([KMGT]i)?B\/s\]/.exec(line);
  if (match === null) return undefined;
  const pushedBytes = bytesOf(match[1], match[2]);
  const bytesPerSecond = bytesOf(match[3], match[4]);
  return Number.isFinite(pushedBytes) && Number.isFinite(bytesPerSecond) ? { pushedBytes, bytesPerSecond } : undefined;
}

function bytesOf(amount = '', unit = ''): number {
  const power = unit === '' ? 0 : 'KMGT'.indexOf(unit.charAt(0)) + 1;
  return Math.round(Number(amount.replace(',', '.')) * 1024 ** power);
}

/** What belongs to the BMC side of an image; a profile that skips it does not care. */
const bmcPart = /\bBMC\b|\bCEC\b|\bVLAN\b|Golden Image|oob_net|UEFI password/i;

function takeMessage(log: InstallerLog, line: string, level: string, module: string, message: string): InstallerLog {
  const next = { ...log, push: 'ended', phase: phaseOf(log, message) } as const;
  if (level === 'ASSERT' || /CRITICAL ERROR/.test(message)) return withFatal(next, line);
  if (module !== 'MISC') return next;
  if (level !== 'INFO' && bmcPart.test(message))
    return { ...next, bmcProblems: [...log.bmcProblems, line].slice(0, problemsMax) };
  if (level === 'ERR' && message.startsWith('Installation failed')) return withFatal(next, line);
  if (level === 'ERR') return withInstallError(next, line);
  if (/^Failed to update (BMC|CEC)/.test(message))
    return { ...next, bmcProblems: [...log.bmcProblems, line].slice(0, problemsMax) };
  const ended = message === 'Installation finished';
  const ready = message === 'DPU is ready';
  return {
    ...next,
    finished: log.finished || ended,
    rebooting: log.rebooting || message === 'Rebooting...',
    bmcRebooting: log.bmcRebooting || message === 'Rebooting BMC...',
    up: !ended && (log.up || ready || message === 'Linux up'),
    ready: !ended && (log.ready || ready),
    notes: /(?:restart|power cycle) is required/.test(message) ? [...log.notes, line].slice(0, problemsMax) : log.notes,
  };
}

function phaseOf(log: InstallerLog, message: string): string | undefined {
  const text = message.trim().slice(0, 80);
  return text === '' ? log.phase : text;
}

function withInstallError(log: InstallerLog, line: string): InstallerLog {
  return { ...log, installError: log.installError ?? line };
}

function withFatal(log: InstallerLog, line: string): InstallerLog {
  return { ...withInstallError(log, line), fatal: true };
}

const pushTexts =
  /^Error: |^cat: |write error: |write failed: |cannot (?:create|open) \/dev\/rshim|\/dev\/rshim\d+\/boot: |^Command line error|bfb-install: (?:command )?not found/;

function takeToolLine(log: InstallerLog, line: string): InstallerLog {
  if (/^(?:PANIC|Exception)\([A-Z0-9]+\):/.test(line) || line.includes('CRITICAL ERROR')) return withFatal(log, line);
  const ours = /^dpubot: (.+)$/.exec(line)?.[1];
  if (ours !== undefined) return { ...log, notBegun: log.notBegun ?? ours };
  if (pushTexts.test(line)) return { ...log, pushError: log.pushError ?? line };
  if (/^Pushing bfb\b/.test(line)) return { ...log, push: log.push === 'ended' ? 'ended' : 'running' };
  if (line.startsWith('Collecting BlueField booting status')) return { ...log, push: 'ended' };
  return log;
}
