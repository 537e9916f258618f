/** Processes as others see them: /proc/PID, ps, pgrep, pkill, kill. Source: proc(5), procps 3.3.17. */
import type { LiveFiles } from '../files/nodes.ts';
import { out } from '../shell/descriptors.ts';
import { runShell } from '../shell/interpret.ts';
import { simply } from '../shell/programs.ts';
import { signalName } from '../shell/signals.ts';
import type { Frame, Machine, Process, Program } from '../shell/types.ts';
import type { Rack } from '../state.ts';
import { dateText } from './dates.ts';

/** Clock ticks a second. */
const ticksPerMs = 0.1;

function bootedAtMs(machine: Machine): number {
  return machine.host?.bootedAtMs ?? machine.card?.arm.bootStartedAtMs ?? 0;
}

function commName(process: Process): string {
  const [word = 'sh'] = process.argv;
  return word.slice(word.lastIndexOf('/') + 1).slice(0, 15);
}

function statText(machine: Machine, process: Process): string {
  const startTicks = Math.max(0, Math.floor((process.startedAtMs - bootedAtMs(machine)) * ticksPerMs));
  const { pid, parent, group, session } = process;
  return `${pid} (${commName(process)}) S ${parent} ${group} ${session} 0 -1 4194560 310 0 0 0 0 0 0 0 20 0 1 0 ${startTicks} 2899968 221 18446744073709551615 1 1 0 0 0 0 0 0 65538 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0\n`;
}

/** `/proc/PID/*` of everything that runs. */
export function processFiles(rack: Rack, machine: Machine, files: LiveFiles): void {
  for (const process of rack.scheduler.of(machine)) {
    const folder = `/proc/${process.pid}`;
    files.set(`${folder}/stat`, { text: statText(machine, process) });
    files.set(`${folder}/comm`, { text: `${commName(process)}\n` });
    files.set(`${folder}/cmdline`, { text: process.argv.map((word) => `${word}\0`).join('') });
    files.set(`${folder}/status`, {
      text: `Name:\t${commName(process)}\nState:\tS (sleeping)\nPid:\t${process.pid}\nPPid:\t${process.parent}\nUid:\t${process.user === 'root' ? 0 : 1000}\n`,
    });
  }
}

/** What `ps -o` shows of a process. */
function field(frame: Frame, process: Process, name: string): string {
  const seconds = Math.floor((frame.rack.nowMs() - process.startedAtMs) / 1000);
  const fields: Record<string, string> = {
    pid: String(process.pid),
    ppid: String(process.parent),
    pgid: String(process.group),
    sid: String(process.session),
    user: process.user,
    comm: commName(process),
    args: process.argv.join(' '),
    cmd: process.argv.join(' '),
    command: process.argv.join(' '),
    etimes: String(seconds),
    stat: 'S',
    state: 'S',
    s: 'S',
    lstart: dateText(process.startedAtMs, '%a %b %e %T %Y'),
  };
  return fields[name] ?? '-';
}

const ps: Program = simply((frame, args) => {
  const at = args.findIndex((arg) => arg === '-p' || arg === '--pid' || arg === '-q');
  const ids = at === -1 ? null : (args[at + 1] ?? '').split(',').map(Number);
  const outAt = args.findIndex((arg) => arg === '-o' || /^-[eA]+o$/.test(arg));
  const columns = (outAt === -1 ? 'pid,user,args' : (args[outAt + 1] ?? '')).split(',');
  const shown = frame.rack.scheduler.of(frame.machine).filter(({ pid }) => ids === null || ids.includes(pid));
  if (columns.some((column) => !column.endsWith('=')))
    out(frame, `${columns.map((column) => column.replace(/=.*/, '').toUpperCase()).join(' ')}\n`);
  for (const process of shown)
    out(frame, `${columns.map((column) => field(frame, process, column.replace(/=.*/, ''))).join(' ')}\n`);
  return shown.length > 0 ? 0 : 1;
});

function matchingProcesses(frame: Frame, args: string[]): Process[] {
  const pattern = new RegExp(args.filter((arg) => !arg.startsWith('-')).at(-1) ?? '$^');
  const whole = args.some((arg) => /^-\w*f|^--full$/.test(arg));
  return frame.rack.scheduler
    .of(frame.machine)
    .filter((each) => each !== frame.process && pattern.test(whole ? each.argv.join(' ') : commName(each)));
}

/** Name -> program. */
export const processPrograms: Record<string, Program> = {
  ps,
  pgrep: simply((frame, args) => {
    const listsAll = args.some((arg) => /^-[fxnov]*a|^--list-full$/.test(arg));
    const found = matchingProcesses(frame, args);
    for (const process of found) out(frame, `${process.pid}${listsAll ? ` ${process.argv.join(' ')}` : ''}\n`);
    return found.length > 0 ? 0 : 1;
  }),
  pkill: simply((frame, args) => {
    const found = matchingProcesses(frame, args);
    const signal =
      args.map((arg) => (arg.startsWith('-') ? signalName(arg.slice(1)) : null)).find((each) => each !== null) ??
      'TERM';
    for (const process of found) frame.rack.scheduler.kill(process, signal);
    return found.length > 0 ? 0 : 1;
  }),
  kill: (frame, args) => runShell(frame, 'kill "$@"', { name: 'kill', args }),
};
