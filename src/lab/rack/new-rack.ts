/** Puts the parts of a model together that call each other. */
import { endPush, installStep } from './install/flash.ts';
import { imageBySha256, labImages } from './install/images.ts';
import { findFault } from './faults.ts';
import { FileError } from './files/nodes.ts';
import { madeUpCertificate } from './made-up-certificate.ts';
import { openConsole, printOnConsole, promptOnConsole } from './rshim/console.ts';
import { Scheduler } from './shell/scheduler.ts';
import { startLine } from './shell/session.ts';
import type { Machine } from './shell/types.ts';
import { cardFault } from './state.ts';
import type { Rack, RackSnapshot } from './state.ts';
import { armMachine } from './tools/arm.ts';
import { rootDisk } from './tools/mounts.ts';
import { hostMachine } from './tools/host.ts';
import { consoleCard } from './tools/rshim.ts';
import { quietWire } from './wire/wire.ts';
import { acquire } from './ipsec/charon.ts';
import { configureAtBoot } from './tools/bf-configure.ts';

/** Share of a disk only root may fill. */
const usableShare = 0.95;

function freeBytes(rack: Rack, machine: Machine): number {
  const { host } = machine;
  if (host !== null && findFault(rack.state.faults, 'disk-full', [host.name]) !== undefined) return 0;
  const { bytes, systemBytes } = rootDisk(machine);
  return Math.floor(bytes * usableShare) - systemBytes - machine.files.usedBytes();
}

/** A rack around a state. */
export function newRack(state: RackSnapshot, baseNowMs: () => number, sessionNowMs: () => number): Rack {
  const scheduler = new Scheduler(baseNowMs);
  const rack: Rack = {
    state,
    wire: quietWire(state.random),
    nowMs: () => scheduler.nowMs(),
    sessionNowMs,
    scheduler,
    machines: new Map(),
    consoles: new Map(),
    locks: new Set(),
    openStream: (machine, path) => {
      const card = machine.host === null ? null : consoleCard(rack, machine.host, path);
      if (card !== null && cardFault(rack, card, 'rshim-stuck')) throw new FileError('EBUSY');
      return card === null ? null : openConsole(rack, card);
    },
    chroot: (machine, path) => {
      const name = machine.name.replace(/ installer$/, '');
      return path === '/mnt' && name !== machine.name ? (rack.machines.get(name) ?? null) : null;
    },
    imageOf: (name) => labImages[name] ?? null,
    freeBytes: (machine) => freeBytes(rack, machine),
    outside: {
      dialArm: () => null,
      hostKey: (name, generation) =>
        `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA${Buffer.from(`${name} ${generation}`).toString('base64')}`,
      bmcCertificate: (card) =>
        madeUpCertificate(
          `${card.name} ${card.bmc.certificateGeneration}${cardFault(rack, card, 'bmc-cert-changed') ? ' changed' : ''}`,
        ),
    },
    hooks: {
      armReady: (card) => {
        configureAtBoot(rack, card);
        promptOnConsole(rack, card);
      },
      installStep: (card, step) => installStep(rack, card, step),
      imageArrived: (card, sha256) => endPush(rack, card, imageBySha256(sha256), ''),
      print: (card, text) => printOnConsole(rack, card, text),
      acquire: (card, child) => acquire(rack, card, child),
    },
    runOnArm: (card, user, line) => {
      const machine = rack.machines.get(card.name);
      if (machine === undefined) return '';
      let output = '';
      const take = (text: string): void => void (output += text);
      const program = startLine(rack, machine, user, line, { stdout: take, stderr: take });
      program.endInput();
      scheduler.rush(machine);
      return output;
    },
  };
  for (const host of state.hosts) rack.machines.set(host.name, hostMachine(rack, host));
  for (const card of state.cards) rack.machines.set(card.name, armMachine(rack, card));
  return rack;
}
