/**
 * Parts of a shell program that run with descriptors of their own: subshells, processes, pipelines, substitutions,
 * redirected commands.
 *
 * Source: POSIX.1-2017 XCU 2.6.3, 2.7, 2.9.2, 2.12.
 */
import { Pipe, sink } from './descriptors.ts';
import { redirect } from './redirects.ts';
import { forkShell } from './shell-state.ts';
import type { Shell } from './shell-state.ts';
import { ExitShell, Jump, statusOf } from './signals.ts';
import type { Node, Redirect } from './syntax.ts';
import type { Frame, Process, Steps } from './types.ts';

/** The output of a command substitution. */
export function* substitute(shell: Shell, body: Node): Steps<string> {
  let text = '';
  const frame = childFrame(shell.frame);
  frame.descriptors.set(
    1,
    sink((more) => (text += more)),
  );
  shell.status = yield* inSubshell(shell, frame, body);
  return text;
}

/** A frame whose descriptors can be replaced without touching those of the old one. */
export function childFrame(frame: Frame): Frame {
  return { ...frame, descriptors: new Map(frame.descriptors) };
}

/** Run in a copy of the shell; `exit` ends only the copy. */
export function* inSubshell(shell: Shell, frame: Frame, body: Node): Steps<number> {
  const inner = forkShell(shell, frame);
  try {
    const status = yield* inner.runNode(inner, body);
    return yield* runExitTrap(inner, status);
  } catch (error) {
    if (error instanceof ExitShell) return yield* runExitTrap(inner, error.status);
    if (error instanceof Jump) return error.status;
    throw error;
  }
}

/** Run the EXIT trap, once; the status stays. */
export function* runExitTrap(shell: Shell, status: number): Steps<number> {
  const text = shell.traps['EXIT'];
  if (text === undefined || text === '') return status;
  delete shell.traps['EXIT'];
  shell.status = status;
  yield* shell.runText(shell, text);
  return status;
}

/** Start a node as a process of its own. */
export function spawn(shell: Shell, frame: Frame, body: Node, whenDone?: () => void): Process {
  const words =
    body.kind === 'simple'
      ? body.words.map((word) => word.map((part) => (part.kind === 'text' ? part.text : '')).join(''))
      : [shell.name];
  // Its own redirections replace what it was given.
  const own: Frame = { ...frame };
  return frame.rack.scheduler.start(
    {
      machine: frame.machine,
      argv: words,
      user: frame.user,
      parent: frame.process,
      descriptors: () => [...own.descriptors.values()],
    },
    (process) => {
      own.process = process;
      return (function* run(): Steps<number> {
        try {
          return yield* inSubshell(shell, own, body);
        } finally {
          whenDone?.();
        }
      })();
    },
  );
}

/** Wait for a process. */
export function* waitFor(process: Process): Steps<number> {
  if (process.exitCode === null) yield { ready: () => process.exitCode !== null };
  return statusOf(process);
}

/** Run the stages of a pipeline, each as a process unless there is only one. */
export function* runPipeline(shell: Shell, stages: Node[]): Steps<number> {
  const [only] = stages;
  if (stages.length === 1 && only !== undefined) return yield* shell.runNode(shell, only);
  let input: Pipe | null = null;
  const processes: Process[] = [];
  for (const [index, stage] of stages.entries()) {
    const frame = childFrame(shell.frame);
    const from: Pipe | null = input;
    if (from !== null) frame.descriptors.set(0, from);
    const output = index === stages.length - 1 ? null : new Pipe();
    if (output !== null) frame.descriptors.set(1, output);
    processes.push(
      spawn(shell, frame, stage, () => {
        output?.end();
        from?.abandon();
      }),
    );
    input = output;
  }
  let status = 0;
  for (const process of processes) status = yield* waitFor(process);
  return status;
}

/** Run something with redirections in force; 2 when one of them fails. */
export function* redirected(shell: Shell, redirects: Redirect[], run: () => Steps<number>): Steps<number> {
  if (redirects.length === 0) return yield* run();
  const before = yield* redirect(shell, redirects, substitute);
  if (before === null) return 2;
  try {
    return yield* run();
  } finally {
    shell.frame.descriptors = before;
  }
}
