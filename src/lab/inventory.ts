import { stringify } from 'yaml';
import { provisioningParts } from './wanted.ts';

/** Where a server of the pretend rack listens. */
export interface LabEndpoint {
  readonly address: string;
  readonly port: number;
}

export interface LabCard {
  readonly name: string;
  readonly serial: string;
  readonly bmc: LabEndpoint;
  readonly arm: LabEndpoint;
}

export interface LabHost {
  readonly name: string;
  readonly rack: string;
  /** Host keys as `ssh-keygen -lf` prints them. */
  readonly ssh: LabEndpoint & { readonly user: string; readonly hostKeys: readonly string[] };
  /** The host's own management controller, if it has one. */
  readonly bmc: (LabEndpoint & { readonly user: string; readonly certSha256: string }) | null;
  readonly cards: readonly LabCard[];
}

/** Names of the credentials that the inventory refers to. */
export interface LabCredentials {
  readonly ssh: string;
  readonly hostBmc: string;
  readonly tailscale: string;
  readonly ipsecPsk: string;
}

export interface LabInventoryOptions {
  /** age recipient of the site `lab`: what is stored for it is encrypted to this key. */
  readonly recipient: string;
  readonly hosts: readonly LabHost[];
  /** Cables, as pairs of `card/uplink`. */
  readonly links: readonly (readonly [string, string])[];
  /** Ids of the user groups of the pretend Slack. */
  readonly groups: { readonly operators: string; readonly approvers: string; readonly admins: string };
  readonly credentials: LabCredentials;
  /** `whole`: DOCA, image, Arm and all that follows are wanted; undefined: BMC password and Secure Boot only. */
  readonly whole?: { readonly imageFolder: string };
}

/**
 * The inventory file of the demo, as YAML. The BMC of the first card of every second host is reached through the SSH of
 * its host, so that both ways are in use. No certificate pins of cards: dpubot has to learn them. Serial numbers only
 * where a host has several cards.
 */
export function labInventory(options: LabInventoryOptions): string {
  const { recipient, hosts, links, groups, whole } = options;
  const inventory = {
    version: 1,
    sites: { lab: { simulated: true, recipient } },
    hosts: Object.fromEntries(hosts.map((host, index) => [host.name, hostEntry(host, index, options)])),
    links,
    pairs: Object.fromEntries(links.filter(joinsHosts).map((link, index) => [`wire${index + 1}`, pairOf(link, index)])),
    ...(whole && provisioningParts(whole.imageFolder, options.credentials)),
    roles: {
      operators: { userGroups: [groups.operators] },
      approvers: { userGroups: [groups.approvers] },
      admins: { userGroups: [groups.admins] },
    },
    policy: {
      operate: ['operators'],
      administer: ['admins'],
      approvals: { disruptive: { role: 'approvers' }, destructive: { role: 'approvers' } },
      // Hosts that nobody depends on: waiting for the first one would only make the demo longer.
      waves: 'all',
    },
  };
  return `# Written by the lab for its pretend rack; everything in it ends with the lab.\n${stringify(inventory)}`;
}

/** Between the first ports of two cards: what a bench can measure. */
function joinsHosts([near, far]: readonly [string, string]): boolean {
  return near.endsWith('/p0') && far.endsWith('/p0');
}

/** Addresses that nobody else in the lab has, one set a cable. */
function pairOf(link: readonly [string, string], index: number): object {
  return {
    ends: link.map((end, side) => {
      const [card, port] = end.split('/');
      const subnet = index * 2 + side;
      return {
        card,
        port,
        hostAddress: `192.168.${60 + index}.${side + 1}/24`,
        wireAddress: `192.168.${40 + index}.${side + 1}/24`,
        routed: { host: `10.60.${subnet}.2/24`, card: `10.60.${subnet}.1/24` },
      };
    }),
  };
}

function hostEntry(host: LabHost, index: number, { credentials, whole }: LabInventoryOptions): object {
  const via = index % 2 === 1 ? 'host' : 'direct';
  return {
    site: 'lab',
    rack: host.rack,
    ssh: { ...endpoint(host.ssh), user: host.ssh.user, key: credentials.ssh, hostKeys: host.ssh.hostKeys },
    ...(whole && { profile: profileOf(host) }),
    ...(host.bmc && {
      bmc: {
        ...endpoint(host.bmc),
        user: host.bmc.user,
        password: credentials.hostBmc,
        certSha256: host.bmc.certSha256,
      },
    }),
    dpus: host.cards.map((card) => ({
      name: card.name,
      ...(host.cards.length > 1 && { serial: card.serial }),
      bmc: { ...endpoint(card.bmc), via },
      arm: endpoint(card.arm),
    })),
  };
}

/** rack1 gets the patched image of the quest, the others the stock one; who has no controller is power cycled by hand. */
function profileOf(host: LabHost): string {
  if (host.bmc === null) return 'by-hand';
  return host.rack === 'rack2' ? 'stock' : 'patched';
}

function endpoint({ address, port }: LabEndpoint): LabEndpoint {
  return { address, port };
}
