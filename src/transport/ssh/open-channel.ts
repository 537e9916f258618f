import type { Client } from 'ssh2';
import { errors } from '../../errors.ts';
import { orAbort } from '../call.ts';
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

/**
 * Opens a channel of the connection. Over a half-dead one the answer never comes, so opening has a limit of its own.
 * Throws NotSent, `ssh-timeout`, `ssh-lost`, `ssh-unreachable` (refused by the server), what `failed` makes, or the
 * signal's reason.
 */
export async function openChannelFor<Channel>(
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
        if (error) return reject(isRefusal(error) ? refused(host, error) : opening.failed(error));
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

function refused(host: string, error: Error): Error {
  return errors.sshUnreachable({ host, address: 'a new channel', cause: error });
}
