import type { Condition } from '../domain/bench.ts';
import { defaultMinPcieLink, findSku, pcieText } from '../domain/part-numbers.ts';
import type { End, ObserveContext } from '../domain/step.ts';
import { OpsError } from '../errors.ts';
import { readHostSystem } from '../facts/host-system.ts';
import type { IommuSetting } from '../facts/kernel-line.ts';
import { readIommuSetting } from '../facts/kernel-line.ts';
import { readNicFirmware } from '../facts/nic-firmware.ts';
import type { PciCard } from '../facts/pci-cards.ts';
import { readPciCards } from '../facts/pci-cards.ts';
import { cardConditions } from './measure-conditions-card.ts';
import { cpuConditions } from './measure-conditions-cpus.ts';
import type { EndFacts } from './measure-ends.ts';
import { pairOf, readEnds } from './measure-ends.ts';

const unknown = 'unknown';

/**
 * What stands on both ends before anything is measured. What cannot be read is `unknown`: it must not keep a path from being
 * measured, and figures with an unknown condition are compared with such figures only.
 */
export async function readConditions(context: ObserveContext): Promise<readonly Condition[]> {
  const facts = await readEnds(context);
  const both = await Promise.all(
    pairOf(context).ends.map(async (end, index) => {
      const host = await hostConditions(context, end, facts[index === 0 ? 0 : 1]);
      return [...host, ...(await cardConditions(context, end, unlessRefused))];
    }),
  );
  return both.flat();
}

async function hostConditions(context: ObserveContext, end: End, facts: EndFacts): Promise<readonly Condition[]> {
  const { host, dpu } = end;
  const { signal } = context;
  const place = `${facts.pciFunction.slice(0, -1)}0`;
  const pci = (await readPciCards(host, signal)).find(({ pciAddress }) => pciAddress === place);
  const firmware = await unlessRefused(async () => (await readNicFirmware(host, dpu.name, place, signal)).running);
  const system = await readHostSystem(host, signal);
  const plain: readonly (readonly [name: string, label: string, value: string])[] = [
    ['part-number', 'Part number', pci?.partNumber ?? unknown],
    ['nic-firmware', 'NIC firmware', firmware ?? unknown],
    ['kernel', 'Kernel of the host', system.kernel],
    ['mtu', 'MTU of the host', String(facts.link.mtuBytes)],
  ];
  return [
    ...plain.map(([name, label, value]): Condition => ({ end: end.name, name, label, value })),
    ...(pci === undefined ? [] : [pcieCondition(end, pci)]),
    ...(await cpuConditions(context, end, facts, unlessRefused)),
    await iommuCondition(context, end),
  ];
}

function pcieCondition(end: End, { link, partNumber }: PciCard): Condition {
  const sku = findSku(partNumber);
  const wanted = sku && defaultMinPcieLink(sku);
  const isSlow = wanted !== undefined && (link.gtPerS < wanted.gtPerS || link.width < wanted.width);
  const warning = wanted && `the slot carries less than one port of the card; it takes ${pcieText(wanted)}`;
  return {
    end: end.name,
    name: 'pcie-link',
    label: 'PCIe link',
    value: pcieText(link),
    ...(isSlow && warning !== undefined && { warning }),
  };
}

const iommuTexts: Readonly<Record<IommuSetting, { readonly value: string; readonly warning?: string }>> = {
  pt: { value: 'iommu=pt' },
  off: { value: 'off' },
  on: {
    value: 'on',
    warning:
      'the kernel maps each buffer for the card, which costs packet rate; `iommu=pt` on its command line avoids it',
  },
  default: {
    value: 'not set',
    warning:
      'where the kernel maps each buffer for the card, that costs packet rate; `iommu=pt` on its command line avoids it',
  },
};

/** Where there is no card, nothing is mapped for it. */
async function iommuCondition({ signal }: ObserveContext, { name, host, slice }: End): Promise<Condition> {
  const setting = await unlessRefused(async () => readIommuSetting(host, signal));
  const { value, warning } = setting === undefined ? { value: unknown } : iommuTexts[setting];
  const isTold = warning !== undefined && !slice.testbed;
  return { end: name, name: 'iommu', label: 'IOMMU', value, ...(isTold && { warning }) };
}

/**
 * A tool that is missing, a card without a login: no reason not to measure. What may be there again in a moment is thrown:
 * figures with a condition that was only missed would have no baseline.
 */
async function unlessRefused<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof OpsError && error.failure.kind === 'permanent') return undefined;
    throw error;
  }
}
