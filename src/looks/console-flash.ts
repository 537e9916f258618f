import { byteText } from '../domain/byte-text.ts';
import type { LookContext } from '../domain/look.ts';
import type { ObserveContext } from '../domain/step.ts';
import type { FlashLog } from '../facts/flash-log.ts';
import { readForeignFlashLog, readOwnFlashLog, shownLines } from '../facts/flash-log.ts';
import { closeInstallerLog, emptyInstallerLog, feedInstallerLog } from '../facts/installer-log.ts';
import type { RshimDevice } from '../facts/rshim.ts';
import { isFlashUnderWay } from '../steps/flash-under-way.ts';
import { pause } from './pause.ts';

/** A flash that the console of the card must not get in the way of. */
export interface FlashSeen {
  /** `card`: dpubot flashes this card. `device`: a bfb-install works on a device, and whose it is cannot be read meanwhile. */
  readonly of: 'card' | 'device';
  readonly by: string;
  read(): Promise<FlashLog | undefined>;
}

/** Is dpubot flashing this very card? */
export async function ownFlash(context: ObserveContext, serial: string): Promise<FlashSeen | undefined> {
  if (!(await isFlashUnderWay(context))) return undefined;
  const by = `dpubot is flashing ${context.dpu.name}`;
  return { of: 'card', by, read: async () => readOwnFlashLog(context.host, serial, context.signal) };
}

/** Does an installer of somebody else work on a device that may be the one of this card, which was not found? */
export function foreignFlash(context: ObserveContext, devices: readonly RshimDevice[]): FlashSeen | undefined {
  const busy = devices.flatMap((device) => (device.busy ? [device.name] : []));
  const [device] = busy;
  if (device === undefined) return undefined;
  const { host, signal } = context;
  const by = `bfb-install works on ${busy.map((name) => `/dev/${name}`).join(', ')} of ${host.name}`;
  const read = async (): Promise<FlashLog | undefined> => readForeignFlashLog(host, device, signal);
  return { of: 'device', by, read: busy.length === 1 ? read : () => Promise.resolve(undefined) };
}

const pollMs = 2_000;

/** Shows the log of the flash, for as long as it is followed. The rshim of the card is left alone. */
export async function reportFlash(
  context: LookContext,
  card: ObserveContext,
  flash: FlashSeen,
  wish: { readonly lines: number; readonly followMs: number },
): Promise<string> {
  const { clock, signal } = context;
  const limitMs = clock.deadlineMs(wish.followMs);
  const startMs = clock.nowMs();
  let log = await flash.read();
  while (wish.followMs > 0 && clock.nowMs() - startMs < limitMs && !signal.aborted) {
    const lastLine = shownLines(log?.text ?? '').at(-1);
    await context.progress({
      text: `following the flash: ${flash.by}`,
      limitMs,
      ...(lastLine !== undefined && { lastLine }),
    });
    await pause(context, pollMs);
    if (!signal.aborted) log = (await flash.read()) ?? log;
  }
  const lines = shownLines(log?.text ?? '').slice(-wish.lines);
  const summary = `${flash.by}: ${log === undefined ? 'it has no log that can be read' : stageOf(log)}.`;
  await context.report({
    target: card.dpu.name,
    title: `Flash of ${card.dpu.name}, instead of its console`,
    summary,
    rows: [{ label: 'Read', value: log === undefined ? 'nothing' : `${log.path} on ${card.host.name}` }],
    warnings: [
      'Console and boot log of the card were not touched: the flash reads them, and each line goes to one reader only.',
      ...(flash.of === 'device' ? ['Which card it works on cannot be read meanwhile; it may be this one.'] : []),
    ],
    ...(lines.length > 0 && { text: lines.join('\n') }),
  });
  signal.throwIfAborted();
  return summary;
}

/** Pushing, with what `pv` has counted, or what the card itself said last. */
function stageOf({ text }: FlashLog): string {
  const { phase, push, pushedBytes, bytesPerSecond } = closeInstallerLog(feedInstallerLog(emptyInstallerLog, text));
  if (push === 'ended') return phase ?? 'installing';
  if (pushedBytes === undefined || bytesPerSecond === undefined) return 'pushing the image';
  return `pushing the image, ${byteText(pushedBytes)} sent at ${byteText(bytesPerSecond)}/s`;
}
