import { z } from 'zod';
import type { DpuEntry, PcieLink } from '../domain/inventory.ts';
import { PcieLink as PcieLinkSchema } from '../domain/inventory.ts';
import { defaultMinPcieLink, findSku, pcieGbps, pcieText } from '../domain/part-numbers.ts';
import type { Diff } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { PciCard } from '../facts/pci-cards.ts';
import { readPciCards } from '../facts/pci-cards.ts';

interface Observed {
  readonly hostName: string;
  readonly cards: readonly PciCard[];
}

/**
 * Find the card in its host and hold part number and PCIe link against the SKU table.
 *
 * Why      A self-hosted controller or a slow slot cannot be cured by software: better refused before the first reset.
 * Reads    lspci on the host (VPD, LnkSta).     Changes  nothing.
 * Errors   card-not-found, card-ambiguous, sku-unknown, controller-sku, pcie-link-slow, output-unreadable.
 * Source   NVIDIA DOCA installation guide (SKU table); seed blog, appendix on controllers. 32 GT/s x16 is 504 Gb/s.
 */
export const identifyCard = defineStep<{ minPcieLink?: PcieLink | undefined }, Observed>({
  name: 'identify-card',
  title: 'Identify the card',
  scope: 'dpu',
  risk: 'read',
  params: z.strictObject({ minPcieLink: PcieLinkSchema.optional() }),
  timeoutMs: 60_000,
  needs: ['host-ssh'],
  provides: [],
  wanted: (params) => ({ minPcieLink: params.minPcieLink ?? 'fastest single port' }),
  observe: async (context) => ({
    hostName: context.host.name,
    cards: await readPciCards(context.host, context.signal),
  }),
  diff: (observed, params, dpu) => {
    const card = selectCard(observed, dpu);
    return 'kind' in card ? card : judgeCard(card, dpu.name, params.minPcieLink);
  },
  serial: (observed, dpu) => {
    const card = selectCard(observed, dpu);
    return 'kind' in card ? undefined : card.serial;
  },
});

/** The card an inventory entry means: by serial, else by PCI address, else the only one. */
export function selectCard(observed: Observed, dpu: DpuEntry): PciCard | Diff {
  const found = observed.cards.map((card) => `${card.pciAddress} (${card.serial})`);
  const named = observed.cards.filter(
    (card) =>
      (dpu.serial === undefined || card.serial === dpu.serial) &&
      (dpu.pciAddress === undefined || card.pciAddress === dpu.pciAddress),
  );
  const only = named[0];
  const where = { target: dpu.name, host: observed.hostName, found };
  if (only === undefined) return { kind: 'refused', failure: errors.cardNotFound(where).failure };
  if (named.length > 1) return { kind: 'refused', failure: errors.cardAmbiguous(where).failure };
  return only;
}

function judgeCard(card: PciCard, target: string, wantedLink: PcieLink | undefined): Diff {
  const sku = findSku(card.partNumber);
  if (!sku) return { kind: 'refused', failure: errors.skuUnknown({ target, partNumber: card.partNumber }).failure };
  if (sku.class === 'controller')
    return {
      kind: 'refused',
      failure: errors.controllerSku({ target, partNumber: card.partNumber, model: sku.model }).failure,
    };
  const wanted = wantedLink ?? defaultMinPcieLink(sku);
  if (card.link.gtPerS < wanted.gtPerS || card.link.width < wanted.width)
    return { kind: 'refused', failure: slowLink(card, target, wanted, sku.portGbps) };
  const crypto = sku.crypto === 'unknown' ? 'crypto not known' : sku.crypto ? 'crypto' : 'no crypto';
  return {
    kind: 'satisfied',
    reason: `${sku.model} ${card.partNumber} (${crypto}), serial ${card.serial}, at ${card.pciAddress}, PCIe ${pcieText(card.link)}`,
    ...(sku.crypto === false && {
      warning: `${target} (${card.partNumber}) has no crypto engines: IPsec cannot be offloaded to it.`,
    }),
  };
}

function slowLink(
  card: PciCard,
  target: string,
  wanted: PcieLink,
  portGbps: number,
): ReturnType<typeof errors.pcieLinkSlow>['failure'] {
  const rate = Math.floor(pcieGbps(card.link));
  const cause =
    card.capable.gtPerS > card.link.gtPerS || card.capable.width > card.link.width
      ? `the card itself can do ${pcieText(card.capable)}, so slot, riser or BIOS limits it`
      : 'the card itself reports no more';
  return errors.pcieLinkSlow({
    target,
    seen: pcieText(card.link),
    wanted: pcieText(wanted),
    why: `That carries about ${rate} Gb/s for a ${portGbps} Gb/s port; ${cause}.`,
  }).failure;
}
