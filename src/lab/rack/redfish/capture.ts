/**
 * The captured resources of a real BMC, with its known holes closed: links to things the capture lacks are dropped,
 * collections count what they list, resources know their own address.
 *
 * Source: libredfish mockup of BF-24.10-10 (MIT; see capture/README.md).
 */
import { readFileSync } from 'node:fs';
import { addLogServices } from './log-services.ts';
import { addSchemaFiles } from './schemas.ts';
import { isJsonObject } from './types.ts';
import type { Json, JsonObject } from './types.ts';

export type ResourceTree = Map<string, JsonObject>;

/** Resources that exist only while the service runs. */
const liveCollections = ['/redfish/v1/SessionService/Sessions', '/redfish/v1/TaskService/Tasks'];

let cached: ResourceTree | null = null;

function load(): ResourceTree {
  const text = readFileSync(new URL('../capture/resources.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  const tree: ResourceTree = new Map();
  if (!isJsonObject(parsed)) throw new Error('capture/resources.json is not an object');
  for (const [path, resource] of Object.entries(parsed)) if (isJsonObject(resource)) tree.set(path, resource);
  tree.delete('/redfish');
  return tree;
}

function linkTarget(value: Json): string | null {
  if (!isJsonObject(value)) return null;
  const id = value['@odata.id'];
  return typeof id === 'string' ? id.split('#')[0]?.replace(/\/$/, '') || null : null;
}

/** A bare link (or the settings wrapper of one) to something that is not there. */
function isDeadLink(value: Json, tree: ResourceTree): boolean {
  const target = linkTarget(value);
  return target !== null && !tree.has(target);
}

function pruned(value: Json, tree: ResourceTree): Json {
  if (Array.isArray(value)) return value.filter((each) => !isDeadLink(each, tree)).map((each) => pruned(each, tree));
  if (!isJsonObject(value)) return value;
  const result: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) {
    if (!isDeadLink(inner, tree)) result[key] = pruned(inner, tree);
  }
  return result;
}

function recounted(resource: JsonObject): JsonObject {
  if (!('Members' in resource)) return resource;
  const members = Array.isArray(resource['Members']) ? resource['Members'] : [];
  return { ...resource, Members: members, 'Members@odata.count': members.length };
}

/** Names for the few captured objects that came without any. */
const missingNames: Record<string, JsonObject> = {
  '/redfish/v1/Managers/Bluefield_BMC/Oem/Nvidia': {
    '@odata.type': '#NvidiaManager.v1_4_0.NvidiaManager',
    Id: 'Nvidia',
    Name: 'Nvidia Manager',
  },
  '/redfish/v1/Systems/Bluefield/Oem/Nvidia/Connectx/ExternalHostPrivileges': {
    '@odata.type': '#NvidiaExternalHostPrivileges.v1_0_0.NvidiaExternalHostPrivileges',
    Id: 'ExternalHostPrivileges',
    Name: 'External Host Privileges',
  },
  '/redfish/v1/Systems/Bluefield/Oem/Nvidia/Connectx/StrapOptions': {
    '@odata.type': '#NvidiaStrapOptions.v1_0_0.NvidiaStrapOptions',
    Id: 'StrapOptions',
    Name: 'Strap Options',
  },
  '/redfish/v1/AccountService/MultiFactorAuth/ClientCertificate/Certificates': {
    '@odata.type': '#CertificateCollection.CertificateCollection',
    Name: 'Certificates Collection',
    Members: [],
  },
};

function closeHoles(tree: ResourceTree): void {
  for (const [path, resource] of tree) {
    const own = path.startsWith('/redfish/v1/Registries/') && 'Messages' in resource ? {} : { '@odata.id': path };
    tree.set(path, { ...resource, ...missingNames[path], ...own });
  }
  for (const path of liveCollections) {
    const collection = tree.get(path);
    if (collection) tree.set(path, { ...collection, Members: [], 'Members@odata.count': 0 });
  }
  const conditions = tree.get('/redfish/v1/ServiceConditions');
  if (conditions) tree.set('/redfish/v1/ServiceConditions', { ...conditions, Conditions: [], HealthRollup: 'OK' });
  for (const [path, resource] of tree) {
    const clean = pruned(resource, tree);
    if (isJsonObject(clean)) tree.set(path, recounted(clean));
  }
}

/** The capture, loaded once; not to be changed by callers. */
export function capturedTree(): ResourceTree {
  if (cached === null) {
    cached = load();
    addLogServices(cached);
    addSchemaFiles(cached);
    closeHoles(cached);
  }
  return cached;
}

/** The path of a resource without a trailing slash. */
export function normalPath(path: string): string {
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}
