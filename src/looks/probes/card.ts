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
