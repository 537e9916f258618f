/** What a running shell knows besides its open files. */
import { complain } from './descriptors.ts';
import { ExitShell } from './signals.ts';
import type { Frame, Process, Steps } from './types.ts';
import type { Node } from './syntax.ts';

export interface Shell {
  frame: Frame;
  /** What its complaints begin with: `sh` or the name of the script. */
  name: string;
  variables: Record<string, string>;
  exported: Set<string>;
  readonly: Set<string>;
  functions: Record<string, Node>;
  arguments: string[];
  /** $? */
  status: number;
  /** $! */
  lastBackground: Process | null;
  children: Process[];
  options: Set<string>;
  traps: Record<string, string>;
  /** Is a failure being looked at (`if`, `&&`, `!`), so that set -e keeps quiet? */
  tested: number;
  depth: number;
  line: number;
  /** Saved variables of the functions that run. */
  locals: Record<string, string | undefined>[];
  /** Runs one node of the tree; its status becomes $?. */
  runNode: (shell: Shell, node: Node) => Steps<number>;
  /** Runs a program text in this shell: for `eval`, `.`, traps. */
  runText: (shell: Shell, text: string) => Steps<number>;
  /** Runs argv as the shell would: functions, built-ins, programs. */
  runArgv: (shell: Shell, argv: string[]) => Steps<number>;
}

/** A complaint of the shell itself, as dash words it. */
export function shellComplaint(shell: Shell, message: string): void {
  complain(shell.frame, `${shell.name}: ${shell.line}: ${message}\n`);
}

/** End the shell with a complaint. */
export function fatal(shell: Shell, message: string, status = 2): never {
  shellComplaint(shell, message);
  throw new ExitShell(status);
}

/** Set a variable; read-only ones end the shell. */
export function assign(shell: Shell, name: string, value: string): void {
  if (shell.readonly.has(name)) fatal(shell, `${name}: is read only`);
  shell.variables[name] = value;
  if (shell.options.has('a')) shell.exported.add(name);
}

/** Variables that programs see. */
export function environmentOf(shell: Shell): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of shell.exported) {
    const value = shell.variables[name];
    if (value !== undefined) env[name] = value;
  }
  return env;
}

/** A copy for a subshell: what it changes stays in it. */
export function forkShell(shell: Shell, frame: Frame): Shell {
  return {
    ...shell,
    frame,
    variables: { ...shell.variables },
    exported: new Set(shell.exported),
    readonly: new Set(shell.readonly),
    functions: { ...shell.functions },
    arguments: [...shell.arguments],
    children: [],
    options: new Set(shell.options),
    traps: {},
    locals: [],
  };
}
