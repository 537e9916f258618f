import type {
  ChatDeleteResponse,
  ChatGetPermalinkResponse,
  ChatPostEphemeralResponse,
  ChatPostMessageResponse,
  ChatUpdateResponse,
  ReactionsAddResponse,
} from '@slack/web-api';
import type { LabChannel } from '../types.ts';
import {
  type Answer,
  ApiError,
  type Call,
  channelOf,
  flag,
  joinedChannelOf,
  messageOf,
  type Method,
  optionalString,
  requiredString,
} from './call.ts';
import { contentOf } from './content.ts';

/** chat.update refuses longer texts (docs.slack.dev/reference/methods/chat.update, msg_too_long). */
const maxUpdateText = 4_000;

/** chat.* and reactions.add (docs.slack.dev/reference/methods). */
export const chatMethods: Record<string, Method> = {
  'chat.postMessage': postMessage,
  'chat.update': update,
  'chat.delete': remove,
  'chat.postEphemeral': postEphemeral,
  'chat.getPermalink': getPermalink,
  'reactions.add': addReaction,
};

function postMessage(call: Call): Answer<ChatPostMessageResponse, 'message'> {
  const channel = joinedChannelOf(call);
  const { text, blocks, metadata } = contentOf(call);
  if (text === undefined && (blocks === undefined || blocks.length === 0)) {
    throw new ApiError('no_text');
  }
  const threadTs = threadOf(call, channel);
  const broadcast = threadTs !== undefined && flag(call.args, 'reply_broadcast');
  const files = unfurls(call) ? call.lab.files.linkedFrom(text ?? '') : [];
  const message = call.lab.workspace.post(channel, {
    user: call.lab.directory.app.botUserId,
    text: text ?? '',
    blocks,
    metadata,
    threadTs,
    subtype: broadcast ? 'thread_broadcast' : undefined,
    files: files.length === 0 ? undefined : files,
  });
  for (const file of files) {
    call.lab.files.share(file, channel, message.ts, threadTs);
  }
  return { channel: channel.id, ts: message.ts, message };
}

/** Links of a message are shown as what they lead to, unless the call says no (docs.slack.dev, chat.postMessage). */
function unfurls({ args }: Call): boolean {
  return [args.unfurl_links, args.unfurl_media].every((value) => value !== false && value !== 'false');
}

/** A reply needs a parent that is there (slackapi/bolt-js#2307) and is not itself a reply. */
function threadOf({ lab, args }: Call, channel: LabChannel): string | undefined {
  const threadTs = optionalString(args, 'thread_ts');
  if (threadTs === undefined) {
    return undefined;
  }
  const parent = lab.workspace.find(channel.id, threadTs);
  if (parent === undefined) {
    throw new ApiError('thread_not_found');
  }
  if (parent.thread_ts !== undefined && parent.thread_ts !== parent.ts) {
    throw new ApiError('cannot_reply_to_message');
  }
  return threadTs;
}

function update(call: Call): Answer<ChatUpdateResponse, 'message'> {
  const { lab, args } = call;
  const channel = channelOf(call);
  const message = messageOf(call, channel, 'ts');
  if (message.bot_id !== lab.directory.app.botId) {
    throw new ApiError('cant_update_message');
  }
  if ((optionalString(args, 'text')?.length ?? 0) > maxUpdateText) {
    throw new ApiError('msg_too_long');
  }
  const edit = contentOf(call);
  if (edit.text === undefined && edit.blocks === undefined && edit.metadata === undefined) {
    throw new ApiError('no_text');
  }
  lab.workspace.edit(channel, message, edit, lab.directory.app.botUserId);
  return { channel: channel.id, ts: message.ts, text: message.text, message };
}

function remove(call: Call): Answer<ChatDeleteResponse> {
  const channel = channelOf(call);
  const message = messageOf(call, channel, 'ts');
  if (message.bot_id !== call.lab.directory.app.botId) {
    throw new ApiError('cant_delete_message');
  }
  call.lab.workspace.remove(channel, message);
  return { channel: channel.id, ts: message.ts };
}

function postEphemeral(call: Call): Answer<ChatPostEphemeralResponse> {
  const { lab, args } = call;
  const channel = joinedChannelOf(call);
  const user = requiredString(args, 'user');
  if (!channel.members.includes(user)) {
    throw new ApiError('user_not_in_channel');
  }
  const { text, blocks } = contentOf(call);
  if (text === undefined && (blocks === undefined || blocks.length === 0)) {
    throw new ApiError('no_text');
  }
  const message = lab.workspace.postEphemeral(channel, user, {
    user: lab.directory.app.botUserId,
    text: text ?? '',
    blocks,
    threadTs: optionalString(args, 'thread_ts'),
  });
  return { message_ts: message.ts };
}

function getPermalink(call: Call): Answer<ChatGetPermalinkResponse> {
  const channel = channelOf(call);
  const message = messageOf(call, channel, 'message_ts');
  const thread =
    message.thread_ts === undefined || message.thread_ts === message.ts ? '' : `&thread=${message.thread_ts}`;
  return { channel: channel.id, permalink: `${call.lab.origin}/#channel=${channel.id}&ts=${message.ts}${thread}` };
}

function addReaction(call: Call): Answer<ReactionsAddResponse> {
  const channel = joinedChannelOf(call);
  const message = messageOf(call, channel, 'timestamp');
  const name = requiredString(call.args, 'name');
  if (!/^[a-z0-9_+'-]+(::skin-tone-[2-6])?$/.test(name)) {
    throw new ApiError('invalid_name');
  }
  if (!call.lab.workspace.react(channel, message, name, call.lab.directory.app.botUserId)) {
    throw new ApiError('already_reacted');
  }
  return {};
}
