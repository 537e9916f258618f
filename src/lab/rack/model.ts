/**
 * The pretend rack without any network: hosts and cards that answer commands and Redfish requests.
 *
 * Time is read through `nowMs` only and everything moves when it is looked at, so a test with its own clock is
 * deterministic. Nothing here is shared with the code that drives it.
 */
import { resetArm, resetBmc, advanceCard, armStage } from './card-clock.ts';
import { lockoutMs, lockoutThreshold } from './accounts.ts';
import { armLogin, changeArmPassword } from './arm-login.ts';
import type { ArmLoginOutcome } from './arm-login.ts';
import { addFault, describeFaults, faultScope, findFault, isFaultName, removeFault, useFault } from './faults.ts';
import type { FaultInfo } from './faults.ts';
import type { RackLayout } from './layout.ts';
import { rack1 } from './layouts.ts';
import { initialState } from './initial-state.ts';
import { hostIsUp, powerCycleHost, warmRebootHost } from './power.ts';
import { handleRedfish } from './redfish/service.ts';
import type { RedfishAnswer, RedfishRequest } from './redfish/types.ts';
import { runLine } from './shell/run.ts';
import type { ExecResult, Machine } from './shell/types.ts';
import { cardState, cardsOfHost, hostState } from './state.ts';
import type { CardState, HostState, Rack, RackSnapshot } from './state.ts';
import { armMachine } from './tools/arm.ts';
import { hostMachine } from './tools/host.ts';

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
  snapshot(): RackSnapshot;
  injectFault(name: string, options?: { target?: string; uses?: number }): void;
  clearFault(name: string): void;
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

const environment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

function execOn(rack: Rack, machine: Machine, target: string, user: string, line: string, stdin: string): ExecResult {
  const { faults } = rack.state;
  if (useFault(faults, 'ssh-hang', [target])) return { stdout: '', stderr: '', exitCode: null, fault: 'hang' };
  for (const card of machine.cards) advanceCard(rack, card);
  const home = user === 'root' ? '/root' : `/home/${user}`;
  const env = { ...environment, HOME: home, USER: user, LOGNAME: user, SHELL: '/bin/sh' };
  const result = runLine({ rack, machine, user, root: user === 'root', stdin, env }, line);
  return useFault(faults, 'ssh-drop', [target]) ? { stdout: '', stderr: '', exitCode: null, fault: 'drop' } : result;
}

const down: ExecResult = { stdout: '', stderr: '', exitCode: null, fault: 'drop' };

function createCard(rack: Rack, card: CardState): CardModel {
  const machine = armMachine(rack, card);
  const armIsUp = (): boolean => {
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
    armIsUp,
    armBootId: () => card.arm.bootId,
    armAuthorizedKeys: () => card.armOs.authorizedKeys,
    armPasswordExpired: () => card.armOs.passwordExpired,
    armLogin: (user, password) => armLogin(card, user, password),
    changeArmPassword: (current, next) => changeArmPassword(card, current, next),
    redfish: (request) => handleRedfish(rack, card, request),
    bmcIsUp: () => rack.nowMs() >= card.bmc.downUntilMs,
    bmcStartedAtMs: () => card.bmc.startedAtMs,
    resetArm: () => resetArm(rack, card),
    resetBmc: () => resetBmc(rack, card),
  };
}

function createHost(rack: Rack, host: HostState, dpus: CardModel[]): HostModel {
  const machine = hostMachine(rack, host);
  const isUp = (): boolean => hostIsUp(rack, host);
  return {
    name: host.name,
    user: host.hardware.user,
    address: host.hardware.address,
    dpus,
    exec: (user, line, stdin = '') => (isUp() ? execOn(rack, machine, host.name, user, line, stdin) : down),
    isUp,
    bootId: () => host.bootId,
    powerCycle: () => powerCycleHost(rack, host),
    warmReboot: () => warmRebootHost(rack, host),
  };
}

/** What injecting does at once, before any use. */
function startFault(rack: Rack, name: string, target: string | null): void {
  if (name !== 'bmc-locked') return;
  for (const card of rack.state.cards) {
    if (target !== null && target !== card.name && target !== card.host) continue;
    card.bmc.failedLogins = lockoutThreshold;
    card.bmc.lockedUntilMs = rack.nowMs() + lockoutMs;
  }
  removeFault(rack.state.faults, 'bmc-locked');
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
  const rack: Rack = { state, nowMs, sessionNowMs };
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
    snapshot: () => {
      for (const card of state.cards) advanceCard(rack, card);
      return structuredClone({ ...state, savedAtMs: nowMs() });
    },
    injectFault: (name, { target, uses } = {}) => {
      if (target !== undefined && !knownTargets.includes(target)) throw new Error(`The rack has no ${target}.`);
      if (target !== undefined && isHostFault(name) && cards.has(target)) {
        throw new Error(`The fault "${name}" hits a host; ${target} is a card.`);
      }
      const rule = addFault(state.faults, name, { ...(target && { target }), ...(uses && { uses }) });
      startFault(rack, rule.name, rule.target);
    },
    clearFault: (name) => void removeFault(state.faults, name),
    faults: () => describeFaults(state.faults),
    hasFault: (name, target, use) => {
      const known = describeFaults(state.faults).find((each) => each.name === name);
      if (known === undefined) return false;
      const card = state.cards.find((each) => each.name === target);
      const targets = card !== undefined && faultScope(known.name) === 'card' ? [target, card.host] : [target];
      if (use === 'use') return useFault(state.faults, known.name, targets);
      return findFault(state.faults, known.name, targets) !== undefined;
    },
  };
}

function hostNotFound(rack: Rack, name: string): never {
  hostState(rack, name);
  throw new Error(`The rack has no host ${name}.`);
}
