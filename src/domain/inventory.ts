import { z } from 'zod';
import { canonicalHash } from './canonical.ts';
import { CertFingerprint, CredentialRef, Name, Profile } from './profile.ts';
import type { Image } from './image.ts';
import { Image as ImageSchema } from './image.ts';
import type { PairSlice } from './pairs.ts';
import { PairEntry } from './pairs.ts';
import { MaintenanceWindows } from './windows.ts';

export { Name, PcieLink, Profile } from './profile.ts';

const Address = z.string().regex(/^[A-Za-z0-9.:[\]-]{1,253}$/, 'an IP address or a DNS name');
const Port = z.int().min(1).max(65535);
const SshFingerprint = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "as `ssh-keygen -lf` prints it: 'SHA256:...'");

/** How one SSH server is reached. `key` names a credential; `hostKeys` are the pins (several key types allowed). */
export const SshEndpoint = z.strictObject({
  address: Address,
  port: Port.default(22),
  user: z.string().min(1).default('root'),
  key: CredentialRef,
  hostKeys: z.array(SshFingerprint).min(1),
  /** Name of another host of the inventory to jump through. */
  jump: Name.optional(),
});
export type SshEndpoint = z.infer<typeof SshEndpoint>;

export const BmcEndpoint = z.strictObject({
  /** `auto` is found later with ipmitool over the Arm, once an Arm login exists. */
  address: z.union([z.literal('auto'), Address]),
  port: Port.default(443),
  /** `host`: the connection goes through the SSH of the card's host. */
  via: z.enum(['direct', 'host']).default('direct'),
  /** Pin known beforehand; without it the certificate is learnt in an approved plan. */
  certSha256: CertFingerprint.optional(),
});
export type BmcEndpoint = z.infer<typeof BmcEndpoint>;

export const DpuEntry = z.strictObject({
  name: Name,
  serial: z.string().min(1).optional(),
  /** PCI function 0 of the card on its host; needed only where a host has several cards and no serial is given. */
  pciAddress: z
    .string()
    .regex(/^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.0$/)
    .optional(),
  bmc: BmcEndpoint,
  /** The Arm's `oob_net0`. Without it the card is reached over `tmfifo_net0` of its host. */
  arm: z
    .strictObject({ address: Address, port: Port.default(22), via: z.enum(['direct', 'host']).default('direct') })
    .optional(),
  profile: Name.optional(),
  /** Beside those of its host; `tag:gen5` means all cards that have it. */
  tags: z.array(Name).optional(),
});
export type DpuEntry = z.infer<typeof DpuEntry>;

/** The host's own management controller (iDRAC, iLO ...), for power only. Redfish, vendor-neutral. */
export const HostBmcEndpoint = z.strictObject({
  address: Address,
  port: Port.default(443),
  user: z.string().min(1).default('root'),
  /** Name of the credential with the password. */
  password: CredentialRef,
  certSha256: CertFingerprint,
});
export type HostBmcEndpoint = z.infer<typeof HostBmcEndpoint>;

/** A command on the host around disruptive work: takes load off (drain) or puts it back (undrain). Exit 0 = done. */
export const Hook = z.strictObject({
  command: z.array(z.string().min(1)).min(1),
  timeoutSeconds: z.int().min(1).max(3600).default(600),
});
export type Hook = z.infer<typeof Hook>;

export const HostEntry = z.strictObject({
  site: Name,
  rack: Name,
  ssh: SshEndpoint,
  bmc: HostBmcEndpoint.optional(),
  drain: Hook.optional(),
  undrain: Hook.optional(),
  dpus: z.array(DpuEntry).min(1),
  profile: Name.default('default'),
  /** For all its cards. */
  tags: z.array(Name).optional(),
});
export type HostEntry = z.infer<typeof HostEntry>;

/** What a site is. `simulated` permits the lab's time factor and stamps SIMULATED; only loopback addresses may be in it. */
export const Site = z.strictObject({
  simulated: z.boolean().default(false),
  /** Real tools on machines without cards: figures say what the tools do, not what hardware does. Stamps TESTBED. */
  testbed: z.boolean().default(false),
  /** age recipient to which the site's secrets are encrypted; the matching identity is held by its workers only. */
  recipient: z.string().regex(/^age1[a-z0-9]{20,}$/, "an age recipient ('age1...')"),
  /** When its cards may be changed; runs wait until one is open. None = at any time. */
  windows: MaintenanceWindows,
});

/** What holds for all hosts that name this rack. Racks without settings of their own are not listed. */
export const Rack = z.strictObject({
  /** In place of those of the site. */
  windows: MaintenanceWindows,
});

export const Role = z.strictObject({
  users: z.array(z.string()).default([]),
  userGroups: z.array(z.string()).default([]),
});

export const ApprovalRule = z.strictObject({
  role: Name,
  /** A second role: then of the approvals at least one comes from each of the two, by different people. */
  andRole: Name.optional(),
  /** How many different people have to approve; with `andRole` two at least. */
  votes: z.int().min(1).max(5).default(1),
  /** `false`: who may approve is not told by direct message, only in the thread. */
  dm: z.boolean().optional(),
  /** A requester with this role may approve alone, with a reason. */
  selfApprovalRole: Name.optional(),
});
export type ApprovalRule = z.infer<typeof ApprovalRule>;

export const Policy = z.strictObject({
  /** Who may start runs, who may force and halt. Roles are defined under `roles`. Nobody by default. */
  operate: z.array(Name).default([]),
  administer: z.array(Name).default([]),
  approvals: z.strictObject({ disruptive: ApprovalRule, destructive: ApprovalRule }),
  /** How long an approval may wait, and how long an approved unit may wait for its start, in minutes. */
  approvalMinutes: z.int().min(1).max(1440).default(60),
  startByMinutes: z.int().min(1).max(1440).default(60),
  waves: z.union([z.literal('all'), z.array(z.string().regex(/^(\d+|\d+%|rest)$/))]).default(['1', '25%', 'rest']),
});
export type Policy = z.infer<typeof Policy>;

export const Inventory = z.strictObject({
  version: z.literal(1),
  sites: z.record(Name, Site),
  racks: z.record(Name, Rack).default({}),
  hosts: z.record(Name, HostEntry),
  /** Cables: `dpu/port` to `dpu/port`. */
  links: z.array(z.tuple([z.string(), z.string()])).default([]),
  /** What `/dpu bench` measures between. */
  pairs: z.record(Name, PairEntry).default({}),
  images: z.record(Name, ImageSchema).default({}),
  profiles: z.record(Name, Profile).default({}),
  roles: z.record(Name, Role).default({}),
  policy: Policy,
  /** Slack channels (by id or #name) where the bot takes commands; empty = every channel it was invited to. */
  channels: z.array(z.string()).default([]),
  /** The pair that a bench in a channel (id or #name) means when it names none. */
  channelPairs: z.record(z.string(), Name).default({}),
});
export type Inventory = z.infer<typeof Inventory>;

/** One host with its resolved profile, as it is frozen into a run. */
export interface HostSlice {
  readonly name: string;
  readonly site: string;
  readonly simulated: boolean;
  /** Only where it is so. */
  readonly testbed?: true;
  readonly recipient: string;
  readonly entry: HostEntry;
  /** Resolved profile per DPU name. */
  readonly profiles: Readonly<Record<string, Profile>>;
  /** Profile of the host itself: what host steps (DOCA, Tailscale) want. */
  readonly hostProfile: Profile;
  /** The images that these profiles name. */
  readonly images: Readonly<Record<string, Image>>;
  /** SSH endpoint of the jump host, when `entry.ssh.jump` is set. */
  readonly jump?: SshEndpoint;
  /** The image that the command named: it stands in the profiles of this slice in place of theirs. */
  readonly imageAsked?: string;
  /** The pair that is measured, in the slices of both its hosts. */
  readonly pair?: PairSlice;
}

/**
 * Host profile over inventory default; a DPU's own profile wins, and an image that was asked for by name over those of the
 * profiles. An undefined profile name is an error found at load.
 */
export function sliceOf(
  inventory: Inventory,
  hostName: string,
  { imageAsked, pairAsked }: { readonly imageAsked?: string | undefined; readonly pairAsked?: string | undefined } = {},
): HostSlice {
  const entry = inventory.hosts[hostName];
  const site = entry && inventory.sites[entry.site];
  if (!entry || !site) throw new RangeError(`host ${hostName} is not in the inventory`);
  const profileOf = (name: string): Profile => {
    const profile = inventory.profiles[name] ?? Profile.parse({});
    return imageAsked === undefined ? profile : { ...profile, image: imageAsked };
  };
  const profiles = Object.fromEntries(entry.dpus.map((dpu) => [dpu.name, profileOf(dpu.profile ?? entry.profile)]));
  const hostProfile = profileOf(entry.profile);
  const named = [hostProfile, ...Object.values(profiles)].flatMap((profile) => profile.image ?? []);
  const images = Object.fromEntries(Object.entries(inventory.images).filter(([name]) => named.includes(name)));
  const jump = entry.ssh.jump === undefined ? undefined : inventory.hosts[entry.ssh.jump]?.ssh;
  return {
    name: hostName,
    site: entry.site,
    simulated: site.simulated,
    ...(site.testbed && { testbed: true as const }),
    recipient: site.recipient,
    entry: untagged(entry),
    profiles,
    hostProfile,
    images,
    ...(jump && { jump }),
    ...(imageAsked !== undefined && { imageAsked }),
    ...(pairAsked !== undefined && { pair: pairOf(inventory, pairAsked) }),
  };
}

/** A pair with the hosts of its cards. Errors: RangeError, when the inventory has no such pair (checked when it is loaded). */
export function pairOf(inventory: Inventory, name: string): PairSlice {
  const entry = inventory.pairs[name];
  if (entry === undefined) throw new RangeError(`pair ${name} is not in the inventory`);
  const hostOf = (card: string): string => {
    const owner = Object.entries(inventory.hosts).find(([, host]) => host.dpus.some((dpu) => dpu.name === card));
    if (owner === undefined) throw new RangeError(`card ${card} of pair ${name} is not in the inventory`);
    return owner[0];
  };
  const [a, b] = entry.ends;
  return {
    name,
    ends: [
      { ...a, host: hostOf(a.card) },
      { ...b, host: hostOf(b.card) },
    ],
  };
}

/** Hash of a slice: a worker whose own inventory gives another one refuses the unit (`inventory-differs`). */
export function sliceHash(slice: HostSlice): string {
  // Runs of before tags were left out of slices still have them.
  return canonicalHash({ ...slice, entry: untagged(slice.entry) });
}

/** Tags only serve to name hosts: whoever gives one a new tag must not outdate the runs that are at work there. */
function untagged({ tags: _tags, ...entry }: HostEntry): HostEntry {
  return { ...entry, dpus: entry.dpus.map(({ tags: _ofCard, ...dpu }) => dpu) };
}
