/**
 * What happens at once when a fault is switched on or off: states that somebody left a device in, and what follows.
 *
 * Source: texts of the faults; OpenBMC phosphor-sel-logger (12V_ATX crossing its threshold both ways).
 */
import { lockoutMs, lockoutThreshold, resetAccounts } from './accounts.ts';
import { resetArm } from './card-clock.ts';
import { removeFault } from './faults.ts';
import type { FaultName, FaultRule } from './faults.ts';
import { randomText } from './random.ts';
import { endScreen, forgetScreen } from './rshim/console.ts';
import { rshimOrder } from './rshim/service.ts';
import { noteSensor } from './sel.ts';
import { hostState } from './state.ts';
import type { CardState, HostState, Rack } from './state.ts';

/** How long `link-lost` cuts a host off. */
const linkLostMs = 60_000;

const keysPath = '/home/ubuntu/.ssh/authorized_keys';

function emptyKeys(card: CardState): void {
  const node = card.armOs.files[keysPath];
  if (node?.kind === 'file') card.armOs.files[keysPath] = { ...node, text: '' };
}

/** States of a card: they stay until something on the card changes them. */
const cardStates: Partial<Record<FaultName, (rack: Rack, card: CardState) => void>> = {
  'bmc-locked': (rack, { bmc }) =>
    void Object.assign(bmc, { failedLogins: lockoutThreshold, lockedUntilMs: rack.nowMs() + lockoutMs }),
  'bmc-password-factory': (rack, card) => {
    resetAccounts(rack, card);
    card.bmc.sessions = [];
  },
  'rshim-at-bmc': (_rack, { rshim }) => void Object.assign(rshim, { bmcEnabled: true, owner: 'bmc' }),
  'arm-password-lost': (rack, card) => {
    Object.assign(card.armOs, { password: randomText(rack.state, 16), passwordHash: null, passwordExpired: false });
    emptyKeys(card);
  },
  'arm-key-lost': (_rack, card) => emptyKeys(card),
  'arm-password-expired': (_rack, { armOs }) => void (armOs.passwordExpired = true),
  'ovs-not-restarted': (_rack, { armOs: { dataPath } }) => {
    dataPath.ovs.otherConfig['hw-offload'] = 'true';
    dataPath.ovs.running.hwOffload = false;
  },
  'uefi-password-lost': (rack, { uefi }) =>
    void Object.assign(uefi, { password: randomText(rack.state, 16), wish: null }),
  'nic-mode': (rack, card) => {
    card.mode = { current: 'nic', queued: null };
    for (const settings of [card.nvconfig.current, card.nvconfig.next])
      settings['INTERNAL_CPU_OFFLOAD_ENGINE'] = 'DISABLED(1)';
    resetArm(rack, card);
  },
};

const hostStates: Partial<Record<FaultName, (rack: Rack, host: HostState) => void>> = {
  'link-lost': (rack, host) => void (host.linkLostUntilMs = rack.nowMs() + linkLostMs),
  'dpkg-interrupted': (_rack, host) => {
    const interrupted = host.packages.installed['openssh-client'];
    if (interrupted !== undefined) interrupted.status = 'half-configured';
  },
};

/** Conditions of single cards, which something on a card ends: each of its cards gets a rule of its own. */
const endsOnCard: ReadonlySet<FaultName> = new Set([
  'bmc-password-wrong',
  'bmc-password-too-long',
  'rshim-stuck',
  'atx-power-missing',
  'console-stolen',
]);

function consolePath(rack: Rack, card: CardState): string {
  return `/dev/rshim${rshimOrder(rack, hostState(rack, card.host)).indexOf(card)}/console`;
}

function cardsAt(rack: Rack, target: string | null): CardState[] {
  return rack.state.cards.filter((card) => target === null || target === card.name || target === card.host);
}

/** What injecting does at once, before any use. */
export function startFault(rack: Rack, rule: FaultRule): void {
  const { name, target, usesLeft } = rule;
  const { faults } = rack.state;
  const onCard = cardStates[name];
  const onHost = hostStates[name];
  if (onCard !== undefined) for (const card of cardsAt(rack, target)) onCard(rack, card);
  if (onHost !== undefined)
    for (const host of rack.state.hosts) if (target === null || target === host.name) onHost(rack, host);
  if (onCard !== undefined || onHost !== undefined) faults.splice(faults.indexOf(rule), 1);
  if (!endsOnCard.has(name)) return;
  faults.splice(faults.indexOf(rule), 1);
  for (const card of cardsAt(rack, target)) {
    removeFault(faults, name, card.name);
    faults.push({ name, target: card.name, usesLeft });
    if (name === 'atx-power-missing') noteSensor(rack, card, 'low');
    if (name === 'console-stolen') forgetScreen(rack, card, consolePath(rack, card));
  }
}

/** Switch a fault off, for one target or wherever it is on. */
export function endFault(rack: Rack, name: string, target?: string): void {
  const { faults, hosts } = rack.state;
  for (const card of cardsAt(rack, target ?? null)) {
    const own = faults.some((rule) => rule.name === name && rule.target === card.name);
    if (own && name === 'atx-power-missing') noteSensor(rack, card, 'high');
    if (own && name === 'console-stolen') endScreen(rack, card);
  }
  removeFault(faults, name, target);
  // The name of a host stands for its cards.
  if (target !== undefined && hosts.some((host) => host.name === target))
    for (const card of cardsAt(rack, target)) removeFault(faults, name, card.name);
  if (name !== 'link-lost') return;
  for (const host of hosts) if (target === undefined || host.name === target) host.linkLostUntilMs = 0;
}
