import type { Lab } from './lab.ts';
import { channelFor, userOf } from './person.ts';
import type { LabChannel, LabUser, Message } from './types.ts';
import { isInChannel } from './workspace.ts';

/** What one person has not seen of a conversation: messages, and those of them that are for this person. */
export interface Unread {
  count: number;
  /** Direct messages, and messages that mention the person. */
  mentions: number;
}

/** Notes that a person has seen a conversation up to now. */
export function markRead(lab: Lab, request: { user: string; channel: string }): void {
  const user = userOf(lab, request.user);
  const channel = channelFor(lab, user, request.channel);
  lab.readUpTo.set(`${user.id} ${channel.id}`, lab.workspace.all(channel.id).at(-1)?.ts ?? '');
}

/** What everybody has not seen, by handle and conversation id; conversations with nothing new are left out. */
export function unreadOfAll(lab: Lab): Record<string, Record<string, Unread>> {
  const people = lab.directory.users.filter((user) => !user.isBot && !user.deleted);
  return Object.fromEntries(people.map((user) => [user.name, unreadOf(lab, user)]));
}

function unreadOf(lab: Lab, user: LabUser): Record<string, Unread> {
  const mine = lab.directory.channels.filter((channel) => channel.members.includes(user.id));
  const entries = mine.map((channel): [string, Unread] => [channel.id, countIn(lab, user, channel)]);
  return Object.fromEntries(entries.filter(([, { count }]) => count > 0));
}

function countIn(lab: Lab, user: LabUser, channel: LabChannel): Unread {
  const seenTs = lab.readUpTo.get(`${user.id} ${channel.id}`) ?? '';
  const fresh = lab.workspace.all(channel.id).filter(({ ts, user: author }) => ts > seenTs && author !== user.id);
  const forUser = fresh.filter((message) => channel.isIm || mentions(message, user.id));
  const shown = fresh.filter((message) => isInChannel(message) || forUser.includes(message));
  return { count: shown.length, mentions: forUser.length };
}

function mentions({ text, blocks }: Message, userId: string): boolean {
  const reference = `<@${userId}>`;
  return text.includes(reference) || JSON.stringify(blocks ?? []).includes(reference);
}
