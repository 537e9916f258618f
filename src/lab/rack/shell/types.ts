/** What a command sees and gives back on a pretend machine. */
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

/** A file of the virtual file system. */
interface VirtualFile {
  text: string;
  /** Only root may read it. */
  rootOnly?: boolean;
}

export type FileSystem = Map<string, VirtualFile>;

export interface CommandContext {
  rack: Rack;
  machine: Machine;
  user: string;
  root: boolean;
  stdin: string;
  env: Record<string, string>;
}

export type Command = (context: CommandContext, args: string[]) => ExecResult;

/** A machine one can log in to: a host or the Arm side of a card. */
export interface Machine {
  kind: 'host' | 'arm';
  hostName: () => string;
  /** Set on a host. */
  host: HostState | null;
  /** Set on an Arm. */
  card: CardState | null;
  /** Cards in the slots of a host, or the own card of an Arm. */
  cards: CardState[];
  commands: Record<string, Command>;
  files: () => FileSystem;
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
