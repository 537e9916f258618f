import type { BlockAction, ButtonAction, SlackCommandMiddlewareArgs } from '@slack/bolt';
import { App } from '@slack/bolt';
import { parseRunButton } from '../report/blocks.ts';
import { rejectForm } from '../report/forms.ts';
import type { Invocation } from '../domain/ports.ts';
import { webClientOptions } from './chat-client.ts';
import type { EntranceOptions, SlackApp } from './entrance.ts';
import { createEntrance } from './entrance.ts';
import type { Home, HomeOptions } from './home.ts';
import { registerHome } from './home.ts';
import { libraryLogger } from './library-logger.ts';
import type { SlackAccess } from './log.ts';
import { reasonOf } from './log.ts';
import { registerMentions } from './mentions.ts';
import { asMessage, registerForms } from './modals.ts';
import type { RequestOptions } from './once.ts';
import { once } from './once.ts';
import { reply } from './reply.ts';
import type { SlackIdentity } from './web-client.ts';

export type { SlackApp } from './entrance.ts';

export interface SlackAppOptions extends SlackAccess, EntranceOptions, RequestOptions {
  readonly identity: SlackIdentity;
  /** App Home; without it nobody's Home is drawn. */
  readonly home?: HomeOptions;
}

/** The entrance for people: slash command, buttons, forms and mentions, over Socket Mode or HTTP. */
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
  const home = options.home && registerHome(app, { ...options.home, client: options.client, log });
  app.command('/dpu', async (args) => onCommand(options, args));
  app.action<BlockAction<ButtonAction>>({ type: 'block_actions', action_id: /^run:/ }, async (args) => {
    const { ack, respond, body, payload } = args;
    await onButton(options, { ack, respond, body, button: payload, home });
  });
  registerForms(app, options);
  registerMentions(app, options, botUserId);
  app.error(async (error) => {
    log.error({ reason: reasonOf(error) }, 'a request from Slack failed');
  });
  return entrance.control;
}

async function onCommand(options: SlackAppOptions, args: SlackCommandMiddlewareArgs): Promise<void> {
  const { command, ack, respond } = args;
  const { trigger_id: id, user_id: userId, channel_id: channel, channel_name: channelName, text } = command;
  const invocation: Invocation = { text, channel, channelName, source: 'slash', canOpenForm: true };
  const given = once(options, `slash-${id}`, userId, invocation);
  const answer = asMessage(options, id, { channel, channelName }, given);
  await reply({ ack, ackTakesAnswer: true, respond, userId, channel, answer }, options.client, options.log);
}

interface ButtonPress {
  readonly ack: () => Promise<void>;
  readonly respond: Parameters<typeof reply>[0]['respond'];
  readonly body: BlockAction<ButtonAction>;
  readonly button: ButtonAction;
  readonly home: Home | undefined;
}

/** A button is the command of its name; the generation tells a press on an old card from one on the newest. */
async function onButton(options: SlackAppOptions, press: ButtonPress): Promise<void> {
  const { body, button, ack, respond } = press;
  const isHome = body.view?.type === 'home';
  // What is pressed on Home belongs to no channel, and needs none.
  const channel = isHome ? '' : body.channel?.id;
  const meant = parseRunButton(button.action_id, button.value);
  if (channel === undefined || meant === undefined) {
    await ack();
    options.log.warn({ action: button.action_id }, 'a button that is not ours was pressed');
    return;
  }
  const id = `button-${body.trigger_id}-${button.action_ts}`;
  const thread: unknown = body.message?.['thread_ts'];
  const threadTs = typeof thread === 'string' ? { threadTs: thread } : {};
  const userId = body.user.id;
  const source = isHome ? 'home' : 'button';
  const given =
    meant.action === 'reject'
      ? once(options, id, userId, { form: rejectForm(meant.runId, meant.generation) })
      : once(options, id, userId, { text: commandOfButton(meant), channel, source });
  const answer = asMessage(options, body.trigger_id, isHome ? {} : { channel, ...threadTs }, given);
  if (isHome) {
    await ack();
    await press.home?.pressed(userId, await answer);
    return;
  }
  const request = { ack, ackTakesAnswer: false, respond, userId, channel, answer, ...threadTs };
  await reply(request, options.client, options.log);
}

/** The line that a button stands for. */
export function commandOfButton(button: NonNullable<ReturnType<typeof parseRunButton>>): string {
  if (button.action === 'details') return `run ${button.runId}`;
  if (button.action === 'console') return `console --run ${button.runId}`;
  return `${button.action} ${button.runId} --generation ${button.generation}`;
}
