/**
 * The pretend rack on loopback: an SSH server per host and per Arm, an HTTPS Redfish service per BMC.
 */
import { join } from 'node:path';
import type { RackLayout } from './layout.ts';
import { rack1 } from './layouts.ts';
import { createRack } from './model.ts';
import type { CardModel, HostModel, RackModel } from './model.ts';
import { certSha256, hostKeySha256, loadKeys, prepareDirectory, readJson, replaceFile } from './net/keys.ts';
import type { RackKeys } from './net/keys.ts';
import type { Endpoint } from './net/listen.ts';
import { startRedfishServer } from './net/redfish-server.ts';
import { startSshServer } from './net/ssh-server.ts';
import type { SshMachine } from './net/ssh-server.ts';
import type { RackSnapshot } from './state.ts';

export interface StartRackOptions {
  /** State directory; made with mode 0700. A saved state of the same layout is continued. */
  dir: string;
  /** Device time runs this many times faster than the wall clock. */
  timeFactor: number;
  layout?: RackLayout;
  /** OpenSSH public key lines that may log in to the hosts. */
  authorizedKeys: string[];
  seed?: number;
}

export interface RunningDpu {
  name: string;
  serial: string;
  partNumber: string;
  pciAddress: string;
  bmc: { address: string; port: number; certSha256: string };
  arm: { address: string; port: number; hostKeySha256: string };
}

export interface RunningHost {
  name: string;
  ssh: { address: string; port: number; hostKeySha256: string; user: string };
  dpus: RunningDpu[];
}

export interface RunningRack {
  model: RackModel;
  hosts: RunningHost[];
  snapshot(): RackSnapshot;
  saveState(): Promise<void>;
  injectFault: RackModel['injectFault'];
  clearFault: RackModel['clearFault'];
  faults: RackModel['faults'];
  close(): Promise<void>;
}

const stateFile = 'state.json';

function isSnapshot(value: unknown, layoutName: string): value is RackSnapshot {
  if (typeof value !== 'object' || value === null) return false;
  return 'version' in value && value.version === 1 && 'layoutName' in value && value.layoutName === layoutName;
}

/** The device clock: starts where the saved state ended, or now. */
function deviceClock(startMs: number, timeFactor: number): () => number {
  const wallStartMs = performance.now();
  return () => Math.floor(startMs + (performance.now() - wallStartMs) * timeFactor);
}

interface CardEndpoints {
  card: CardModel;
  bmc: Endpoint;
  arm: Endpoint;
}

function armSshMachine(model: RackModel, card: CardModel): SshMachine {
  return {
    name: card.name,
    users: ['ubuntu'],
    authorizedKeys: () => card.armAuthorizedKeys(),
    passwords: {
      expired: () => card.armPasswordExpired(),
      login: (user, password) => card.armLogin(user, password),
      change: (current, next) => card.changeArmPassword(current, next),
    },
    exec: (user, line, stdin) => card.armExec(user, line, stdin),
    incarnation: () => card.armBootId(),
    isUp: () => card.armIsUp(),
    refuses: () => model.hasFault('ssh-refuse', card.name, 'use'),
    showsSecondKey: () => model.hasFault('ssh-hostkey-changed', card.name),
    forwardPort: () => null,
    prompt: (user) => `${user}@localhost:~$ `,
  };
}

/** Ports of the management network that a host reaches: its own cards' BMCs and Arms, by either address. */
function forwardPort(cards: CardEndpoints[], address: string, port: number): number | null {
  for (const { card, bmc, arm } of cards) {
    if (address === card.addresses.bmc && port === 443) return bmc.port;
    if (address === card.addresses.arm && port === 22) return arm.port;
    const local = address === '127.0.0.1' || address === 'localhost';
    if (local && (port === bmc.port || port === arm.port)) return port;
  }
  const [only] = cards;
  // Several cards share 192.168.100.2, so it means something with one card only.
  if (address === '192.168.100.2' && port === 22 && cards.length === 1 && only !== undefined) return only.arm.port;
  return null;
}

function hostSshMachine(model: RackModel, host: HostModel, keys: string[], cards: CardEndpoints[]): SshMachine {
  return {
    name: host.name,
    users: [host.user],
    authorizedKeys: () => keys,
    passwords: null,
    exec: (user, line, stdin) => host.exec(user, line, stdin),
    incarnation: () => host.bootId(),
    isUp: () => host.isUp(),
    refuses: () => model.hasFault('ssh-refuse', host.name, 'use'),
    showsSecondKey: () => model.hasFault('ssh-hostkey-changed', host.name),
    forwardPort: (address, port) => forwardPort(cards, address, port),
    prompt: (user) => `${user}@${host.name}:~$ `,
  };
}

async function startCard(
  model: RackModel,
  card: CardModel,
  keys: RackKeys,
  timeFactor: number,
): Promise<CardEndpoints> {
  const certificates = keys.certificates[card.name];
  const hostKeys = keys.hostKeys[card.name];
  if (certificates === undefined || hostKeys === undefined) throw new Error(`No keys for ${card.name}.`);
  const showsSecondCertificate = (): boolean => model.hasFault('bmc-cert-changed', card.name);
  const bmc = await startRedfishServer({ card, certificates, showsSecondCertificate });
  const arm = await startSshServer({ machine: armSshMachine(model, card), hostKeys, timeFactor });
  return { card, bmc, arm };
}

function describeCard({ card, bmc, arm }: CardEndpoints, keys: RackKeys): RunningDpu {
  const certificate = keys.certificates[card.name]?.first;
  return {
    name: card.name,
    serial: card.serial,
    partNumber: card.partNumber,
    pciAddress: card.pciAddress,
    bmc: { address: bmc.address, port: bmc.port, certSha256: certificate === undefined ? '' : certSha256(certificate) },
    arm: { address: arm.address, port: arm.port, hostKeySha256: hostKeySha256(keys.hostKeys[card.name]?.first ?? '') },
  };
}

interface StartedHost {
  running: RunningHost;
  endpoints: Endpoint[];
}

async function startHost(
  model: RackModel,
  host: HostModel,
  keys: RackKeys,
  options: StartRackOptions,
): Promise<StartedHost> {
  const cards: CardEndpoints[] = [];
  for (const card of host.dpus) cards.push(await startCard(model, card, keys, options.timeFactor));
  const hostKeys = keys.hostKeys[host.name];
  if (hostKeys === undefined) throw new Error(`No keys for ${host.name}.`);
  const machine = hostSshMachine(model, host, options.authorizedKeys, cards);
  const ssh = await startSshServer({ machine, hostKeys, timeFactor: options.timeFactor });
  return {
    running: {
      name: host.name,
      ssh: { address: ssh.address, port: ssh.port, hostKeySha256: hostKeySha256(hostKeys.first), user: host.user },
      dpus: cards.map((card) => describeCard(card, keys)),
    },
    endpoints: [ssh, ...cards.flatMap(({ bmc, arm }) => [bmc, arm])],
  };
}

/** Start the rack; everything listens on 127.0.0.1 with free ports. */
export async function startRack(options: StartRackOptions): Promise<RunningRack> {
  const layout = options.layout ?? rack1();
  await prepareDirectory(options.dir);
  const saved = await readJson(join(options.dir, stateFile));
  const restore = isSnapshot(saved, layout.name) ? saved : null;
  const nowMs = deviceClock(restore?.savedAtMs ?? Date.now(), options.timeFactor);
  const model = createRack({
    layout,
    nowMs,
    sessionNowMs: () => Date.now(),
    ...(options.seed !== undefined && { seed: options.seed }),
    ...(restore && { restore }),
  });
  const cardNames = model.hosts.flatMap((host) => host.dpus.map((card) => card.name));
  const keys = await loadKeys(
    options.dir,
    model.hosts.map((host) => host.name),
    cardNames,
  );
  const started: StartedHost[] = [];
  for (const host of model.hosts) started.push(await startHost(model, host, keys, options));
  return {
    model,
    hosts: started.map(({ running }) => running),
    snapshot: () => model.snapshot(),
    saveState: () => replaceFile(join(options.dir, stateFile), JSON.stringify(model.snapshot())),
    injectFault: (name, fault) => model.injectFault(name, fault),
    clearFault: (name) => model.clearFault(name),
    faults: () => model.faults(),
    close: async () => {
      await Promise.all(started.flatMap(({ endpoints }) => endpoints.map((endpoint) => endpoint.close())));
    },
  };
}
