/**
 * The rshim service of a host: which cards it drives, and how the BMC and it hand a card over.
 *
 * Source: Mellanox/rshim-user-space src/rshim.c (keep-alive, drop mode, FORCE_CMD) and its journal messages; OobUpdate.
 */
import { removeFault, useFault } from '../faults.ts';
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

/** Does `/etc/rshim.conf` want a device for cards that somebody else drives? */
function forceMode(host: HostState): boolean {
  const node = host.files['/etc/rshim.conf'];
  return node?.kind === 'file' && /^\s*FORCE_MODE\s+1\b/m.test(node.text);
}

/** Start (or restart) the service: it attaches to every card that nobody else drives. */
export function startRshimService(rack: Rack, host: HostState): void {
  host.rshimServiceActive = true;
  for (const card of rshimOrder(rack, host)) {
    removeFault(rack.state.faults, 'rshim-stuck', card.name);
    // A new daemon does not get what the BMC has forbidden meanwhile.
    if (card.rshim.owner === 'host' && !card.rshim.hostEnabled)
      card.rshim.owner = card.rshim.bmcEnabled ? 'bmc' : 'none';
    card.rshim.dropMode = card.rshim.owner === 'bmc' && forceMode(host);
    if (card.rshim.owner === 'none' && card.rshim.hostEnabled && !cardFault(rack, card, 'rshim-missing'))
      card.rshim.owner = 'host';
    journalProbe(rack, host, card);
  }
}

/** What a daemon that starts says about a card. */
export function journalProbe(rack: Rack, host: HostState, card: CardState): void {
  const name = `pcie-${card.hardware.pcie.address}.2`;
  journal(rack, host, 'rshim', `Probing ${name}`);
  if (card.rshim.owner === 'bmc' || cardFault(rack, card, 'rshim-missing')) {
    journal(rack, host, 'rshim', 'another backend already attached');
    if (card.rshim.dropMode) journal(rack, host, 'rshim', 'rshim0 entering drop mode');
  } else journal(rack, host, 'rshim', `${name} attached`);
}

/** Stop the service: the cards are free for the BMC. */
export function stopRshimService(rack: Rack, host: HostState): void {
  host.rshimServiceActive = false;
  for (const card of cardsOfHost(rack, host.name)) {
    if (card.rshim.owner === 'host') card.rshim.owner = card.rshim.bmcEnabled ? 'bmc' : 'none';
  }
  journal(rack, host, 'rshim', 'rshim driver stopped');
}

/** `DROP_MODE`: leave a card to others, or take it back when none of them has it. Source: rshim-user-space pull request 39. */
export function setDropMode(card: CardState, on: boolean): void {
  const { rshim } = card;
  if (on) {
    rshim.dropMode = true;
    if (rshim.owner === 'host') rshim.owner = rshim.bmcEnabled ? 'bmc' : 'none';
  } else if (rshim.owner !== 'bmc') Object.assign(rshim, { dropMode: false, owner: 'host' });
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
