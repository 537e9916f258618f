/**
 * `npm run bench`: one JSON line per figure, each beside a floor measured in the same run and in turn with it, so that a
 * slow or busy machine slows both. Devices are pretended: figures of them say SIMULATED.
 */
import { request } from 'node:https';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import type { JournalEntry } from '../src/domain/journal.ts';
import { Inventory, sliceOf, type HostSlice } from '../src/domain/inventory.ts';
import { Secret } from '../src/domain/secret.ts';
import { kernelVersion } from '../src/facts/host-system.ts';
import { dpuSystemResource } from '../src/facts/dpu-system.ts';
import { startRack } from '../src/lab/rack/server.ts';
import { emptyFold, foldMore } from '../src/report/journal-fold.ts';
import { createStores } from '../src/store/index.ts';
import { connect } from '../src/store/redis.ts';
import { createDeviceClock, systemClock } from '../src/transport/device-clock.ts';
import { createRedactor } from '../src/transport/redact.ts';
import { createBmcAccess } from '../src/transport/redfish/login.ts';
import { createHostAccess } from '../src/transport/ssh/host-access.ts';
import { sshKeyPair } from './lib/ssh-keys.mjs';
import { makeInventory, makeNewRun } from '../test/support/make-run.ts';
import { createMemoryStores } from '../test/support/memory/index.ts';
import { startRedis } from '../test/support/redis.ts';

const rounds = 300;
type RackDpu = Awaited<ReturnType<typeof startRack>>['hosts'][number]['dpus'][number];

/** Times both in turn after a warm-up and prints the line. Milliseconds. */
async function figure(
  name: string,
  floorName: string,
  ours: () => Promise<unknown>,
  floor: () => Promise<unknown>,
  simulated = false,
): Promise<void> {
  const times: { ours: number[]; floor: number[] } = { ours: [], floor: [] };
  for (let round = -20; round < rounds; round += 1)
    for (const [side, work] of [
      ['ours', ours],
      ['floor', floor],
    ] as const) {
      const start = performance.now();
      await work();
      if (round >= 0) times[side].push(performance.now() - start);
    }
  const p50 = (list: number[]): number =>
    Number((list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0).toFixed(3));
  const p95 = (list: number[]): number =>
    Number((list.toSorted((a, b) => a - b)[Math.floor(list.length * 0.95)] ?? 0).toFixed(3));
  const line = {
    figure: name,
    unit: 'ms',
    rounds,
    ours: { p50: p50(times.ours), p95: p95(times.ours) },
    floor: { name: floorName, p50: p50(times.floor), p95: p95(times.floor) },
    ratioP50: Number((p50(times.ours) / p50(times.floor)).toFixed(2)),
    ...(simulated && { stamp: 'SIMULATED' }),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const quiet = { warn: () => undefined };

async function storeFigures(): Promise<void> {
  const redis = await startRedis();
  const space = await connect(redis.url, 'worker', { logger: quiet, tag: redis.newTag() });
  try {
    const stores = createStores(space, { clock: systemClock, logger: quiet });
    const run = await stores.runs.create(makeNewRun(makeInventory(['as1', 'as2'])));
    const event = {
      type: 'step-satisfied',
      step: 'identify-card',
      target: 'as1-dpu0',
      reason: 'x'.repeat(120),
    } as const;
    const json = JSON.stringify(event);
    await figure(
      'journal append',
      'XADD',
      async () => stores.journal.append(run.id, 'as1', event),
      async () => space.client.xadd(`${space.tag}:bench`, '*', 'event', json),
    );
    const record = JSON.stringify(run);
    await figure(
      'run compare-and-set with a journal entry',
      'HGET, then HSET and XADD in one MULTI',
      async () =>
        stores.runs.update(
          run.id,
          (now) => ({ ...now, waveIndex: now.waveIndex + 1 }),
          () => [{ unit: 'as2', event }],
        ),
      async () => {
        await space.client.hget(`${space.tag}:bench-run`, 'json');
        await space.client
          .multi()
          .hset(`${space.tag}:bench-run`, 'json', record)
          .xadd(`${space.tag}:bench`, '*', 'event', json)
          .exec();
      },
    );
  } finally {
    await space.close();
    await redis.stop();
  }
}

async function foldFigure(): Promise<void> {
  const entries: JournalEntry[] = Array.from({ length: 10_000 }, (_, index) => ({
    id: `${index}-0`,
    runId: 1,
    unit: `as${index % 50}`,
    atMs: index,
    event: { type: 'step-satisfied', step: `step-${index % 12}`, target: `as${index % 50}-dpu0`, reason: 'as wanted' },
  }));
  const text = JSON.stringify(entries);
  await figure(
    'fold of 10,000 journal entries',
    'JSON.parse of the same entries',
    async () => Promise.resolve(foldMore(emptyFold(), entries)),
    async () => Promise.resolve(JSON.parse(text) as unknown),
  );
}

async function deviceFigures(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'dpubot-bench-'));
  const keys = sshKeyPair();
  const rack = await startRack({ dir, timeFactor: 120, authorizedKeys: [keys.public] });
  const hosts = createHostAccess({
    key: async () => Promise.resolve(new Secret(keys.private)),
    redactor: createRedactor(),
  });
  try {
    const [host] = rack.hosts;
    const [dpu] = host?.dpus ?? [];
    if (host === undefined || dpu === undefined) throw new Error('the rack has no host with a card');
    const base = makeInventory([host.name]);
    const entry = base.hosts[host.name];
    const { address, port, user, hostKeySha256 } = host.ssh;
    const ssh = { address, port, user, key: 'ssh-ops', hostKeys: [hostKeySha256] };
    const card = {
      name: dpu.name,
      bmc: { address: dpu.bmc.address, port: dpu.bmc.port, certSha256: dpu.bmc.certSha256 },
    };
    const slice = sliceOf(
      Inventory.parse({ ...base, hosts: { [host.name]: { ...entry, ssh, dpus: [card] } } }),
      host.name,
    );
    const signal = new AbortController().signal;
    const session = await hosts.open(slice);
    const raw = await rawClient(address, port, user, keys.private);
    await figure(
      'one command over an open SSH connection',
      'ssh2 exec without any check',
      async () => session.read(kernelVersion.bind({}), { timeoutMs: 5_000, signal }),
      async () => rawExec(raw, 'uname -r -m'),
      true,
    );
    raw.end();
    await redfishFigure(hosts, slice, dpu);
  } finally {
    await hosts.close();
    await rack.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Gives the pretend BMC a password of its own first, as a provisioned card has one. */
async function redfishFigure(
  hosts: ReturnType<typeof createHostAccess>,
  slice: HostSlice,
  dpu: RackDpu,
): Promise<void> {
  const stores = createMemoryStores({ clock: systemClock });
  const clock = createDeviceClock({ timeFactor: 120, simulated: true });
  const bmc = createBmcAccess({
    hosts,
    credentials: stores.credentials,
    pins: stores.pins,
    records: stores.records,
    budget: stores.loginBudget,
    clock: () => clock,
    redactor: createRedactor(),
  });
  const [entry] = slice.entry.dpus;
  if (entry === undefined) throw new Error('the slice has no card');
  const ref = { slice, dpu: entry, serial: dpu.serial };
  const { signal } = new AbortController();
  const first = await bmc.login(ref, { timeoutMs: 10_000, signal });
  if (first.state !== 'in') throw new Error(`no login: ${first.state}`);
  await first.session.patchSecret(
    '/redfish/v1/AccountService/Accounts/root',
    { Password: new Secret('Bench-Pass-4711!') },
    { timeoutMs: 10_000, signal },
  );
  await stores.credentials.savePending({ serial: dpu.serial }, new Secret('Bench-Pass-4711!'), '');
  bmc.forget(ref);
  const login = await bmc.login(ref, { timeoutMs: 10_000, signal });
  if (login.state !== 'in') throw new Error(`no login: ${login.state}`);
  const authorization = `Basic ${Buffer.from('root:Bench-Pass-4711!').toString('base64')}`;
  await figure(
    'one Redfish GET with the certificate checked',
    'node:https, any certificate accepted',
    async () => login.session.get(dpuSystemResource, { timeoutMs: 5_000, signal }),
    async () => rawGet(dpu.bmc.address, dpu.bmc.port, dpuSystemResource.path, authorization),
    true,
  );
  await bmc.close();
}

async function rawClient(host: string, port: number, username: string, privateKey: string): Promise<ssh2.Client> {
  const client = new ssh2.Client();
  await new Promise<void>((resolve, reject) => {
    client
      .once('ready', () => {
        client.setNoDelay(true);
        resolve();
      })
      .once('error', reject)
      .connect({ host, port, username, privateKey });
  });
  return client;
}

async function rawExec(client: ssh2.Client, command: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    client.exec(command, (error, stream) => {
      if (error) return reject(error);
      stream
        .on('close', () => resolve())
        .resume()
        .stderr.resume();
    });
  });
}

async function rawGet(host: string, port: number, path: string, authorization: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    request({ host, port, path, headers: { authorization }, rejectUnauthorized: false, agent: false }, (reply) => {
      reply.resume().on('end', resolve);
    })
      .once('error', reject)
      .end();
  });
}

await storeFigures();
await foldFigure();
await deviceFigures();
