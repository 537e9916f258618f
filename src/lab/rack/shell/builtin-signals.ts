/**
 * Built-in commands about processes and signals: wait, kill, trap.
 *
 * Source: POSIX.1-2017 XCU 2.14; dash 0.5.11 messages.
 */
import { complain } from './descriptors.ts';
import { shellComplaint } from './shell-state.ts';
import type { Shell } from './shell-state.ts';
import { signalName, statusOf } from './signals.ts';
import type { Process, Steps } from './types.ts';

/** Wait for background commands. */
export function* wait(shell: Shell, args: string[]): Steps<number> {
  const wanted = args.length === 0 ? shell.children : shell.children.filter(({ pid }) => args.includes(String(pid)));
  if (args.length > 0 && wanted.length === 0) return 127;
  let status = 0;
  for (const child of wanted) {
    yield { ready: () => child.exitCode !== null || shell.frame.process.arrived.length > 0 };
    status = statusOf(child);
  }
  return args.length === 0 ? 0 : status;
}

function targetsOf(shell: Shell, id: number): Process[] {
  const all = shell.frame.rack.scheduler.of(shell.frame.machine);
  return id < 0 ? all.filter((each) => each.group === -id) : all.filter((each) => each.pid === id);
}

/** Send a signal. */
export function kill(shell: Shell, args: string[]): number {
  let signal = 'TERM';
  const ids = [...args];
  const [first = ''] = ids;
  if (first === '-s' || first === '-n') {
    signal = signalName(ids[1] ?? '') ?? '';
    ids.splice(0, 2);
  } else if (/^-./.test(first) && first !== '--') {
    signal = signalName(first.slice(1)) ?? '';
    ids.shift();
  }
  if (ids[0] === '--') ids.shift();
  if (signal === '' || ids.length === 0) {
    complain(
      shell.frame,
      `${shell.name}: ${shell.line}: kill: Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]...\n`,
    );
    return 2;
  }
  let status = 0;
  for (const id of ids) {
    const targets = targetsOf(shell, Number(id));
    if (targets.length === 0) {
      shellComplaint(shell, 'kill: No such process');
      status = 1;
    }
    for (const target of targets) {
      if (!shell.frame.root && target.user !== shell.frame.user) {
        shellComplaint(shell, 'kill: Operation not permitted');
        status = 1;
      } else shell.frame.rack.scheduler.kill(target, signal);
    }
  }
  return status;
}

/** Say what to do when a signal comes, or at the end. */
export function trap(shell: Shell, args: string[]): number {
  const [action = '-', ...names] = args;
  const { process } = shell.frame;
  for (const word of names) {
    const name = word === '0' || word === 'EXIT' ? 'EXIT' : signalName(word);
    if (name === null) {
      shellComplaint(shell, `trap: ${word}: bad trap`);
      return 1;
    }
    process.ignored.delete(name);
    process.trapped.delete(name);
    delete shell.traps[name];
    if (action === '-') continue;
    if (action === '') process.ignored.add(name);
    else {
      shell.traps[name] = action;
      if (name !== 'EXIT') process.trapped.add(name);
    }
  }
  return 0;
}
