import { parse, stringify } from 'yaml';
import { cards, type CardName, type MachineName, users } from './layout.ts';
import type { Rack } from './rack.ts';

/** Names that the inventory of the rack uses. */
export const pairName = 'wire';
export const site = 'lab';
export const credentials = { ssh: 'ssh-ops', psk: 'ipsec-psk' } as const;

/** Addresses of the pair, as its entry names them; without prefix length where tools take them so. */
export const addresses = {
  'dpu-a': { host: '192.168.50.1', wire: '10.0.0.1', routedHost: '10.1.0.2', routedCard: '10.1.0.1' },
  'dpu-b': { host: '192.168.50.2', wire: '10.0.0.2', routedHost: '10.2.0.2', routedCard: '10.2.0.1' },
} as const satisfies Readonly<Record<CardName, object>>;
export const uplinkMtuBytes = 1600;
export const tunnelMtuBytes = 1400;

/** What the kernels and tools of this machine can do: user space everywhere, nothing offloaded, tunnel mode in UDP. */
export const profile = {
  secureBoot: 'leave',
  bmcPassword: 'leave',
  arm: { user: users.card, key: credentials.ssh },
  hostname: 'leave',
  mtuBytes: { uplink: uplinkMtuBytes, host: 1500 },
  dataPath: { hwOffload: false },
  ipsec: {
    mode: 'tunnel',
    offload: 'no',
    auth: { kind: 'psk', secret: credentials.psk },
    ikeProposal: 'aes256gcm16-prfsha384-ecp384',
    espProposal: 'aes256gcm16-ecp384',
    encap: true,
    tunnelMtuBytes,
  },
  tools: { testpmd: { device: 'af-packet', cores: 1, queues: 1, memoryMiB: 256, hugepages: false, mbufs: 2048 } },
};

/**
 * Inventory of the rack. Roles and policy are those of `labText`, which belongs to the pretend Slack; the pretend rack in
 * it is left out.
 */
export function rackInventory(labText: string, rack: Rack): string {
  const lab = parse(labText) as { readonly sites: { readonly lab: { readonly recipient: string } } };
  const { recipient } = lab.sites.lab;
  const { roles, policy } = lab as unknown as { readonly roles: object; readonly policy: object };
  return stringify({
    version: 1,
    sites: { [site]: { testbed: true, recipient } },
    hosts: Object.fromEntries(Object.keys(cards).map((card) => hostEntry(card as CardName, rack))),
    links: [['dpu-a/p0', 'dpu-b/p0']],
    pairs: { [pairName]: { ends: [pairEnd('dpu-a'), pairEnd('dpu-b')] } },
    profiles: { default: profile },
    roles,
    policy,
    channelPairs: { '#dpu-lab': pairName },
  });
}

function hostEntry(card: CardName, rack: Rack): [MachineName, object] {
  const { host, serial } = cards[card];
  const entry = {
    site,
    rack: 'namespaces',
    ssh: { address: rack.address(host), user: users.host, key: credentials.ssh, hostKeys: [rack.hostKey(host)] },
    dpus: [
      {
        name: card,
        serial,
        // No bench asks a BMC: nothing listens there.
        bmc: { address: rack.address(card), port: 443 },
        arm: { address: rack.address(card) },
      },
    ],
  };
  return [host, entry];
}

function pairEnd(card: CardName): object {
  const { host, wire, routedHost, routedCard } = addresses[card];
  return {
    card,
    hostAddress: `${host}/24`,
    wireAddress: `${wire}/30`,
    routed: { host: `${routedHost}/24`, card: `${routedCard}/24` },
  };
}
