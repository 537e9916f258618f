import type { PcieLink } from './inventory.ts';
import { nearest } from './targets.ts';

/**
 * What a part number means. Sources: NVIDIA's DOCA 2.9 installation guide, the part-number table of NVIDIA's DOCA
 * Platform Framework, the package list of the BMC's firmware, the field report of the B3240.
 */
export interface Sku {
  readonly partNumber: string;
  /** NVIDIA's name of the model, or `unnamed` where none was published. */
  readonly model: string;
  readonly class: 'dpu' | 'supernic' | 'controller';
  readonly crypto: boolean | 'unknown';
  readonly ports: number | 'unknown';
  readonly portGbps: number;
  readonly series: 'P' | 'E' | 'unknown';
  readonly armCores: number;
  readonly memoryGb: number;
  /** Size of the card and the slots it takes, as far as published. */
  readonly form?: string;
  readonly psid?: string;
  /** Fields that no source states and that were read off the letters of the part number. */
  readonly inferred?: readonly ('crypto' | 'portGbps')[];
}

type Row = readonly [
  partNumber: string,
  model: string,
  skuClass: Sku['class'],
  crypto: Sku['crypto'],
  ports: number,
  portGbps: number,
  series: Sku['series'],
  armCores: number,
  memoryGb: number,
  form?: string,
  psid?: string,
];

const dual = 'dual-slot FHHL, PCIe 5.0 x16 with an extension for a second x16';
const single = 'single-slot FHHL, PCIe 5.0 x16';
const shared = 'self-hosted';

const rows: readonly Row[] = [
  ['900-9D3B6-00CN-AB0', 'B3240', 'dpu', true, 2, 400, 'P', 16, 32, dual, 'MT_0000000883'],
  ['900-9D3B6-00SN-AB0', 'B3240', 'dpu', false, 2, 400, 'P', 16, 32, 'dual-slot FHHL', 'MT_0000000964'],
  ['900-9D3B6-00CN-PA0', 'B3240', 'dpu', true, 2, 400, 'P', 16, 32, 'cold aisle (GB200, GB300)'],
  ['900-9D3B6-00CV-AA0', 'B3220', 'dpu', true, 2, 200, 'P', 16, 32, single, 'MT_0000000884'],
  ['900-9D3B6-00SV-AA0', 'B3220', 'dpu', false, 2, 200, 'P', 16, 32, 'single-slot FHHL', 'MT_0000000965'],
  ['900-9D3B6-00CC-AA0', 'B3210', 'dpu', true, 2, 100, 'P', 16, 32, 'single-slot FHHL', 'MT_0000001024'],
  ['900-9D3B6-00SC-AA0', 'B3210', 'dpu', false, 2, 100, 'P', 16, 32, 'single-slot FHHL', 'MT_0000001025'],
  ['900-9D3B6-00CC-EA0', 'B3210E', 'dpu', true, 2, 100, 'E', 16, 32, 'single-slot FHHL'],
  ['900-9D3B6-00SC-EA0', 'B3210E', 'dpu', false, 2, 100, 'E', 16, 32, 'single-slot FHHL'],
  ['900-9D3B4-00CC-EA0', 'B3210L', 'supernic', true, 2, 100, 'E', 8, 16, 'FHHL, PCIe 4.0 x16', 'MT_0000000966'],
  ['900-9D3B4-00SC-EA0', 'B3210L', 'supernic', false, 2, 100, 'E', 8, 16, 'FHHL, PCIe 4.0 x16', 'MT_0000000967'],
  ['900-9D3B4-00CV-EA0', 'B3220L', 'supernic', true, 2, 200, 'E', 8, 16, 'FHHL'],
  ['900-9D3B4-00SV-EA0', 'B3220L', 'supernic', false, 2, 200, 'E', 8, 16, 'FHHL'],
  ['900-9D3B4-00EN-EA0', 'B3140L', 'supernic', true, 1, 400, 'E', 8, 16, 'FHHL', 'MT_0000001010'],
  ['900-9D3B4-00PN-EA0', 'B3140L', 'supernic', 'unknown', 1, 400, 'E', 8, 16, 'FHHL', 'MT_0000001011'],
  ['900-9D3D4-00EN-HA0', 'B3140H', 'supernic', true, 1, 400, 'E', 8, 16, 'HHHL', 'MT_0000001069'],
  ['900-9D3D4-00NN-HA0', 'B3140H', 'supernic', 'unknown', 1, 400, 'E', 8, 16, 'HHHL'],
  ['900-9D3D4-00NN-HAS', 'B3140H', 'supernic', 'unknown', 1, 400, 'E', 8, 16, 'HHHL'],
  ['900-9D3D4-00NN-LA0', 'B3140H', 'supernic', 'unknown', 1, 400, 'E', 8, 16, 'HHHL'],
  ['900-9D3C6-00CV-DA0', 'B3220SH', 'controller', true, 2, 200, 'P', 16, 48, shared],
  ['900-9D3C6-00CV-GA0', 'B3220SH', 'controller', true, 2, 200, 'P', 16, 48, shared],
  ['900-9D3C6-00SV-DA0', 'B3220SH', 'controller', false, 2, 200, 'P', 16, 48, shared],
  ['900-9D3C6-00SV-GA0', 'B3220SH', 'controller', false, 2, 200, 'P', 16, 48, shared],
  ['900-9D3C6-B9SV-DA0', 'B3220SH', 'controller', false, 2, 200, 'P', 16, 48, shared],
];

const skus: readonly Sku[] = [
  ...rows.map(skuOf),
  {
    partNumber: '900-9D3L6-00CN-AA0',
    model: 'unnamed',
    class: 'dpu',
    crypto: true,
    ports: 'unknown',
    portGbps: 400,
    series: 'unknown',
    armCores: 16,
    memoryGb: 32,
    inferred: ['crypto', 'portGbps'],
  },
];

function skuOf(row: Row): Sku {
  const [partNumber, model, skuClass, crypto, ports, portGbps, series, armCores, memoryGb, form, psid] = row;
  const published = { partNumber, model, class: skuClass, crypto, ports, portGbps, series, armCores, memoryGb };
  return { ...published, ...(form === undefined ? {} : { form }), ...(psid === undefined ? {} : { psid }) };
}

/** A part number of a server vendor: what is published of it is the Arm's size, and of one the class. */
export interface OemCard {
  readonly partNumber: string;
  readonly vendor?: string;
  readonly armCores: number;
  readonly memoryGb: number;
  readonly class?: 'dpu';
}

const oemNumbers: readonly (readonly [vendor: string | undefined, cores: 8 | 16, partNumbers: readonly string[]])[] = [
  ['Dell', 8, ['06CMW1', '0KK4NR']],
  ['Dell', 16, ['0HFWRM', '0NDP41', '0WJ9T5', '0WN6RF', '0X5DXX', '0XNWR4']],
  ['HPE', 16, ['P66102-001']],
  ['HPE', 8, ['P66584-001', 'S3K99-63001']],
  ['Lenovo', 16, ['SN37B36732']],
  ['Lenovo', 8, ['SN37B82788']],
  [undefined, 16, ['8217991', '8225672']],
];

const oemCards: readonly OemCard[] = oemNumbers.flatMap(([vendor, armCores, partNumbers]) =>
  partNumbers.map((partNumber) => ({
    partNumber,
    armCores,
    memoryGb: armCores * 2,
    ...(vendor === undefined ? {} : { vendor }),
    // NVIDIA's own infra-controller counts this one as a DPU; nothing is said of the others.
    ...(partNumber === 'SN37B36732' ? { class: 'dpu' as const } : {}),
  })),
);

/** What the letters of a part number suggest. None of it is certain. */
export interface SkuGuess {
  readonly class?: Sku['class'];
  readonly crypto?: boolean;
  readonly portGbps?: number;
}

/** All that is known of a part number as somebody wrote it. */
export type PartNumberMeaning =
  | { readonly kind: 'sku'; readonly sku: Sku }
  | { readonly kind: 'oem'; readonly card: OemCard }
  | { readonly kind: 'unknown'; readonly guess?: SkuGuess; readonly nearest?: string };

/** Looks a part number up: as NVIDIA's, as a server vendor's, else by its letters and by likeness. */
export function meaningOf(partNumber: string): PartNumberMeaning {
  const sku = findSku(partNumber);
  if (sku) return { kind: 'sku', sku };
  const wanted = compact(partNumber);
  const card = oemCards.find((entry) => compact(entry.partNumber) === wanted);
  if (card) return { kind: 'oem', card };
  const guess = guessOf(wanted);
  const like = nearest(
    wanted,
    skus.map((entry) => compact(entry.partNumber)),
  );
  const near = skus.find((entry) => compact(entry.partNumber) === like)?.partNumber;
  return { kind: 'unknown', ...(guess && { guess }), ...(near !== undefined && { nearest: near }) };
}

/**
 * Finds the SKU of a part number as a card's VPD, label or rshim gives it: in any case, with or without dashes. The last
 * character of the suffix may differ or be missing (labels say `00CV-AAH` for `00CV-AA0`, rshim `9009D3B600CNAB`), and
 * firmware writes `900-9D3B6-00CN-A_Ax` for all suffixes that begin with A. The class of an unlisted `900-9D3C6` card is
 * still known: the whole family is the self-hosted controller.
 */
export function findSku(partNumber: string): Sku | undefined {
  const wanted = compact(partNumber);
  const exact = skus.find((sku) => compact(sku.partNumber) === wanted);
  if (exact) return exact;
  if (/_Ax$/i.test(partNumber.trim())) return onlyOne(wanted.slice(0, -2), 13);
  if (wanted.length === 14) return onlyOne(wanted, 14);
  const relabelled = skus.find((sku) => compact(sku.partNumber).slice(0, 14) === wanted.slice(0, -1));
  if (relabelled) return { ...relabelled, partNumber: dashed(wanted) };
  if (!wanted.startsWith('9009D3C6')) return undefined;
  return {
    partNumber: dashed(wanted),
    model: 'B3220SH',
    class: 'controller',
    crypto: 'unknown',
    ports: 2,
    portGbps: 200,
    series: 'P',
    armCores: 16,
    memoryGb: 48,
    form: shared,
  };
}

function onlyOne(wanted: string, length: number): Sku | undefined {
  if (wanted.length !== length) return undefined;
  const [first, ...others] = skus.filter((sku) => compact(sku.partNumber).startsWith(wanted));
  return others.every((other) => other.model === first?.model) ? first : undefined;
}

/** Classes by prefix as in NVIDIA's infra-controller; letters as they stand in the parts whose meaning is published. */
function guessOf(wanted: string): SkuGuess | undefined {
  const parts = /^9009D3([A-Z]\d)[A-Z0-9]{2}([A-Z])([A-Z])/.exec(wanted);
  if (!parts) return undefined;
  const [, family = '', crypto = '', speed = ''] = parts;
  const classOf: Readonly<Record<string, Sku['class']>> = {
    B6: 'dpu',
    B4: 'supernic',
    D4: 'supernic',
    C6: 'controller',
  };
  const speeds: Readonly<Record<string, number>> = { N: 400, V: 200, C: 100 };
  const portGbps = speeds[speed];
  const skuClass = classOf[family];
  const guess: SkuGuess = {
    ...(skuClass !== undefined && { class: skuClass }),
    ...((crypto === 'C' || crypto === 'S') && { crypto: crypto === 'C' }),
    ...(portGbps !== undefined && { portGbps }),
  };
  return Object.keys(guess).length === 0 ? undefined : guess;
}

/** Letters and digits only, in capitals. */
function compact(partNumber: string): string {
  return partNumber.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
}

/** `9009D3B600CNAB0` as labels write it: `900-9D3B6-00CN-AB0`. */
function dashed(wanted: string): string {
  return [wanted.slice(0, 3), wanted.slice(3, 8), wanted.slice(8, 12), wanted.slice(12)].join('-');
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
