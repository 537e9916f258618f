/**
 * `reboot`, `shutdown` and `poweroff` of hosts and Arms.
 *
 * Source: systemd 249 shutdown(8), halt(8): without a time one minute passes; a reboot takes no power from the slots.
 */
import { armOff, resetArm } from '../card-clock.ts';
import { shutDownHost, warmRebootHost } from '../power.ts';
import { complain } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Frame, Program } from '../shell/types.ts';
import { dateText } from './dates.ts';

const minuteMs = 60_000;

/** Somebody without rights wants the machine to go down. */
function refused(frame: Frame): number {
  complain(frame, 'Failed to set wall message, ignoring: Interactive authentication required.\n');
  return 1;
}

function goDown({ machine, rack }: Frame, end: 'restart' | 'off'): void {
  const { host, card } = machine;
  if (host !== null && end === 'restart') warmRebootHost(rack, host);
  if (host !== null && end === 'off') shutDownHost(rack, host, 'off');
  if (card !== null) (end === 'restart' ? resetArm : armOff)(rack, card);
}

/** Restart or switch off at once. */
export function stopMachine(frame: Frame, end: 'restart' | 'off'): number {
  if (!frame.root) return refused(frame);
  goDown(frame, end);
  return 0;
}

/** Milliseconds of `now`, `+N` or nothing; null for another time. */
function delayMs(word: string | undefined): number | null {
  if (word === 'now') return 0;
  const minutes = /^\+(\d+)$/.exec(word ?? '+1')?.[1];
  return minutes === undefined ? null : Number(minutes) * minuteMs;
}

const shutdown: Program = simply((frame, args) => {
  if (!frame.root) return refused(frame);
  const end = args.some((arg) => arg === '-r' || arg === '--reboot') ? 'restart' : 'off';
  const [word] = args.filter((arg) => !arg.startsWith('-'));
  const afterMs = delayMs(word);
  if (afterMs === null) {
    complain(frame, `Failed to parse time specification: ${word ?? ''}\n`);
    return 1;
  }
  if (afterMs === 0) {
    goDown(frame, end);
    return 0;
  }
  const { rack, machine } = frame;
  const atMs = rack.nowMs() + afterMs;
  const waiting = { machine, argv: ['systemd-shutdownd'], user: 'root', descriptors: () => [], detached: true };
  rack.scheduler.start(waiting, function* wait() {
    yield { untilMs: atMs };
    goDown(frame, end);
    return 0;
  });
  const verb = end === 'restart' ? 'Reboot' : 'Shutdown';
  complain(frame, `${verb} scheduled for ${dateText(atMs, '%a %Y-%m-%d %T')} UTC, use 'shutdown -c' to cancel.\n`);
  return 0;
});

function atOnce(name: string, end: 'restart' | 'off'): Program {
  return simply((frame, args) => {
    const unknown = args.find((arg) => arg !== '-f' && arg !== '--force');
    if (unknown === undefined) return stopMachine(frame, end);
    complain(frame, `${name}: invalid option -- '${unknown.replace(/^-+/, '').charAt(0)}'\n`);
    return 1;
  });
}

/** Name -> program. */
export const shutdownPrograms: Record<string, Program> = {
  shutdown,
  reboot: atOnce('reboot', 'restart'),
  poweroff: atOnce('poweroff', 'off'),
};
