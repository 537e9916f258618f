/**
 * The log services that the capture names and leaves out: the system event log and the event log.
 *
 * Source: BlueField BMC manual ("System Logs": LogService 1.1.0, ClearLog); the design of OpenBMC's SEL service for shape
 * and names of entries; the captured OpenBMC registry for their texts.
 */
import type { ResourceTree } from './capture.ts';
import type { JsonObject } from './types.ts';

const services = '/redfish/v1/Systems/Bluefield/LogServices';
const selPath = `${services}/SEL`;
/** Where its entries are. */
export const selEntriesPath = `${selPath}/Entries`;

/** Target of the action that empties the system event log. */
export const clearSelPath = `${selPath}/Actions/LogService.ClearLog`;

function service(id: string, name: string, description: string): JsonObject {
  const path = `${services}/${id}`;
  return {
    '@odata.id': path,
    '@odata.type': '#LogService.v1_1_0.LogService',
    Actions: { '#LogService.ClearLog': { target: `${path}/Actions/LogService.ClearLog` } },
    Description: description,
    Entries: { '@odata.id': `${path}/Entries` },
    Id: id,
    Name: name,
    OverWritePolicy: 'WrapsWhenFull',
  };
}

function entries(id: string, name: string, description: string): JsonObject {
  return {
    '@odata.id': `${services}/${id}/Entries`,
    '@odata.type': '#LogEntryCollection.LogEntryCollection',
    Description: description,
    Members: [],
    'Members@odata.count': 0,
    Name: name,
  };
}

/** Put the services into the captured tree. */
export function addLogServices(tree: ResourceTree): void {
  tree.set(selPath, service('SEL', 'SEL Log Service', 'IPMI SEL Service'));
  tree.set(selEntriesPath, entries('SEL', 'System Event Log Entries', 'Collection of System Event Log Entries'));
  tree.set(`${services}/EventLog`, service('EventLog', 'Event Log Service', 'System Event Log Service'));
  tree.set(
    `${services}/EventLog/Entries`,
    entries('EventLog', 'System Event Log Entries', 'Collection of System Event Log Entries'),
  );
}
