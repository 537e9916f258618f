import { z } from 'zod';
import { defineStep } from '../domain/step.ts';
import { findSku, pcieText } from '../domain/part-numbers.ts';
import type { PciCard } from '../facts/pci-cards.ts';
import { readPciCards } from '../facts/pci-cards.ts';
import { selectCard } from './identify-card.ts';

interface Observed {
  readonly hostName: string;
  readonly cards: readonly PciCard[];
}

/**
 * Find the card in its host, whatever it is and however its slot is wired: who rescues a card cannot be choosy.
 *
 * Why      Its serial says under which name its passwords are filed, and that the BMC that answers is the card's.
 * Reads    lspci on the host (VPD, LnkSta).     Changes  nothing.
 * Errors   card-not-found, card-ambiguous, output-unreadable.
 * Source   PCI Local Bus specification (VPD); lspci(8).
 */
export const findCard = defineStep<Record<string, never>, Observed>({
  name: 'find-card',
  title: 'Find the card',
  scope: 'dpu',
  risk: 'read',
  params: z.strictObject({}),
  timeoutMs: 60_000,
  needs: ['host-ssh'],
  provides: [],
  wanted: () => 'the card of the inventory',
  observe: async ({ host, signal }) => ({ hostName: host.name, cards: await readPciCards(host, signal) }),
  diff: (observed, _params, dpu) => {
    const card = selectCard(observed, dpu);
    if ('kind' in card) return card;
    const model = findSku(card.partNumber)?.model ?? 'unknown model';
    return {
      kind: 'satisfied',
      reason: `${model} ${card.partNumber}, serial ${card.serial}, at ${card.pciAddress}, PCIe ${pcieText(card.link)}`,
    };
  },
  serial: (observed, dpu) => {
    const card = selectCard(observed, dpu);
    return 'kind' in card ? undefined : card.serial;
  },
});
