/**
 * The whole state of the rack as plain JSON. Times are device-clock milliseconds.
 *
 * Field names that end in `AtMs` or `UntilMs` are clocks and are left out of comparisons; so are `sessions` and `log`.
 */
import type { FaultName, FaultRule } from './faults.ts';
import { findFault, useFault } from './faults.ts';
import type { CardLayout, Delays, DpuMode, HostLayout, RackLayout } from './layout.ts';
import { skus } from './layout.ts';

/** Boot stages in the order they happen. Source: BlueField BMC manual, OemLastState values. */
export const bootStages = ['BootRom', 'BL2', 'BL31', 'UEFI', 'OsStarting', 'OsIsRunning'] as const;
export type BootStage = (typeof bootStages)[number];

/** Something that will happen to a card at a known device time. */
export type CardEvent =
  | { atMs: number; kind: 'arm-start' }
  | { atMs: number; kind: 'arm-uefi' }
  | { atMs: number; kind: 'arm-ready' }
  | { atMs: number; kind: 'host-rshim'; enabled: boolean }
  | { atMs: number; kind: 'bmc-rshim'; enabled: boolean }
  | { atMs: number; kind: 'task-end'; taskId: string };

export interface Session {
  id: string;
  token: string;
  user: string;
  remote: string;
  createdAtMs: number;
  lastUsedAtMs: number;
}

export interface TaskRecord {
  id: string;
  target: string;
  image: string;
  payload: { uri: string; body: string; headers: string[] };
  startedAtMs: number;
  endsAtMs: number;
  outcome: 'running' | 'completed' | 'exception';
  failure: 'unknown-host' | 'bad-package' | null;
}

interface ArmState {
  power: 'on' | 'off';
  /** Where this boot ends: OsIsRunning in DPU mode, UEFI in NIC mode or when stuck. */
  lastStage: BootStage;
  /** Held in the UEFI shell: PowerState Paused, a reset of type On does nothing. */
  uefiShell: boolean;
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
}

interface BmcState {
  firmware: string;
  rootPassword: string;
  /** Stored longer than the BMC can check: every later login fails. Source: the ipmitool 17-20 byte trap. */
  passwordUnusable: boolean;
  failedLogins: number;
  lockedUntilMs: number;
  downUntilMs: number;
  webUpAtMs: number;
  startedAtMs: number;
  staticNameServers: string[];
  dhcpUseDns: boolean;
  sessionTimeoutSeconds: number;
  updateServiceDirty: boolean;
  nextTaskId: number;
  tasks: TaskRecord[];
  sessions: Session[];
  accounts: AccountRecord[];
}

/** What an account may do. Source: the captured AccountService/Roles. */
export type AccountRole = 'Administrator' | 'Operator' | 'ReadOnly';

/** An account somebody added besides root. */
export interface AccountRecord {
  user: string;
  password: string;
  role: AccountRole;
  enabled: boolean;
  failedLogins: number;
  lockedUntilMs: number;
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
  bmc: BmcState;
  rshim: {
    owner: 'host' | 'bmc' | 'none';
    hostEnabled: boolean;
    bmcEnabled: boolean;
    bootMode: 0 | 1 | 2;
    displayLevel: 0 | 1 | 2;
    dropMode: boolean;
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
  };
  events: CardEvent[];
}

export interface HostState {
  name: string;
  hardware: Omit<HostLayout, 'cards'>;
  bootId: string;
  bootCount: number;
  bootedAtMs: number;
  downUntilMs: number;
  rshimServiceActive: boolean;
  mstStarted: boolean;
}

/** Everything, as it is saved to a file. */
export interface RackSnapshot {
  version: 1;
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
  /** Clock of Redfish session timeouts: people and HTTP clients live on the wall clock. */
  sessionNowMs: () => number;
}

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
  return cardFault(rack, card, 'controller-sku') ? { ...card.hardware, ...skus.b3220sh } : card.hardware;
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
