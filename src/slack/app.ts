import type { BlockAction, ButtonAction, Receiver, SlackCommandMiddlewareArgs } from '@slack/bolt';
import { App, HTTPReceiver } from '@slack/bolt';
import type { WebClient } from '@slack/web-api';
import type { Dedupe, Invocation } from '../domain/ports.ts';
import { errors, failureOf } from '../errors.ts';
import { failureAnswer } from '../report/answers.ts';
import { parseRunButton } from '../report/blocks.ts';
import type { Answer } from '../report/message.ts';
import { webClientOptions } from './chat-client.ts';
import { libraryLogger } from './library-logger.ts';
import type { Log, SlackAccess } from './log.ts';
import { reasonOf } from './log.ts';
import { reply } from './reply.ts';
import { SocketReceiver } from './socket-receiver.ts';
import type { SlackIdentity } from './web-client.ts';

export interface SlackAppOptions extends SlackAccess {
  /** Set: Socket Mode. Missing: HTTP, which needs `signingSecret` and `port`. */
  readonly appToken?: string;
  readonly signingSecret?: string;
  readonly port?: number;
  readonly identity: SlackIdentity;
  readonly client: WebClient;
  readonly log: Log;
  /** Requests may be delivered more than once; only the first delivery is carried out. */
  readonly dedupe: Dedupe;
  /** Carries out a command; the one way in for slash text and buttons. */
  readonly dispatch: (userId: string, invocation: Invocation) => Promise<Answer>;
}

export interface SlackApp {
  /** Resolves when requests can come in. Errors: config-invalid when Slack refuses the token or the port is taken. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** For a health endpoint. Always true in HTTP mode once started. */
  connected(): boolean;
}

/** Slack repeats an unacknowledged request within 5 minutes; twice that is remembered. */
const DEDUPE_MS = 10 * 60_000;

/** The entrance for people: slash command and buttons, over Socket Mode or HTTP. */
export function createSlackApp(options: SlackAppOptions): SlackApp {
  const { log } = options;
  const entrance = createEntrance(options);
  const { botId, botUserId, teamId } = options.identity;
  const app = new App({
    receiver: entrance.receiver,
    authorize: async () => ({ botToken: options.botToken, botId, botUserId, teamId }),
    clientOptions: webClientOptions(options.apiUrl),
    logger: libraryLogger(log),
    convoStore: false,
  });
  app.command('/dpu', async (args) => onCommand(options, args));
  app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: /^run:/ }, async (args) => {
    const { ack, respond, body, payload } = args;
    await onButton(options, { ack, respond, body, button: payload });
  });
  app.error(async (error) => {
    log.error({ reason: reasonOf(error) }, 'a request from Slack failed');
  });
  return entrance.control;
}

function createEntrance(options: SlackAppOptions): { readonly receiver: Receiver; readonly control: SlackApp } {
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
  let listening = false;
  const health = (_: unknown, response: { writeHead(status: number): unknown; end(text: string): unknown }): void => {
    response.writeHead(200);
    response.end('ok\n');
  };
  const http = new HTTPReceiver({
    signingSecret,
    port,
    logger: libraryLogger(log),
    customRoutes: [{ path: '/health', method: 'GET', handler: health }],
  });
  const control = {
    start: async () => {
      await http.start(port).catch((error: unknown) => {
        throw errors.configInvalid({ problems: [`HTTP_PORT ${port} cannot be listened on: ${reasonOf(error)}`] });
      });
      listening = true;
    },
    stop: async () => {
      listening = false;
      await http.stop();
    },
    connected: () => listening,
  };
  return { receiver: http, control };
}

async function onCommand(options: SlackAppOptions, args: SlackCommandMiddlewareArgs): Promise<void> {
  const { command, ack, respond } = args;
  const { trigger_id: id, user_id: userId, channel_id: channel, channel_name: channelName, text } = command;
  const invocation: Invocation = { text, channel, channelName, source: 'slash' };
  const answer = once(options, `slash-${id}`, userId, invocation);
  await reply({ ack, ackTakesAnswer: true, respond, userId, channel, answer }, options.client, options.log);
}

interface ButtonPress {
  readonly ack: () => Promise<void>;
  readonly respond: Parameters<typeof reply>[0]['respond'];
  readonly body: BlockAction<ButtonAction>;
  readonly button: ButtonAction;
}

/** A button is the command of its name; the generation tells a press on an old card from one on the newest. */
async function onButton(options: SlackAppOptions, press: ButtonPress): Promise<void> {
  const { body, button, ack, respond } = press;
  const channel = body.channel?.id;
  const meant = parseRunButton(button.action_id, button.value);
  if (channel === undefined || meant === undefined) {
    await ack();
    options.log.warn({ action: button.action_id }, 'a button that is not ours was pressed');
    return;
  }
  const text = commandOfButton(meant);
  const id = `button-${body.trigger_id}-${button.action_ts}`;
  const answer = once(options, id, body.user.id, { text, channel, source: 'button' });
  const thread: unknown = body.message?.['thread_ts'];
  const threadTs = typeof thread === 'string' ? { threadTs: thread } : {};
  const request = { ack, ackTakesAnswer: false, respond, userId: body.user.id, channel, answer, ...threadTs };
  await reply(request, options.client, options.log);
}

/** The line that a button stands for. */
export function commandOfButton(button: NonNullable<ReturnType<typeof parseRunButton>>): string {
  if (button.action === 'details') return `run ${button.runId}`;
  return `${button.action} ${button.runId} --generation ${button.generation}`;
}

/** Carries out a request the first time it is delivered. Never rejects: every failure is an answer. */
async function once(options: SlackAppOptions, id: string, userId: string, invocation: Invocation): Promise<Answer> {
  try {
    if (!(await options.dedupe.firstTime(id, DEDUPE_MS))) {
      options.log.info({ id }, 'repeated delivery ignored');
      return undefined;
    }
    return await options.dispatch(userId, invocation);
  } catch (error) {
    options.log.error({ reason: reasonOf(error) }, 'a command failed');
    return failureAnswer(failureOf(error));
  }
}
