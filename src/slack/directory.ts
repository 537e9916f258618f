import { setTimeout as sleep } from 'node:timers/promises';
import type { WebClient } from '@slack/web-api';
import type { Clock } from '../domain/device-ports.ts';
import type { Directory, GroupMembers, Person } from '../domain/ports.ts';
import type { OpsError } from '../errors.ts';
import { errors } from '../errors.ts';
import { chatFaultOf } from './chat-client.ts';
import type { Wait } from './log.ts';
import { RateBudget } from './rate-budget.ts';
import { SharedRead } from './shared-read.ts';
import { slackErrorCode } from './web-client.ts';

/** Rights come from the chat; what was read is used for at most this long, and never for an approval. */
export const DIRECTORY_CACHE_MS = 5 * 60_000;
const CAN_POST_CACHE_MS = 30_000;
const MAX_CACHED = 5000;
/** usergroups.list is a tier 2 method, 20 a minute: at most so many at once, and so many a minute after that. */
const GROUP_READS = { burst: 10, perMinute: 10 };

export interface DirectoryOptions {
  readonly client: Pick<WebClient, 'users' | 'usergroups' | 'conversations'>;
  readonly clock: Clock;
  /** Team of the bot: people of another one are external. */
  readonly teamId: string;
  /** Waiting on the wall clock; a test gives its own. */
  readonly wait?: Wait;
}

interface Cached<T> {
  readonly value: T;
  readonly atMs: number;
}

/**
 * People, their user groups, and channels, read from Slack. Errors: slack-unavailable, because rights that could not be
 * read are not there.
 */
export function createDirectory(options: DirectoryOptions): Directory & GroupMembers {
  const people = new Map<string, Cached<Person>>();
  const channels = new Map<string, Cached<boolean>>();
  let groups: Cached<ReadonlyMap<string, readonly string[]>> | undefined;
  const wait: Wait = options.wait ?? (async (ms, stop) => sleep(ms, undefined, { signal: stop }));
  // Each approval asks for rights that are read after the click, and people approve a rack at a time.
  const groupReads = new SharedRead(new RateBudget({ ...GROUP_READS, clock: options.clock, wait }), async () =>
    readGroups(options.client),
  );

  async function membership(fresh: boolean): Promise<ReadonlyMap<string, readonly string[]>> {
    if (!fresh && groups !== undefined && young(groups, DIRECTORY_CACHE_MS, options.clock)) return groups.value;
    groups = { value: await groupReads.get(), atMs: options.clock.nowMs() };
    return groups.value;
  }

  return {
    async person(userId, { fresh }) {
      const known = people.get(userId);
      if (!fresh && known !== undefined && young(known, DIRECTORY_CACHE_MS, options.clock)) return known.value;
      const reading = Promise.all([readProfile(options, userId), membership(fresh)]);
      const [profile, byGroup] = await reading.catch((error: unknown) => {
        throw unavailable('for your rights', error);
      });
      const userGroups = [...byGroup].flatMap(([group, members]) => (members.includes(userId) ? group.split(' ') : []));
      const person = { ...profile, userGroups };
      remember(people, userId, { value: person, atMs: options.clock.nowMs() });
      return person;
    },
    async members(wanted) {
      const byGroup = await membership(false).catch((error: unknown) => {
        throw unavailable('who is in a user group', error);
      });
      const isWanted = (key: string): boolean => key.split(' ').some((name) => wanted.includes(name));
      return [...new Set([...byGroup].flatMap(([key, members]) => (isWanted(key) ? members : [])))];
    },
    async canPost(channel) {
      const known = channels.get(channel);
      // Only the good news is kept: after an /invite the next try has to see it.
      if (known?.value === true && young(known, CAN_POST_CACHE_MS, options.clock)) return true;
      const value = await readCanPost(options.client, channel).catch((error: unknown) => {
        throw unavailable('whether dpubot may post here', error);
      });
      remember(channels, channel, { value, atMs: options.clock.nowMs() });
      return value;
    },
  };
}

function young<T>(cached: Cached<T>, maxAgeMs: number, clock: Clock): boolean {
  return clock.nowMs() - cached.atMs < maxAgeMs;
}

function unavailable(question: string, error: unknown): OpsError {
  const fault = chatFaultOf(error);
  switch (fault.kind) {
    case 'rate-limited':
      return errors.slackUnavailable({ question, why: `It takes no questions for ${fault.retryAfterMs / 1000} s.` });
    case 'refused':
      return errors.slackUnavailable({ question, why: `It refuses: ${fault.error}.` });
    case 'unsent':
    case 'unknown':
      return errors.slackUnavailable({ question, why: `It does not answer: ${fault.reason}.` });
  }
}

/** Keeps the cache small: the oldest entry goes when it is full. */
function remember<T>(cache: Map<string, Cached<T>>, key: string, value: Cached<T>): void {
  cache.delete(key);
  const oldest = cache.size >= MAX_CACHED ? cache.keys().next().value : undefined;
  if (oldest !== undefined) cache.delete(oldest);
  cache.set(key, value);
}

async function readProfile(options: DirectoryOptions, userId: string): Promise<Omit<Person, 'userGroups'>> {
  try {
    const { user } = await options.client.users.info({ user: userId });
    if (user === undefined) throw new Error('users.info answered without a user');
    const teamId = user.team_id ?? '';
    const names = [user.profile?.display_name, user.real_name, user.name, userId];
    return {
      userId,
      teamId,
      displayName: names.find((name) => name !== undefined && name !== '') ?? userId,
      active: user.deleted !== true && user.is_bot !== true,
      guest: user.is_restricted === true || user.is_ultra_restricted === true,
      external: user.is_stranger === true || teamId !== options.teamId,
      timeZone: user.tz ?? 'UTC',
    };
  } catch (error) {
    const code = slackErrorCode(error);
    if (code !== 'user_not_found' && code !== 'user_not_visible') throw error;
    // Somebody of another workspace whom this bot may not even see.
    return { userId, teamId: '', displayName: userId, active: false, guest: false, external: true, timeZone: 'UTC' };
  }
}

/**
 * Members by group; the key holds id and handle, since an inventory may name a group by either. One call for all groups:
 * usergroups.users.list would be one per group, and both are limited to 20 a minute.
 */
async function readGroups(client: DirectoryOptions['client']): Promise<Map<string, readonly string[]>> {
  const { usergroups = [] } = await client.usergroups.list({ include_users: true, include_disabled: false });
  return new Map(
    usergroups.flatMap(({ id, handle, users = [] }) =>
      id === undefined ? [] : [[handle === undefined ? id : `${id} ${handle}`, users] as const],
    ),
  );
}

async function readCanPost(client: DirectoryOptions['client'], channel: string): Promise<boolean> {
  try {
    const { channel: info } = await client.conversations.info({ channel });
    if (info === undefined || info.is_archived === true) return false;
    return info.is_im === true || info.is_member === true;
  } catch (error) {
    const code = slackErrorCode(error);
    if (code === 'channel_not_found' || code === 'not_in_channel') return false;
    throw error;
  }
}
