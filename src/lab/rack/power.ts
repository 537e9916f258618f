/**
 * Power of a host and what it does to its cards.
 *
 * Source: NICo issue 2367 and OobUpdate issue 97: staged firmware and a queued mode take effect at a cold power cycle
 * of the host only; a warm reboot changes neither.
 */
import { advanceCard, armOff, decideRshimOwner, resetBmc, schedule } from './card-clock.ts';
import { removeFault } from './faults.ts';
import type { DpuMode } from './layout.ts';
import { freshTuning } from './network-state.ts';
import { randomUuid } from './random.ts';
import { journalProbe } from './rshim/service.ts';
import { applyTmpfiles } from './tmpfiles.ts';
import { mtuRules } from './udev.ts';
import { cardFault, cardsOfHost, useCardFault } from './state.ts';
import type { CardState, HostState, Rack } from './state.ts';

/** Wish another mode; it waits for a cold power cycle. */
export function queueMode(card: CardState, mode: DpuMode): void {
  card.mode.queued = mode === card.mode.current ? null : mode;
  card.nvconfig.next['INTERNAL_CPU_OFFLOAD_ENGINE'] = mode === 'nic' ? 'DISABLED(1)' : 'ENABLED(0)';
}

/** Everything that lives in memory is gone. */
function stopSystem(rack: Rack, host: HostState): void {
  const machine = rack.machines.get(host.name);
  if (machine === undefined) return;
  rack.scheduler.killAll(machine);
  machine.files.forgetVolatile();
  for (const key of rack.locks) if (key.startsWith(`${host.name}:`)) rack.locks.delete(key);
  host.network = { namespaces: [], links: {} };
  host.tuning = freshTuning();
}

function startHost(rack: Rack, host: HostState, downMs: number): void {
  stopSystem(rack, host);
  host.network.rules = mtuRules(host.files);
  const files = rack.machines.get(host.name)?.files;
  if (files !== undefined) applyTmpfiles(files, { boot: true });
  delete host.stopping;
  host.power = 'on';
  host.downUntilMs = rack.nowMs() + downMs;
  host.bootedAtMs = host.downUntilMs;
  host.bootCount += 1;
  host.bootId = randomUuid(rack.state);
  host.mstStarted = false;
  host.driver.loaded = host.driver.installed;
  host.rshimServiceActive = host.packages.installed['rshim'] !== undefined && !host.disabledUnits.includes('rshim');
  for (const card of cardsOfHost(rack, host.name)) {
    removeFault(rack.state.faults, 'rshim-stuck', card.name);
    card.rshim.dropMode = false;
    if (card.rshim.owner === 'host') card.rshim.owner = 'none';
    decideRshimOwner(rack, card);
    if (host.rshimServiceActive) rack.scheduler.at(host.bootedAtMs, () => journalProbe(rack, host, card));
  }
}

/** Reboot the host without taking power from the slots. */
export function warmRebootHost(rack: Rack, host: HostState): void {
  for (const card of cardsOfHost(rack, host.name)) advanceCard(rack, card);
  startHost(rack, host, rack.state.delays.hostWarmRebootMs);
}

/** The slots lose their power: firmware and mode that wait are taken at the next start. */
function powerOffCards(rack: Rack, host: HostState): void {
  for (const card of cardsOfHost(rack, host.name)) armOff(rack, card);
}

function powerOnCards(rack: Rack, host: HostState): void {
  for (const card of cardsOfHost(rack, host.name)) {
    resetBmc(rack, card);
    if (!cardFault(rack, card, 'mode-unchanged')) {
      card.nvconfig.current = { ...card.nvconfig.next };
      card.mode = { current: card.mode.queued ?? card.mode.current, queued: null };
    }
    card.nicFirmware = { running: card.nicFirmware.staged ?? card.nicFirmware.running, staged: null };
    useCardFault(rack, card, 'firmware-wedged');
    card.rshim.owner = 'none';
    decideRshimOwner(rack, card);
    card.rshim.displayLevel = 0;
    card.rshim.clearOnRead = false;
    // The Arm waits for the BMC's power sequencing; only a late bmcweb is missed by UEFI.
    schedule(card, { atMs: card.bmc.downUntilMs, kind: 'arm-start' });
  }
}

/** Take power away from the host and its cards, and give it back. */
export function powerCycleHost(rack: Rack, host: HostState): void {
  startHost(rack, host, rack.state.delays.hostColdCycleMs);
  powerOffCards(rack, host);
  powerOnCards(rack, host);
}

/** Take power away and leave it away. */
export function powerOffHost(rack: Rack, host: HostState): void {
  stopSystem(rack, host);
  delete host.stopping;
  host.power = 'off';
  powerOffCards(rack, host);
}

/** Give power back. */
export function powerOnHost(rack: Rack, host: HostState): void {
  if (host.power === 'on') return;
  startHost(rack, host, rack.state.delays.hostColdCycleMs);
  powerOnCards(rack, host);
}

/** How long systemd takes to stop what runs on a host. */
const shutdownMs = 60_000;

/** Ask the system to go down by itself; nobody can log in from now on. */
export function shutDownHost(rack: Rack, host: HostState, end: 'off' | 'restart'): void {
  if (host.stopping === undefined) stopSystem(rack, host);
  host.stopping ??= { atMs: rack.nowMs() + shutdownMs, end };
}

/** Do what is due to a host: the end of a shutdown. */
function advanceHost(rack: Rack, host: HostState): void {
  const { stopping } = host;
  if (stopping === undefined || stopping.atMs > rack.nowMs()) return;
  rack.scheduler.at(stopping.atMs, () => {
    if (stopping.end === 'off') powerOffHost(rack, host);
    else warmRebootHost(rack, host);
  });
}

/** Let happen what is due to programs and to a host. */
export function refreshHost(rack: Rack, host: HostState): void {
  rack.scheduler.run(rack.nowMs());
  advanceHost(rack, host);
}

/** Is the host switched on, past its BIOS and not on its way down? */
export function hostIsUp(rack: Rack, host: HostState): boolean {
  advanceHost(rack, host);
  return host.power === 'on' && host.stopping === undefined && rack.nowMs() >= host.downUntilMs;
}
