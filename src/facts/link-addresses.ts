import { z } from 'zod';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { netAddresses } from './card-use.ts';
import { expectSuccess } from './read-helpers.ts';

/** A network link with what it is known by. */
export interface AddressedLink {
  readonly name: string;
  readonly mac: string;
  readonly mtuBytes: number;
  readonly isUp: boolean;
  /** IPv4 addresses with prefix length, as in `192.168.50.1/24`. */
  readonly addresses: readonly string[];
}

const Links = z.array(
  z.object({
    ifname: z.string().min(1),
    address: z.string().optional(),
    mtu: z.int().positive(),
    flags: z.array(z.string()),
    addr_info: z.array(
      z.object({ family: z.string().optional(), local: z.string().optional(), prefixlen: z.int().optional() }),
    ),
  }),
);

/** All links of the default namespace with their IPv4 addresses. Errors: command-failed, output-unreadable. */
export async function readAddressedLinks(reader: HostReader, signal: AbortSignal): Promise<readonly AddressedLink[]> {
  const result = await reader.read(netAddresses.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(reader.name, 'ip -json addr show', result);
  return parseAddressedLinks(reader.name, result.stdout);
}

/** Parses `ip -json addr show`. `UP` among the flags: switched on, whether or not there is a carrier. Source: ip-address(8). */
export function parseAddressedLinks(target: string, text: string): readonly AddressedLink[] {
  let parsed: z.infer<typeof Links>;
  try {
    parsed = Links.parse(JSON.parse(text));
  } catch {
    const problem = 'no JSON list of links with name, MTU, flags and addresses';
    throw errors.outputUnreadable({ target, source: 'ip -json addr show', problem, evidence: text.slice(0, 400) });
  }
  return parsed.map((link) => ({
    name: link.ifname,
    mac: link.address ?? '',
    mtuBytes: link.mtu,
    isUp: link.flags.includes('UP'),
    addresses: link.addr_info
      .filter(({ family }) => family === 'inet')
      .flatMap(({ local, prefixlen }) =>
        local === undefined || prefixlen === undefined ? [] : [`${local}/${prefixlen}`],
      ),
  }));
}
