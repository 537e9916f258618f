/**
 * The resources of one BMC as they are right now: captured structure, this card's identity, live values.
 */
import { roleOf } from '../accounts.ts';
import type { CardState, Rack } from '../state.ts';
import { accountCollection, accountResource, accountsPath } from './added-accounts.ts';
import type { ResourceTree } from './capture.ts';
import { cardTree } from './identity-text.ts';
import { overlays } from './overlays.ts';
import { selResource } from './sel-entries.ts';
import { taskPaths, taskResource } from './tasks.ts';
import { isJsonObject } from './types.ts';
import type { JsonObject } from './types.ts';

export interface ResourceView {
  get(path: string): JsonObject | null;
}

const sessionsPath = '/redfish/v1/SessionService/Sessions';
const tasksPath = '/redfish/v1/TaskService/Tasks';
const pkCertificatesPath = '/redfish/v1/Systems/Bluefield/SecureBoot/SecureBootDatabases/PK/Certificates';
const kekCertificatePath = '/redfish/v1/Systems/Bluefield/SecureBoot/SecureBootDatabases/KEK/Certificates/1';

/** One session as bmcweb shows it. */
export function sessionResource(card: CardState, id: string): JsonObject | null {
  const session = card.bmc.sessions.find((each) => each.id === id);
  if (session === undefined) return null;
  return {
    '@odata.id': `${sessionsPath}/${id}`,
    '@odata.type': '#Session.v1_7_0.Session',
    ClientOriginIPAddress: session.remote,
    Description: 'Manager User Session',
    Id: id,
    Name: 'User Session',
    Roles: [roleOf(card, session.user)],
    UserName: session.user,
  };
}

function withMembers(collection: JsonObject | undefined, paths: string[]): JsonObject | null {
  if (collection === undefined) return null;
  return {
    ...collection,
    Members: paths.map((path) => ({ '@odata.id': path })),
    'Members@odata.count': paths.length,
  };
}

/** Collections and members that come and go with the state. */
function liveResource(rack: Rack, card: CardState, tree: ResourceTree, path: string): JsonObject | null | undefined {
  if (path === sessionsPath) {
    return withMembers(
      tree.get(path),
      card.bmc.sessions.map((session) => `${sessionsPath}/${session.id}`),
    );
  }
  if (path.startsWith(`${sessionsPath}/`)) return sessionResource(card, path.slice(sessionsPath.length + 1));
  if (path === accountsPath) return accountCollection(card, tree.get(path));
  if (path === tasksPath) return withMembers(tree.get(path), taskPaths(card));
  if (path.startsWith(`${tasksPath}/`)) return taskResource(rack, card, path.slice(tasksPath.length + 1));
  if (path === pkCertificatesPath && card.secureBoot.keysEnrolled) {
    return withMembers(tree.get(path), [`${pkCertificatesPath}/1`]);
  }
  if (path === `${pkCertificatesPath}/1` && card.secureBoot.keysEnrolled) {
    const kek = tree.get(kekCertificatePath);
    return kek === undefined
      ? null
      : { ...kek, '@odata.id': path, UefiSignatureOwner: '00000000-0000-0000-0000-000000000000' };
  }
  const logged = selResource(card, tree.get(path), path);
  return logged === undefined ? (accountResource(rack, card, path) ?? undefined) : logged;
}

/** Look at a card's resources. The card must have been advanced to now. */
export function viewResources(rack: Rack, card: CardState): ResourceView {
  const tree = cardTree(rack, card);
  return {
    get(path) {
      const live = liveResource(rack, card, tree, path);
      if (live !== undefined) return live;
      const base = tree.get(path);
      if (base === undefined) return null;
      const overlay = overlays[path];
      const shown = overlay === undefined ? base : overlay(rack, card, structuredClone(base));
      return isJsonObject(shown) ? shown : null;
    },
  };
}
