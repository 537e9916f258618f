import type { CardRef } from '../domain/device-ports.ts';
import type { ObserveContext } from '../domain/step.ts';
import { OpsError } from '../errors.ts';
import { cardsOfHost } from './power-cards.ts';
import { pendingOf, readPending } from './power-pending.ts';

/** What a power cycle of a host does to cards beside what it is for. */
export interface AlsoActivated {
  /** `as7-dpu1 dpu mode -> nic mode`. */
  readonly pending: readonly string[];
  /** Cards of which that could not be read, with the reason. */
  readonly unread: readonly string[];
}

/** Firmware and modes that wait in the cards of the host which the run does not name: they lose their power too. */
export async function seeOtherCards(context: ObserveContext): Promise<AlsoActivated> {
  const cards = await cardsOfHost(context);
  return seeCards(
    context,
    cards.filter((card) => !context.cards.some(({ dpu }) => dpu.name === card.dpu.name)),
  );
}

/** The same of all its cards. */
export async function seeAllCards(context: ObserveContext): Promise<AlsoActivated> {
  return seeCards(context, await cardsOfHost(context));
}

/** For the text of a change; empty when nothing waits. A card that cannot be read stops nobody, and is named. */
export function alsoText({ pending, unread }: AlsoActivated): string {
  const waits = pending.length === 0 ? '' : `; this becomes active with it: ${pending.join(', ')}`;
  return unread.length === 0 ? waits : `${waits}; what waits there could not be read: ${unread.join(', ')}`;
}

async function seeCards(context: ObserveContext, cards: readonly CardRef[]): Promise<AlsoActivated> {
  const pending: string[] = [];
  const unread: string[] = [];
  for (const card of cards) {
    if (card.serial === undefined) {
      unread.push(`${card.dpu.name} (which card that is nobody can tell)`);
      continue;
    }
    try {
      const read = await readPending({ ...context, cards: [card] }, 'firmware');
      pending.push(...read.flatMap((one) => pendingOf(one).map(({ text }) => text)));
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof OpsError) || ['lease-lost', 'store-unavailable'].includes(error.code)) throw error;
      unread.push(`${card.dpu.name} (${error.code})`);
    }
  }
  return { pending, unread };
}
