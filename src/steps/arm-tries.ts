import type { CardRecord } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { serialOf } from './arm-session.ts';

/** The image locks an account after ten wrong tries for ten minutes (faillock); two in that time are the house's own limit. */
const wrongTriesAtMost = 2;
const windowMs = 600_000;

/**
 * When the wrong tries on the Arm of this card were: those that are remembered about the card, by whichever run, and those
 * of this run whose end is not known, because the worker died or the connection was lost.
 */
export async function wrongTries(context: ApplyContext): Promise<readonly number[]> {
  const record = await context.records.get(serialOf(context));
  const open = context.actions.filter(({ action, done }) => action === 'try-password' && !done);
  return [...(record?.armWrongTriesAtMs ?? []), ...open.map(({ atMs }) => atMs)];
}

/** Until when nothing may be tried; undefined when a try is free. */
export function waitUntilMs({ clock }: ApplyContext, wrongAtMs: readonly number[]): number | undefined {
  const window = clock.wallMs(windowMs);
  const untilMs = (wrongAtMs.toSorted((a, b) => a - b).at(-wrongTriesAtMost) ?? -window) + window;
  return untilMs > clock.nowMs() ? untilMs : undefined;
}

/** Remembers one more wrong try. The caller is inside an act. */
export async function countWrongTry(context: ApplyContext): Promise<void> {
  const { records, clock, runId } = context;
  const serial = serialOf(context);
  const atMs = clock.nowMs();
  const record = await records.get(serial);
  const fresh: CardRecord = { origin: 'unknown', runId, atMs };
  const recent = (record?.armWrongTriesAtMs ?? []).filter((tryMs) => tryMs > atMs - clock.wallMs(windowMs));
  await records.put(serial, { ...(record ?? fresh), armWrongTriesAtMs: [...recent, atMs] });
}
