import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readRunningUpdate } from '../facts/update-tasks.ts';
import { bmcReader } from './bmc-session.ts';
import { cardsOfHost } from './power-cards.ts';

/** What the BMCs say about updates that they are carrying out, whoever ordered them. */
export interface UpdatesSeen {
  /** Name of a card whose BMC is at one, and what it says of it. */
  readonly running: { readonly updating: string; readonly seen: string } | undefined;
  /** Cards whose BMC could not be asked, with the reason: that stops nobody who wants to restart what hangs. */
  readonly unasked: readonly string[];
}

/** Asks the BMC of the card. */
export async function lookForUpdate(context: ObserveContext): Promise<UpdatesSeen> {
  return ask([context]);
}

/**
 * Asks the BMCs of all cards that hang on the power of the host, also of those that the run does not name. One that dpubot
 * has never set up is not asked: it would cost a try with a password that may be wrong.
 */
export async function lookForUpdates(context: ObserveContext): Promise<UpdatesSeen> {
  const asked: ObserveContext[] = [];
  const unasked: string[] = [];
  for (const card of await cardsOfHost(context)) {
    const isInRun = context.cards.some(({ dpu }) => dpu.name === card.dpu.name);
    const isKnown = card.serial !== undefined && (await context.records.get(card.serial)) !== undefined;
    if (isInRun || isKnown) asked.push({ ...context, card, dpu: card.dpu });
    else unasked.push(`${card.dpu.name} (it is not in this run, and dpubot has not set it up)`);
  }
  const seen = await ask(asked);
  return { ...seen, unasked: [...seen.unasked, ...unasked] };
}

/** Before the Arm of the card is reset. A BMC that says nothing about updates stops no reset. Errors: reboot-while-flashing. */
export async function refuseWhileUpdating(context: ApplyContext): Promise<void> {
  const { running } = await lookForUpdate(context);
  if (running) throw errors.rebootWhileFlashing({ target: context.dpu.name, ...running, run: context.runId });
}

/** What a person has to know before they approve; undefined where all BMCs have answered. */
export function unaskedWarning({ unasked }: Pick<UpdatesSeen, 'unasked'>): string | undefined {
  if (unasked.length === 0) return undefined;
  return `Whether a BMC is just writing an image to its card could not be asked: ${unasked.join('; ')}.`;
}

async function ask(contexts: readonly ObserveContext[]): Promise<UpdatesSeen> {
  const unasked: string[] = [];
  for (const context of contexts) {
    const card = context.dpu.name;
    try {
      const task = await readRunningUpdate(await bmcReader(context), context.signal);
      if (task === undefined) continue;
      const percent = task.percent === undefined ? '' : ` at ${task.percent} %`;
      return { running: { updating: card, seen: `${task.path} is ${task.state}${percent} (UpdateService).` }, unasked };
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof OpsError) || ['lease-lost', 'store-unavailable'].includes(error.code)) throw error;
      unasked.push(`${card} (${error.failure.what.replace(/\.$/, '')})`);
    }
  }
  return { running: undefined, unasked };
}
