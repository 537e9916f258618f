/**
 * Moves a card along: applies due events in order, and the changes that start new ones.
 * Nothing here runs by itself; every observation first brings the card up to the device clock.
 *
 * Source: BlueField BMC manual (two-boot rule of Secure Boot, UEFI fetches settings over Redfish), NICo handler.rs.
 */
import { resetAccounts } from './accounts.ts';
import { forgetDataPath } from './data-path.ts';
import { randomUuid } from './random.ts';
import { bootStages, cardFault, hostState, useCardFault } from './state.ts';
import { mtuRules } from './udev.ts';
import { kernelText } from './rshim/boot-text.ts';
import { countdownText, runUefiPassword } from './uefi.ts';
import type { BootStage, CardEvent, CardState, Rack } from './state.ts';

/** Share of the boot time that has passed when a stage begins. */
const stageShare: Record<BootStage, number> = {
  BootRom: 0,
  BL2: 0.03,
  BL31: 0.1,
  UEFI: 0.18,
  OsStarting: 0.65,
  OsIsRunning: 1,
};

/** When the present boot reached (or will reach) a stage. */
function stageBeginsAtMs(rack: Rack, card: CardState, stage: BootStage): number {
  return card.arm.bootStartedAtMs + Math.round(rack.state.delays.armBootMs * stageShare[stage]);
}

function stageAt(rack: Rack, card: CardState, atMs: number): BootStage | null {
  let reached: BootStage | null = null;
  for (const stage of bootStages) {
    if (stageBeginsAtMs(rack, card, stage) > atMs) break;
    reached = stage;
    if (stage === card.arm.lastStage) break;
  }
  return reached;
}

/** The true stage of the Arm side now; null while it is off. */
export function armStage(rack: Rack, card: CardState): BootStage | null {
  return card.arm.power === 'off' ? null : stageAt(rack, card, rack.nowMs());
}

/** The stage as the BMC knows it, which lags behind (NC-SI polling). */
export function reportedStage(rack: Rack, card: CardState): { stage: BootStage | 'LowPowerStandby'; sinceMs: number } {
  const lagMs = rack.state.delays.bootProgressLagMs;
  const stage = card.arm.power === 'off' ? null : stageAt(rack, card, rack.nowMs() - lagMs);
  if (stage === null) return { stage: card.arm.reportedBefore, sinceMs: card.arm.reportedBeforeAtMs };
  return { stage, sinceMs: stageBeginsAtMs(rack, card, stage) + lagMs };
}

/** Have something happen to a card later. */
export function schedule(card: CardState, event: CardEvent): void {
  card.events.push(event);
  card.events.sort((left, right) => left.atMs - right.atMs);
}

function dropArmEvents(card: CardState): void {
  card.events = card.events.filter((event) => !event.kind.startsWith('arm-'));
}

/** Start a boot of the Arm side at this moment. */
function beginBoot(rack: Rack, card: CardState, atMs: number): void {
  const before = reportedStage({ ...rack, nowMs: () => atMs }, card);
  dropArmEvents(card);
  const shell = card.arm.nextBootShell || card.armOs.broken || useCardFault(rack, card, 'uefi-shell-at-boot');
  const stuck = useCardFault(rack, card, 'arm-boot-stuck') || shell;
  card.install = null;
  card.arm = {
    power: 'on',
    lastStage: card.mode.current === 'nic' || stuck ? 'UEFI' : 'OsIsRunning',
    uefiShell: shell,
    nextBootShell: false,
    bootCount: card.arm.bootCount + 1,
    bootId: randomUuid(rack.state),
    bootStartedAtMs: atMs,
    reportedBefore: before.stage,
    reportedBeforeAtMs: before.sinceMs,
  };
  card.rshim.log = [];
  card.armOs.mtus = {};
  forgetDataPath(card.armOs.dataPath);
  card.armOs.rules = mtuRules(card.armOs.files);
  schedule(card, { atMs: stageBeginsAtMs(rack, card, 'UEFI'), kind: 'arm-uefi' });
  if (card.arm.lastStage === 'OsIsRunning') {
    schedule(card, { atMs: stageBeginsAtMs(rack, card, 'OsStarting'), kind: 'arm-kernel' });
    schedule(card, { atMs: stageBeginsAtMs(rack, card, 'OsIsRunning'), kind: 'arm-ready' });
  }
}

/** The Arm boots from rshim: no system of its own until the installer is done. */
export function startInstallBoot(rack: Rack, card: CardState, lastStage: BootStage): void {
  const before = card.arm;
  const { install } = card;
  beginBoot(rack, card, rack.nowMs());
  // An interrupted boot fault is for a boot from disk.
  card.arm = { ...card.arm, lastStage, uefiShell: false, nextBootShell: before.nextBootShell };
  card.install = install;
  dropArmEvents(card);
}

/** Reset the Arm complex now: the NIC, its firmware and the mode stay as they are. */
export function resetArm(rack: Rack, card: CardState): void {
  advanceCard(rack, card);
  beginBoot(rack, card, rack.nowMs());
}

/** Switch the Arm complex off. */
export function armOff(rack: Rack, card: CardState): void {
  advanceCard(rack, card);
  if (card.arm.power === 'off') return;
  dropArmEvents(card);
  card.arm = {
    ...card.arm,
    power: 'off',
    uefiShell: false,
    reportedBefore: 'LowPowerStandby',
    reportedBeforeAtMs: rack.nowMs(),
  };
}

/** UEFI reached: it fetches what is wanted from the BMC, or applies what it fetched a boot ago. */
function runUefi(rack: Rack, card: CardState, atMs: number): void {
  const { secureBoot } = card;
  if (card.mode.current === 'dpu') rack.hooks.print(card, countdownText);
  runUefiPassword(card, atMs >= card.bmc.webUpAtMs);
  if (secureBoot.holdsOneBoot) {
    const before = !secureBoot.currentBoot;
    Object.assign(secureBoot, { enable: before, currentBoot: before, pending: null, holdsOneBoot: false });
  }
  // UEFI tells the BMC its Secure Boot state and asks for settings over Redfish: nobody home, nothing told.
  if (atMs < card.bmc.webUpAtMs) {
    secureBoot.fieldsPresent = false;
    return;
  }
  secureBoot.fieldsPresent = true;
  useCardFault(rack, card, 'secureboot-fields-missing');
  card.bios.attributes = { ...card.bios.attributes, ...card.bios.pending };
  card.bios.pending = {};
  if (secureBoot.pending === null) return;
  if (useCardFault(rack, card, 'secureboot-reverts')) {
    secureBoot.enable = secureBoot.currentBoot;
    secureBoot.pending = null;
  } else if (secureBoot.pending.fetched) {
    secureBoot.currentBoot = secureBoot.pending.value;
    secureBoot.pending = null;
    secureBoot.holdsOneBoot = useCardFault(rack, card, 'secureboot-one-boot');
  } else {
    secureBoot.pending.fetched = true;
  }
}

/** The firmware does not start an unsigned system while Secure Boot is on. */
function refuseKernel(rack: Rack, card: CardState): void {
  card.arm.lastStage = 'UEFI';
  dropArmEvents(card);
  rack.hooks.print(
    card,
    'EFI stub: Booting Linux Kernel...\r\nEFI stub: UEFI Secure Boot is enabled.\r\nerror: bad shim signature.\r\nNo BootOrder is set; firmware will attempt recovery\r\n',
  );
}

function refusesSystem(card: CardState): boolean {
  return card.arm.lastStage === 'OsIsRunning' && card.secureBoot.currentBoot && !card.armOs.signedImage;
}

function runEvent(rack: Rack, card: CardState, event: CardEvent): void {
  switch (event.kind) {
    case 'arm-start':
      beginBoot(rack, card, event.atMs);
      return;
    case 'arm-uefi':
      runUefi(rack, card, event.atMs);
      if (refusesSystem(card)) refuseKernel(rack, card);
      return;
    case 'arm-kernel':
      rack.hooks.print(card, kernelText(card));
      return;
    case 'arm-ready':
      card.rshim.log.push(' INFO[MISC]: Linux up', ' INFO[MISC]: DPU is ready');
      rack.hooks.armReady(card);
      return;
    case 'arm-log':
      card.rshim.log.push(event.text);
      return;
    case 'arm-refused':
      refuseKernel(rack, card);
      return;
    case 'arm-install':
      rack.hooks.installStep(card, event.step);
      return;
    case 'host-rshim':
      card.rshim.hostEnabled = event.enabled;
      decideRshimOwner(rack, card);
      return;
    case 'bmc-rshim':
      switchBmcRshim(rack, card, event.enabled);
      return;
    case 'bmc-restart':
      resetBmc(rack, card);
      return;
    case 'task-end':
      endTask(rack, card, event.taskId);
  }
}

/** The transfer of a SimpleUpdate is over; with its image the Arm goes on by itself. */
function endTask(rack: Rack, card: CardState, id: string): void {
  const task = card.bmc.tasks.find((each) => each.id === id);
  if (task?.outcome !== 'running') return;
  task.outcome = task.failure === null ? 'completed' : 'exception';
  if (task.failure !== null) card.bmc.updateServiceDirty = true;
  else if (task.sha256 !== null) rack.hooks.imageArrived(card, task.sha256);
}

/**
 * One backend at a time; whoever has it keeps it. A daemon of the host goes on with a card after `HostRshim` was disabled,
 * until it is stopped, told to drop what it has, or the host restarts. Source: rshim-user-space (keep-alive; pull request 39:
 * in drop mode nobody seems to be there), doca-platform.
 */
export function decideRshimOwner(rack: Rack, card: CardState): void {
  const { owner, bmcEnabled, hostEnabled, dropMode } = card.rshim;
  const daemon = hostState(rack, card.host).rshimServiceActive && !dropMode;
  if ((owner === 'host' && daemon) || (owner === 'bmc' && bmcEnabled)) return;
  card.rshim.owner = hostEnabled && daemon ? 'host' : bmcEnabled ? 'bmc' : 'none';
}

/** The BMC's own rshim is switched; it does not come up while the host has the card. Source: OobUpdate (exit 16). */
function switchBmcRshim(rack: Rack, card: CardState, wanted: boolean): void {
  card.rshim.bmcEnabled = wanted && card.rshim.owner !== 'host';
  decideRshimOwner(rack, card);
}

/** Apply everything that is due, in order of time. */
export function advanceCard(rack: Rack, card: CardState): void {
  for (;;) {
    const next = card.events[0];
    if (next === undefined || next.atMs > rack.nowMs()) return;
    card.events.shift();
    rack.scheduler.at(next.atMs, () => runEvent(rack, card, next));
  }
}

/**
 * The settings are as the factory left them: accounts, network and logs. The certificate of the web server lies in the
 * same writable file system, so that the next start makes a new one. Source: OpenBMC's factory reset (the rwfs overlay is
 * erased), bmcweb ssl_key_handler.hpp (a missing certificate is generated). The address comes from DHCP; here it stays.
 */
function restoreFactorySettings(rack: Rack, card: CardState): void {
  resetAccounts(rack, card);
  Object.assign(card.bmc, { dhcpUseDns: true, sessionTimeoutSeconds: 1800, sel: [], factoryResetWanted: false });
  card.bmc.certificateGeneration += 1;
}

/** Restart the BMC: unreachable for a while, sessions, tasks and static name servers gone. */
export function resetBmc(rack: Rack, card: CardState): void {
  advanceCard(rack, card);
  if (card.bmc.factoryResetWanted) restoreFactorySettings(rack, card);
  const { bmcResetMs, bmcLateMs } = rack.state.delays;
  const nowMs = rack.nowMs();
  const late = useCardFault(rack, card, 'bmcweb-late');
  card.bmc = {
    ...card.bmc,
    downUntilMs: nowMs + bmcResetMs,
    webUpAtMs: nowMs + bmcResetMs + (late ? bmcLateMs : 0),
    startedAtMs: nowMs,
    firmware: card.bmc.firmwareStaged ?? card.bmc.firmware,
    firmwareStaged: null,
    staticNameServers: [],
    updateServiceDirty: false,
    tasks: [],
    sessions: [],
  };
  card.events = card.events.filter((event) => event.kind !== 'task-end' && event.kind !== 'bmc-restart');
}

/** Does the SecureBoot resource have its fields now? */
export function secureBootFieldsPresent(rack: Rack, card: CardState): boolean {
  return card.secureBoot.fieldsPresent && !cardFault(rack, card, 'secureboot-fields-missing');
}
