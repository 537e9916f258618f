/**
 * What stands in the pretend rack: hosts, cards, and how they differ. Pure data, no behaviour.
 *
 * Source: part numbers, PSIDs and descriptions from NVIDIA's DOCA installation guide and the doca-platform table;
 * serial format as in libredfish's mockup of BF-24.10.
 */

export type DpuMode = 'dpu' | 'nic';

/** Device-time lengths; the defaults are in `defaultDelays`. */
export interface Delays {
  armBootMs: number;
  bmcResetMs: number;
  bmcLateMs: number;
  bootProgressLagMs: number;
  rshimToggleMs: number;
  transferMs: number;
  hostColdCycleMs: number;
  hostWarmRebootMs: number;
  /** A whole image through rshim. */
  pushMs: number;
  /** From the end of the push to `Rebooting...`. */
  installMs: number;
}

export interface CardLayout {
  name: string;
  serial: string;
  partNumber: string;
  model: string;
  psid: string;
  description: string;
  /** Crypto engines present; false for the 00S? part numbers. */
  crypto: boolean;
  /** A self-hosted storage controller (B3220SH): PCIe root complex, no OVS bridges. */
  controller: boolean;
  ports: { name: string; speedGbps: number }[];
  armCores: number;
  armMemoryGib: number;
  pcie: { address: string; slotGen: 3 | 4 | 5; slotWidth: 4 | 8 | 16; numaNode: number };
  /** Base MAC of the NIC; the other addresses of the card are counted from it. */
  baseMac: string;
  mode: DpuMode;
  rshimOwner: 'host' | 'bmc' | 'none';
  bmc: { address: string; firmware: string; rootPassword: string; redfishTruncatesPassword: boolean };
  arm: {
    address: string;
    image: string;
    hostname: string;
    password: string;
    passwordExpired: boolean;
    authorizedKeys: string[];
    signedImage: boolean;
    /** What the Arm reports besides; taken from the image unless given. */
    marker?: string;
  };
  nicFirmware: string;
  secureBoot: { enabled: boolean; fieldsPresent: boolean; keysEnrolled: boolean };
  /** uplink -> "card/uplink" at the other end of the cable. */
  links: Record<string, string>;
}

export interface HostLayout {
  name: string;
  address: string;
  kernel: string;
  /** The user that may log in with a key. */
  user: string;
  /** Packages with versions that dpkg knows besides the base system. */
  packages: Record<string, string>;
  /** Kernel headers are there, so drivers can be built. */
  headers?: boolean;
  /** Version of foreign or older mlx5 modules that are installed. */
  driver?: string;
  /** The host's own management controller, if it has one that is known. */
  bmc?: { address: string; user: string; password: string };
  cards: CardLayout[];
}

export interface RackLayout {
  name: string;
  /** Gateway and DNS of the management network that the BMCs and Arms report. */
  management: { gateway: string; dns: string };
  delays: Delays;
  hosts: HostLayout[];
}

/** Source: BlueField BMC manual, OobUpdate waits, NICo notes; ranges in the wild are wide. */
export const defaultDelays: Delays = {
  armBootMs: 90_000,
  bmcResetMs: 100_000,
  bmcLateMs: 60_000,
  bootProgressLagMs: 2_000,
  rshimToggleMs: 8_000,
  transferMs: 180_000,
  hostColdCycleMs: 240_000,
  hostWarmRebootMs: 180_000,
  pushMs: 122_000,
  installMs: 540_000,
};

/** Properties a part number decides. */
export interface Sku {
  partNumber: string;
  model: string;
  psid: string;
  description: string;
  crypto: boolean;
  controller: boolean;
  ports: { name: string; speedGbps: number }[];
  armCores: number;
  armMemoryGib: number;
}

function dualPort(speedGbps: number): { name: string; speedGbps: number }[] {
  return [
    { name: 'p0', speedGbps },
    { name: 'p1', speedGbps },
  ];
}

/** The part numbers that ready-made layouts use. */
export const skus = {
  b3240: {
    partNumber: '900-9D3B6-00CN-AB0',
    model: 'B3240',
    psid: 'MT_0000000883',
    description:
      'NVIDIA BlueField-3 B3240 P-Series Dual-slot FHHL DPU; 400GbE / NDR IB (default mode); Dual-port QSFP112; PCIe Gen5.0 x16 with x16 PCIe extension option; 16 Arm cores; 32GB on-board DDR; integrated BMC; Crypto Enabled',
    crypto: true,
    controller: false,
    ports: dualPort(400),
    armCores: 16,
    armMemoryGib: 32,
  },
  b3240NoCrypto: {
    partNumber: '900-9D3B6-00SN-AB0',
    model: 'B3240',
    psid: 'MT_0000000964',
    description:
      'NVIDIA BlueField-3 B3240 P-Series Dual-slot FHHL DPU; 400GbE / NDR IB (default mode); Dual-port QSFP112; PCIe Gen5.0 x16 with x16 PCIe extension option; 16 Arm cores; 32GB on-board DDR; integrated BMC; Crypto Disabled',
    crypto: false,
    controller: false,
    ports: dualPort(400),
    armCores: 16,
    armMemoryGib: 32,
  },
  b3220: {
    partNumber: '900-9D3B6-00CV-AA0',
    model: 'B3220',
    psid: 'MT_0000000884',
    description:
      'NVIDIA BlueField-3 B3220 P-Series FHHL DPU; 200GbE (default mode) / NDR200 IB; Dual-port QSFP112; PCIe Gen5.0 x16 with x16 PCIe extension option; 16 Arm cores; 32GB on-board DDR; integrated BMC; Crypto Enabled',
    crypto: true,
    controller: false,
    ports: dualPort(200),
    armCores: 16,
    armMemoryGib: 32,
  },
  b3220sh: {
    partNumber: '900-9D3C6-00CV-DA0',
    model: 'B3220SH',
    psid: 'MT_0000001117',
    description:
      'NVIDIA BlueField-3 B3220SH E-Series FHHL Storage Controller; 200GbE (default mode) / NDR200 IB; Dual-port QSFP112; PCIe Gen5.0 x16 with x16 PCIe extension option; 16 Arm cores; 48GB on-board DDR; integrated BMC; Crypto Enabled',
    crypto: true,
    controller: true,
    ports: dualPort(200),
    armCores: 16,
    armMemoryGib: 48,
  },
} satisfies Record<string, Sku>;
