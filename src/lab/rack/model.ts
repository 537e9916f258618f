/**
 * The pretend rack without any network: hosts and cards that answer commands and Redfish requests.
 *
 * Time is read through `nowMs` only and everything moves when it is looked at, so a test with its own clock is
 * deterministic. Nothing here is shared with the code that drives it.
 */
import { resetArm, resetBmc, advanceCard, armStage } from './card-clock.ts';
import { armLogin, changeArmPassword } from './arm-login.ts';
import type { ArmLoginOutcome } from './arm-login.ts';
import { addFault, describeFaults, faultScope, findFault, isFaultName, useFault } from './faults.ts';
import type { FaultInfo } from './faults.ts';
import type { RackLayout } from './layout.ts';
import { rack1 } from './layouts.ts';
import { initialState } from './initial-state.ts';
import { hostIsUp, powerCycleHost, refreshHost, warmRebootHost } from './power.ts';
import { handleRedfish } from './redfish/service.ts';
import type { RedfishAnswer, RedfishRequest } from './redfish/types.ts';
import { connectionTo, runLine, startLine } from './shell/session.ts';
import type { ProgramOutput, RunningProgram } from './shell/session.ts';
import type { ExecResult, Machine } from './shell/types.ts';
import { newRack } from './new-rack.ts';
import { answerHostBmc } from './host-bmc/service.ts';
import { cardState, cardsOfHost, hostState } from './state.ts';
import type { CardState, HostState, Outside, Rack, RackSnapshot } from './state.ts';
import type { Files } from './files/files.ts';
import { hostKeysOf } from './authorized-keys.ts';
import { endFault, startFault } from './start-faults.ts';
import { reachedArm } from './tools/reached-arm.ts';

export { comparableSnapshot } from './comparable.ts';

export interface CardModel {
  name: string;
  host: string;
  serial: string;
  partNumber: string;
  /** PCI address of the first function. */
  pciAddress: string;
  addresses: { bmc: string; arm: string };
  /** Run a command line on the Arm side; a side that is not up drops the channel. */
  armExec(user: string, commandLine: string, stdin?: string): ExecResult;
  /** Start a command line that goes on with the clock; null when nobody is there. */
  armStart(user: string, line: string, to: ProgramOutput, terminal?: boolean): RunningProgram | null;
  armFiles: Files;
  /** Counts the systems this Arm has had: every flash brings new SSH host keys. */
  armHostKeyGeneration(): number;
  armIsUp(): boolean;
  /** Changes when the Arm boots. */
  armBootId(): string;
  armAuthorizedKeys(): string[];
  armPasswordExpired(): boolean;
  armLogin(user: string, password: string): ArmLoginOutcome;
  /** Null when changed, or PAM's complaint. */
  changeArmPassword(current: string, next: string): string | null;
  redfish(request: RedfishRequest): RedfishAnswer;
  bmcIsUp(): boolean;
  /** Changes when the BMC restarts. */
  bmcStartedAtMs(): number;
  /** Counts the certificates the BMC has made for itself: a factory reset brings a new one. */
  certificateGeneration(): number;
  /** What a person with a serial console could do: no request, no login. */
  resetArm(): void;
  resetBmc(): void;
}

export interface HostModel {
  name: string;
  user: string;
  address: string;
  dpus: CardModel[];
  exec(user: string, commandLine: string, stdin?: string): ExecResult;
  /** Start a command line that goes on with the clock; null when nobody is there. */
  start(user: string, line: string, to: ProgramOutput, terminal?: boolean): RunningProgram | null;
  files: Files;
  /** Name of the card whose Arm answers at this address from the host itself, or null. */
  reaches(address: string): string | null;
  /** Its own management controller, if it has one. */
  bmc: { address: string; user: string; password: string } | null;
  bmcRedfish(request: RedfishRequest): RedfishAnswer;
  /** Cut its network for so much device time. */
  loseLink(ms: number): void;
  /** Is its network there? */
  isLinked(): boolean;
  isUp(): boolean;
  bootId(): string;
  /** Take power from the host and its slots, and give it back. */
  powerCycle(): void;
  warmReboot(): void;
}

export interface RackModel {
  hosts: HostModel[];
  host(name: string): HostModel;
  card(name: string): CardModel;
  nowMs(): number;
  /** Let everything happen that is due; servers call it often. */
  tick(): void;
  /** What real sockets and keys are behind this model; what is not given stays made up. */
  connectOutside(outside: Partial<Outside>): void;
  snapshot(): RackSnapshot;
  injectFault(name: string, options?: { target?: string; uses?: number }): void;
  /** For one target, or wherever it is on. */
  clearFault(name: string, target?: string): void;
  faults(): FaultInfo[];
  /** Is a fault active for this host or card? Uses it up when asked to. */
  hasFault(name: string, target: string, use?: 'use'): boolean;
}

export interface RackOptions {
  layout?: RackLayout;
  /** Device clock in milliseconds. */
  nowMs: () => number;
  /** Clock of Redfish session timeouts; the device clock unless given. */
  sessionNowMs?: () => number;
  seed?: number;
  /** Go on from a snapshot instead of starting from a layout. */
  restore?: RackSnapshot;
}

function execOn(rack: Rack, machine: Machine, target: string, user: string, line: string, stdin: string): ExecResult {
  const { faults } = rack.state;
  if (useFault(faults, 'ssh-hang', [target])) return { stdout: '', stderr: '', exitCode: null, fault: 'hang' };
  for (const card of machine.cards) advanceCard(rack, card);
  const result = runLine(rack, machine, user, line, stdin, { connection: connectionTo(machine) });
  return useFault(faults, 'ssh-drop', [target]) ? { stdout: '', stderr: '', exitCode: null, fault: 'drop' } : result;
}

function machineOf(rack: Rack, name: string): Machine {
  const machine = rack.machines.get(name);
  if (machine === undefined) throw new Error(`The rack has no machine ${name}.`);
  return machine;
}

const down: ExecResult = { stdout: '', stderr: '', exitCode: null, fault: 'drop' };

function createCard(rack: Rack, card: CardState): CardModel {
  const machine = machineOf(rack, card.name);
  const armIsUp = (): boolean => {
    refreshHost(rack, hostState(rack, card.host));
    advanceCard(rack, card);
    return armStage(rack, card) === 'OsIsRunning';
  };
  return {
    name: card.name,
    host: card.host,
    serial: card.hardware.serial,
    partNumber: card.hardware.partNumber,
    pciAddress: `${card.hardware.pcie.address}.0`,
    addresses: { bmc: card.hardware.bmc.address, arm: card.hardware.arm.address },
    armExec: (user, line, stdin = '') => (armIsUp() ? execOn(rack, machine, card.name, user, line, stdin) : down),
    armStart: (user, line, to, terminal = false) =>
      armIsUp() ? startLine(rack, machine, user, line, to, { terminal, connection: connectionTo(machine) }) : null,
    armFiles: machine.files,
    armHostKeyGeneration: () => card.armOs.hostKeyGeneration,
    armIsUp,
    armBootId: () => card.arm.bootId,
    armAuthorizedKeys: () => hostKeysOf(machine, 'ubuntu'),
    armPasswordExpired: () => card.armOs.passwordExpired,
    armLogin: (user, password) => armLogin(card, user, password),
    changeArmPassword: (current, next) => changeArmPassword(card, current, next),
    redfish: (request) => {
      refreshHost(rack, hostState(rack, card.host));
      return handleRedfish(rack, card, request);
    },
    bmcIsUp: () => rack.nowMs() >= card.bmc.downUntilMs,
    bmcStartedAtMs: () => card.bmc.startedAtMs,
    certificateGeneration: () => card.bmc.certificateGeneration,
    resetArm: () => resetArm(rack, card),
    resetBmc: () => resetBmc(rack, card),
  };
}

function createHost(rack: Rack, host: HostState, dpus: CardModel[]): HostModel {
  const machine = machineOf(rack, host.name);
  const isUp = (): boolean => {
    refreshHost(rack, host);
    return hostIsUp(rack, host);
  };
  const { bmc } = host.hardware;
  return {
    name: host.name,
    user: host.hardware.user,
    address: host.hardware.address,
    dpus,
    exec: (user, line, stdin = '') => (isUp() ? execOn(rack, machine, host.name, user, line, stdin) : down),
    start: (user, line, to, terminal = false) =>
      isUp() ? startLine(rack, machine, user, line, to, { terminal, connection: connectionTo(machine) }) : null,
    files: machine.files,
    reaches: (address) => {
      rack.scheduler.run(rack.nowMs());
      return reachedArm({ rack, machine, network: '' }, address)?.name ?? null;
    },
    bmc: bmc ?? null,
    bmcRedfish: (request) => {
      refreshHost(rack, host);
      return answerHostBmc(rack, host, request);
    },
    loseLink: (ms) => (host.linkLostUntilMs = rack.nowMs() + ms),
    isLinked: () => rack.nowMs() >= host.linkLostUntilMs,
    isUp,
    bootId: () => host.bootId,
    powerCycle: () => powerCycleHost(rack, host),
    warmReboot: () => warmRebootHost(rack, host),
  };
}

function isHostFault(name: string): boolean {
  return isFaultName(name) && faultScope(name) === 'host';
}

/** Build a rack from a layout (default: `rack1`) or from a snapshot. */
export function createRack(options: RackOptions): RackModel {
  const { nowMs, sessionNowMs = nowMs } = options;
  const state = options.restore
    ? structuredClone(options.restore)
    : initialState(options.layout ?? rack1(), options.seed ?? 1, nowMs());
  const rack = newRack(state, nowMs, sessionNowMs);
  const cards = new Map(state.cards.map((card) => [card.name, createCard(rack, card)]));
  const cardModel = (name: string): CardModel => {
    const found = cards.get(cardState(rack, name).name);
    if (found === undefined) throw new Error(`The rack has no card ${name}.`);
    return found;
  };
  const hosts = state.hosts.map((host) =>
    createHost(
      rack,
      host,
      cardsOfHost(rack, host.name).map((card) => cardModel(card.name)),
    ),
  );
  const knownTargets = [...state.hosts, ...state.cards].map((each) => each.name);
  return {
    hosts,
    host: (name) => hosts.find((each) => each.name === name) ?? hostNotFound(rack, name),
    card: cardModel,
    nowMs,
    tick: () => {
      for (const host of state.hosts) refreshHost(rack, host);
      for (const card of state.cards) advanceCard(rack, card);
      rack.scheduler.run(rack.nowMs());
    },
    connectOutside: (outside) => (rack.outside = { ...rack.outside, ...outside }),
    snapshot: () => {
      for (const host of state.hosts) refreshHost(rack, host);
      for (const card of state.cards) advanceCard(rack, card);
      return structuredClone({ ...state, savedAtMs: nowMs() });
    },
    injectFault: (name, { target, uses } = {}) => {
      if (target !== undefined && !knownTargets.includes(target)) throw new Error(`The rack has no ${target}.`);
      if (target !== undefined && isHostFault(name) && cards.has(target)) {
        throw new Error(`The fault "${name}" hits a host; ${target} is a card.`);
      }
      const rule = addFault(state.faults, name, { ...(target && { target }), ...(uses && { uses }) });
      startFault(rack, rule);
    },
    clearFault: (name, target) => endFault(rack, name, target),
    faults: () => describeFaults(state.faults),
    hasFault: (name, target, use) => {
      if (!isFaultName(name)) return false;
      const card = state.cards.find((each) => each.name === target);
      const targets = card !== undefined && faultScope(name) === 'card' ? [target, card.host] : [target];
      if (use === 'use') return useFault(state.faults, name, targets);
      return findFault(state.faults, name, targets) !== undefined;
    },
  };
}

function hostNotFound(rack: Rack, name: string): never {
  hostState(rack, name);
  throw new Error(`The rack has no host ${name}.`);
}
