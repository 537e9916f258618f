/**
 * The rshim service of a host: which cards it drives, and how the BMC and it hand a card over.
 *
 * Source: Mellanox/rshim-user-space src/rshim.c (keep-alive, drop mode, FORCE_CMD) and its journal messages; OobUpdate.
 */
import { useFault } from '../faults.ts';
import { cardFault, cardsOfHost } from '../state.ts';
import type { CardState, HostState, Rack } from '../state.ts';

const journalLimit = 400;

/** Add a line to the host's journal. */
export function journal(rack: Rack, host: HostState, unit: string, text: string): void {
  const stamp = new Date(rack.nowMs()).toISOString().slice(0, 19);
  host.log.push(`${stamp} ${host.name} ${unit}[881]: ${text}`);
  host.log.splice(0, Math.max(0, host.log.length - journalLimit));
}

/** Cards in the order of their PCI addresses, as the driver numbers them. */
export function rshimOrder(rack: Rack, host: HostState): CardState[] {
  return cardsOfHost(rack, host.name).sort((left, right) =>
    left.hardware.pcie.address < right.hardware.pcie.address ? -1 : 1,
  );
}

/** Start (or restart) the service: it attaches to every card that nobody else drives. */
export function startRshimService(rack: Rack, host: HostState): void {
  host.rshimServiceActive = true;
  for (const card of rshimOrder(rack, host)) {
    const name = `pcie-${card.hardware.pcie.address}.2`;
    journal(rack, host, 'rshim', `Probing ${name}`);
    if (card.rshim.owner === 'bmc' || cardFault(rack, card, 'rshim-missing')) {
      journal(rack, host, 'rshim', 'another backend already attached');
    } else {
      if (card.rshim.owner === 'none' && card.rshim.hostEnabled) card.rshim.owner = 'host';
      journal(rack, host, 'rshim', `${name} attached`);
    }
  }
}

/** Stop the service: the cards are free for the BMC. */
export function stopRshimService(rack: Rack, host: HostState): void {
  host.rshimServiceActive = false;
  for (const card of cardsOfHost(rack, host.name)) {
    if (card.rshim.owner === 'host') card.rshim.owner = card.rshim.bmcEnabled ? 'bmc' : 'none';
  }
  journal(rack, host, 'rshim', 'rshim driver stopped');
}

/** `FORCE_CMD 1` in drop mode: take the card over from the BMC. */
export function forceOwnership(rack: Rack, host: HostState, card: CardState): boolean {
  if (!card.rshim.dropMode && card.rshim.owner === 'host') return false;
  useFault(rack.state.faults, 'rshim-missing', [card.name, card.host]);
  card.rshim.owner = 'host';
  card.rshim.dropMode = false;
  journal(rack, host, 'rshim', 'received ownership transfer ack');
  journal(rack, host, 'rshim', 'regained ownership successfully');
  return true;
}
