import type { Client } from 'ssh2';
import { errors } from '../../errors.ts';
import { orAbort } from '../call.ts';
import { waitMs } from '../device-clock.ts';
import type { Connection } from './pool.ts';

/** The connection was dead before the request was sent: nothing of it has happened there. */
export class NotSent extends Error {}

/** A channel to ask for, and what to do with what comes. */
export interface Opening<Channel> {
  readonly host: string;
  /** What it is for, in messages. */
  readonly label: string;
  readonly timeoutMs: number;
  readonly ask: (client: Client, answer: (error: Error | undefined, channel: Channel) => void) => void;
  /** Listens to the channel before the packet that opened it is left. */
  readonly listen: (channel: Channel) => void;
  /** Gives back a channel that nobody waits for any more. */
  readonly drop: (channel: Channel) => void;
  /** The error for an answer that is not the server's own refusal of a channel. */
  readonly failed: (error: Error) => Error;
}

/** Waits before a refused channel is asked for again, ms; with the last refusal it is given up. */
const AGAIN_AFTER_MS = [50, 100, 200, 400, 800];

/**
 * Opens a channel of the connection. A server counts a session until it has reaped its processes, which on a busy machine is
 * later than the client sees its end (sshd: MaxSessions): a refusal, by which nothing has happened, is asked again a few times.
 * Throws NotSent, `ssh-timeout`, `ssh-lost`, `ssh-unreachable` (refused by the server), what `failed` makes, or the
 * signal's reason.
 */
export async function openChannelFor<Channel>(
  connection: Connection,
  opening: Opening<Channel>,
  signal: AbortSignal,
): Promise<Channel> {
  for (const pauseMs of AGAIN_AFTER_MS) {
    try {
      return await openOnce(connection, opening, signal);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
    await waitMs(pauseMs, signal);
  }
  return openOnce(connection, opening, signal).catch((error: unknown) => {
    throw error instanceof Refused ? error.told : error;
  });
}

/** Over a half-dead connection the answer never comes, so opening has a limit of its own. */
async function openOnce<Channel>(
  connection: Connection,
  opening: Opening<Channel>,
  signal: AbortSignal,
): Promise<Channel> {
  const { host, label, timeoutMs } = opening;
  let abandoned = false;
  let timer: NodeJS.Timeout | undefined;
  let off = (): unknown => undefined;
  const opened = new Promise<Channel>((resolve, reject) => {
    off = connection.onClose(() => reject(errors.sshLost({ host, command: label })));
    timer = setTimeout(() => {
      connection.retire();
      reject(errors.sshTimeout({ host, command: label, timeoutMs }));
    }, timeoutMs);
    try {
      opening.ask(connection.client, (error, channel) => {
        if (error) return reject(isRefusal(error) ? new Refused(host, error) : opening.failed(error));
        opening.listen(channel);
        if (abandoned) opening.drop(channel);
        else resolve(channel);
      });
    } catch (error) {
      connection.retire();
      reject(new NotSent('not connected', { cause: error }));
    }
  });
  try {
    return await orAbort(opened, signal);
  } catch (error) {
    abandoned = true;
    throw error;
  } finally {
    clearTimeout(timer);
    off();
  }
}

/** A numeric `reason` is the server's own refusal of a channel: nothing was done. */
function isRefusal(error: Error & { reason?: unknown }): boolean {
  return error.reason !== undefined;
}

/** The server did not give a channel; `told` is what people are told of it. */
class Refused extends Error {
  readonly told: Error;

  constructor(host: string, cause: Error) {
    super('no channel', { cause });
    this.told = errors.sshUnreachable({ host, address: 'a new channel', cause });
  }
}
