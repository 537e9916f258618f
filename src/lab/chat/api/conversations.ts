import type {
  ConversationsHistoryResponse,
  ConversationsInfoResponse,
  ConversationsListResponse,
  ConversationsMembersResponse,
  ConversationsOpenResponse,
  ConversationsRepliesResponse,
} from '@slack/web-api';
import type { Lab } from '../lab.ts';
import { scopes } from './scopes.ts';
import type { LabChannel, Message } from '../types.ts';
import { isInChannel } from '../workspace.ts';
import {
  type Answer,
  ApiError,
  type Call,
  channelOf,
  flag,
  joinedChannelOf,
  limitOf,
  type Method,
  optionalString,
  page,
  requiredString,
} from './call.ts';

/** conversations.* (docs.slack.dev/reference/methods). */
export const conversationMethods: Record<string, Method> = {
  'conversations.history': history,
  'conversations.replies': replies,
  'conversations.info': info,
  'conversations.members': members,
  'conversations.open': open,
  'conversations.list': list,
};

/** Newest first, without replies that are only in threads. */
function history(call: Call): Answer<ConversationsHistoryResponse, 'messages'> {
  const { lab, args } = call;
  const channel = joinedChannelOf(call);
  const inRange = rangeOf(args);
  const found = lab.workspace
    .all(channel.id)
    .filter((message) => isInChannel(message) && inRange(message))
    .reverse();
  const { items, nextCursor } = page(args, found, limitOf(args, 100, 999));
  return {
    messages: items.map((message) => withMetadata(message, args)),
    has_more: nextCursor !== '',
    pin_count: 0,
    response_metadata: { next_cursor: nextCursor },
  };
}

/** The parent first, on every page, then its replies from old to new. */
function replies(call: Call): Answer<ConversationsRepliesResponse, 'messages'> {
  const { lab, args } = call;
  const channel = joinedChannelOf(call);
  const ts = requiredString(args, 'ts');
  const parent = lab.workspace.find(channel.id, ts);
  if (parent === undefined) {
    throw new ApiError('thread_not_found');
  }
  const inRange = rangeOf(args);
  const found = lab.workspace.thread(channel.id, ts).filter((message) => message !== parent && inRange(message));
  const { items, nextCursor } = page(args, found, limitOf(args, 1_000, 1_000));
  return {
    messages: [parent, ...items].map((message) => withMetadata(message, args)),
    has_more: nextCursor !== '',
    response_metadata: { next_cursor: nextCursor },
  };
}

function info(call: Call): Answer<ConversationsInfoResponse, 'channel'> {
  const channel = channelOf(call);
  return { channel: describe(call.lab, channel) };
}

function members(call: Call): Answer<ConversationsMembersResponse> {
  const channel = channelOf(call);
  const { items, nextCursor } = page(call.args, channel.members, limitOf(call.args, 100, 1_000));
  return { members: items, response_metadata: { next_cursor: nextCursor } };
}

function open({ lab, args }: Call): Answer<ConversationsOpenResponse, 'channel'> {
  const known = optionalString(args, 'channel');
  const users = optionalString(args, 'users')?.split(',') ?? [];
  const user = lab.directory.users.find((one) => one.id === users[0]);
  if (known !== undefined && lab.directory.findChannel(known) !== undefined) {
    return { channel: { id: known }, no_op: true, already_open: true };
  }
  if (known !== undefined) {
    throw new ApiError('channel_not_found');
  }
  if (users.length === 0) {
    throw new ApiError('users_list_not_supplied');
  }
  if (users.length > 1) {
    // A conversation of several needs a scope of its own, which this app does not have.
    throw new ApiError('missing_scope', { needed: 'mpim:write', provided: scopes });
  }
  if (user === undefined || user.id === lab.directory.app.botUserId) {
    throw new ApiError('user_not_found');
  }
  if (user.deleted) {
    throw new ApiError('user_disabled');
  }
  const isKnown = lab.directory.findChannel(lab.directory.directMessageId(user.id)) !== undefined;
  const channel = lab.directory.directMessage(user.id);
  return {
    channel: flag(args, 'return_im') ? describe(lab, channel) : { id: channel.id },
    ...(isKnown && { no_op: true, already_open: true }),
  };
}

function list({ lab, args }: Call): Answer<ConversationsListResponse, 'channels'> {
  const types = (optionalString(args, 'types') ?? 'public_channel').split(',');
  const wanted = lab.directory.channels.filter((channel) => types.includes(channel.isIm ? 'im' : 'public_channel'));
  const { items, nextCursor } = page(args, wanted, limitOf(args, 100, 999));
  return {
    channels: items.map((channel) => describe(lab, channel)),
    response_metadata: { next_cursor: nextCursor },
  };
}

function describe(lab: Lab, channel: LabChannel): Record<string, unknown> {
  if (channel.isIm) {
    return { id: channel.id, is_im: true, user: channel.members[0], is_archived: false, is_org_shared: false };
  }
  return {
    id: channel.id,
    name: channel.name,
    name_normalized: channel.name,
    is_channel: true,
    is_group: false,
    is_im: false,
    is_mpim: false,
    is_private: false,
    is_archived: false,
    is_general: false,
    is_shared: channel.isShared === true,
    is_ext_shared: channel.isShared === true,
    is_org_shared: false,
    is_member: lab.directory.botIsMember(channel),
    creator: channel.members[0],
    num_members: channel.members.length,
    topic: { value: '', creator: '', last_set: 0 },
    purpose: { value: channel.purpose, creator: '', last_set: 0 },
  };
}

/** `oldest` and `latest` are exclusive unless `inclusive` is set. */
function rangeOf(args: Call['args']): (message: Message) => boolean {
  const oldest = optionalString(args, 'oldest');
  const latest = optionalString(args, 'latest');
  const inclusive = flag(args, 'inclusive');
  return ({ ts }) => {
    const afterOldest = oldest === undefined || compare(ts, oldest) > 0 || (inclusive && compare(ts, oldest) === 0);
    const beforeLatest = latest === undefined || compare(ts, latest) < 0 || (inclusive && compare(ts, latest) === 0);
    return afterOldest && beforeLatest;
  };
}

/** Timestamps differ in whole microseconds, which a double cannot hold together with today's seconds. */
function compare(a: string, b: string): number {
  const micros = (ts: string): bigint => {
    const [seconds = '0', fraction = ''] = ts.split('.');
    return BigInt(seconds.replace(/\D/g, '') || '0') * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
  };
  const difference = micros(a) - micros(b);
  return difference === 0n ? 0 : difference > 0n ? 1 : -1;
}

/** Without `include_all_metadata` a message comes without its metadata. */
function withMetadata(message: Message, args: Call['args']): Message {
  if (flag(args, 'include_all_metadata') || message.metadata === undefined) {
    return message;
  }
  const { metadata: _left, ...rest } = message;
  return rest;
}
