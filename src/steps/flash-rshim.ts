import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { PciCard } from '../facts/pci-cards.ts';
import { readPciCards } from '../facts/pci-cards.ts';
import type { CardRshim, RshimDevice } from '../facts/rshim.ts';
import { findRshim, readRshims, readRunningInstallers } from '../facts/rshim.ts';
import { runOk } from './remote.ts';

/** The device at the PCI address of the card, also one in drop mode, and all devices of the host. */
export async function lookForRshim(
  context: ObserveContext,
): Promise<{ readonly found: CardRshim | undefined; readonly devices: readonly RshimDevice[] }> {
  const card = await pciCardOf(context);
  const devices = await readRshims(context.host, context.signal);
  return { found: findRshim(context.host.name, devices, card), devices };
}

/** The same, without the others. The driver may number devices again at any time: a name is never kept. */
export async function findCardRshim(context: ObserveContext): Promise<CardRshim | undefined> {
  return (await lookForRshim(context)).found;
}

async function pciCardOf(context: ObserveContext): Promise<PciCard> {
  const cards = await readPciCards(context.host, context.signal);
  const card = cards.find((each) => each.serial === context.card.serial);
  if (card !== undefined) return card;
  const found = cards.map((each) => `${each.serial} at ${each.pciAddress}`);
  throw errors.cardNotFound({ target: context.dpu.name, host: context.host.name, found });
}

/** Two pushes at once spoil each other, and a restart of the driver spoils any. Throws `flash-running`. */
export async function refuseWhilePushing(context: ApplyContext): Promise<void> {
  const { host, dpu, signal } = context;
  const running = await readRunningInstallers(host, signal);
  if (running.length === 0) return;
  throw errors.flashRunning({ target: dpu.name, host: host.name, seen: running.join('; ').slice(0, 300) });
}

/** Writes one setting of the driver: `FORCE_CMD 1`. */
export async function writeMisc(context: ApplyContext, rshim: string, setting: string): Promise<void> {
  const script = 'printf "%s\\n" "$2" >"/dev/$1/misc"';
  const argv = ['sudo', '-n', 'sh', '-c', script, 'dpubot-misc', rshim, setting];
  await runOk(context.host, argv, { timeoutMs: 30_000, signal: context.signal });
}

/** The log is shown at level 2 only, and a tool that was stopped leaves behind that reading clears it. */
export async function speakUp(context: ApplyContext): Promise<void> {
  await setLog(context, 'DISPLAY_LEVEL 2');
}

/** bfb-install leaves its display level behind, and when it is killed also that reading clears the log. */
export async function quietRshim(context: ApplyContext): Promise<void> {
  await setLog(context, 'DISPLAY_LEVEL 0');
}

/** Where the device is gone, or its driver does not know a setting, there is nothing to set. */
async function setLog(context: ApplyContext, level: string): Promise<void> {
  await unless(isNotThere, async () => {
    const rshim = await findCardRshim(context);
    if (rshim === undefined) return;
    for (const setting of ['CLEAR_ON_READ 0', level])
      await unless(isNotThere, async () => writeMisc(context, rshim.name, setting));
  });
}

/** What fails while a card boots, because host, BMC or device do not answer for a while, is undefined. */
export async function tolerant<T>(read: () => Promise<T>): Promise<T | undefined> {
  return unless((error) => isNotThere(error) || error.failure.kind === 'transient', read);
}

/** Clearing up after a failure: what cannot be cleared up does not hide the failure. */
export async function bestEffort(clear: () => Promise<void>): Promise<void> {
  await unless(() => true, clear);
}

function isNotThere({ code }: OpsError): boolean {
  return code === 'command-failed' || code === 'output-unreadable' || code === 'card-not-found';
}

/** Runs it; an error that does not matter is undefined. That somebody else has the unit always matters. */
async function unless<T>(passes: (error: OpsError) => boolean, run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof OpsError) || ['lease-lost', 'store-unavailable'].includes(error.code)) throw error;
    if (passes(error)) return undefined;
    throw error;
  }
}
