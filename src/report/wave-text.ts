import type { JournalEvent } from '../domain/journal.ts';
import type { Run } from '../domain/run.ts';
import { nameList, slackDate } from './text.ts';

/**
 * Which units it is the turn of, as a line of mrkdwn. `atMs`: when the wave was begun; a run that was asked to start later
 * says when that is.
 */
export function waveText(
  { startAtMs }: Run,
  { wave, of, units }: Extract<JournalEvent, { readonly type: 'wave-started' }>,
  atMs: number,
  nameOf: (unit: string) => string,
): string {
  const place = of > 1 ? `Wave ${wave} of ${of}` : 'Work';
  const isLater = startAtMs !== undefined && startAtMs > atMs;
  const when = isLater ? ` at ${slackDate(startAtMs, 'day-and-time')}, as asked` : '';
  return `${place} starts on ${nameList(units.map(nameOf), 20)}${when}.`;
}
