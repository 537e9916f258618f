import { stringify } from 'yaml';

/** Where an SSH server of the pretend rack listens, and the fingerprints of its keys as `ssh-keygen -lf` prints them. */
export interface LabEndpoint {
  readonly address: string;
  readonly port: number;
}

export interface LabCard {
  readonly name: string;
  readonly bmc: LabEndpoint;
  readonly arm: LabEndpoint;
}

export interface LabHost {
  readonly name: string;
  readonly ssh: LabEndpoint & { readonly user: string; readonly hostKeys: readonly string[] };
  readonly cards: readonly LabCard[];
}

export interface LabInventoryOptions {
  /** age recipient of the site `lab`: what is stored for it is encrypted to this key. */
  readonly recipient: string;
  readonly rack: string;
  readonly hosts: readonly LabHost[];
  /** Cables, as pairs of `card/uplink`. */
  readonly links: readonly (readonly [string, string])[];
  /** Ids of the user groups of the pretend Slack. */
  readonly groups: { readonly operators: string; readonly approvers: string; readonly admins: string };
  /** Name of the credential that holds the operator's private key. */
  readonly key: string;
}

/**
 * The inventory file of the demo, as YAML. The BMC of the first card of every second host is reached through the SSH of
 * its host, so that both ways are in use. No serial numbers and no certificate pins: dpubot has to learn them.
 */
export function labInventory(options: LabInventoryOptions): string {
  const { recipient, rack, hosts, links, groups, key } = options;
  const inventory = {
    version: 1,
    sites: { lab: { simulated: true, recipient } },
    hosts: Object.fromEntries(hosts.map((host, index) => [host.name, hostEntry(host, { index, rack, key })])),
    links,
    roles: {
      operators: { userGroups: [groups.operators] },
      approvers: { userGroups: [groups.approvers] },
      admins: { userGroups: [groups.admins] },
    },
    policy: {
      operate: ['operators'],
      administer: ['admins'],
      approvals: { disruptive: { role: 'approvers' }, destructive: { role: 'approvers' } },
      // Two hosts that nobody depends on: waiting for the first one would only make the demo longer.
      waves: 'all',
    },
  };
  return `# Written by the lab for its pretend rack; everything in it ends with the lab.\n${stringify(inventory)}`;
}

function hostEntry(host: LabHost, place: { index: number; rack: string; key: string }): object {
  const via = place.index % 2 === 1 ? 'host' : 'direct';
  return {
    site: 'lab',
    rack: place.rack,
    ssh: { ...endpoint(host.ssh), user: host.ssh.user, key: place.key, hostKeys: host.ssh.hostKeys },
    dpus: host.cards.map((card) => ({
      name: card.name,
      bmc: { ...endpoint(card.bmc), via },
      arm: endpoint(card.arm),
    })),
  };
}

function endpoint({ address, port }: LabEndpoint): LabEndpoint {
  return { address, port };
}
