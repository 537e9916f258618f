/**
 * Starts command lines on pretend machines: at once and to their end, or as programs that go on with the device clock.
 */
import { fromBytes, toBytes } from '../files/nodes.ts';
import type { Rack } from '../state.ts';
import { Pipe, sink } from './descriptors.ts';
import { runShell } from './interpret.ts';
import type { Descriptor, ExecResult, Machine, Process } from './types.ts';

const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };
/** A command that has not ended after this much device time never will. */
const foreverMs = 86_400_000;

/** A program that runs. */
export interface RunningProgram {
  pid: number;
  /** Standard input, as bytes. */
  write: (bytes: string) => void;
  endInput: () => void;
  /** Null while it runs, or while something it left behind holds its output open. */
  ended: () => { exitCode: number; signal: string | null } | null;
  /** The terminal or the connection has gone. */
  hangUp: () => void;
}

export interface ProgramOutput {
  stdout: (bytes: string) => void;
  stderr: (bytes: string) => void;
}

/** Where a command line comes from. */
export interface SessionOptions {
  terminal?: boolean;
  /** `SSH_CONNECTION` of a login over the network; none on a console. */
  connection?: string;
}

/** The machine on the management network from which people and programs log in. */
const workerAddress = '10.20.7.2';

/** `SSH_CONNECTION` of a login: client address and port, server address and port. */
export function connectionTo({ host, card }: Machine): string {
  const own = host?.hardware.address ?? card?.hardware.arm.address ?? '';
  return `${workerAddress} 50922 ${own} 22`;
}

interface Started {
  process: Process;
  input: Pipe;
  output: Descriptor[];
  abandon: () => void;
}

function start(
  rack: Rack,
  machine: Machine,
  user: string,
  line: string,
  to: ProgramOutput,
  { terminal = false, connection = '' }: SessionOptions,
): Started {
  const home = user === 'root' ? '/root' : `/home/${user}`;
  const env: Record<string, string> = { ...environment, HOME: home, USER: user, LOGNAME: user, SHELL: '/bin/sh' };
  if (connection !== '') {
    env['SSH_CONNECTION'] = connection;
    env['SSH_CLIENT'] = connection.replace(/^(\S+ \S+) \S+ (\S+)$/, '$1 $2');
  }
  const input = new Pipe();
  input.tty = terminal;
  let gone = false;
  const outlet = (take: (bytes: string) => void): Descriptor => {
    const open = sink((text) => take(terminal ? text.replaceAll(/\r?\n/g, '\r\n') : text), terminal);
    return { ...open, write: (text) => (gone ? 'EPIPE' : open.write(text)) };
  };
  const output = [outlet(to.stdout), outlet(terminal ? to.stdout : to.stderr)];
  const [stdout = input, stderr = input] = output;
  const descriptors = new Map<number, Descriptor>([
    [0, input],
    [1, stdout],
    [2, stderr],
  ]);
  const process = rack.scheduler.start(
    { machine, argv: ['sh', '-c', line], user, descriptors: () => [...descriptors.values()] },
    (self) =>
      runShell(
        {
          rack,
          machine,
          process: self,
          user,
          root: user === 'root',
          env,
          directory: home,
          descriptors,
          network: '',
          umask: 0o022,
        },
        toBytes(line),
      ),
  );
  return { process, input, output, abandon: () => (gone = true) };
}

/** Start a command line; it goes on whenever the rack is brought up to date. */
export function startLine(
  rack: Rack,
  machine: Machine,
  user: string,
  line: string,
  to: ProgramOutput,
  options: SessionOptions = {},
): RunningProgram {
  const { terminal = false } = options;
  const { process, input, output, abandon } = start(rack, machine, user, line, to, options);
  const holds = (): boolean =>
    rack.scheduler
      .of(machine)
      .some((each) => each !== process && each.descriptors().some((open) => output.includes(open)));
  return {
    pid: process.pid,
    write: (bytes) => void input.write(bytes),
    endInput: () => input.end(),
    ended: () =>
      process.exitCode === null || (process.signal === null && holds())
        ? null
        : { exitCode: process.exitCode, signal: process.signal },
    hangUp: () => {
      abandon();
      input.end();
      if (terminal)
        for (const each of rack.scheduler.of(machine))
          if (each.session === process.session) rack.scheduler.kill(each, 'HUP');
    },
  };
}

/** Run a command line to its end at once, as far ahead of the clock as it takes. */
export function runLine(
  rack: Rack,
  machine: Machine,
  user: string,
  line: string,
  stdin: string,
  options: SessionOptions = {},
): ExecResult {
  let stdout = '';
  let stderr = '';
  const startMs = rack.nowMs();
  const { process, input } = start(
    rack,
    machine,
    user,
    line,
    { stdout: (text) => (stdout += text), stderr: (text) => (stderr += text) },
    options,
  );
  input.write(toBytes(stdin));
  input.end();
  let reachedMs = startMs;
  rack.scheduler.run(reachedMs);
  while (process.exitCode === null) {
    const next = rack.scheduler.nextWakeMs();
    if (next === null || next - startMs > foreverMs) {
      rack.scheduler.kill(process, 'KILL');
      return { stdout: fromBytes(stdout), stderr: fromBytes(stderr), exitCode: null, fault: 'hang' };
    }
    reachedMs = Math.max(reachedMs, next);
    rack.scheduler.run(reachedMs);
  }
  const takesMs = reachedMs - startMs;
  const result = { stdout: fromBytes(stdout), stderr: fromBytes(stderr), ...(takesMs > 0 && { takesMs }) };
  return process.signal === null
    ? { ...result, exitCode: process.exitCode }
    : { ...result, exitCode: null, signal: process.signal };
}
