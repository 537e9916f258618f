import type { PcieLink } from './inventory.ts';

/** What a part number means. Source: NVIDIA DOCA 2.9 installation guide, DPF part-number table, the B3240 blog seed. */
export interface Sku {
  readonly partNumber: string;
  readonly model: string;
  readonly class: 'dpu' | 'supernic' | 'controller';
  readonly crypto: boolean | 'unknown';
  readonly ports: number;
  readonly portGbps: number;
  readonly series: 'P' | 'E' | 'unknown';
  readonly armCores: number;
  readonly memoryGb: number;
  /** Slots the card takes; undefined where not published. */
  readonly slots?: 1 | 2;
}

type Row = readonly [
  string,
  string,
  Sku['class'],
  Sku['crypto'],
  number,
  number,
  Sku['series'],
  number,
  number,
  (1 | 2)?,
];

const rows: readonly Row[] = [
  ['900-9D3B6-00CN-AB0', 'B3240', 'dpu', true, 2, 400, 'P', 16, 32, 2],
  ['900-9D3B6-00SN-AB0', 'B3240', 'dpu', false, 2, 400, 'P', 16, 32, 2],
  ['900-9D3B6-00CN-PA0', 'B3240', 'dpu', true, 2, 400, 'P', 16, 32],
  ['900-9D3B6-00CV-AA0', 'B3220', 'dpu', true, 2, 200, 'P', 16, 32, 1],
  ['900-9D3B6-00SV-AA0', 'B3220', 'dpu', false, 2, 200, 'P', 16, 32, 1],
  ['900-9D3B6-00CC-AA0', 'B3210', 'dpu', true, 2, 100, 'P', 16, 32, 1],
  ['900-9D3B6-00SC-AA0', 'B3210', 'dpu', false, 2, 100, 'P', 16, 32, 1],
  ['900-9D3B6-00CC-EA0', 'B3210E', 'dpu', true, 2, 100, 'E', 16, 32, 1],
  ['900-9D3B6-00SC-EA0', 'B3210E', 'dpu', false, 2, 100, 'E', 16, 32, 1],
  ['900-9D3B4-00CC-EA0', 'B3210L', 'supernic', true, 2, 100, 'E', 8, 16],
  ['900-9D3B4-00SC-EA0', 'B3210L', 'supernic', false, 2, 100, 'E', 8, 16],
  ['900-9D3B4-00CV-EA0', 'B3220L', 'supernic', true, 2, 200, 'E', 8, 16],
  ['900-9D3B4-00SV-EA0', 'B3220L', 'supernic', false, 2, 200, 'E', 8, 16],
  ['900-9D3B4-00EN-EA0', 'B3140L', 'supernic', true, 1, 400, 'E', 8, 16],
  ['900-9D3B4-00PN-EA0', 'B3140L', 'supernic', 'unknown', 1, 400, 'E', 8, 16],
  ['900-9D3D4-00EN-HA0', 'B3140H', 'supernic', true, 1, 400, 'E', 8, 16],
  ['900-9D3D4-00NN-HA0', 'B3140H', 'supernic', 'unknown', 1, 400, 'E', 8, 16],
  ['900-9D3D4-00NN-HAS', 'B3140H', 'supernic', 'unknown', 1, 400, 'E', 8, 16],
  ['900-9D3D4-00NN-LA0', 'B3140H', 'supernic', 'unknown', 1, 400, 'E', 8, 16],
  ['900-9D3C6-00CV-DA0', 'B3220SH', 'controller', true, 2, 200, 'P', 16, 48],
  ['900-9D3C6-00CV-GA0', 'B3220SH', 'controller', true, 2, 200, 'P', 16, 48],
  ['900-9D3C6-00SV-DA0', 'B3220SH', 'controller', false, 2, 200, 'P', 16, 48],
];

const skus: readonly Sku[] = rows.map(
  ([partNumber, model, skuClass, crypto, ports, portGbps, series, armCores, memoryGb, slots]) => ({
    partNumber,
    model,
    class: skuClass,
    crypto,
    ports,
    portGbps,
    series,
    armCores,
    memoryGb,
    ...(slots === undefined ? {} : { slots }),
  }),
);

/**
 * Finds the SKU of a part number as a card's VPD or label gives it. Case does not matter; the last character of the
 * suffix may differ (labels say `00CV-AAH` for `00CV-AA0`). The class of an unlisted `900-9D3C6` card is still known:
 * the whole family is the self-hosted controller.
 */
export function findSku(partNumber: string): Sku | undefined {
  const wanted = partNumber.trim().toUpperCase();
  const exact = skus.find((sku) => sku.partNumber === wanted);
  if (exact) return exact;
  const relabelled = skus.find((sku) => sku.partNumber.slice(0, -1) === wanted.slice(0, -1));
  if (relabelled) return { ...relabelled, partNumber: wanted };
  if (!wanted.startsWith('900-9D3C6-')) return undefined;
  return {
    partNumber: wanted,
    model: 'B3220SH',
    class: 'controller',
    crypto: 'unknown',
    ports: 2,
    portGbps: 200,
    series: 'P',
    armCores: 16,
    memoryGb: 48,
  };
}

/** Raw rate of a PCIe link in Gb/s after 128b/130b coding (PCIe 3.0 and newer). 32 GT/s x16 gives 504. */
export function pcieGbps(link: PcieLink): number {
  return (link.gtPerS * link.width * 128) / 130;
}

/** The slowest standard x16 link that carries the card's fastest single port: 400 -> 32 GT/s x16, 200 -> 16 GT/s x16. */
export function defaultMinPcieLink(sku: Sku): PcieLink {
  const gtPerS = [8, 16, 32, 64].find((rate) => pcieGbps({ gtPerS: rate, width: 16 }) >= sku.portGbps) ?? 64;
  return { gtPerS, width: 16 };
}

/** "32 GT/s x16". */
export function pcieText(link: PcieLink): string {
  return `${link.gtPerS} GT/s x${link.width}`;
}
