import type { Lab } from './lab.ts';
import { PersonError, userOf } from './person.ts';

/** Puts someone into a user group or channel, or takes them out. */
export interface Membership {
  user: string;
  /** Id or handle of a user group (`dpu-approvers`), or id or name of a channel. */
  group?: string | undefined;
  channel?: string | undefined;
  member: boolean;
}

/** Changes of an account. */
export interface Account {
  user: string;
  deleted?: boolean | undefined;
  isRestricted?: boolean | undefined;
}

/** What an admin of the workspace does with user groups and channels; the app hears of it as an event. */
export function setMembership(lab: Lab, request: Membership): void {
  const user = userOf(lab, request.user);
  const name = request.group?.replace(/^@/, '');
  const group = lab.directory.groups.find((one) => one.id === name || one.handle === name);
  if (group !== undefined) {
    setGroup(lab, group.id, user.id, request.member);
    return;
  }
  const channel = request.channel === undefined ? undefined : lab.directory.findChannel(request.channel);
  if (channel === undefined || channel.isIm) {
    throw new PersonError('not-found', `There is no user group or channel ${request.group ?? request.channel ?? ''}.`);
  }
  const isMember = channel.members.includes(user.id);
  if (request.member && !isMember) {
    lab.workspace.join(channel, user.id, user.id);
  } else if (!request.member && isMember) {
    lab.workspace.leave(channel, user.id);
  }
}

/** Deactivates an account or brings it back, makes a guest of it or a full member. */
export function setAccount(lab: Lab, request: Account): void {
  const user = lab.directory.findUser(request.user);
  if (user === undefined || user.isBot) {
    throw new PersonError('user-not-found', `There is no person ${request.user}.`);
  }
  user.deleted = request.deleted ?? user.deleted;
  user.isRestricted = request.isRestricted ?? user.isRestricted;
  lab.feed.publish({ type: 'user/changed', user: user.id });
}

function setGroup(lab: Lab, groupId: string, userId: string, member: boolean): void {
  const group = lab.directory.groups.find((one) => one.id === groupId);
  if (group === undefined || group.users.includes(userId) === member) {
    return;
  }
  group.users = member ? [...group.users, userId] : group.users.filter((one) => one !== userId);
  const beforeSec = group.updatedSec ?? 1_700_000_000;
  const nowSec = Math.floor(lab.clock.nowMs() / 1000);
  group.updatedSec = nowSec;
  const change = { added: member ? [userId] : [], removed: member ? [] : [userId] };
  lab.feed.publish({ type: 'group/changed', group: groupId, ...change, beforeSec, nowSec });
}
