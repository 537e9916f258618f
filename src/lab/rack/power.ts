/**
 * Power of a host and what it does to its cards.
 *
 * Source: NICo issue 2367 and OobUpdate issue 97: staged firmware and a queued mode take effect at a cold power cycle
 * of the host only; a warm reboot changes neither.
 */
import { advanceCard, armOff, resetBmc, schedule } from './card-clock.ts';
import type { DpuMode } from './layout.ts';
import { randomUuid } from './random.ts';
import { cardsOfHost } from './state.ts';
import type { CardState, HostState, Rack } from './state.ts';

/** Wish another mode; it waits for a cold power cycle. */
export function queueMode(card: CardState, mode: DpuMode): void {
  card.mode.queued = mode === card.mode.current ? null : mode;
  card.nvconfig.next['INTERNAL_CPU_OFFLOAD_ENGINE'] = mode === 'nic' ? 'DISABLED(1)' : 'ENABLED(0)';
}

function startHost(rack: Rack, host: HostState, downMs: number): void {
  host.downUntilMs = rack.nowMs() + downMs;
  host.bootedAtMs = host.downUntilMs;
  host.bootCount += 1;
  host.bootId = randomUuid(rack.state);
  host.mstStarted = false;
}

/** Reboot the host without taking power from the slots. */
export function warmRebootHost(rack: Rack, host: HostState): void {
  for (const card of cardsOfHost(rack, host.name)) advanceCard(rack, card);
  startHost(rack, host, rack.state.delays.hostWarmRebootMs);
}

/** Take power away from the host and its cards, and give it back. */
export function powerCycleHost(rack: Rack, host: HostState): void {
  startHost(rack, host, rack.state.delays.hostColdCycleMs);
  for (const card of cardsOfHost(rack, host.name)) {
    armOff(rack, card);
    resetBmc(rack, card);
    card.nvconfig.current = { ...card.nvconfig.next };
    card.mode = { current: card.mode.queued ?? card.mode.current, queued: null };
    card.nicFirmware = { running: card.nicFirmware.staged ?? card.nicFirmware.running, staged: null };
    card.rshim.owner = card.rshim.hostEnabled ? 'host' : card.rshim.bmcEnabled ? 'bmc' : 'none';
    // The Arm waits for the BMC's power sequencing; only a late bmcweb is missed by UEFI.
    schedule(card, { atMs: card.bmc.downUntilMs, kind: 'arm-start' });
  }
}

/** Is the host switched on and past its BIOS? */
export function hostIsUp(rack: Rack, host: HostState): boolean {
  return rack.nowMs() >= host.downUntilMs;
}
