/** What a command sees and gives back on a pretend machine. */
import type { Files } from '../files/files.ts';
import type { ErrorName } from '../files/nodes.ts';
import type { CardState, HostState, Rack } from '../state.ts';

export interface ExecResult {
  stdout: string;
  stderr: string;
  exitCode: number | null;
  signal?: string;
  /** Device time the command takes; the SSH server waits that long before it answers. */
  takesMs?: number;
  /** Set when an injected fault must break or silence the channel. */
  fault?: 'drop' | 'hang';
}

export interface CommandContext {
  rack: Rack;
  machine: Machine;
  user: string;
  root: boolean;
  stdin: string;
  env: Record<string, string>;
}

/** A program that reads no input and answers at once (or after `takesMs`). */
export type Command = (context: CommandContext, args: string[]) => ExecResult;

/** What a process waits for; it goes on when either has come. */
interface Wait {
  untilMs?: number;
  ready?: () => boolean;
}

/** Something that takes device time: it yields what it waits for. */
export type Steps<Result> = Generator<Wait, Result, void>;

/** A program that reads, waits or runs others. Gives its exit code. */
export type Program = (frame: Frame, args: string[]) => Steps<number>;

/** An open file. */
export interface Descriptor {
  /** Next bytes; null at the end, undefined when there are none yet. */
  read: () => string | null | undefined;
  /** Give bytes back that were read too far. */
  unread: (text: string) => void;
  /** Null, or what went wrong. */
  write: (text: string) => ErrorName | 'EPIPE' | null;
  tty: boolean;
}

/** A process as the kernel knows it. */
export interface Process {
  pid: number;
  parent: number;
  group: number;
  session: number;
  machine: Machine;
  argv: string[];
  user: string;
  /** The program that it runs at this moment and as whom: `sudo` and its like stay in the same process here. */
  runs: { program: string; user: string };
  startedAtMs: number;
  steps: Steps<number>;
  wait: Wait;
  /** Null while it runs. */
  exitCode: number | null;
  signal: string | null;
  ignored: Set<string>;
  /** Signals with a trap, and those that came. */
  trapped: Set<string>;
  arrived: string[];
  /** Output it holds open. */
  descriptors: () => Descriptor[];
}

/** The surroundings of one program: who runs it, where, with which open files. */
export interface Frame {
  rack: Rack;
  machine: Machine;
  process: Process;
  user: string;
  root: boolean;
  env: Record<string, string>;
  directory: string;
  descriptors: Map<number, Descriptor>;
  /** Name of the network namespace; '' is the machine's own. */
  network: string;
  /** Started by another process's program; set -e and friends do not cross it. */
  umask: number;
}

/** A machine one can log in to: a host or the Arm side of a card. */
export interface Machine {
  kind: 'host' | 'arm';
  name: string;
  hostName: () => string;
  /** Set on a host. */
  host: HostState | null;
  /** Set on an Arm. */
  card: CardState | null;
  /** Cards in the slots of a host, or the own card of an Arm. */
  cards: CardState[];
  commands: Record<string, Command>;
  programs: Record<string, Program>;
  /** Is the package of this command installed? */
  installed: (name: string) => boolean;
  files: Files;
}

/** Success with this output. */
export function ok(stdout = ''): ExecResult {
  return { stdout, stderr: '', exitCode: 0 };
}

/** Failure with this exit code and error text. */
export function failed(exitCode: number, stderr: string, stdout = ''): ExecResult {
  return { stdout, stderr, exitCode };
}

/** The usual complaint of GNU tools about an unknown option. */
export function invalidOption(tool: string, option: string, exitCode = 1): ExecResult {
  const text = option.startsWith('--')
    ? `${tool}: unrecognized option '${option}'`
    : `${tool}: invalid option -- '${option.replace(/^-/, '').charAt(0)}'`;
  return failed(exitCode, `${text}\nTry '${tool} --help' for more information.\n`);
}

const nothingToWaitFor: Wait[] = [];

/** Steps that wait for nothing. */
export function* immediately<Result>(run: () => Result): Steps<Result> {
  yield* nothingToWaitFor;
  return run();
}
