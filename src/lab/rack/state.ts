/**
 * The whole state of the rack as plain JSON. Times are device-clock milliseconds.
 *
 * Field names that end in `AtMs` or `UntilMs` are clocks and are left out of comparisons; so are `sessions` and `log`.
 */
import type { BmcState, Session } from './bmc-state.ts';
import type { FaultName, FaultRule } from './faults.ts';
import { findFault, useFault } from './faults.ts';
import type { ArmDataPath } from './data-path.ts';
import type { CardLayout, Delays, DpuMode, HostLayout, RackLayout } from './layout.ts';
import { skus } from './layout.ts';
import type { StoredFiles } from './files/nodes.ts';
import type { LabImage } from './install/images.ts';
import type { HostTuning, NetworkState } from './network-state.ts';
import type { PackageState } from './packages/state.ts';
import type { ConsoleState } from './rshim/console.ts';
import type { Scheduler } from './shell/scheduler.ts';
import type { Descriptor, Machine } from './shell/types.ts';
import type { MtuRule } from './udev.ts';
import type { Wire } from './wire/wire.ts';

/** Boot stages in the order they happen. Source: BlueField BMC manual, OemLastState values. */
export const bootStages = ['BootRom', 'BL2', 'BL31', 'UEFI', 'OsStarting', 'OsIsRunning'] as const;
export type BootStage = (typeof bootStages)[number];

/** Something that will happen to a card at a known device time. */
export type CardEvent =
  | { atMs: number; kind: 'arm-start' }
  | { atMs: number; kind: 'arm-uefi' }
  | { atMs: number; kind: 'arm-kernel' }
  | { atMs: number; kind: 'arm-ready' }
  | { atMs: number; kind: 'arm-log'; text: string }
  | { atMs: number; kind: 'arm-refused' }
  | { atMs: number; kind: 'arm-install'; step: 'os' | 'system' | 'nic' | 'bmc' | 'end' }
  | { atMs: number; kind: 'host-rshim'; enabled: boolean }
  | { atMs: number; kind: 'bmc-rshim'; enabled: boolean }
  | { atMs: number; kind: 'bmc-restart' }
  | { atMs: number; kind: 'task-end'; taskId: string };

/** An image that is being installed. */
export interface InstallState {
  /** Name of the image; '' when the stream was none. */
  image: string;
  /** The bf.cfg that came with it. */
  config: string;
  failed: 'installer' | null;
  /** What the configuration set, once it has been read. */
  settings?: Record<string, string>;
}

/** Tailscale on a machine. */
interface TailscaleState {
  up: boolean;
  hostname: string;
  address: string;
}

interface ArmState {
  power: 'on' | 'off';
  /** Where this boot ends: OsIsRunning in DPU mode, UEFI in NIC mode or when stuck. */
  lastStage: BootStage;
  /** Held in the UEFI shell: PowerState Paused, a reset of type On does nothing. */
  uefiShell: boolean;
  /** The next boot ends in the UEFI shell. */
  nextBootShell: boolean;
  bootCount: number;
  bootId: string;
  bootStartedAtMs: number;
  /** What the BMC reported before this boot, until the first stage arrives over NC-SI. */
  reportedBefore: BootStage | 'LowPowerStandby';
  reportedBeforeAtMs: number;
}

interface SecureBootState {
  enable: boolean;
  currentBoot: boolean;
  keysEnrolled: boolean;
  fieldsPresent: boolean;
  /** A wanted value that UEFI has not applied; `fetched` after the first boot. */
  pending: { value: boolean; fetched: boolean } | null;
  /** What runs now is taken back at the next boot. */
  holdsOneBoot: boolean;
}

/** The password of the UEFI menu. */
interface UefiState {
  password: string;
  /** A change that UEFI has fetched and applies at the next boot. */
  wish: { current: string; next: string } | null;
  /** The capsule EnrollKeysCap waits for the next boot. */
  capsule: boolean;
}

export interface CardState {
  name: string;
  host: string;
  hardware: CardLayout;
  nicFirmware: { running: string; staged: string | null };
  nvconfig: { current: Record<string, string>; next: Record<string, string> };
  mode: { current: DpuMode; queued: DpuMode | null };
  arm: ArmState;
  secureBoot: SecureBootState;
  uefi: UefiState;
  bmc: BmcState;
  rshim: {
    owner: 'host' | 'bmc' | 'none';
    hostEnabled: boolean;
    bmcEnabled: boolean;
    bootMode: 0 | 1 | 2;
    displayLevel: 0 | 1 | 2;
    dropMode: boolean;
    clearOnRead: boolean;
    log: string[];
  };
  bios: { attributes: Record<string, unknown>; pending: Record<string, unknown> };
  /** Changes to the Boot object of the pending system settings. */
  bootSettings: Record<string, unknown>;
  armOs: {
    image: string;
    hostname: string;
    password: string;
    passwordExpired: boolean;
    authorizedKeys: string[];
    signedImage: boolean;
    /** crypt(3) hash from bf.cfg instead of a plain password. */
    passwordHash: string | null;
    kernel: string;
    /** Version of the mlx5 modules. */
    driver: string;
    /** Half written by an installer that never finished. */
    broken: boolean;
    hostKeyGeneration: number;
    files: StoredFiles;
    packages: PackageState;
    mtus: Record<string, number>;
    /** The udev rules this start of the system met. */
    rules?: MtuRule[];
    tailscale: TailscaleState | null;
    timesyncActive: boolean;
    dataPath: ArmDataPath;
  };
  install: InstallState | null;
  /** Runs of bfb-install for this card: begun so far, at this moment, and most at one moment. */
  pushes: { begun: number; running: number; most: number };
  events: CardEvent[];
}

export interface HostState {
  name: string;
  hardware: Omit<HostLayout, 'cards'>;
  bootId: string;
  bootCount: number;
  bootedAtMs: number;
  downUntilMs: number;
  linkLostUntilMs: number;
  rshimServiceActive: boolean;
  mstStarted: boolean;
  power: 'on' | 'off';
  /** The system is going down, and what comes then. */
  stopping?: { atMs: number; end: 'off' | 'restart' };
  packages: PackageState;
  files: StoredFiles;
  /** Version of the mlx5 modules on disk and in memory; null is the kernel's own. */
  driver: { installed: string | null; loaded: string | null };
  network: NetworkState;
  tuning: HostTuning;
  tailscale: TailscaleState | null;
  timesyncActive: boolean;
  /** Units that `systemctl enable|disable` changed. */
  disabledUnits: string[];
  bmc: HostBmcState | null;
  /** The journal. */
  log: string[];
}

/** The host's own management controller. */
export interface HostBmcState {
  user: string;
  password: string;
  failedLogins: number;
  lockedUntilMs: number;
  sessions: Session[];
  nextJob: number;
}

/** Everything, as it is saved to a file. */
export interface RackSnapshot {
  version: 4;
  layoutName: string;
  management: RackLayout['management'];
  delays: Delays;
  random: number;
  savedAtMs: number;
  hosts: HostState[];
  cards: CardState[];
  faults: FaultRule[];
}

/** What all parts of the model share. */
export interface Rack {
  state: RackSnapshot;
  nowMs: () => number;
  scheduler: Scheduler;
  /** Machines by name: hosts and the Arms of cards. */
  machines: Map<string, Machine>;
  consoles: Map<string, ConsoleState>;
  /** Held locks: dpkg, boot streams, flock. */
  locks: Set<string>;
  /** Devices that are streams. */
  openStream: (machine: Machine, path: string) => Descriptor | null;
  /** The machine whose root file system is mounted there. */
  chroot: (machine: Machine, path: string) => Machine | null;
  imageOf: (name: string) => LabImage | null;
  /** Bytes that may still be written on a machine's disk. */
  freeBytes: (machine: Machine) => number;
  /** What the pretend network needs from the real one; without servers nothing is reached. */
  outside: Outside;
  /** What the clock of a card calls; set by the model so that modules make no circle. */
  hooks: {
    armReady: (card: CardState) => void;
    installStep: (card: CardState, step: 'os' | 'system' | 'nic' | 'bmc' | 'end') => void;
    /** A SimpleUpdate has written the image with this hash to the card. */
    imageArrived: (card: CardState, sha256: string) => void;
    print: (card: CardState, text: string) => void;
    /** A packet of this card meets a policy without an SA. */
    acquire: (card: CardState, child: string) => void;
  };
  /** Packets that move. */
  wire: Wire;
  /** Runs a line on the Arm for its console. */
  runOnArm: (card: CardState, user: string, line: string) => string;
  /** Clock of Redfish session timeouts: people and HTTP clients live on the wall clock. */
  sessionNowMs: () => number;
}

/** Real sockets and keys behind the model. */
export interface Outside {
  /** Open a connection to the SSH server of a card's Arm. */
  dialArm: (
    card: CardState,
    on: { data: (bytes: string) => void; close: () => void },
  ) => { write: (bytes: string) => void; close: () => void } | null;
  /** `ssh-ed25519 AAAA...` of a machine. */
  hostKey: (name: string, generation: number) => string;
  /** The certificate that a card's BMC shows at this moment, as PEM. */
  bmcCertificate: (card: CardState) => string;
  /** Fetch a file for a BMC from a server of the real network; without it only the pretend internet is there. */
  fetchFile?: (url: string, done: (result: FetchedFile) => void) => void;
}

/** What a server gave: the hash of the whole file, nothing of that name, or no answer at all. */
export type FetchedFile = { sha256: string } | 'no-file' | 'unreachable';

/** Is the fault active for this card (by its own or its host's name)? */
export function cardFault(rack: Rack, card: CardState, name: FaultName): boolean {
  return findFault(rack.state.faults, name, [card.name, card.host]) !== undefined;
}

/** Like `cardFault`, using it up once. */
export function useCardFault(rack: Rack, card: CardState, name: FaultName): boolean {
  return useFault(rack.state.faults, name, [card.name, card.host]);
}

/** The hardware as it shows itself now, injected SKU faults included. */
export function shownHardware(rack: Rack, card: CardState): CardLayout {
  if (cardFault(rack, card, 'controller-sku')) return { ...card.hardware, ...skus.b3220sh };
  return cardFault(rack, card, 'crypto-less-no-offload') ? { ...card.hardware, ...skus.b3240NoCrypto } : card.hardware;
}

/** Is there a cable in the port? */
export function hasCable(rack: Rack, card: CardState, port: number): boolean {
  return card.hardware.links[`p${port}`] !== undefined && !cardFault(rack, card, 'link-down');
}

/** The state of a host by name; throws for an unknown one. */
export function hostState(rack: Rack, name: string): HostState {
  const host = rack.state.hosts.find((each) => each.name === name);
  if (host === undefined) throw new Error(`The rack has no host ${name}.`);
  return host;
}

/** The state of a card by name; throws for an unknown one. */
export function cardState(rack: Rack, name: string): CardState {
  const card = rack.state.cards.find((each) => each.name === name);
  if (card === undefined) throw new Error(`The rack has no card ${name}.`);
  return card;
}

/** The cards of a host, in slot order. */
export function cardsOfHost(rack: Rack, host: string): CardState[] {
  return rack.state.cards.filter((card) => card.host === host);
}
