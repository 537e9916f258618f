import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import type { CallOptions, DeviceClock, HostSession } from '../../src/domain/device-ports.ts';
import { Secret } from '../../src/domain/secret.ts';
import { errors } from '../../src/errors.ts';
import type { CardModel, HostModel } from '../../src/lab/rack/model.ts';
import type { Redactor } from '../../src/transport/redact.ts';
import { observeDetached, readDetachedLog, startDetached, stopDetached } from '../../src/transport/ssh/detached.ts';
import type { RunRaw } from '../../src/transport/ssh/exec.ts';
import { quoteArgv } from '../../src/transport/ssh/quote.ts';

/** Called around every remote write: may throw to stop the world there. */
export type Tick = (point: string) => void;

/** A machine of the rack model on which commands run while the fake clock is moved on. */
export interface RackMachine {
  readonly name: string;
  readonly user: string;
  readonly start: HostModel['start'] | CardModel['armStart'];
  readonly files: HostModel['files'];
  /** False: the connection would end. */
  readonly isThere: () => boolean;
}

type Clock = DeviceClock & { advance(ms: number): void };

/** Device time between two looks at a command that is still running: longer the longer it has run. */
const shortestLookMs = 20;
const longestLookMs = 2_000;
const noRedaction: Redactor = { add: () => undefined, redact: (text) => text, redactKnown: (text) => text };

/**
 * A session without a network: the very command lines that the SSH transport would send, run by the rack's own shell. The
 * clock goes on while a command runs, as it would for whoever waits.
 */
export function createRackSession(machine: RackMachine, clock: Clock, tick: Tick): HostSession {
  const runRaw: RunRaw = async (argv, options) => execute(machine, clock, argv, options);
  const detached = { host: machine.name, runRaw, redactor: noRedaction };
  const run = async (
    argv: readonly string[],
    options: CallOptions & { readonly stdin?: string | Secret },
  ): ReturnType<HostSession['run']> => {
    const { stdout, stderr, ...rest } = await runRaw(argv, options);
    return { ...rest, stdout: stdout.toString('utf8'), stderr: stderr.toString('utf8') };
  };
  const around = async <T>(point: string, call: () => Promise<T>): Promise<T> => {
    tick(`before ${point}`);
    const result = await call();
    tick(`after ${point}`);
    return result;
  };
  return {
    name: machine.name,
    read: async (command, options) => run(command.argv, options),
    run: async (argv, options) => around(`run ${wordsOf(argv)}`, async () => run(argv, options)),
    startDetached: async (folder, argv, options) =>
      around('start detached', async () => startDetached(detached, folder, argv, options)),
    observeDetached: async (folder, options) => observeDetached(detached, folder, options),
    readDetachedLog: async (folder, fromByte, options) => readDetachedLog(detached, folder, fromByte, options),
    stopDetached: async (folder, options) =>
      around('stop detached', async () => stopDetached(detached, folder, options)),
    upload: async (file, options) =>
      around('upload', async () => {
        if (!machine.isThere()) throw errors.sshLost({ host: machine.name, command: 'upload' });
        const bytes = readFileSync(file.localPath);
        const who = { user: machine.user, root: false };
        const rest = bytes.subarray(file.fromByte).toString('latin1');
        machine.files.write(file.remotePath, rest, who, { append: file.fromByte > 0, mode: 0o600 });
        options.onProgress?.(bytes.length);
        await Promise.resolve();
      }),
  };
}

/** What a crash point is called: the program, without sudo and without what differs from run to run. */
function wordsOf(argv: readonly string[]): string {
  const words = argv[0] === 'sudo' ? argv.slice(2) : argv;
  return words.slice(0, 2).join(' ').slice(0, 40);
}

async function execute(
  machine: RackMachine,
  clock: Clock,
  argv: readonly string[],
  options: CallOptions & { readonly stdin?: string | Secret },
): ReturnType<RunRaw> {
  const lost = (): Error => errors.sshLost({ host: machine.name, command: argv[0] ?? '' });
  const streams = { stdout: '', stderr: '' };
  const startedMs = clock.nowMs();
  if (!machine.isThere()) throw lost();
  const program = machine.start(machine.user, quoteArgv(argv), {
    stdout: (bytes) => (streams.stdout += bytes),
    stderr: (bytes) => (streams.stderr += bytes),
  });
  if (program === null) throw lost();
  const { stdin } = options;
  if (stdin !== undefined)
    program.write(Buffer.from(stdin instanceof Secret ? stdin.reveal() : stdin).toString('latin1'));
  program.endInput();
  for (;;) {
    const ended = program.ended();
    if (ended) {
      const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
      const { exitCode } = ended;
      const durationMs = clock.nowMs() - startedMs;
      return { stdout: bytes(streams.stdout), stderr: bytes(streams.stderr), exitCode, truncated: false, durationMs };
    }
    options.signal?.throwIfAborted();
    if (!machine.isThere()) {
      program.hangUp();
      throw lost();
    }
    if (clock.nowMs() - startedMs > options.timeoutMs) {
      program.hangUp();
      throw errors.sshTimeout({ host: machine.name, command: argv[0] ?? '', timeoutMs: options.timeoutMs });
    }
    const ranMs = clock.nowMs() - startedMs;
    clock.advance(Math.min(longestLookMs, Math.max(shortestLookMs, Math.round(ranMs / 4))));
    await Promise.resolve();
  }
}
