/**
 * The JsonSchemas collection, which the capture names but leaves out: one file resource for each schema in use.
 *
 * Source: bmcweb redfish-core/lib/redfish_v1.hpp (shape of JsonSchemaFile); DSP0266 section 9.6.
 */
import type { ResourceTree } from './capture.ts';
import type { JsonObject } from './types.ts';

const collectionPath = '/redfish/v1/JsonSchemas';

/** Schema name -> namespaces in use: `ComputerSystem` -> `ComputerSystem.v1_22_0`. */
export function usedNamespaces(tree: ResourceTree): Map<string, Set<string>> {
  const used = new Map<string, Set<string>>();
  for (const resource of tree.values()) {
    const type = resource['@odata.type'];
    const match = typeof type === 'string' ? /^#(\w+)\.(?:(v\d+_\d+_\d+)\.)?\w+$/.exec(type) : null;
    if (match === null) continue;
    const [, schema = '', version] = match;
    const namespaces = used.get(schema) ?? new Set<string>();
    used.set(schema, namespaces.add(version === undefined ? schema : `${schema}.${version}`));
  }
  return used;
}

function schemaFile(schema: string): JsonObject {
  return {
    '@odata.id': `${collectionPath}/${schema}`,
    '@odata.type': '#JsonSchemaFile.v1_0_2.JsonSchemaFile',
    Description: `${schema} Schema File Location`,
    Id: schema,
    Languages: ['en'],
    'Languages@odata.count': 1,
    Location: [{ Language: 'en', PublicationUri: `http://redfish.dmtf.org/schemas/v1/${schema}.json` }],
    'Location@odata.count': 1,
    Name: `${schema} Schema File`,
    Schema: `#${schema}.${schema}`,
  };
}

/** Add the collection and its members to a tree. */
export function addSchemaFiles(tree: ResourceTree): void {
  const names = [...usedNamespaces(tree).keys()].filter((name) => !name.startsWith('Nvidia')).sort();
  for (const name of names) tree.set(`${collectionPath}/${name}`, schemaFile(name));
  tree.set(collectionPath, {
    '@odata.id': collectionPath,
    '@odata.type': '#JsonSchemaFileCollection.JsonSchemaFileCollection',
    Description: 'Collection of JsonSchemaFiles',
    Members: names.map((name) => ({ '@odata.id': `${collectionPath}/${name}` })),
    'Members@odata.count': names.length,
    Name: 'JsonSchemaFile Collection',
  });
}
