import type { AnyBlock, MessageMetadata } from '@slack/types';
import type { Directory } from './directory.ts';
import type { Feed } from './feed.ts';
import type { Ids } from './ids.ts';
import type { Draft, LabChannel, Message, VisibleMessage } from './types.ts';

interface Ephemeral {
  user: string;
  message: Message;
}

export interface Edit {
  text?: string | undefined;
  blocks?: AnyBlock[] | undefined;
  metadata?: MessageMetadata | undefined;
}

/** Every message of the workspace, and the events their changes cause. */
export class Workspace {
  readonly directory: Directory;
  readonly feed: Feed;
  readonly #ids: Ids;
  readonly #messages = new Map<string, Map<string, Message>>();
  readonly #ephemerals = new Map<string, Ephemeral[]>();

  constructor(directory: Directory, feed: Feed, ids: Ids) {
    this.directory = directory;
    this.feed = feed;
    this.#ids = ids;
  }

  /** Messages of a channel, oldest first. */
  all(channelId: string): Message[] {
    return [...(this.#messages.get(channelId)?.values() ?? [])];
  }

  find(channelId: string, ts: string): Message | undefined {
    return this.#messages.get(channelId)?.get(ts);
  }

  /** A parent and its replies, oldest first; empty when there is no such parent. */
  thread(channelId: string, parentTs: string): Message[] {
    return this.all(channelId).filter((message) => message.ts === parentTs || message.thread_ts === parentTs);
  }

  post(channel: LabChannel, draft: Draft): Message {
    const message = this.#build(draft);
    const messages = this.#messages.get(channel.id) ?? new Map<string, Message>();
    this.#messages.set(channel.id, messages);
    if (draft.threadTs !== undefined) {
      message.parent_user_id = messages.get(draft.threadTs)?.user ?? '';
    }
    messages.set(message.ts, message);
    this.#announceNew(channel, message);
    if (draft.threadTs !== undefined) {
      this.#refreshParent(channel, draft.threadTs);
    }
    return message;
  }

  /** Changes a message; text without blocks drops the blocks, missing metadata keeps it (docs.slack.dev, chat.update). */
  edit(channel: LabChannel, message: Message, edit: Edit, editor: string): void {
    if (edit.text !== undefined || edit.blocks !== undefined) {
      message.text = edit.text ?? message.text;
      this.#setBlocks(message, edit.blocks);
      message.edited = { user: editor, ts: this.#ids.ts() };
    }
    if (edit.metadata !== undefined) {
      message.metadata = edit.metadata;
    }
    this.#announceChange(channel, message, { isEdit: true });
  }

  /** Removes a message; a parent that has replies leaves a tombstone, as in Slack. */
  remove(channel: LabChannel, message: Message): void {
    if ((message.reply_count ?? 0) > 0) {
      message.subtype = 'tombstone';
      message.user = 'USLACKBOT';
      message.text = 'This message was deleted.';
      delete message.blocks;
      delete message.metadata;
      delete message.bot_id;
      this.#announceChange(channel, message, { isEdit: true });
      return;
    }
    this.#messages.get(channel.id)?.delete(message.ts);
    const threadTs = message.thread_ts === message.ts ? undefined : message.thread_ts;
    this.feed.publish(
      { type: 'message/deleted', channel: channel.id, ts: message.ts, ...(threadTs === undefined ? {} : { threadTs }) },
      channel.members,
    );
    if (threadTs !== undefined) {
      this.#refreshParent(channel, threadTs);
    }
  }

  react(channel: LabChannel, message: Message, name: string, user: string): boolean {
    message.reactions ??= [];
    const known = message.reactions.find((reaction) => reaction.name === name);
    if (known?.users.includes(user)) {
      return false;
    }
    if (known === undefined) {
      message.reactions.push({ name, users: [user], count: 1 });
    } else {
      known.users.push(user);
      known.count += 1;
    }
    this.#announceChange(channel, message, { isEdit: false });
    return true;
  }

  postEphemeral(channel: LabChannel, user: string, draft: Draft): Message {
    const message = this.#build(draft);
    const list = this.#ephemerals.get(channel.id) ?? [];
    this.#ephemerals.set(channel.id, list);
    list.push({ user, message });
    this.#announceEphemeral('ephemeral/new', channel, user, message);
    return message;
  }

  findEphemeral(channelId: string, user: string, ts: string): Message | undefined {
    return this.#ephemerals.get(channelId)?.find((one) => one.user === user && one.message.ts === ts)?.message;
  }

  editEphemeral(channel: LabChannel, user: string, message: Message, edit: Edit): void {
    message.text = edit.text ?? message.text;
    this.#setBlocks(message, edit.blocks);
    this.#announceEphemeral('ephemeral/changed', channel, user, message);
  }

  removeEphemeral(channel: LabChannel, user: string, message: Message): void {
    const list = this.#ephemerals.get(channel.id) ?? [];
    this.#ephemerals.set(
      channel.id,
      list.filter((one) => one.message !== message),
    );
    const thread = message.thread_ts === undefined ? {} : { threadTs: message.thread_ts };
    this.feed.publish({ type: 'ephemeral/deleted', channel: channel.id, user, ts: message.ts, ...thread }, [user]);
  }

  /** What one person sees in a channel (roots and broadcast replies) or in a thread, oldest first. */
  visibleTo(user: string, channel: LabChannel, threadTs?: string): VisibleMessage[] {
    if (!channel.members.includes(user)) {
      return [];
    }
    const shared =
      threadTs === undefined
        ? this.all(channel.id).filter((message) => isInChannel(message))
        : this.thread(channel.id, threadTs);
    const own = (this.#ephemerals.get(channel.id) ?? [])
      .filter((one) => one.user === user && one.message.thread_ts === threadTs)
      .map((one) => toVisible(channel.id, one.message, true));
    return [...shared.map((message) => toVisible(channel.id, message, false)), ...own].sort((a, b) =>
      a.ts.localeCompare(b.ts),
    );
  }

  /** Takes someone out of a channel, as an admin or `/remove` does. */
  leave(channel: LabChannel, user: string): void {
    channel.members.splice(channel.members.indexOf(user), 1);
    this.feed.publish({ type: 'channel/changed', channel: channel.id, members: channel.members });
    this.post(channel, { user, text: `<@${user}> has left the channel`, subtype: 'channel_leave' });
  }

  join(channel: LabChannel, user: string, inviter: string): void {
    channel.members.push(user);
    this.feed.publish({ type: 'channel/changed', channel: channel.id, members: channel.members });
    this.post(channel, { user, text: `<@${user}> has joined the channel`, subtype: 'channel_join', inviter });
  }

  #build(draft: Draft): Message {
    const { team, app } = this.directory;
    const message: Message = {
      type: 'message',
      ts: this.#ids.ts(),
      user: draft.user,
      team: team.id,
      text: draft.text,
    };
    const author = this.directory.findUser(draft.user);
    if (author !== undefined && this.directory.isExternal(author)) {
      Object.assign(message, { team: author.teamId, user_team: author.teamId, source_team: author.teamId });
    }
    if (draft.user === app.botUserId && draft.subtype !== 'channel_join' && draft.subtype !== 'channel_leave') {
      message.bot_id = app.botId;
      message.app_id = app.appId;
      message.bot_profile = {
        id: app.botId,
        app_id: app.appId,
        name: app.name,
        team_id: team.id,
        deleted: false,
        updated: 1_700_000_000,
      };
    }
    if (draft.subtype !== undefined) message.subtype = draft.subtype;
    if (draft.inviter !== undefined) message.inviter = draft.inviter;
    if (draft.threadTs !== undefined) message.thread_ts = draft.threadTs;
    if (draft.metadata !== undefined) message.metadata = draft.metadata;
    if (draft.files !== undefined) message.files = draft.files;
    this.#setBlocks(message, draft.blocks);
    return message;
  }

  /** Slack gives every block without an id a generated one. */
  #setBlocks(message: Message, blocks: AnyBlock[] | undefined): void {
    delete message.blocks;
    if (blocks !== undefined && blocks.length > 0) {
      message.blocks = blocks.map((block) => ({ ...block, block_id: block.block_id ?? this.#ids.secret(3) }));
    }
  }

  #refreshParent(channel: LabChannel, parentTs: string): void {
    const parent = this.find(channel.id, parentTs);
    if (parent === undefined) {
      return;
    }
    const replies = this.thread(channel.id, parentTs).filter((message) => message !== parent);
    parent.thread_ts = parentTs;
    parent.reply_count = replies.length;
    parent.reply_users = [...new Set(replies.map((reply) => reply.user))];
    parent.reply_users_count = parent.reply_users.length;
    parent.latest_reply = replies.at(-1)?.ts ?? parentTs;
    this.#announceChange(channel, parent, { isEdit: false });
  }

  #announceNew(channel: LabChannel, message: Message): void {
    const visible = toVisible(channel.id, message, false);
    this.feed.publish({ type: 'message/new', channel: channel.id, message: visible }, channel.members);
  }

  #announceChange(channel: LabChannel, message: Message, change: { isEdit: boolean }): void {
    const visible = toVisible(channel.id, message, false);
    this.feed.publish({ type: 'message/changed', channel: channel.id, message: visible, ...change }, channel.members);
  }

  #announceEphemeral(
    type: 'ephemeral/new' | 'ephemeral/changed',
    channel: LabChannel,
    user: string,
    message: Message,
  ): void {
    this.feed.publish({ type, channel: channel.id, user, message: toVisible(channel.id, message, true) }, [user]);
  }
}

/** Whether a message stands in the channel itself, not only in a thread. */
export function isInChannel(message: Message): boolean {
  return message.thread_ts === undefined || message.thread_ts === message.ts || message.subtype === 'thread_broadcast';
}

function toVisible(channel: string, message: Message, isEphemeral: boolean): VisibleMessage {
  const { metadata: _hidden, ...rest } = message;
  return { ...rest, channel, is_ephemeral: isEphemeral };
}
