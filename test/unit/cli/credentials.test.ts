import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { utils } from 'ssh2';
import { printAudit } from '../../../src/cli/audit.ts';
import {
  importCardPassword,
  importCredential,
  listCredentials,
  sitesUsing,
  useOf,
  usedCredentials,
} from '../../../src/cli/credentials.ts';
import { looksWrong } from '../../../src/cli/secret-form.ts';
import { HostBmcEndpoint, Inventory, Profile } from '../../../src/domain/inventory.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createAuditStore } from '../../../src/store/audit.ts';
import { createCredentialStore } from '../../../src/store/credentials.ts';
import type { RedisSpace } from '../../../src/store/redis.ts';
import { connect } from '../../../src/store/redis.ts';
import type { TestRedis } from '../../support/redis.ts';
import { startRedis } from '../../support/redis.ts';
import { sampleInventory } from '../commands/sample-inventory.ts';
import { silent } from '../store/rig.ts';
import { bareConfig, keyedInventory, temporaryFiles, testIo } from './rig.ts';
import { sshKeyPair } from '../../../scripts/lib/ssh-keys.mjs';

const clock = { nowMs: () => Date.now() };
const privateKey = sshKeyPair().private;
let redis: TestRedis;
let space: RedisSpace;
let files: ReturnType<typeof temporaryFiles>;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => redis.stop());
beforeEach(async () => {
  files = temporaryFiles();
  space = await connect(redis.url, 'worker', { logger: silent, tag: redis.newTag() });
});
afterEach(async () => {
  files.remove();
  await space.close();
});

async function setup() {
  const { text, identity, recipient } = await keyedInventory();
  const config = {
    ...bareConfig,
    redisUrl: new Secret(redis.url),
    redisTag: space.tag,
    inventoryPath: files.write('inventory.yaml', text),
  };
  const store = createCredentialStore(space, { identities: [identity], clock });
  return { config, store, recipient };
}

/** The sample fleet, with a host BMC and a profile for host-b that name credentials, and a profile nobody uses. */
function fullInventory(tailscale: object = {}): Inventory {
  const inventory = Inventory.parse(sampleInventory());
  const hostB = inventory.hosts['host-b'];
  if (hostB === undefined) throw new Error('the sample has no host-b');
  hostB.profile = 'whole';
  hostB.bmc = HostBmcEndpoint.parse({ address: '10.0.2.2', password: 'idrac-b', certSha256: 'cd'.repeat(32) });
  const repository = { repository: 'https://pkgs.example/apt', suite: 'jammy', keyUrl: 'https://pkgs.example/key' };
  inventory.profiles['whole'] = Profile.parse({
    arm: { key: 'arm-key' },
    tailscale: { ...repository, keyFingerprint: 'A'.repeat(40), authKey: 'tailscale-lab', ...tailscale },
  });
  inventory.profiles['unused'] = Profile.parse({ arm: { key: 'arm-unused' } });
  return inventory;
}

const wish = (name: string, file: string, sites: readonly string[] = []) => ({ name, file, sites });

describe('dpubot credentials import', () => {
  test('a key from a file can be read by the identity of the sites that use it', async () => {
    const { config, store } = await setup();
    const io = testIo();

    const code = await importCredential(io, config, wish('ssh-ops', files.write('key', privateKey)));

    expect(code).toBe(0);
    expect((await store.named('ssh-ops')).reveal()).toBe(privateKey);
    expect(io.text()).toBe('ssh-ops is stored, readable by the workers of lab.');
  });

  test('a secret from standard input loses the line break at its end', async () => {
    const { config, store } = await setup();

    await importCredential(testIo('hunter2\n'), config, wish('other', '-', ['lab']));

    expect((await store.named('other')).reveal()).toBe('hunter2');
  });

  test.each([
    ['a name nobody uses', wish('ssh-new', '-'), 'secret', 'give --site NAME'],
    ['an unknown site', wish('ssh-ops', '-', ['paris']), 'secret', 'the inventory has no site "paris"; it has lab'],
    ['a name with capitals', wish('SSH', '-'), 'secret', 'lower-case letters'],
    ['empty input', wish('ssh-ops', '-'), ' \n', 'standard input was empty'],
    ['a missing file', wish('ssh-ops', '/nowhere/key'), '', '/nowhere/key cannot be read'],
    ['a public key', wish('ssh-ops', '-'), 'ssh-ed25519 AAAAC3Nza ops', 'public half'],
  ])('refuses %s and stores nothing', async (_what, asked, stdin, expected) => {
    const { config, store } = await setup();

    await expect(importCredential(testIo(stdin), config, asked)).rejects.toThrow(expected);
    await expect(store.named('ssh-ops')).rejects.toThrow('is not in the store');
  });
});

describe('dpubot credentials import-bmc', () => {
  test('the imported password is the current one, the one before stays as the previous one', async () => {
    const { config, store } = await setup();

    await importCardPassword(testIo('first\n'), config, wish('MT0001', '-'), 'BMC');
    await importCardPassword(testIo('second\n'), config, wish('dpu-b0', '-'), 'BMC');

    const known = await store.bmc({ serial: 'MT0001' });
    expect(known.map(({ slot, secret }) => [slot, secret.reveal()])).toEqual([
      ['current', 'second'],
      ['previous', 'first'],
    ]);
  });

  test('the password of the Arm is filed apart from that of the BMC', async () => {
    const { config, store } = await setup();

    await importCardPassword(testIo('by hand\n'), config, wish('MT0001', '-'), 'Arm');

    const known = await store.bmc({ armSerial: 'MT0001' });
    expect(known.map(({ slot, secret }) => [slot, secret.reveal()])).toEqual([['current', 'by hand']]);
    expect(await store.bmc({ serial: 'MT0001' })).toEqual([]);
  });

  test('refuses a serial of no card without a site, and a text of two lines', async () => {
    const { config } = await setup();

    await expect(importCardPassword(testIo('x'), config, wish('MT9', '-'), 'BMC')).rejects.toThrow('give --site NAME');
    await expect(importCardPassword(testIo('x\ny'), config, wish('MT0001', '-'), 'BMC')).rejects.toThrow('one line');
  });
});

test('credentials list shows names and sites, warns of missing ones, and never shows a secret', async () => {
  const { config } = await setup();
  const io = testIo();
  await importCredential(testIo('hunter2'), config, wish('other', '-', ['lab']));

  expect(await listCredentials(io, config)).toBe(0);

  expect(io.text()).toMatch(/other +lab +\d{4}-/);
  expect(io.text()).toContain('warn  ssh-ops is used by the inventory and not stored (ssh.key of a host)');
  expect(io.text()).not.toContain('hunter2');
});

test('credentials list shows which cards have BMC and Arm passwords since when, and never a password', async () => {
  const { config, store, recipient } = await setup();
  const io = testIo();
  await store.savePending({ serial: 'MT0001' }, new Secret('bmc-one'), recipient);
  await store.promote({ serial: 'MT0001' });
  await store.savePending({ serial: 'MT0001' }, new Secret('bmc-two'), recipient);
  await store.savePending({ armSerial: 'MT0001' }, new Secret('arm-one'), recipient);
  const unproven = { certSha256: 'ab'.repeat(32), address: '10.0.1.3:443' };
  await store.savePending(unproven, new Secret('bmc-three'), recipient);

  await listCredentials(io, config);

  const lines = io.outLines.map((line) => line.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'DATE').replaceAll(/ +/g, ' '));
  expect(lines).toContain('card password pending current previous');
  expect(lines).toContain('MT0001 BMC DATE DATE -');
  expect(lines).toContain('MT0001 Arm DATE - -');
  expect(lines).toContain('at 10.0.1.3:443 (abababababababab...) BMC DATE - -');
  expect(io.text()).not.toMatch(/bmc-(one|two|three)|arm-one/);
});

test('a damaged password record is an error of the list, not a line that is left out', async () => {
  const { config } = await setup();
  await space.client.hset(space.key('bmc-passwords', 'serial', 'MT0001'), 'current', '{}');

  await expect(listCredentials(testIo(), config)).rejects.toMatchObject({ code: 'store-corrupt' });
});

test('what profiles and host BMCs refer to is a credential of the sites whose hosts use them', () => {
  const inventory = fullInventory();

  expect(usedCredentials(inventory).toSorted()).toEqual(['arm-key', 'idrac-b', 'ssh-ops', 'tailscale-lab']);
  expect(sitesUsing(inventory, 'idrac-b')).toEqual(['lab']);
  expect(sitesUsing(inventory, 'arm-unused')).toEqual([]);
  expect(['arm-key', 'idrac-b', 'tailscale-lab'].map((ref) => useOf(inventory, ref))).toEqual([
    'arm.key of a profile',
    'bmc.password of a host',
    'tailscale.authKey of a profile',
  ]);
});

test.each([
  { auth: { kind: 'psk', secret: 'tunnel-psk' }, named: { 'tunnel-psk': 'ipsec.auth.secret of a profile' } },
  {
    auth: { kind: 'certificates', ca: 'tunnel-ca', bundle: 'tunnel-bundle' },
    named: { 'tunnel-ca': 'ipsec.auth.ca of a profile', 'tunnel-bundle': 'ipsec.auth.bundle of a profile' },
  },
])('what IPsec of a profile refers to is a credential ($auth.kind)', ({ auth, named }) => {
  const inventory = fullInventory();
  inventory.profiles['whole'] = Profile.parse({ ipsec: { auth } });

  expect(usedCredentials(inventory)).toEqual(expect.arrayContaining(Object.keys(named)));
  expect(Object.keys(named).map((ref) => useOf(inventory, ref))).toEqual(Object.values(named));
});

test('a Tailscale key for cards only is no credential of a host whose cards have another profile', () => {
  const inventory = fullInventory({ on: ['dpu'] });
  for (const dpu of inventory.hosts['host-b']?.dpus ?? []) dpu.profile = 'quick';

  expect(usedCredentials(inventory)).not.toContain('tailscale-lab');
});

test('a credential is needed by the sites of its hosts, also of those that only jump through one', () => {
  const inventory = Inventory.parse(sampleInventory());

  expect(sitesUsing(inventory, 'ssh-ops')).toEqual(['lab']);
  expect(sitesUsing(inventory, 'nobody')).toEqual([]);
});

describe('looksWrong', () => {
  test('accepts a private key without a passphrase and any password', () => {
    expect(looksWrong(new Secret(privateKey))).toBeUndefined();
    expect(looksWrong(new Secret('Correct-Horse-1'))).toBeUndefined();
  });

  test.each([
    [
      'an OpenSSH key',
      utils.generateKeyPairSync('ed25519', { passphrase: 'x', cipher: 'aes256-ctr', rounds: 1 }).private,
    ],
    ['a PEM key', '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n'],
  ])('%s with a passphrase is refused without being quoted', (_what, key) => {
    const text = looksWrong(new Secret(key));

    expect(text).toContain('has a passphrase');
    expect(text).not.toContain(key.slice(40, 60));
  });
});

describe('dpubot audit', () => {
  async function filled() {
    const { config } = await setup();
    const store = createAuditStore(space);
    const actor = { userId: 'UANA', teamId: 'T1', displayName: 'ana' };
    await store.append({ atMs: 0, actor, action: 'provision', runId: 1, targets: ['dpu-a', 'dpu-b0'] });
    await store.append({ atMs: 1000, actor, action: 'approve', planHash: 'f'.repeat(64), detail: 'one\ntwo\u001b[2J' });
    return config;
  }

  test('lists the newest first with targets and hash, without control characters', async () => {
    const config = await filled();
    const io = testIo();

    expect(await printAudit(io, config, { limit: 10, json: false })).toBe(0);

    expect(io.outLines).toHaveLength(3);
    expect(io.outLines[1]).toMatch(
      /^1970-01-01T00:00:01.000Z +ana \(UANA\) +approve .*ffffffffffffffff +one two \[2J$/,
    );
    expect(io.outLines[2]).toContain('dpu-a,dpu-b0');
  });

  test('prints one JSON object a line, as many as asked for', async () => {
    const config = await filled();
    const io = testIo();

    await printAudit(io, config, { limit: 1, json: true });

    expect(io.outLines.map((line) => JSON.parse(line))).toEqual([expect.objectContaining({ action: 'approve' })]);
  });
});
