import type { CardRef, HostReader } from '../domain/device-ports.ts';
import type { ObserveContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readPciCards } from '../facts/pci-cards.ts';

/**
 * PCI address by name of the card, read anew: it may differ from boot to boot. A card is known by its serial, else by the
 * address of the inventory, else as the only one of its host. Errors: card-not-found, card-ambiguous and those of lspci.
 */
export async function pciAddressesOf(
  host: HostReader,
  cards: readonly CardRef[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const found = await readPciCards(host, signal);
  const shown = found.map((card) => `${card.pciAddress} (${card.serial})`);
  return new Map(
    cards.map(({ dpu, serial = dpu.serial }) => {
      const named = found.filter(
        (card) =>
          (serial === undefined || card.serial === serial) &&
          (serial !== undefined || dpu.pciAddress === undefined || card.pciAddress === dpu.pciAddress),
      );
      const [only, ...others] = named;
      const where = { target: dpu.name, host: host.name, found: shown };
      if (only === undefined) throw errors.cardNotFound(where);
      if (others.length > 0) throw errors.cardAmbiguous(where);
      return [dpu.name, only.pciAddress];
    }),
  );
}

/**
 * All cards of the host: those of the run, and the others with their serials as far as the inventory and the slots tell them.
 */
export async function cardsOfHost({ host, slice, cards, signal }: ObserveContext): Promise<readonly CardRef[]> {
  const names = new Set(cards.map(({ dpu }) => dpu.name));
  const others = slice.entry.dpus.filter((dpu) => !names.has(dpu.name));
  if (others.length === 0) return cards;
  const taken = new Set(cards.map(({ serial }) => serial));
  const free = (await readPciCards(host, signal)).filter(({ serial }) => !taken.has(serial));
  const serialOf = ({ serial, pciAddress }: CardRef['dpu']): string | undefined => {
    if (serial !== undefined) return serial;
    if (pciAddress !== undefined) return free.find((card) => card.pciAddress === pciAddress)?.serial;
    return others.length === 1 && free.length === 1 ? free[0]?.serial : undefined;
  };
  return [
    ...cards,
    ...others.map((dpu) => {
      const serial = serialOf(dpu);
      return { slice, dpu, ...(serial !== undefined && { serial }) };
    }),
  ];
}
