import type { Server } from 'node:http';
import type { Receiver } from '@slack/bolt';
import { HTTPReceiver } from '@slack/bolt';
import { errors } from '../errors.ts';
import { libraryLogger } from './library-logger.ts';
import type { Log } from './log.ts';
import { reasonOf } from './log.ts';
import { SocketReceiver } from './socket-receiver.ts';

export interface EntranceOptions {
  /** Set: Socket Mode. Missing: HTTP, which needs `signingSecret` and `port`. */
  readonly appToken?: string;
  readonly signingSecret?: string;
  readonly port?: number;
  readonly apiUrl?: string;
  readonly log: Log;
}

export interface SlackApp {
  /** Resolves when requests can come in. Errors: config-invalid when Slack refuses the token or the port is taken. */
  start(): Promise<void>;
  /** Takes no new requests; resolves when those under way are answered, at the latest after 2 s. */
  stop(): Promise<void>;
  /** For a health endpoint. In HTTP mode: between start and stop. */
  connected(): boolean;
}

/** How requests of Slack come in: over sockets, or as signed HTTP requests. Errors: config-invalid when neither is set up. */
export function createEntrance(options: EntranceOptions): { readonly receiver: Receiver; readonly control: SlackApp } {
  const { appToken, signingSecret, port, log, apiUrl } = options;
  if (appToken !== undefined) {
    const socket = new SocketReceiver({ appToken, log, ...(apiUrl === undefined ? {} : { apiUrl }) });
    const control = {
      start: async () => socket.start(),
      stop: async () => socket.stop(),
      connected: () => socket.connected,
    };
    return { receiver: socket, control };
  }
  if (signingSecret === undefined || port === undefined)
    throw errors.configInvalid({
      problems: ['SLACK_SIGNING_SECRET and HTTP_PORT are needed when SLACK_APP_TOKEN is missing'],
    });
  return httpEntrance({ signingSecret, port, log });
}

/** Requests under way when it stops may end; after this their connections are cut. */
const HTTP_STOP_MS = 2000;

function httpEntrance({
  signingSecret,
  port,
  log,
}: {
  signingSecret: string;
  port: number;
  log: Log;
}): ReturnType<typeof createEntrance> {
  let server: Server | undefined;
  const health = (_: unknown, response: { writeHead(status: number): unknown; end(text: string): unknown }): void => {
    response.writeHead(200);
    response.end('ok\n');
  };
  const receiver = new HTTPReceiver({
    signingSecret,
    port,
    logger: libraryLogger(log),
    customRoutes: [{ path: '/health', method: 'GET', handler: health }],
  });
  const control = {
    start: async () => {
      server = await receiver.start(port).catch((error: unknown) => {
        throw errors.configInvalid({ problems: [`HTTP_PORT ${port} cannot be listened on: ${reasonOf(error)}`] });
      });
    },
    stop: async () => {
      const running = server;
      server = undefined;
      if (running === undefined) return;
      const cut = setTimeout(() => running.closeAllConnections(), HTTP_STOP_MS);
      await receiver.stop().finally(() => clearTimeout(cut));
    },
    connected: () => server !== undefined,
  };
  return { receiver, control };
}
