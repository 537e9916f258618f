import type { CardRef } from '../../domain/device-ports.ts';
import type { LookContext } from '../../domain/look.ts';
import type { ObserveContext } from '../../domain/step.ts';
import { OpsError } from '../../errors.ts';
import type { PciCard } from '../../facts/pci-cards.ts';
import { readPciCards } from '../../facts/pci-cards.ts';
import { selectCard } from '../../steps/identify-card.ts';

/** The card on PCIe that the inventory entry means. Errors: card-not-found, card-ambiguous, those of lspci. */
export async function pciCardOf(context: ObserveContext): Promise<PciCard> {
  const cards = await readPciCards(context.host, context.signal);
  const card = selectCard({ hostName: context.host.name, cards }, context.dpu);
  if (!('kind' in card)) return card;
  if (card.kind === 'refused') throw new OpsError(card.failure);
  throw new TypeError(`no card and no refusal: ${card.kind}`);
}

/**
 * The card with its serial, under which its passwords are filed: read from its host where nobody knows it yet. A host that
 * does not answer keeps nobody from asking on; what needs the serial says so.
 */
export async function withSerial(context: LookContext, card: CardRef): Promise<CardRef> {
  if (card.serial !== undefined) return card;
  try {
    const { serial } = await pciCardOf(context.of(card));
    return { ...card, serial };
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    return card;
  }
}
