import { BlockList, isIP } from 'node:net';
import { errors } from '../errors.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** True for 127.0.0.0/8, ::1 (with or without brackets) and the name `localhost`; other names are not looked up. */
export function isLoopback(address: string): boolean {
  const bare = bareAddress(address);
  const family = isIP(bare);
  if (family === 0) return bare.toLowerCase() === 'localhost';
  return loopback.check(bare, family === 6 ? 'ipv6' : 'ipv4');
}

/** An IPv6 address without the brackets of its URL form; anything else as it is. */
export function bareAddress(address: string): string {
  return address.startsWith('[') && address.endsWith(']') ? address.slice(1, -1) : address;
}

/**
 * A simulated site speaks to loopback only, so that a demo never reaches a real card. Throws `address-not-loopback`
 * before anything connects.
 */
export function guardAddress(site: { readonly simulated: boolean; readonly name: string }, address: string): void {
  if (site.simulated && !isLoopback(address)) throw errors.addressNotLoopback({ target: site.name, address });
}
