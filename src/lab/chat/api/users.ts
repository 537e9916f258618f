import type {
  AuthTestResponse,
  UsergroupsListResponse,
  UsergroupsUsersListResponse,
  UsersInfoResponse,
  UsersListResponse,
} from '@slack/web-api';
import type { Lab } from '../lab.ts';
import type { LabGroup, LabUser } from '../types.ts';
import { type Answer, ApiError, type Call, flag, limitOf, type Method, page, requiredString } from './call.ts';

/** auth.test, users.* and usergroups.* (docs.slack.dev/reference/methods). */
export const userMethods: Record<string, Method> = {
  'auth.test': authTest,
  'users.info': userInfo,
  'users.list': userList,
  'usergroups.list': groupList,
  'usergroups.users.list': groupUsers,
};

function authTest({ lab }: Call): Answer<AuthTestResponse> {
  const { team, app } = lab.directory;
  return {
    url: `${lab.origin}/`,
    team: team.name,
    team_id: team.id,
    user: app.name,
    user_id: app.botUserId,
    bot_id: app.botId,
    is_enterprise_install: false,
  };
}

function userInfo({ lab, args }: Call): Answer<UsersInfoResponse, 'user'> {
  const id = requiredString(args, 'user');
  const user = lab.directory.users.find((one) => one.id === id);
  if (user === undefined) {
    throw new ApiError('user_not_found');
  }
  return { user: describeUser(lab, user, flag(args, 'include_locale')) };
}

function userList({ lab, args }: Call): Answer<UsersListResponse, 'members'> {
  const own = lab.directory.users.filter((user) => !lab.directory.isExternal(user));
  const { items, nextCursor } = page(args, own, limitOf(args, 1_000, 1_000));
  return {
    members: items.map((user) => describeUser(lab, user, flag(args, 'include_locale'))),
    cache_ts: Math.floor(lab.clock.nowMs() / 1000),
    response_metadata: { next_cursor: nextCursor },
  };
}

function groupList({ lab, args }: Call): Answer<UsergroupsListResponse, 'usergroups'> {
  return {
    usergroups: lab.directory.groups.map((group) => ({
      ...describeGroup(group, lab.directory.team.id),
      ...(flag(args, 'include_users') && { users: group.users }),
      ...(flag(args, 'include_count') && { user_count: group.users.length }),
    })),
  };
}

function groupUsers({ lab, args }: Call): Answer<UsergroupsUsersListResponse> {
  const id = requiredString(args, 'usergroup');
  const group = lab.directory.groups.find((one) => one.id === id);
  if (group === undefined) {
    throw new ApiError('no_such_subteam');
  }
  return { users: group.users };
}

function describeUser(lab: Lab, user: LabUser, withLocale: boolean): Record<string, unknown> {
  return {
    id: user.id,
    team_id: user.teamId,
    name: user.name,
    deleted: user.deleted,
    real_name: user.realName,
    tz: user.tz,
    tz_label: user.tz,
    tz_offset: user.tzOffsetSec,
    profile: {
      real_name: user.realName,
      display_name: user.name,
      email: `${user.name}@lab.invalid`,
      team: user.teamId,
    },
    is_admin: user.isAdmin,
    is_owner: false,
    is_primary_owner: false,
    is_restricted: user.isRestricted,
    is_ultra_restricted: user.isUltraRestricted,
    is_bot: user.isBot,
    is_app_user: false,
    ...(isStranger(lab, user) && { is_stranger: true }),
    updated: 1_700_000_000,
    ...(withLocale && { locale: user.locale }),
  };
}

/** Of another workspace, and in no channel that the app is in (docs.slack.dev/reference/objects/user-object). */
function isStranger({ directory }: Lab, user: LabUser): boolean {
  const seesThem = directory.channels.some((one) => directory.botIsMember(one) && one.members.includes(user.id));
  return directory.isExternal(user) && !seesThem;
}

function describeGroup(group: LabGroup, teamId: string): Record<string, unknown> {
  return {
    id: group.id,
    team_id: teamId,
    is_usergroup: true,
    is_subteam: true,
    name: group.name,
    handle: group.handle,
    description: '',
    is_external: false,
    date_create: 1_700_000_000,
    date_update: group.updatedSec ?? 1_700_000_000,
    date_delete: 0,
    prefs: { channels: [], groups: [] },
  };
}
