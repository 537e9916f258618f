import type { CliConfig } from '../config.ts';
import type { AuditRecord } from '../domain/ports.ts';
import { createAuditStore } from '../store/audit.ts';
import type { CliIo } from './io.ts';
import { exitCodes, textTable } from './io.ts';
import { withRedis } from './setup.ts';

/** `audit [--limit N] [--json]`: what people asked and the bot did, newest first. The list is only ever appended to. */
export async function printAudit(
  io: CliIo,
  config: CliConfig,
  options: { readonly limit: number; readonly json: boolean },
): Promise<number> {
  const records = await withRedis(config, async (space) => createAuditStore(space).list(options.limit));
  if (options.json) {
    for (const record of records) io.out(JSON.stringify(record));
    return exitCodes.good;
  }
  for (const line of textTable(['time', 'who', 'what', 'run', 'targets', 'plan', 'detail'], records.map(row)))
    io.out(line);
  return exitCodes.good;
}

function row(record: AuditRecord): string[] {
  const who =
    'worker' in record.actor ? `worker ${record.actor.worker}` : `${record.actor.displayName} (${record.actor.userId})`;
  return [
    new Date(record.atMs).toISOString(),
    who,
    record.action,
    record.runId === undefined ? '' : String(record.runId),
    (record.targets ?? []).join(','),
    (record.planHash ?? '').slice(0, 16),
    (record.detail ?? '').replaceAll(/\p{Cc}+/gu, ' '),
  ];
}
