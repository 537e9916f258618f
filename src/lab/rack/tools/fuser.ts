/**
 * `fuser` for device files: who has a console open.
 *
 * Source: psmisc 23.6 run for real on a terminal and on files, plain and with -a, -s, -u, -v, -k; names and marks go to
 * stderr, process numbers to stdout. A process that has a file open for writing shows F, which only -v prints.
 */
import { consoleReaders } from '../rshim/console.ts';
import { complain, out } from '../shell/descriptors.ts';
import { simply } from '../shell/programs.ts';
import type { Frame, Process, Program } from '../shell/types.ts';
import { signalName } from '../shell/signals.ts';
import { at, look } from './file-tools.ts';
import { consoleCard } from './rshim.ts';

const usage =
  'Usage: fuser [-fIMuvw] [-a|-s] [-4|-6] [-c|-m|-n SPACE]\n             [-k [-i] [-SIGNAL]] NAME...\n       fuser -l\n       fuser -V\n';
/** Column at which the marks begin. */
const nameWidth = 20;

interface Wanted {
  flags: Set<string>;
  signal: string;
  names: string[];
}

/** Options and names, or the complaint. */
function parseWords(args: readonly string[]): Wanted | string {
  const wanted: Wanted = { flags: new Set(), signal: 'KILL', names: [] };
  const long: Record<string, string> = { all: 'a', kill: 'k', silent: 's', user: 'u', verbose: 'v', version: 'V' };
  for (const word of args) {
    const named = signalName(word.slice(1));
    if (!word.startsWith('-')) wanted.names.push(word);
    else if (word.startsWith('--')) {
      const letter = long[word.slice(2)];
      if (letter === undefined) return `fuser: Invalid option ${word}\n${usage}`;
      wanted.flags.add(letter);
    } else if (/^-[afiIkMsuvVw]+$/.test(word)) for (const letter of word.slice(1)) wanted.flags.add(letter);
    else if (named !== null) wanted.signal = named;
    else return `${word.slice(1)}: unknown signal; fuser -l lists signals.\n`;
  }
  if (wanted.names.length === 0 && !wanted.flags.has('V')) return `No process specification given\n${usage}`;
  return wanted;
}

/** Processes that have the file open and that this user may look into. */
function openers(frame: Frame, path: string): Process[] {
  const { rack, machine } = frame;
  const card = machine.host === null ? null : consoleCard(rack, machine.host, machine.files.resolve(at(frame, path)));
  const all = card === null ? [] : consoleReaders(rack, card);
  return all.filter((process) => frame.root || process.runs.user === frame.user);
}

function show(frame: Frame, name: string, found: readonly Process[], { flags }: Wanted, isFirst: boolean): void {
  const verbose = flags.has('v');
  const label = `${name}:`;
  const owner = ({ runs }: Process): string => (flags.has('u') ? `(${runs.user})` : '');
  if (verbose) {
    if (isFirst) complain(frame, `${' '.repeat(nameWidth)} USER        PID ACCESS COMMAND\n`);
    found.forEach((process, index) => {
      const place = (index === 0 ? label : '').padEnd(nameWidth);
      complain(frame, `${place} ${process.runs.user.padEnd(9)} F.... ${owner(process)}${process.runs.program}\n`);
    });
  } else complain(frame, `${found.length === 0 ? label : label.padEnd(nameWidth)}${found.map(owner).join('')}\n`);
  out(frame, found.map(({ pid }) => ` ${String(pid).padStart(5)}`).join(''));
}

/** The program. */
export const fuser: Program = simply((frame, args) => {
  const wanted = parseWords(args);
  if (typeof wanted === 'string') {
    complain(frame, wanted);
    return 1;
  }
  const { flags, names, signal } = wanted;
  if (flags.has('V')) {
    complain(frame, 'fuser (PSmisc) 23.4\n');
    return 0;
  }
  let used = false;
  for (const name of names) {
    if (look(frame, name) === null) {
      complain(frame, `Specified filename ${name} does not exist.\n`);
      if (flags.has('a') && !flags.has('s')) complain(frame, `${name}:\n`);
      continue;
    }
    const found = openers(frame, name);
    if (!flags.has('s') && (found.length > 0 || (flags.has('a') && !flags.has('v'))))
      show(frame, name, found, wanted, !used);
    used ||= found.length > 0;
    if (flags.has('k')) for (const process of found) frame.rack.scheduler.kill(process, signal);
  }
  return used ? 0 : 1;
});
