import { z } from 'zod';
import { defineStep } from '../domain/step.ts';
import type { PciCard } from '../facts/pci-cards.ts';
import { readPciCards } from '../facts/pci-cards.ts';

interface Observed {
  readonly host: string;
  readonly found: readonly PciCard[];
  readonly entries: readonly { readonly name: string; readonly serial?: string; readonly pciAddress?: string }[];
}

/**
 * Hold the cards that are in the host against those of the inventory, by serial.
 *
 * Why      A card that was swapped or moved is else known only by what goes wrong with it later.
 * Reads    lspci on the host (VPD).     Changes  nothing, and refuses nothing: a card that is missing is refused by its own step.
 * Errors   output-unreadable, those of lspci.
 * Source   PCI Local Bus specification (VPD, keyword SN).
 */
export const compareInventory = defineStep<Record<string, never>, Observed>({
  name: 'compare-inventory',
  title: 'Compare with the inventory',
  scope: 'host',
  risk: 'read',
  params: z.strictObject({}),
  timeoutMs: 60_000,
  needs: ['host-ssh'],
  provides: [],
  wanted: () => 'every card is in the inventory, and every entry in the host',
  observe: async ({ host, slice, signal }) => ({
    host: host.name,
    found: await readPciCards(host, signal),
    entries: slice.entry.dpus.map(({ name, serial, pciAddress }) => ({
      name,
      ...(serial !== undefined && { serial }),
      ...(pciAddress !== undefined && { pciAddress }),
    })),
  }),
  diff: (observed) => {
    const sentences = differencesOf(observed);
    const count = observed.found.length;
    const cards = `${count} BlueField-3 ${count === 1 ? 'card' : 'cards'} in ${observed.host}`;
    if (sentences.length === 0) return { kind: 'satisfied', reason: `${cards}, each with its entry` };
    return { kind: 'satisfied', reason: cards, warning: sentences.join(' ') };
  },
});

/** What is in the one and not in the other, as sentences. Pure. */
export function differencesOf({ host, found, entries }: Observed): readonly string[] {
  const used = new Set<PciCard>();
  const missing: string[] = [];
  for (const entry of entries) {
    const match = found.find((card) => !used.has(card) && isMeant(entry, card, entries.length === 1));
    if (match) used.add(match);
    else missing.push(`${entry.name}${entry.serial === undefined ? '' : ` (serial ${entry.serial})`}`);
  }
  const strangers = found.filter((card) => !used.has(card));
  return [
    ...(missing.length === 0 ? [] : [`In the inventory and not found in ${host}: ${missing.join(', ')}.`]),
    ...(strangers.length === 0
      ? []
      : [
          `Found in ${host} and not in the inventory: ${strangers.map((card) => `${card.partNumber}, serial ${card.serial}, at ${card.pciAddress}`).join('; ')}.`,
        ]),
  ];
}

/** By serial, else by PCI address, else the only one. */
function isMeant(entry: Observed['entries'][number], card: PciCard, isOnly: boolean): boolean {
  if (entry.serial !== undefined) return entry.serial === card.serial;
  if (entry.pciAddress !== undefined) return entry.pciAddress === card.pciAddress;
  return isOnly;
}
