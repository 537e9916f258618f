/** IPv4 arithmetic. */
import type { Selector } from '../data-path.ts';

/** An address as a number; null when it is none. */
export function addressNumber(address: string): number | null {
  const bytes = address.split('.').map(Number);
  const good = /^\d+(\.\d+){3}$/.test(address) && bytes.every((byte) => byte <= 255);
  return good ? bytes.reduce((sum, byte) => sum * 256 + byte, 0) : null;
}

/** Is the address in the network? `default` holds all. */
export function inNetwork(network: string, address: string): boolean {
  if (network === 'default') return true;
  const [first = '', prefix = '32'] = network.split('/');
  const size = 2 ** (32 - Number(prefix));
  const [start, one] = [addressNumber(first), addressNumber(address)];
  return start !== null && one !== null && Math.floor(start / size) === Math.floor(one / size);
}

/** What of a packet a selector looks at. */
export interface PacketKind {
  protocol: string;
  port: number | null;
}

/** Do these selectors, local and remote, take a packet? */
export function selects(
  { localTs, remoteTs }: { localTs: Selector[]; remoteTs: Selector[] },
  from: string,
  to: string,
  kind: PacketKind,
): boolean {
  const fits = (selector: Selector, address: string): boolean =>
    inNetwork(selector.network, address) &&
    (selector.protocol === null || selector.protocol === kind.protocol) &&
    (selector.port === null || selector.port === kind.port);
  return localTs.some((each) => fits(each, from)) && remoteTs.some((each) => fits(each, to));
}
