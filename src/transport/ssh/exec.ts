import { constants } from 'node:os';
import type { ClientChannel, PseudoTtyOptions } from 'ssh2';
import type { CallOptions } from '../../domain/device-ports.ts';
import { Secret } from '../../domain/secret.ts';
import { errors } from '../../errors.ts';
import { type Call, reasonOf } from '../call.ts';
import { createHeadTail } from './head-tail.ts';
import { openChannelFor, type Opening } from './open-channel.ts';
import type { Connection } from './pool.ts';

/** A command as it goes over the wire; `label` is its redacted short form for messages. */
export interface ExecRequest {
  readonly host: string;
  readonly line: string;
  readonly label: string;
  readonly stdin?: string | Secret | undefined;
  readonly maxBytes: number;
  readonly channelOpenTimeoutMs: number;
  /** Asks for a terminal: a dialogue needs one. */
  readonly pty?: PseudoTtyOptions | undefined;
}

export interface ExecResult {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly exitCode: number;
  readonly truncated: boolean;
}

/** Runs argv and gives raw bytes; what the public calls and the detached ones are built from. */
export type RunRaw = (
  argv: readonly string[],
  options: CallOptions & { readonly stdin?: string | Secret; readonly label?: string },
) => Promise<ExecResult & { readonly durationMs: number }>;

/** How long output may stay silent after the exit status before the channel is closed: a child may hold it open. */
const afterExitMs = 2_000;

/**
 * Runs one command line in a channel of its own. Both streams are always read (an unread one would block the command and
 * its close event), with bounded memory. Throws NotSent, `ssh-lost` (no exit status: unknown), or the call's reason.
 */
export async function execute(connection: Connection, request: ExecRequest, call: Call): Promise<ExecResult> {
  const release = await connection.sessions.acquire(call.signal);
  try {
    const status: Status = {};
    const channel = await openChannel(connection, request, call.signal, status);
    const { stdin } = request;
    const result = collect(channel, connection, request, call, status);
    channel.end(stdin instanceof Secret ? stdin.reveal() : (stdin ?? ''));
    return await result;
  } finally {
    release();
  }
}

/** How a command ended, once the far end has said so. */
export interface Status {
  exit?: { readonly code: number; readonly signal: string | undefined };
}

/** Listens before the packet that opened the channel is left: a quick command's exit status may stand in the same one. */
function listen(channel: ClientChannel, status: Status): void {
  // The far end of a dead channel answers a late write with an error event; the result tells the rest.
  channel.on('error', () => undefined);
  channel.on('exit', (code: number | null, signal?: string) => {
    status.exit =
      code === null ? { code: signalExitCode(signal), signal: signal ?? 'a signal' } : { code, signal: undefined };
  });
}

/** Starts the command of `request`. Throws as `execute` does; what comes too late is stopped. */
export async function openChannel(
  connection: Connection,
  request: ExecRequest,
  signal: AbortSignal,
  status: Status,
): Promise<ClientChannel> {
  const { host, label, line, pty, channelOpenTimeoutMs: timeoutMs } = request;
  const opening: Opening<ClientChannel> = {
    host,
    label,
    timeoutMs,
    ask: (client, answer) => client.exec(line, pty === undefined ? {} : { pty }, answer),
    listen: (channel) => listen(channel, status),
    drop: stopChannel,
    // Whether the command runs is open.
    failed: (error) => errors.sshLost({ host, command: label, cause: error }),
  };
  return openChannelFor(connection, opening, signal);
}

function collect(
  channel: ClientChannel,
  connection: Connection,
  request: ExecRequest,
  call: Call,
  status: Status,
): Promise<ExecResult> {
  const stdout = createHeadTail(request.maxBytes);
  const stderr = createHeadTail(request.maxBytes);
  let silent: NodeJS.Timeout | undefined;
  let cutShort = false;

  return new Promise((resolve, reject) => {
    const watchSilence = (): void => {
      clearTimeout(silent);
      if (status.exit !== undefined) silent = setTimeout(() => finish(true), afterExitMs);
    };
    const finish = (early: boolean): void => {
      cleanUp();
      const { exit } = status;
      if (exit === undefined) return reject(errors.sshLost({ host: request.host, command: request.label }));
      cutShort = early;
      if (early) stopChannel(channel);
      if (exit.signal !== undefined) stderr.push(Buffer.from(`[killed by ${exit.signal}]\n`));
      const truncated = stdout.truncated() || stderr.truncated() || cutShort;
      resolve({ stdout: stdout.bytes(), stderr: stderr.bytes(), exitCode: exit.code, truncated });
    };
    const abort = (): void => {
      cleanUp();
      stopChannel(channel);
      reject(reasonOf(call.signal));
    };
    const off = connection.onClose(() => finish(true));
    const cleanUp = (): void => {
      clearTimeout(silent);
      off();
      call.signal.removeEventListener('abort', abort);
    };

    channel.on('data', (chunk: Buffer) => {
      stdout.push(chunk);
      watchSilence();
    });
    channel.stderr.on('data', (chunk: Buffer) => {
      stderr.push(chunk);
      watchSilence();
    });
    channel.on('exit', watchSilence);
    channel.on('close', () => finish(false));
    watchSilence();
    call.signal.addEventListener('abort', abort, { once: true });
    if (call.signal.aborted) abort();
  });
}

/** A shell's convention: 128 plus the number of the signal. */
function signalExitCode(signal: string | undefined): number {
  const known: Readonly<Record<string, number>> = constants.signals;
  return 128 + (signal === undefined ? 0 : (known[signal] ?? known[`SIG${signal}`] ?? 0));
}

/** Asks the command to end and gives the channel back; what still arrives is read and dropped. */
export function stopChannel(channel: ClientChannel): void {
  channel.on('error', () => undefined);
  channel.resume();
  channel.stderr.resume();
  // OpenSSH passes TERM on; servers that do not know the request ignore it.
  channel.signal('TERM');
  channel.close();
}
