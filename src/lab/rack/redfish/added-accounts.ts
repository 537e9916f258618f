/**
 * Accounts besides root: adding, changing, removing them.
 *
 * Source: bmcweb redfish-core/lib/account_service.hpp (limits, replies); ManagerAccount schema.
 */
import { endSessions, passwordProblem } from '../accounts.ts';
import type { AccountRecord, AccountRole } from '../bmc-state.ts';
import type { CardState, Rack } from '../state.ts';
import type { Caller } from './auth.ts';
import { errorBody, fail, failProperty, message, success } from './messages.ts';
import { wrongType } from './patch.ts';
import type { PatchableResource, Writer } from './patch.ts';
import type { Json, JsonObject, RouteReply } from './types.ts';

export const accountsPath = '/redfish/v1/AccountService/Accounts';
/** Accounts the firmware brings along. */
const builtIn = ['NvBluefieldUefi0', 'NvBluefieldUefi1', 'root'];
const maxAccounts = 15;
const roles: AccountRole[] = ['Administrator', 'Operator', 'ReadOnly'];

function isRole(value: Json | undefined): value is AccountRole {
  return roles.some((role) => role === value);
}

/** The added account a path means, or null. */
export function addedAccount(card: CardState, path: string): AccountRecord | null {
  if (!path.startsWith(`${accountsPath}/`)) return null;
  return card.bmc.accounts.find((each) => `${accountsPath}/${each.user}` === path) ?? null;
}

/** The collection with the added accounts in it. */
export function accountCollection(card: CardState, base: JsonObject | undefined): JsonObject | null {
  if (base === undefined) return null;
  const names = [...builtIn, ...card.bmc.accounts.map((each) => each.user)];
  return {
    ...base,
    Members: names.map((name) => ({ '@odata.id': `${accountsPath}/${name}` })),
    'Members@odata.count': names.length,
  };
}

/** An added account as GET shows it, or null. */
export function accountResource(rack: Rack, card: CardState, path: string): JsonObject | null {
  const account = addedAccount(card, path);
  if (account === null) return null;
  return {
    '@odata.id': path,
    '@odata.type': '#ManagerAccount.v1_7_0.ManagerAccount',
    AccountTypes: ['Redfish', 'WebUI'],
    Description: 'User Account',
    Enabled: account.enabled,
    Id: account.user,
    Links: { Role: { '@odata.id': `/redfish/v1/AccountService/Roles/${account.role}` } },
    Locked: rack.nowMs() < account.lockedUntilMs,
    'Locked@Redfish.AllowableValues': ['false'],
    Name: 'User Account',
    Password: null,
    PasswordChangeRequired: false,
    RoleId: account.role,
    StrictAccountTypes: true,
    UserName: account.user,
  };
}

function problemWith(card: CardState, body: JsonObject): RouteReply | null {
  for (const name of Object.keys(body)) {
    if (!['UserName', 'Password', 'RoleId', 'Enabled'].includes(name)) {
      return failProperty(name, 'PropertyUnknown', [name]);
    }
  }
  const { UserName: user, Password: password, RoleId: role, Enabled: enabled } = body;
  if (user === undefined) return fail(400, 'PropertyMissing', ['UserName']);
  if (password === undefined) return fail(400, 'PropertyMissing', ['Password']);
  if (typeof user !== 'string') return wrongType('UserName', user);
  if (typeof password !== 'string') return wrongType('Password', password);
  if (enabled !== undefined && typeof enabled !== 'boolean') return wrongType('Enabled', enabled);
  if (!/^[A-Za-z_][\w-]{0,31}$/.test(user))
    return failProperty('UserName', 'PropertyValueFormatError', [user, 'UserName']);
  if (role !== undefined && !isRole(role)) {
    return failProperty('RoleId', 'PropertyValueNotInList', [JSON.stringify(role), 'RoleId']);
  }
  if (builtIn.includes(user) || card.bmc.accounts.some((each) => each.user === user)) {
    return fail(400, 'ResourceAlreadyExists', ['ManagerAccount', 'UserName', user]);
  }
  if (builtIn.length + card.bmc.accounts.length >= maxAccounts) return fail(400, 'CreateLimitReachedForResource');
  if (passwordProblem(password) === null) return null;
  return failProperty('Password', 'PropertyValueFormatError', ['null', 'Password']);
}

/** POST to the collection. */
export function createAccount(card: CardState, body: JsonObject): RouteReply {
  const problem = problemWith(card, body);
  if (problem !== null) return problem;
  const { UserName: user, Password: password, RoleId: role } = body;
  if (typeof user !== 'string' || typeof password !== 'string') return fail(500, 'InternalError');
  card.bmc.accounts.push({
    user,
    password,
    role: isRole(role) ? role : 'ReadOnly',
    enabled: body['Enabled'] !== false,
    failedLogins: 0,
    lockedUntilMs: 0,
  });
  return {
    status: 201,
    json: { '@Message.ExtendedInfo': [message('Base', 'Created')] },
    headers: { Location: `${accountsPath}/${user}` },
  };
}

/** DELETE of an added account; its sessions end. */
export function deleteAccount(card: CardState, path: string): RouteReply {
  const account = addedAccount(card, path);
  if (account === null) return { status: 405, json: errorBody([message('Base', 'ResourceCannotBeDeleted')]) };
  card.bmc.accounts = card.bmc.accounts.filter((each) => each !== account);
  endSessions(card, account.user, null);
  return { status: 200, json: { '@Message.ExtendedInfo': [message('Base', 'AccountRemoved')] } };
}

/** What can be written in an added account; its own user may change the password only. */
export function addedAccountPatch(path: string, caller: Caller): PatchableResource {
  const change = (apply: (account: AccountRecord) => void, card: CardState): (() => void) => {
    const account = addedAccount(card, path);
    return () => (account === null ? undefined : apply(account));
  };
  const password: Writer = ({ card, caller: { sessionId } }, value) => {
    if (typeof value !== 'string') return wrongType('Password', value);
    if (passwordProblem(value) !== null) {
      return failProperty('Password', 'PropertyValueFormatError', ['null', 'Password']);
    }
    return change((account) => {
      account.password = value;
      endSessions(card, account.user, sessionId);
    }, card);
  };
  if (caller.role !== 'Administrator') return { writers: { Password: password }, reply: success() };
  const enabled: Writer = ({ card }, value) =>
    typeof value === 'boolean'
      ? change((account) => void (account.enabled = value), card)
      : wrongType('Enabled', value);
  const locked: Writer = ({ card }, value) =>
    value === false
      ? change((account) => Object.assign(account, { failedLogins: 0, lockedUntilMs: 0 }), card)
      : failProperty('Locked', 'PropertyValueNotInList', [JSON.stringify(value), 'Locked']);
  const role: Writer = ({ card }, value) =>
    isRole(value)
      ? change((account) => void (account.role = value), card)
      : failProperty('RoleId', 'PropertyValueNotInList', [JSON.stringify(value), 'RoleId']);
  return { writers: { Password: password, Enabled: enabled, Locked: locked, RoleId: role }, reply: success() };
}
