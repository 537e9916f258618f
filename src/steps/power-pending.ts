import { z } from 'zod';
import type { ObserveContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readHostPower } from '../facts/host-power.ts';
import type { ModeConfig } from '../facts/mlxconfig.ts';
import { isModePending, modeOf, readModeConfig } from '../facts/mlxconfig.ts';
import type { NicFirmware } from '../facts/nic-firmware.ts';
import { readNicFirmware } from '../facts/nic-firmware.ts';
import { pciAddressesOf } from './power-cards.ts';
import { openHostBmc, powerWords } from './power-reset.ts';

/** How what waits for a cold boot of the host becomes active (profile). */
export const ActivationParams = z.strictObject({
  activation: z.enum(['host-bmc', 'by-hand', 'later']),
  /** The mode that was asked for by name: NIC mode is no accident then, and it may wait. */
  asked: z.enum(['dpu', 'nic']).optional(),
});
export type ActivationParams = z.infer<typeof ActivationParams>;

/** What waits in one card. `firmware` is absent where only the mode is looked at. */
interface CardPending {
  readonly target: string;
  readonly mode: ModeConfig;
  readonly firmware?: NicFirmware;
  readonly sinceMs?: number;
}

export interface ActivationSeen {
  readonly runId: number;
  readonly host: string;
  /** Every card of the host: a power cycle hits also those that the run does not name. */
  readonly dpus: readonly string[];
  readonly hasHostBmc: boolean;
  readonly cards: readonly CardPending[];
}

/** Which of the two barriers looks: both see the mode, one also the firmware. */
export type Barrier = 'firmware' | 'mode';

/**
 * Reads what the cards of the run hold and what they run. Where it will be needed the BMC of the host is looked at too, so
 * that a missing credential or a BMC that cannot switch is known before anything is switched.
 */
export async function seeActivation(
  context: ObserveContext,
  { activation }: ActivationParams,
  barrier: Barrier,
): Promise<ActivationSeen> {
  const { host, slice, signal, runId } = context;
  const cards = await readPending(context, barrier);
  const seen = {
    runId,
    host: slice.name,
    dpus: slice.entry.dpus.map((dpu) => dpu.name),
    hasHostBmc: slice.entry.bmc !== undefined,
    cards,
  };
  if (activation === 'host-bmc' && seen.hasHostBmc && cards.some((card) => pendingOf(card).length > 0))
    powerWords(host.name, await readHostPower(await openHostBmc(context), signal));
  return seen;
}

/** What waits in each card of the run that is still in. */
export async function readPending(context: ObserveContext, barrier: Barrier): Promise<readonly CardPending[]> {
  const { host, signal } = context;
  const addresses = await pciAddressesOf(host, context.cards, signal);
  const cards: CardPending[] = [];
  for (const { dpu, serial } of context.cards) {
    const { name: target } = dpu;
    const device = addresses.get(target);
    if (device === undefined) throw errors.bug({ detail: `no PCI address for ${target}` });
    const firmware = barrier === 'firmware' ? await readNicFirmware(host, target, device, signal) : undefined;
    const mode = await readModeConfig(host, target, device, signal);
    const record = serial === undefined ? undefined : await context.records.get(serial);
    // What dpubot has flashed brought its firmware along.
    const flashedAtMs = record?.origin === 'flashed' && record.image ? record.atMs : undefined;
    const isFirmware = firmware !== undefined && firmware.running !== firmware.staged;
    const sinceMs = isFirmware ? flashedAtMs : undefined;
    cards.push({ target, mode, ...(firmware && { firmware }), ...(sinceMs !== undefined && { sinceMs }) });
  }
  return cards;
}

/** What becomes active in a card with the next cold boot, as phrases. */
export function pendingOf({
  target,
  mode,
  firmware,
}: CardPending): readonly { from: string; to: string; text: string }[] {
  const list: { from: string; to: string; text: string }[] = [];
  if (firmware !== undefined && firmware.running !== firmware.staged) {
    const [from, to] = [`firmware ${firmware.running}`, `firmware ${firmware.staged}`];
    list.push({ from, to, text: `${target} firmware ${firmware.running} -> ${firmware.staged}` });
  }
  if (isModePending(mode)) {
    const [from, to] = [`${modeOf(mode, 'current')} mode`, `${modeOf(mode, 'next')} mode`];
    list.push({ from, to, text: from === to ? `${target} settings of its mode` : `${target} ${from} -> ${to}` });
  }
  return list;
}
