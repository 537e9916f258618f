import { z } from 'zod';
import { defineRead } from '../domain/commands.ts';
import type { HostReader } from '../domain/device-ports.ts';
import { errors } from '../errors.ts';
import { expectSuccess } from './read-helpers.ts';

/** A link inside the namespace of a card. */
export interface NamespaceLink {
  readonly name: string;
  readonly isUp: boolean;
  /** IPv4 with prefix: `192.168.100.1/30`. */
  readonly addresses: readonly string[];
}

/** Source: ip-netns(8): one name a line, with `(id: N)` behind it when a peer has been given one. */
export const namespaces = defineRead({ name: 'ip netns list', argv: ['ip', 'netns', 'list'] });

/** Source: ip-address(8). Entering another namespace needs root. */
export const namespaceLinks = defineRead({
  name: 'ip addr in a namespace',
  argv: ['sudo', '-n', 'ip', '-json', '-n', '{namespace}', 'addr'],
  holes: { namespace: /dpubot-[a-z0-9][a-z0-9.-]*/ },
});

/** The connection to the card is carried by it. Never nc: bfb-install's clean-up kills every nc. Source: socat(1). */
export const socatVersion = defineRead({ name: 'socat -V', argv: ['socat', '-V'] });

/** Names of the network namespaces of a host. */
export async function readNamespaces(host: HostReader, signal: AbortSignal): Promise<readonly string[]> {
  const result = await host.read(namespaces.bind({}), { timeoutMs: 15_000, signal });
  expectSuccess(host.name, 'ip netns list', result);
  return parseNamespaces(result.stdout);
}

export function parseNamespaces(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/)[0] ?? '')
    .filter((name) => name !== '');
}

/** Links inside a namespace; undefined when there is no such namespace. */
export async function readNamespaceLinks(
  host: HostReader,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly NamespaceLink[] | undefined> {
  if (!(await readNamespaces(host, signal)).includes(namespace)) return undefined;
  const result = await host.read(namespaceLinks.bind({ namespace }), { timeoutMs: 15_000, signal });
  expectSuccess(host.name, `ip -n ${namespace} addr`, result);
  return parseNamespaceLinks(host.name, result.stdout);
}

const Addresses = z.array(
  z.object({
    ifname: z.string(),
    flags: z.array(z.string()),
    addr_info: z.array(z.object({ family: z.string(), local: z.string(), prefixlen: z.number() })),
  }),
);

/** Parses `ip -json addr`. */
export function parseNamespaceLinks(target: string, text: string): readonly NamespaceLink[] {
  let parsed: z.infer<typeof Addresses>;
  try {
    parsed = Addresses.parse(JSON.parse(text));
  } catch {
    const problem = 'no JSON list of links with flags and addresses';
    throw errors.outputUnreadable({ target, source: 'ip -json addr', problem, evidence: text.slice(0, 400) });
  }
  return parsed.map((link) => ({
    name: link.ifname,
    isUp: link.flags.includes('UP'),
    addresses: link.addr_info.filter((one) => one.family === 'inet').map((one) => `${one.local}/${one.prefixlen}`),
  }));
}

/** Is socat there? Errors: command-failed, when it is there and does not run. */
export async function hasSocat(host: HostReader, signal: AbortSignal): Promise<boolean> {
  const result = await host.read(socatVersion.bind({}), { timeoutMs: 15_000, signal });
  if (result.exitCode === 127) return false;
  expectSuccess(host.name, 'socat -V', result);
  return true;
}
