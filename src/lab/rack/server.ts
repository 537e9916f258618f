/**
 * The pretend rack on loopback: an SSH server per host and per Arm, an HTTPS Redfish service per BMC.
 */
import { createHash } from 'node:crypto';
import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { RackLayout } from './layout.ts';
import { combineLayouts, rack1 } from './layouts.ts';
import { createRack } from './model.ts';
import type { CardModel, HostModel, RackModel } from './model.ts';
import {
  certSha256,
  hostKeySha256,
  hostKeysOfGeneration,
  loadKeys,
  prepareDirectory,
  publicHostKey,
  readJson,
  replaceFile,
} from './net/keys.ts';
import type { Endpoint } from './net/listen.ts';
import { startRedfishServer } from './net/redfish-server.ts';
import { startSshServer } from './net/ssh-server.ts';
import { armSshMachine, hostSshMachine } from './ssh-machines.ts';
import type { CardEndpoints, Lab } from './ssh-machines.ts';
import type { FetchedFile, Outside, RackSnapshot } from './state.ts';

export interface StartRackOptions {
  /** State directory; made with mode 0700. A saved state of the same layout is continued. */
  dir: string;
  /** Device time runs this many times faster than the wall clock. */
  timeFactor: number;
  layout?: RackLayout;
  /** Several racks in one lab; their host names must differ. */
  layouts?: RackLayout[];
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
  /** Address of the Arm on the management network, and where its SSH server listens here. Keys as they were at the start. */
  arm: { address: string; port: number; hostKeySha256: string };
}

export interface RunningHost {
  name: string;
  ssh: { address: string; port: number; hostKeySha256: string; user: string };
  /** The host's own management controller, if it has one. */
  bmc: { address: string; port: number; certSha256: string; user: string; password: string } | null;
  dpus: RunningDpu[];
}

export interface RunningRack {
  model: RackModel;
  hosts: RunningHost[];
  snapshot(): RackSnapshot;
  saveState(): Promise<void>;
  /** Command lines that came over SSH, the newest last. */
  lines(): readonly string[];
  injectFault: RackModel['injectFault'];
  clearFault: RackModel['clearFault'];
  faults: RackModel['faults'];
  close(): Promise<void>;
}

const stateFile = 'state.json';

/** Wall time between moments at which everything that is due happens. */
const tickEveryMs = 10;

function isSnapshot(value: unknown, layoutName: string): value is RackSnapshot {
  if (typeof value !== 'object' || value === null) return false;
  return 'version' in value && value.version === 4 && 'layoutName' in value && value.layoutName === layoutName;
}

/** The device clock: starts where the saved state ended, or now. */
function deviceClock(startMs: number, timeFactor: number): () => number {
  const wallStartMs = performance.now();
  return () => Math.floor(startMs + (performance.now() - wallStartMs) * timeFactor);
}

/** Two certificates are enough to tell one generation from the next. */
function showsSecondCertificate({ model }: Lab, card: CardModel): boolean {
  return (card.certificateGeneration() % 2 === 1) !== model.hasFault('bmc-cert-changed', card.name);
}

/** The certificate that the HTTPS server of a BMC shows at this moment. */
function shownCertificate(lab: Lab, name: string): string {
  const certificates = lab.keys.certificates[name];
  if (certificates === undefined) throw new Error(`No keys for ${name}.`);
  return (showsSecondCertificate(lab, lab.model.card(name)) ? certificates.second : certificates.first).cert;
}

async function startCard(lab: Lab, card: CardModel): Promise<CardEndpoints> {
  const { keys, directory } = lab;
  const certificates = keys.certificates[card.name];
  if (certificates === undefined) throw new Error(`No keys for ${card.name}.`);
  const device = {
    answer: (request: Parameters<CardModel['redfish']>[0]) => card.redfish(request),
    isUp: () => card.bmcIsUp(),
    incarnation: () => String(card.bmcStartedAtMs()),
  };
  const bmc = await startRedfishServer({
    device,
    certificates,
    showsSecondCertificate: () => showsSecondCertificate(lab, card),
  });
  const hostKeys = (): { first: string; second: string } =>
    hostKeysOfGeneration(directory, keys, card.name, card.armHostKeyGeneration());
  const arm = await startSshServer({ machine: armSshMachine(lab, card), hostKeys });
  return { card, bmc, arm };
}

function describeCard(lab: Lab, { card, bmc, arm }: CardEndpoints): RunningDpu {
  const certificate = lab.keys.certificates[card.name]?.first;
  const hostKeys = hostKeysOfGeneration(lab.directory, lab.keys, card.name, card.armHostKeyGeneration());
  return {
    name: card.name,
    serial: card.serial,
    partNumber: card.partNumber,
    pciAddress: card.pciAddress,
    bmc: { address: bmc.address, port: bmc.port, certSha256: certificate === undefined ? '' : certSha256(certificate) },
    arm: { address: arm.address, port: arm.port, hostKeySha256: hostKeySha256(hostKeys.first) },
  };
}

interface StartedHost {
  running: RunningHost;
  cards: CardEndpoints[];
  endpoints: Endpoint[];
}

async function startHostBmc(
  lab: Lab,
  host: HostModel,
): Promise<{ endpoint: Endpoint; running: NonNullable<RunningHost['bmc']> } | null> {
  const certificates = lab.keys.certificates[`${host.name} bmc`];
  if (host.bmc === null || certificates === undefined) return null;
  const device = {
    answer: (request: Parameters<CardModel['redfish']>[0]) => host.bmcRedfish(request),
    isUp: () => true,
    incarnation: () => host.name,
  };
  const endpoint = await startRedfishServer({ device, certificates, showsSecondCertificate: () => false });
  const { user, password } = host.bmc;
  return {
    endpoint,
    running: {
      address: endpoint.address,
      port: endpoint.port,
      certSha256: certSha256(certificates.first),
      user,
      password,
    },
  };
}

async function startHost(lab: Lab, host: HostModel): Promise<StartedHost> {
  const cards: CardEndpoints[] = [];
  for (const card of host.dpus) cards.push(await startCard(lab, card));
  const hostKeys = lab.keys.hostKeys[host.name];
  if (hostKeys === undefined) throw new Error(`No keys for ${host.name}.`);
  const ssh = await startSshServer({ machine: hostSshMachine(lab, host, cards), hostKeys: () => hostKeys });
  const bmc = await startHostBmc(lab, host);
  return {
    running: {
      name: host.name,
      ssh: { address: ssh.address, port: ssh.port, hostKeySha256: hostKeySha256(hostKeys.first), user: host.user },
      bmc: bmc?.running ?? null,
      dpus: cards.map((card) => describeCard(lab, card)),
    },
    cards,
    endpoints: [ssh, ...(bmc === null ? [] : [bmc.endpoint]), ...cards.flatMap((card) => [card.bmc, card.arm])],
  };
}

/** How long a BMC waits for a server of the real network. */
const fetchLimitMs = 10_000;

/** Fetch a file of the real network for a BMC, as far as its hash. */
function fetchFile(url: string, done: (result: FetchedFile) => void): void {
  const ask = url.startsWith('https:') ? httpsGet : httpGet;
  // Who serves an image to a BMC does so with a certificate that the BMC does not check.
  const request = ask(url, { timeout: fetchLimitMs, rejectUnauthorized: false }, (response) => {
    const hash = createHash('sha256');
    response.on('data', (chunk: Buffer) => hash.update(chunk));
    response.once('error', () => done('unreachable'));
    response.once('end', () => done(response.statusCode === 200 ? { sha256: hash.digest('hex') } : 'no-file'));
  });
  request.once('timeout', () => request.destroy(new Error('timeout')));
  request.once('error', () => done('unreachable'));
}

/** What the model needs of real sockets and keys. */
function outsideOf(lab: Lab, cards: CardEndpoints[]): Outside {
  return {
    fetchFile,
    hostKey: (name, generation) => publicHostKey(hostKeysOfGeneration(lab.directory, lab.keys, name, generation).first),
    bmcCertificate: ({ name }) => shownCertificate(lab, name),
    dialArm: (card, on) => {
      const port = cards.find((each) => each.card.name === card.name)?.arm.port;
      if (port === undefined) return null;
      const socket = connect({ host: '127.0.0.1', port });
      socket.on('data', (chunk: Buffer) => {
        on.data(chunk.toString('latin1'));
        lab.model.tick();
      });
      socket.on('error', () => undefined);
      socket.once('close', () => {
        on.close();
        lab.model.tick();
      });
      return { write: (bytes) => void socket.write(Buffer.from(bytes, 'latin1')), close: () => socket.destroy() };
    },
  };
}

/** Start the rack; everything listens on 127.0.0.1 with free ports. */
export async function startRack(options: StartRackOptions): Promise<RunningRack> {
  const layout = options.layouts === undefined ? (options.layout ?? rack1()) : combineLayouts(options.layouts);
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
  const keys = await loadKeys(
    options.dir,
    model.hosts.map((host) => host.name),
    model.hosts.flatMap((host) => host.dpus.map((card) => card.name)),
    model.hosts.filter((host) => host.bmc !== null).map((host) => host.name),
  );
  const lab: Lab = { model, keys, directory: options.dir, authorizedKeys: options.authorizedKeys, lines: [] };
  const started: StartedHost[] = [];
  for (const host of model.hosts) started.push(await startHost(lab, host));
  model.connectOutside(
    outsideOf(
      lab,
      started.flatMap(({ cards }) => cards),
    ),
  );
  const ticker = setInterval(() => model.tick(), tickEveryMs);
  ticker.unref();
  return {
    model,
    hosts: started.map(({ running }) => running),
    snapshot: () => model.snapshot(),
    lines: () => lab.lines,
    saveState: () => replaceFile(join(options.dir, stateFile), JSON.stringify(model.snapshot())),
    injectFault: (name, fault) => model.injectFault(name, fault),
    clearFault: (name, target) => model.clearFault(name, target),
    faults: () => model.faults(),
    close: async () => {
      clearInterval(ticker);
      await Promise.all(started.flatMap(({ endpoints }) => endpoints.map((endpoint) => endpoint.close())));
    },
  };
}
