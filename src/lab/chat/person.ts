import { type HomeTab, sendHomeOpened } from './app-events.ts';
import { ApiError } from './api/call.ts';
import { asText } from './blocks/report.ts';
import { findElement } from './elements.ts';
import type { Lab } from './lab.ts';
import { actionPayload, type Place, slashPayload } from './payloads.ts';
import { respond } from './response-urls.ts';
import { buildAction, type Choice, type Choices, initialState } from './state.ts';
import { slackbotId } from './directory.ts';
import type { Delivered, DeliveryError } from './deliverer.ts';
import type { LabChannel, LabUser, VisibleMessage } from './types.ts';

/** A request of a person that cannot be done; its message is for whoever wrote the request. */
export class PersonError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export interface Say {
  /** Id or handle. */
  user: string;
  /** Id or name. */
  channel: string;
  text: string;
  threadTs?: string | undefined;
}

export type SayResult =
  | { kind: 'message'; ts: string }
  | { kind: 'invited'; users: string[] }
  | { kind: 'slash'; status: 'acked'; latencyMs: number }
  | { kind: 'slash'; status: 'failed'; error: DeliveryError }
  | { kind: 'refused'; text: string };

export interface Press {
  user: string;
  actionId?: string | undefined;
  /** Instead of an action id: the text on the button. */
  label?: string | undefined;
  blockId?: string | undefined;
  channel?: string | undefined;
  ts?: string | undefined;
  /** Instead of channel and ts: an element in a modal or in App Home. */
  viewId?: string | undefined;
  /** What was chosen, for elements that are not buttons. */
  choice?: Choice | undefined;
  /** What else is filled in around it; it goes along in `state.values`. */
  values?: Choices | undefined;
}

export type PressResult = { status: 'acked'; latencyMs: number } | { status: 'failed'; error: DeliveryError };

export function userOf(lab: Lab, idOrName: string): LabUser {
  const user = lab.directory.findUser(idOrName);
  if (user === undefined) {
    throw new PersonError('user-not-found', `There is no user ${idOrName}.`);
  }
  if (user.deleted) {
    throw new PersonError('deactivated', `The account of ${user.name} is deactivated.`);
  }
  return user;
}

/** A conversation that the person is in; the name of the app stands for their direct messages with it. */
export function channelFor(lab: Lab, user: LabUser, idOrName: string): LabChannel {
  const { app } = lab.directory;
  const isApp = idOrName === app.botUserId || idOrName.replace(/^@/, '') === app.name;
  const channel = isApp ? lab.directory.directMessage(user.id) : lab.directory.findChannel(idOrName);
  if (channel === undefined || !channel.members.includes(user.id)) {
    throw new PersonError('channel-not-found', `${user.name} is in no channel ${idOrName}.`);
  }
  return channel;
}

/** Does what Slack's client does with a typed line: slash command, /invite, or message. */
export async function say(lab: Lab, request: Say): Promise<SayResult> {
  const user = userOf(lab, request.user);
  const channel = channelFor(lab, user, request.channel);
  const text = request.text.trim();
  if (text === '') {
    throw new PersonError('empty-text', 'There is nothing to send.');
  }
  if (!text.startsWith('/')) {
    const draft = { user: user.id, text: linkNames(lab, escapeText(text)), threadTs: request.threadTs };
    return { kind: 'message', ts: lab.workspace.post(channel, draft).ts };
  }
  const [command = '', ...words] = text.split(/(?<=^\S+)\s+/);
  if (command === '/invite') {
    return invite(lab, user, channel, words.join(' '));
  }
  // People of another workspace have the commands of their own apps, not of this one.
  if (!lab.directory.app.commands.includes(command) || lab.directory.isExternal(user)) {
    return refuse(
      lab,
      user,
      channel,
      `${command} is not a valid command. In Slack, all messages that start with the "/" character are interpreted as commands.`,
      request.threadTs,
    );
  }
  if (request.threadTs !== undefined) {
    // Wording seen in slackapi/bolt-python#873.
    return refuse(lab, user, channel, `${command} is not supported in threads. Sorry!`, request.threadTs);
  }
  return slash(lab, user, channel, command, words.join(' '));
}

/** What a person sees in a channel or thread, oldest first; `limit` keeps the newest. */
export function messages(
  lab: Lab,
  request: { user: string; channel: string; threadTs?: string | undefined; limit?: number | undefined },
): VisibleMessage[] {
  const user = userOf(lab, request.user);
  const channel = channelFor(lab, user, request.channel);
  return lab.workspace.visibleTo(user.id, channel, request.threadTs).slice(-(request.limit ?? 200));
}

/** Presses a button, or chooses in another interactive element. */
export async function press(lab: Lab, request: Press): Promise<PressResult> {
  const user = userOf(lab, request.user);
  const place = placeOf(lab, user, request);
  const blocks = place.kind === 'view' ? place.view.blocks : (place.message.blocks ?? []);
  const found = findElement(blocks, request);
  if (found === undefined) {
    throw new PersonError('no-such-element', `There is no element ${request.actionId ?? request.label} there.`);
  }
  const action = buildAction(found, request.choice, lab.ids.ts());
  const others = request.values?.[found.blockId] ?? {};
  const own = request.choice === undefined ? {} : { [asText(found.element.action_id)]: request.choice };
  const state = initialState(blocks, { ...request.values, [found.blockId]: { ...others, ...own } });
  const payload = actionPayload(lab, user, place, action, state);
  return withoutResponse(await lab.deliverer.send({ type: 'interactive', payload, acceptsResponsePayload: true }));
}

/** Opens a tab of the app: the app is told, and may publish a view. */
export function openHome(lab: Lab, request: { user: string; tab?: HomeTab | undefined }): void {
  sendHomeOpened(lab, userOf(lab, request.user).id, request.tab ?? 'home');
}

/** Deletes a message: one's own, or any as an admin. */
export function deleteMessage(lab: Lab, request: { user: string; channel: string; ts: string }): void {
  const user = userOf(lab, request.user);
  const channel = channelFor(lab, user, request.channel);
  const ephemeral = lab.workspace.findEphemeral(channel.id, user.id, request.ts);
  if (ephemeral !== undefined) {
    lab.workspace.removeEphemeral(channel, user.id, ephemeral);
    return;
  }
  const message = lab.workspace.find(channel.id, request.ts);
  if (message === undefined) {
    throw new PersonError('message-not-found', `There is no message ${request.ts} in #${channel.name}.`);
  }
  if (message.user !== user.id && !user.isAdmin) {
    throw new PersonError('not-allowed', `${user.name} may delete only their own messages.`);
  }
  lab.workspace.remove(channel, message);
}

async function slash(lab: Lab, user: LabUser, channel: LabChannel, command: string, text: string): Promise<SayResult> {
  const payload = slashPayload(lab, user, channel, command, text);
  const delivery = await lab.deliverer.send({ type: 'slash_commands', payload, acceptsResponsePayload: true });
  if (delivery.status === 'failed') {
    tell(lab, user, channel, `${command} failed with the error "${delivery.error}"`);
    return { kind: 'slash', status: 'failed', error: delivery.error };
  }
  for (const response of delivery.responses) {
    answerSlash(lab, user, channel, `${command} ${text}`.trim(), response);
  }
  return { kind: 'slash', status: 'acked', latencyMs: delivery.latencyMs };
}

/** An acknowledgement with content is the answer; `in_channel` also shows the typed line to everyone. */
function answerSlash(
  lab: Lab,
  user: LabUser,
  channel: LabChannel,
  typed: string,
  response: Record<string, unknown>,
): void {
  if (response.response_type === 'in_channel') {
    lab.workspace.post(channel, { user: user.id, text: escapeText(typed) });
  }
  try {
    respond(lab, { channelId: channel.id, user: user.id }, response);
  } catch (error) {
    if (!(error instanceof ApiError)) {
      throw error;
    }
    tell(lab, user, channel, `${typed.split(' ')[0]} failed with the error "${error.code}"`);
  }
}

function invite(lab: Lab, inviter: LabUser, channel: LabChannel, text: string): SayResult {
  const names = text.split(/[\s,]+/).filter((name) => name !== '');
  const users = names.map((name) => lab.directory.findUser(name));
  const found = users.filter((user) => user !== undefined);
  if (names.length === 0 || found.length < names.length) {
    return refuse(lab, inviter, channel, 'Whoops! One or more of those names is not a member of this workspace.');
  }
  const fresh = found.filter((user) => !channel.members.includes(user.id));
  for (const user of fresh) {
    lab.workspace.join(channel, user.id, inviter.id);
  }
  if (fresh.length === 0) {
    return refuse(lab, inviter, channel, `${names.join(', ')} is already in this channel.`);
  }
  return { kind: 'invited', users: fresh.map((user) => user.id) };
}

function refuse(lab: Lab, user: LabUser, channel: LabChannel, text: string, threadTs?: string): SayResult {
  tell(lab, user, channel, text, threadTs);
  return { kind: 'refused', text };
}

function tell(lab: Lab, user: LabUser, channel: LabChannel, text: string, threadTs?: string): void {
  lab.workspace.postEphemeral(channel, user.id, { user: slackbotId, text, threadTs });
}

function placeOf(lab: Lab, user: LabUser, request: Press): Place {
  if (request.viewId !== undefined) {
    const view = lab.views.find(user.id, request.viewId);
    if (view === undefined) {
      throw new PersonError('view-not-found', `${user.name} has no open view ${request.viewId}.`);
    }
    return { kind: 'view', view };
  }
  const channel = channelFor(lab, user, request.channel ?? '');
  const ts = request.ts ?? '';
  const ephemeral = lab.workspace.findEphemeral(channel.id, user.id, ts);
  const message = ephemeral ?? lab.workspace.find(channel.id, ts);
  if (message === undefined) {
    throw new PersonError('message-not-found', `There is no message ${ts} in #${channel.name}.`);
  }
  return { kind: 'message', channel, message, isEphemeral: ephemeral !== undefined };
}

function withoutResponse(delivery: Delivered): PressResult {
  return delivery.status === 'failed'
    ? { status: 'failed', error: delivery.error }
    : { status: 'acked', latencyMs: delivery.latencyMs };
}

/** Slack escapes three characters of what people type (docs.slack.dev/messaging/formatting-message-text#escaping). */
function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The client turns typed names into references. */
function linkNames(lab: Lab, text: string): string {
  const { users, channels } = lab.directory;
  return text
    .replaceAll(/(?<![\w@])@([a-z0-9._-]+)/g, (all, name: string) => {
      const user = users.find((one) => one.name === name);
      return user === undefined ? all : `<@${user.id}>`;
    })
    .replaceAll(/(?<![\w#&])#([a-z0-9_-]+)/g, (all, name: string) => {
      const channel = channels.find((one) => one.name === name && !one.isIm);
      return channel === undefined ? all : `<#${channel.id}|${channel.name}>`;
    });
}
