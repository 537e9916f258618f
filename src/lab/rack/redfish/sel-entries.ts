/**
 * Entries of the system event log as Redfish shows them.
 *
 * Source: the design of OpenBMC's SEL service (LogEntry 1.13.0, names of its properties); the captured OpenBMC registry.
 */
import type { SelEntry } from '../bmc-state.ts';
import type { CardState } from '../state.ts';
import { selEntriesPath } from './log-services.ts';
import { message } from './messages.ts';
import { redfishTime } from './times.ts';
import type { JsonObject } from './types.ts';

function shown(entry: SelEntry): JsonObject {
  const id = String(entry.id);
  const name = `SensorThresholdWarningLowGoing${entry.direction === 'low' ? 'Low' : 'High'}`;
  const { sensor, reading, threshold } = entry;
  const text = message('OpenBMC', name, [sensor, String(reading), String(threshold)]);
  return {
    '@odata.id': `${selEntriesPath}/${id}`,
    '@odata.type': '#LogEntry.v1_13_0.LogEntry',
    Created: redfishTime(entry.createdAtMs),
    EntryCode: entry.direction === 'low' ? 'Lower Non-critical - going low' : 'Lower Non-critical - going high',
    EntryType: 'SEL',
    Id: id,
    Message: text['Message'] ?? '',
    MessageArgs: text['MessageArgs'] ?? [],
    MessageId: text['MessageId'] ?? '',
    Modified: redfishTime(entry.createdAtMs),
    Name: 'System Event Log Entry',
    Resolution: text['Resolution'] ?? '',
    Resolved: false,
    SensorType: 'Voltage',
    Severity: text['MessageSeverity'] ?? 'OK',
  };
}

/** The collection of entries or one of them; undefined for other paths, null for an entry that is not there. */
export function selResource(
  card: CardState,
  base: JsonObject | undefined,
  path: string,
): JsonObject | null | undefined {
  if (path === selEntriesPath && base !== undefined) {
    const members = card.bmc.sel.map(shown);
    return { ...base, Members: members, 'Members@odata.count': members.length };
  }
  if (!path.startsWith(`${selEntriesPath}/`)) return undefined;
  const entry = card.bmc.sel.find(({ id }) => `${selEntriesPath}/${id}` === path);
  return entry === undefined ? null : shown(entry);
}
