import { z } from 'zod';
import { defineMember, defineResource } from '../domain/commands.ts';
import type { BmcReader } from '../domain/device-ports.ts';
import { OpsError } from '../errors.ts';
import { parseResource } from './read-helpers.ts';

/** Logs that a BMC keeps of its card. Source: libredfish mockup of a B3220 with BF-24.10; Redfish LogEntry schema. */
export const logServicesResource = defineResource({
  name: 'LogServices',
  path: '/redfish/v1/Systems/Bluefield/LogServices',
});
export const logEntriesResource = defineMember({
  name: 'log entries',
  path: '/redfish/v1/Systems/Bluefield/LogServices/{id}/Entries',
});

export interface BmcLogEntry {
  readonly log: string;
  readonly created: string;
  readonly severity: string;
  readonly message: string;
  readonly messageId: string;
}

export interface BmcLog {
  /** Newest first. */
  readonly entries: readonly BmcLogEntry[];
  /** Logs that the BMC names and does not show, with its answer. */
  readonly unread: readonly { readonly log: string; readonly why: string }[];
  readonly read: readonly string[];
}

/** Those with events; the others hold dumps and tokens. */
const wanted = ['SEL', 'EventLog'];

const Services = z.object({ Members: z.array(z.object({ '@odata.id': z.string() })) });
const Entries = z.object({
  Members: z.array(
    z.object({
      Created: z.string().default(''),
      Severity: z.string().default(''),
      Message: z.string().default(''),
      MessageId: z.string().default(''),
    }),
  ),
});

/** Reads the event logs. A log that is named and answers with an error is unread. Errors: redfish-unexpected, transport. */
export async function readBmcLog(bmc: BmcReader, signal: AbortSignal): Promise<BmcLog> {
  const services = await bmc.get(logServicesResource, { timeoutMs: 30_000, signal });
  const { Members } = parseResource(Services, bmc.target, `GET ${logServicesResource.path}`, services);
  const named = Members.map((member) => member['@odata.id'].split('/').at(-1) ?? '');
  const entries: BmcLogEntry[] = [];
  const unread: { log: string; why: string }[] = [];
  const read: string[] = [];
  for (const log of wanted.filter((name) => named.includes(name))) {
    const resource = logEntriesResource.bind(log);
    try {
      const body = await bmc.get(resource, { timeoutMs: 60_000, signal });
      entries.push(...parseLogEntries(bmc.target, log, body));
      read.push(log);
    } catch (error) {
      if (!(error instanceof OpsError) || error.code !== 'redfish-error') throw error;
      unread.push({ log, why: error.failure.what });
    }
  }
  return { entries: entries.toSorted(newestFirst), unread, read };
}

export function parseLogEntries(target: string, log: string, body: unknown): readonly BmcLogEntry[] {
  const { Members } = parseResource(
    Entries,
    target,
    `GET ${logEntriesResource.template.path.replace('{id}', log)}`,
    body,
  );
  return Members.map((entry) => ({
    log,
    created: entry.Created,
    severity: entry.Severity,
    message: entry.Message,
    messageId: entry.MessageId,
  }));
}

/** By time; what has none, or an unreadable one, stands last. */
function newestFirst(one: BmcLogEntry, other: BmcLogEntry): number {
  return timeOf(other) - timeOf(one);
}

function timeOf({ created }: BmcLogEntry): number {
  const time = Date.parse(created);
  return Number.isNaN(time) ? Number.NEGATIVE_INFINITY : time;
}

/** The card misses its own 12 V cable, or that gives too little. Source: NVIDIA DPF, SEL check of the ATX power. */
export function isAtxPowerWarning({ message, messageId, severity }: BmcLogEntry): boolean {
  const isLow = /GoingLow|going low|below|below the lower/i.test(`${messageId} ${message}`);
  return /12V_?\s?ATX/i.test(message) && (isLow || severity === 'Warning' || severity === 'Critical');
}
