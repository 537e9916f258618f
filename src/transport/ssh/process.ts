import type { Duplex } from 'node:stream';
import type { PseudoTtyOptions } from 'ssh2';
import type { CallOptions } from '../../domain/device-ports.ts';
import { errors } from '../../errors.ts';
import { withCall } from '../call.ts';
import type { Redactor } from '../redact.ts';
import type { Hop } from './client.ts';
import { openChannel, type Status, stopChannel } from './exec.ts';
import { NotSent } from './open-channel.ts';
import type { Connection, Pool } from './pool.ts';
import { quoteArgv } from './quote.ts';

/** A command on a host that goes on while one speaks with it. */
export interface RemoteProcess {
  /** Its output to read, its input to write; the end of the command or of the connection ends it. */
  readonly stream: Duplex;
  /** The last of what it wrote to stderr, redacted. */
  stderr(): string;
  /** Settles when it is over; undefined when no exit status came (the connection was lost). */
  readonly ended: Promise<number | undefined>;
  /** Closes its input and asks it to end. */
  stop(): void;
}

/** What starting one needs. */
export interface ProcessDeps {
  readonly pool: Pick<Pool, 'get'>;
  readonly redactor: Redactor;
  readonly channelOpenTimeoutMs: number;
}

const stderrChars = 4_096;

/**
 * Starts argv on the last hop of `route` and leaves it running; it takes a place for a command until it ends. A pooled
 * connection that had died unnoticed is replaced once. Throws as `run` of a session does.
 */
export async function startProcess(
  deps: ProcessDeps,
  route: readonly Hop[],
  argv: readonly string[],
  options: CallOptions & { readonly pty?: PseudoTtyOptions },
): Promise<RemoteProcess> {
  const host = route.at(-1)?.host ?? '';
  const line = quoteArgv(argv);
  const label = deps.redactor.redact(line);
  const { pty, timeoutMs } = options;
  const request = { host, line, label, maxBytes: 0, channelOpenTimeoutMs: deps.channelOpenTimeoutMs, pty };
  const onTimeout = (): Error => errors.sshTimeout({ host, command: label, timeoutMs });
  return withCall(options, onTimeout, async (call) => {
    for (let attempt = 1; ; attempt += 1) {
      const connection = await deps.pool.get(route, call.signal);
      const release = await connection.sessions.acquire(call.signal);
      try {
        const status: Status = {};
        const channel = await openChannel(connection, request, call.signal, status);
        return follow(channel, connection, status, release, deps.redactor);
      } catch (error) {
        release();
        if (!(error instanceof NotSent)) throw error;
        if (attempt === 2) throw errors.sshLost({ host, command: label, cause: error });
      }
    }
  });
}

function follow(
  channel: Awaited<ReturnType<typeof openChannel>>,
  connection: Connection,
  status: Status,
  release: () => void,
  redactor: Redactor,
): RemoteProcess {
  let said = '';
  channel.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-stderrChars);
  });
  const ended = new Promise<number | undefined>((resolve) => {
    const finish = (): void => {
      off();
      release();
      resolve(status.exit?.code);
    };
    const off = connection.onClose(() => {
      channel.destroy();
      finish();
    });
    channel.once('close', finish);
  });
  return {
    stream: channel,
    stderr: () => redactor.redact(said),
    ended,
    stop: () => stopChannel(channel),
  };
}
