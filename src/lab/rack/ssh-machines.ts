/**
 * The machines of the pretend rack as its SSH servers see them.
 */
import type { CardModel, HostModel, RackModel } from './model.ts';
import type { RackKeys } from './net/keys.ts';
import type { Endpoint } from './net/listen.ts';
import type { SshMachine } from './net/ssh-server.ts';

/** What the servers of one lab share. */
export interface Lab {
  model: RackModel;
  keys: RackKeys;
  directory: string;
  authorizedKeys: string[];
  /** Command lines that came over SSH, the newest last: what `ps` and the journal of a real machine would have shown. */
  lines: string[];
}

const keptLines = 5_000;

function noteLine(lab: Lab, name: string, line: string): void {
  lab.lines.push(`${name}: ${line}`);
  if (lab.lines.length > keptLines) lab.lines.splice(0, lab.lines.length - keptLines);
}

/** A card and where it listens. */
export interface CardEndpoints {
  card: CardModel;
  bmc: Endpoint;
  arm: Endpoint;
}

function common(
  model: RackModel,
  name: string,
): Pick<SshMachine, 'name' | 'tick' | 'takesFault' | 'refuses' | 'showsSecondKey'> {
  return {
    name,
    tick: () => model.tick(),
    takesFault: (fault) => model.hasFault(fault, name, 'use'),
    refuses: () => model.hasFault('ssh-refuse', name, 'use'),
    showsSecondKey: () => model.hasFault('ssh-hostkey-changed', name),
  };
}

/** The Arm of a card as its SSH server sees it. */
export function armSshMachine(lab: Lab, card: CardModel): SshMachine {
  return {
    ...common(lab.model, card.name),
    users: ['ubuntu'],
    authorizedKeys: () => card.armAuthorizedKeys(),
    passwords: {
      expired: () => card.armPasswordExpired(),
      login: (user, password) => card.armLogin(user, password),
      change: (current, next) => card.changeArmPassword(current, next),
    },
    exec: (user, line, stdin) => card.armExec(user, line, stdin),
    start: (user, line, to, terminal) => {
      noteLine(lab, card.name, line);
      return card.armStart(user, line, to, terminal);
    },
    files: card.armFiles,
    incarnation: () => card.armBootId(),
    isUp: () => card.armIsUp(),
    forwardPort: () => null,
    prompt: (user) => `${user}@localhost:~$ `,
  };
}

/** Ports of the management network that a host reaches: its own cards' BMCs and Arms, by either address. */
function forwardPort(host: HostModel, cards: CardEndpoints[], address: string, port: number): number | null {
  for (const { card, bmc, arm } of cards) {
    if (address === card.addresses.bmc && port === 443) return bmc.port;
    if (address === card.addresses.arm && port === 22) return arm.port;
    const local = address === '127.0.0.1' || address === 'localhost';
    if (local && (port === bmc.port || port === arm.port)) return port;
  }
  const reached = port === 22 ? host.reaches(address) : null;
  return cards.find(({ card }) => card.name === reached)?.arm.port ?? null;
}

/** A host as its SSH server sees it. */
export function hostSshMachine(lab: Lab, host: HostModel, cards: CardEndpoints[]): SshMachine {
  return {
    ...common(lab.model, host.name),
    users: [host.user],
    authorizedKeys: () => lab.authorizedKeys,
    passwords: null,
    exec: (user, line, stdin) => host.exec(user, line, stdin),
    start: (user, line, to, terminal) => {
      noteLine(lab, host.name, line);
      return host.start(user, line, to, terminal);
    },
    files: host.files,
    incarnation: () => host.bootId(),
    isUp: () => host.isUp() && host.isLinked(),
    forwardPort: (address, port) => forwardPort(host, cards, address, port),
    prompt: (user) => `${user}@${host.name}:~$ `,
  };
}
