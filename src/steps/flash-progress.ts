import { byteText } from '../domain/byte-text.ts';
import type { ApplyContext } from '../domain/step.ts';
import type { InstallerLog } from '../facts/installer-log.ts';
import type { Flash } from './flash-attempts.ts';

/** The push that is looked at. */
export type Push = Pick<Flash, 'params' | 'folder' | 'before'>;

/** Said once, when the last byte is over. */
export async function tellPushed(context: ApplyContext, push: Push, log: InstallerLog): Promise<void> {
  const seconds = Math.round((context.clock.nowMs() - push.before.sinceMs) / 1000);
  const size = log.pushedBytes === undefined ? byteText(push.params.image.bytes) : byteText(log.pushedBytes);
  await context.snippet(
    `Image pushed to ${context.dpu.name}`,
    `${size} in ${seconds} s\n${log.tail.slice(-3).join('\n')}`,
  );
}

/** The sign of life: a percentage only of bytes that pv has counted, afterwards what the installer says. */
export function progressOf(
  context: ApplyContext,
  push: Push,
  log: InstallerLog,
  isLost: boolean,
): { readonly text: string; readonly percent?: number; readonly lastLine?: string; readonly sinceMs: number } {
  const target = context.dpu.name;
  const { sinceMs } = push.before;
  const lastLine = log.tail.at(-1);
  const frame = { sinceMs, ...(lastLine === undefined ? {} : { lastLine }) };
  if (isLost) return { ...frame, text: `${context.host.name} does not answer; the push to ${target} goes on there` };
  if (log.push === 'ended') return { ...frame, text: `installing on ${target}: ${log.phase ?? 'starting'}` };
  if (log.pushedBytes === undefined) return { ...frame, text: `pushing ${push.params.image.name} to ${target}` };
  const { bytes } = push.params.image;
  const percent = Math.min(100, Math.floor((100 * log.pushedBytes) / bytes));
  const rate = log.bytesPerSecond === undefined ? '' : `, ${byteText(log.bytesPerSecond)}/s`;
  const text = `pushing ${push.params.image.name} to ${target}: ${byteText(log.pushedBytes)} of ${byteText(bytes)}${rate}`;
  return { ...frame, text, percent };
}
