import { z } from 'zod';

/** Names are used in job ids, Redis keys and host names: lower case, digits, dashes, dots. */
export const Name = z
  .string()
  .regex(/^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/, 'use lower-case letters, digits, dots and dashes, at most 63');
export const CredentialRef = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'the name of a credential, not the secret');
export const CertFingerprint = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'SHA-256 of the certificate, 64 lower-case hex digits');
const KeyFingerprint = z.string().regex(/^[0-9A-F]{40}$/, 'fingerprint of an OpenPGP key, 40 upper-case hex digits');
/** It becomes words of commands and lines of files that everybody on a host can read. */
export const WebAddress = z
  .url({ protocol: /^https?$/ })
  .refine((url) => !/^https?:\/\/[^/?#]*@/i.test(url), 'no user and no password in an address');
const PackageName = z.string().regex(/^[a-z0-9][a-z0-9+.-]{1,80}$/, 'the name of a Debian package');

export const PcieLink = z.strictObject({ gtPerS: z.number().positive(), width: z.int().positive() });
export type PcieLink = z.infer<typeof PcieLink>;

/** One line of the support matrix: os-release ID and VERSION_ID, and how the kernel release may begin. */
export const SupportedSystem = z.strictObject({
  os: z.string().regex(/^[a-z]+$/, 'ID of os-release, as in ubuntu'),
  release: z.string().regex(/^\d+(\.\d+)?$/, 'VERSION_ID of os-release, as in 22.04'),
  kernels: z.array(z.string().regex(/^\d[A-Za-z0-9.-]*$/, 'how `uname -r` may begin, as in 5.15.')).min(1),
});

/** DOCA on the host. `driver` is the version of the loaded mlx5_core module that counts as installed. */
export const Doca = z.strictObject({
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'as in 2.9.2'),
  driver: z.string().regex(/^[A-Za-z0-9._-]{1,60}$/, 'as in 24.10-2.1.8'),
  /** A flat apt repository (`deb ... URL ./`); a mirror is named here instead of NVIDIA's. */
  repository: WebAddress,
  keyUrl: WebAddress,
  keyFingerprint: KeyFingerprint,
  packages: z.array(PackageName).min(1).default(['doca-all']),
  supports: z.array(SupportedSystem).min(1),
  /** For apt and downloads on the host. */
  proxy: WebAddress.optional(),
});
export type Doca = z.infer<typeof Doca>;

/** Tailscale on hosts and cards: an apt repository (`deb ... URL SUITE main`) and the auth key by reference. */
export const Tailscale = z.strictObject({
  repository: WebAddress,
  suite: z.string().regex(/^[a-z0-9-]+$/, 'as in jammy'),
  keyUrl: WebAddress,
  keyFingerprint: KeyFingerprint,
  /** Name of the credential with the auth key. */
  authKey: CredentialRef,
  on: z
    .array(z.enum(['host', 'dpu']))
    .min(1)
    .default(['host', 'dpu']),
});
export type Tailscale = z.infer<typeof Tailscale>;

/** Login on the Arm: the user of the image and the key pair whose private half is a credential. */
export const ArmAccount = z.strictObject({
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/)
    .default('ubuntu'),
  key: CredentialRef,
});
export type ArmAccount = z.infer<typeof ArmAccount>;

const LinkName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/, 'the name of a network link');

/** Bridges of the card and what the hardware does for them. */
export const DataPath = z.strictObject({
  bridges: z
    .array(z.strictObject({ name: LinkName, ports: z.array(LinkName).min(1) }))
    .min(1)
    .default([{ name: 'ovsbr1', ports: ['p0', 'pf0hpf'] }]),
  /** `hw-offload` of Open vSwitch. `false`: the software path is wanted, and measured as such. */
  hwOffload: z.boolean().default(true),
  /** OVS-DOCA: `doca-init` and a netdev datapath. */
  docaInit: z.boolean().default(false),
  /** `leave`: whatever it is. Only a card in switchdev mode has representors. */
  eswitch: z.enum(['switchdev', 'leave']).default('switchdev'),
  steering: z.enum(['dmfs', 'smfs', 'leave']).default('leave'),
  /** Of the host, on the NUMA node of the card: what DPDK takes. */
  hugepages: z.strictObject({ sizeMiB: z.union([z.literal(2), z.literal(1024)]), count: z.int().min(1) }).optional(),
});
export type DataPath = z.infer<typeof DataPath>;

/** IPsec between the two cards of a pair, by strongSwan on their Arms. */
export const Ipsec = z.strictObject({
  mode: z.enum(['tunnel', 'transport']).default('transport'),
  /** `packet` fails loudly where the hardware cannot; `no` is the software path, wanted as such. Never `auto`. */
  offload: z.enum(['packet', 'crypto', 'no']).default('packet'),
  auth: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('psk'), secret: CredentialRef }),
    z.strictObject({ kind: z.literal('certificates'), ca: CredentialRef, bundle: CredentialRef }),
  ]),
  ikeProposal: z
    .string()
    .regex(/^[a-z0-9-]{3,80}$/)
    .default('aes128-sha256-x25519'),
  espProposal: z
    .string()
    .regex(/^[a-z0-9-]{3,80}$/)
    .default('aes128gcm128-x25519-esn'),
  /** ESP in UDP also without a NAT in between. */
  encap: z.boolean().default(false),
  /** `IPSEC_FULL_OFFLOAD="yes"` in /etc/mellanox/mlnx-bf.conf, for images whose eswitch is set up by mlnx_bf_configure. */
  fullOffload: z.boolean().default(false),
  /** MTU of the tunnel as hosts see it; default: MTU of the uplink less what ESP and VXLAN add. */
  tunnelMtuBytes: z.int().min(1280).max(9978).optional(),
});
export type Ipsec = z.infer<typeof Ipsec>;

/** How the measuring tools are started on the hosts. */
export const Tools = z.strictObject({
  testpmd: z
    .strictObject({
      /** `pci`: the card's function by its PCI address (mlx5, bifurcated); `af-packet`: its network link. */
      device: z.enum(['pci', 'af-packet']).default('pci'),
      cores: z.int().min(1).max(64).default(8),
      queues: z.int().min(1).max(64).default(8),
      memoryMiB: z.int().min(128).max(65_536).default(4096),
      hugepages: z.boolean().default(true),
      mbufs: z.int().min(1024).optional(),
    })
    .prefault({}),
  iperf3: z.strictObject({ firstPort: z.int().min(1024).max(65_000).default(5201) }).prefault({}),
});
export type Tools = z.infer<typeof Tools>;

const MtuBytes = z.int().min(1280).max(9978);

/** Wanted state of a card and of its host. What is left out is left alone. */
export const Profile = z.strictObject({
  secureBoot: z.enum(['off', 'leave']).default('off'),
  bmcPassword: z.enum(['generated', 'leave']).default('generated'),
  /** The slowest PCIe link that is accepted; default: enough for the card's fastest single port. */
  minPcieLink: PcieLink.optional(),
  doca: Doca.optional(),
  /** Name of an image of the inventory. */
  image: Name.optional(),
  /** `update`: the image may also bring firmware for BMC and CEC. */
  bmcComponents: z.enum(['skip', 'update']).default('skip'),
  /** How firmware or a mode that waits for a cold boot of the host becomes active. */
  activation: z.enum(['host-bmc', 'by-hand', 'later']).default('by-hand'),
  arm: ArmAccount.optional(),
  /** `serial`: the Arm is named after its card. */
  hostname: z.enum(['serial', 'leave']).default('serial'),
  ntp: z.strictObject({ servers: z.array(z.string().regex(/^[A-Za-z0-9.:-]{1,253}$/)).min(1) }).optional(),
  /** `uplink`: p0, p1 and their representors on the card; `host`: the card's network functions on the host. */
  mtuBytes: z
    .strictObject({ uplink: MtuBytes, host: MtuBytes })
    .refine((mtu) => mtu.host <= mtu.uplink, 'the host MTU may not be above the uplink MTU')
    .optional(),
  tailscale: Tailscale.optional(),
  dataPath: DataPath.refine(
    ({ eswitch, steering }) => eswitch === 'switchdev' || steering === 'leave',
    'steering goes with `eswitch: switchdev` only: to set it, the switch has to leave that mode and come back',
  ).optional(),
  ipsec: Ipsec.optional(),
  tools: Tools.optional(),
});
export type Profile = z.infer<typeof Profile>;
