/**
 * Addresses and names derived from a card's serial and base MAC.
 *
 * Source: the offsets between base MAC, host ports, oob_net0 and BMC are those of the captured B3220.
 */
import { createHash } from 'node:crypto';
import type { CardLayout } from './layout.ts';

/** MAC as a number plus an offset, in the colon form. */
export function macPlus(baseMac: string, offset: number): string {
  const value = BigInt(`0x${baseMac.replaceAll(':', '')}`) + BigInt(offset);
  const hex = value.toString(16).padStart(12, '0');
  return (hex.match(/../g) ?? []).join(':');
}

interface CardMacs {
  base: string;
  eth0: string;
  eth1: string;
  oob: string;
  bmc: string;
}

/** The MAC addresses of a card, counted from its base MAC. */
export function cardMacs(card: CardLayout): CardMacs {
  return {
    base: card.baseMac,
    eth0: macPlus(card.baseMac, 0x10),
    eth1: macPlus(card.baseMac, 0x11),
    oob: macPlus(card.baseMac, 0x24),
    bmc: macPlus(card.baseMac, 0x25),
  };
}

/** Link-local IPv6 address made from a MAC (modified EUI-64). */
export function linkLocal(mac: string): string {
  const bytes = mac.split(':').map((byte) => Number.parseInt(byte, 16));
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = bytes;
  const words = [((a ^ 2) << 8) | b, (c << 8) | 0xff, 0xfe00 | d, (e << 8) | f];
  return `fe80::${words.map((word) => word.toString(16)).join(':')}`;
}

/** GUID of the NIC: the MAC with 0300 in its middle. */
export function baseGuid(card: CardLayout): string {
  const hex = card.baseMac.replaceAll(':', '');
  return `${hex.slice(0, 6)}0300${hex.slice(6)}`;
}

/** A UUID that belongs to this card and purpose for ever. */
export function stableUuid(card: CardLayout, purpose: string): string {
  const hex = createHash('sha256').update(`${card.serial} ${purpose}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-9${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Part number as the firmware shortens it: 900-9D3B6-00CN-A_Ax. */
export function firmwarePartNumber(partNumber: string): string {
  return `${partNumber.slice(0, -2)}_Ax`;
}

/** Part number as rshim shows it: no dashes, 14 characters. */
export function opnString(partNumber: string): string {
  return partNumber.replaceAll('-', '').slice(0, 14);
}
