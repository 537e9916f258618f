import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import type { PcieLink } from '../domain/inventory.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** A BlueField-3 card as its host sees it on PCIe. */
export interface PciCard {
  /** PCI address of function 0, with domain: `0000:e1:00.0`. */
  readonly pciAddress: string;
  readonly partNumber: string;
  readonly serial: string;
  readonly productName: string;
  /** What the link runs at, and what it could. */
  readonly link: PcieLink;
  readonly capable: PcieLink;
}

/**
 * All BlueField-3 functions with their capabilities. `15b3:a2dc` is the network function of BlueField-3 in either mode;
 * `-D` prints the domain. Root is needed for the VPD block. Source: pciutils lspci(8), pci.ids.
 */
export const bluefieldFunctions = defineRead({
  name: 'lspci BlueField-3 functions',
  argv: ['sudo', '-n', 'lspci', '-D', '-vvv', '-d', '15b3:a2dc'],
});

/** Reads the cards of a host, one per PCI bus and device, in address order. Errors: command-failed, output-unreadable. */
export async function readPciCards(host: HostReader, signal: AbortSignal): Promise<readonly PciCard[]> {
  const result = await host.read(bluefieldFunctions.bind({}), { timeoutMs: 20_000, signal });
  expectSuccess(host.name, 'lspci', result);
  // Half a list may lack a card, and the one that is left would be taken for the only one.
  if (result.truncated) throw unreadable(host.name, 'it is not complete', result.stdout);
  return parsePciCards(host.name, result.stdout);
}

/**
 * Parses `lspci -D -vvv`. The VPD block stands on every function of a card, so functions are grouped by bus and device
 * and the first one speaks for the card; functions of one card that disagree on the serial are an error.
 */
export function parsePciCards(hostName: string, text: string): readonly PciCard[] {
  const cards = new Map<string, PciCard>();
  for (const block of text.split(/\n(?=[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] )/)) {
    const address = /^([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2})\.[0-7] /.exec(block.trimStart())?.[1];
    if (address === undefined) {
      if (block.trim() !== '') throw unreadable(hostName, 'a line before the first device', block);
      continue;
    }
    const card = parseFunction(hostName, address, block);
    const known = cards.get(address);
    if (known && known.serial !== card.serial) throw unreadable(hostName, `two serial numbers at ${address}`, block);
    if (!known) cards.set(address, card);
  }
  return [...cards.values()].toSorted((a, b) => (a.pciAddress < b.pciAddress ? -1 : 1));
}

function parseFunction(hostName: string, address: string, block: string): PciCard {
  if (block.includes('<access denied>')) throw unreadable(hostName, 'lspci was not run as root', block);
  // Only whole lines count: of a line without an end, nobody knows how much of the value was cut off.
  const field = (keyword: string): string => {
    const value = new RegExp(`^\\s*\\[${keyword}\\] [^:]+: (.*)\\n`, 'm').exec(block)?.[1]?.trim();
    if (value === undefined || value === '')
      throw unreadable(hostName, `no [${keyword}] in the VPD of ${address}`, block);
    return value;
  };
  return {
    pciAddress: `${address}.0`,
    partNumber: field('PN'),
    serial: field('SN'),
    productName: /^\s*Product Name: (.*)$/m.exec(block)?.[1]?.trim() ?? 'unnamed',
    link: parseLink(hostName, 'LnkSta', block),
    capable: parseLink(hostName, 'LnkCap', block),
  };
}

/** `LnkSta: Speed 8GT/s (downgraded), Width x16 (ok)`: words in brackets depend on the pciutils version. */
function parseLink(hostName: string, line: 'LnkSta' | 'LnkCap', block: string): PcieLink {
  const match = new RegExp(`^\\s*${line}:.*?Speed ([0-9.]+)GT/s[^,]*, Width x(\\d+)`, 'm').exec(block);
  const gtPerS = Number(match?.[1]);
  const width = Number(match?.[2]);
  if (!(gtPerS > 0) || !(width > 0)) throw unreadable(hostName, `no speed and width in ${line}`, block);
  return { gtPerS, width };
}

function unreadable(hostName: string, problem: string, block: string): Error {
  return errors.outputUnreadable({ target: hostName, source: 'lspci', problem, evidence: block.slice(0, 600) });
}
