import { readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { importCredential } from '../../../src/cli/credentials.ts';
import { checkSettings } from '../../../src/cli/doctor-basics.ts';
import { botScopes, checkSlack } from '../../../src/cli/doctor-slack.ts';
import { doctor } from '../../../src/cli/doctor.ts';
import { Secret } from '../../../src/domain/secret.ts';
import type { FakeSshServer } from '../../contract/transport/support/ssh-servers.ts';
import { operatorKey, startFakeSsh } from '../../contract/transport/support/ssh-servers.ts';
import type { TestRedis } from '../../support/redis.ts';
import { startRedis } from '../../support/redis.ts';
import { bareConfig, keyedInventory, temporaryFiles, testIo } from './rig.ts';

let redis: TestRedis;
let files: ReturnType<typeof temporaryFiles>;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => redis.stop());
beforeEach(() => {
  files = temporaryFiles();
});
afterEach(async () => {
  files.remove();
  for (const stop of stops.splice(0)) await stop();
});

/** A Slack that answers auth.test with this. */
async function slackThatSays(body: unknown, scopes?: readonly string[]): Promise<string> {
  const server = createServer((request, response) => {
    const right = request.url === '/api/auth.test' && request.headers.authorization === 'Bearer xoxb-1';
    if (scopes) response.setHeader('x-oauth-scopes', scopes.join(','));
    response.end(JSON.stringify(right ? body : { ok: false, error: 'invalid_auth' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(async () => new Promise((resolve) => void server.close(() => resolve())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`;
}

describe('checkSlack', () => {
  const slack = async (body: unknown, scopes?: readonly string[]) =>
    checkSlack({ ...bareConfig, slackBotToken: new Secret('xoxb-1'), slackApiUrl: await slackThatSays(body, scopes) });

  test('is content with a good token that has every scope', async () => {
    const findings = await slack({ ok: true, team: 'Fleet', user: 'dpubot' }, botScopes);

    expect(findings.map(({ level, text }) => [level, text])).toEqual([
      ['ok', 'token of dpubot in Fleet'],
      ['ok', `all ${botScopes.length} scopes are there`],
    ]);
  });

  test('names the scopes that are missing', async () => {
    const findings = await slack({ ok: true }, ['chat:write', 'commands']);

    expect(findings[1]).toMatchObject({ level: 'FAIL', text: expect.stringContaining('users:read') });
    expect(findings[1]?.text).not.toContain('chat:write');
  });

  test('passes on why Slack refuses a token', async () => {
    expect(await slack({ ok: false, error: 'token_revoked' })).toMatchObject([
      { level: 'FAIL', text: 'the token is refused: token_revoked' },
    ]);
  });

  test('tells a server that is not Slack from one that is not there', async () => {
    expect(await slack(['hello'])).toMatchObject([{ level: 'FAIL', next: 'Check SLACK_API_URL.' }]);
    const closed = { ...bareConfig, slackBotToken: new Secret('xoxb-1'), slackApiUrl: 'http://127.0.0.1:1/api' };
    expect(await checkSlack(closed)).toMatchObject([{ level: 'FAIL', text: '127.0.0.1:1 does not answer' }]);
  });

  test('a scope is asked for when a method needs it that the bot calls, and only then', () => {
    const history = ['channels:history', 'groups:history', 'im:history'];
    const needs: Readonly<Record<string, readonly string[]>> = {
      'auth.test': [],
      'chat.getPermalink': [],
      'chat.postEphemeral': ['chat:write'],
      'chat.postMessage': ['chat:write'],
      'chat.update': ['chat:write'],
      'conversations.history': history,
      'conversations.info': ['channels:read', 'groups:read', 'im:read'],
      'conversations.open': ['im:write'],
      'conversations.replies': history,
      'files.completeUploadExternal': ['files:write'],
      'files.getUploadURLExternal': ['files:write'],
      'files.info': ['files:read'],
      'usergroups.list': ['usergroups:read'],
      'users.info': ['users:read'],
      'views.open': [],
      'views.publish': [],
    };
    // What events need; direct messages are opened by posting to a person too.
    const listening = ['app_mentions:read', 'im:history', 'im:write'];
    const room = new URL('../../../src/slack/', import.meta.url);
    const sources = readdirSync(room).map((file) => readFileSync(new URL(file, room), 'utf8'));
    const called = sources.flatMap((text) => [...text.matchAll(/client\.(\w+\.\w+)\(/g)].map(([, name = '']) => name));

    const wanted = called.flatMap((name) => needs[name] ?? [`of ${name}, which this test does not know`]);

    expect([...new Set(['commands', ...listening, ...wanted])].sort()).toEqual([...botScopes].sort());
  });

  test('the app manifest of the examples asks for exactly the scopes that are checked', () => {
    const text = readFileSync(new URL('../../../examples/slack-manifest.yaml', import.meta.url), 'utf8');
    const manifest = parse(text) as { oauth_config: { scopes: { bot: string[] } } };

    expect([...manifest.oauth_config.scopes.bot].sort()).toEqual([...botScopes].sort());
  });
});

test('an old Node and both halves of the secrets in one place are worth a warning', () => {
  const both = { ...bareConfig, slackBotToken: new Secret('x'), ageIdentities: [new Secret('y')] };

  expect(checkSettings(both, '20.20.0').map(({ level, topic }) => [level, topic])).toEqual([
    ['warn', 'node'],
    ['warn', 'settings'],
  ]);
  expect(checkSettings(bareConfig, '24.1.0')).toMatchObject([{ level: 'ok' }]);
});

describe('doctor', () => {
  /** A worker's settings for the sample fleet; every host is the given SSH server. */
  async function fleet(server: FakeSshServer) {
    stops.push(async () => server.stop());
    const { text, identity } = await keyedInventory();
    const inventory = text
      .replaceAll(/address: 10\.0\.0\.\d+,/g, `address: 127.0.0.1, port: ${server.endpoint.port},`)
      .replaceAll(/SHA256:[ABC]{43}/g, server.endpoint.hostKeys[0] ?? '')
      .replace(', jump: host-a', '');
    const config = {
      ...bareConfig,
      redisUrl: new Secret(redis.url),
      redisTag: redis.newTag(),
      inventoryPath: files.write('inventory.yaml', inventory),
      ageIdentities: [identity],
      escrowDirectory: files.path,
      sites: ['lab'],
    };
    const importKey = async (...names: readonly string[]) => {
      for (const name of ['ssh-ops', ...names])
        await importCredential(testIo(operatorKey.private), config, { name, file: '-', sites: [] });
    };
    return { config, importKey };
  }

  const hostThatEndsSudoWith = async (code: number) =>
    startFakeSsh({
      onExec: (channel) => {
        channel.exit(code);
        channel.end();
      },
    });

  test('looks at every part of a good worker and ends with 0', async () => {
    const server = await hostThatEndsSudoWith(0);
    const { config, importKey } = await fleet(server);
    await importKey('arm-key');
    const io = testIo();

    expect(await doctor(io, config)).toBe(0);

    const text = io.text();
    expect(text).toContain('ok    inventory: 3 hosts, 4 DPUs, sites lab');
    expect(text).toMatch(/ok {4}redis: version \d/);
    expect(text).toContain('warn  redis: AOF is off');
    expect(text).toContain('ok    age: the identity opens secrets of site lab');
    expect(text).toContain(`ok    escrow: ${files.path} can be written to`);
    expect(text).toContain('ok    credential: ssh-ops is stored');
    expect(text).toContain('ok    host host-b: SSH with the pinned key, sudo without a password');
    expect(text).toContain('warn  pins: BMC certificates not pinned yet: dpu-a, dpu-b0, dpu-b1, dpu-c');
    expect(text).toContain('ok    fonts: not needed yet');
    expect(new Set(server.commands)).toEqual(new Set(['sudo -n true']));
  });

  test('names what is wrong with a worker, what to do, and ends with 1', async () => {
    const { config } = await fleet(await hostThatEndsSudoWith(1));
    const io = testIo();
    const other = await keyedInventory();

    const code = await doctor(io, {
      ...config,
      ageIdentities: [other.identity],
      escrowDirectory: '/nowhere',
      sites: ['lab', 'paris'],
    });

    expect(code).toBe(1);
    const text = io.text();
    expect(text).toContain('FAIL  age: the identity does not fit the recipient of site lab');
    expect(text).toContain('FAIL  age: DPUBOT_SITE names paris, which the inventory does not have');
    expect(text).toContain('FAIL  escrow: /nowhere cannot be written to');
    expect(text).toContain('FAIL  credential: ssh-ops is used by the inventory and not stored');
    expect(text).toContain('-> Run `dpubot credentials import ssh-ops FILE`.');
    expect(text).toContain('FAIL  host host-a: The credential "ssh-ops" is not in the store.');
  });

  test('names the credentials of profiles and of host BMCs that nobody has imported, and what each is for', async () => {
    const { config, importKey } = await fleet(await hostThatEndsSudoWith(0));
    await importKey();
    const text = readFileSync(config.inventoryPath, 'utf8')
      .replace('quick: { bmcPassword: leave }', 'quick: { arm: { key: arm-key } }')
      .replace(
        '    profile: quick',
        `    profile: quick\n    bmc: { address: 127.0.0.1, password: idrac, certSha256: ${'ab'.repeat(32)} }`,
      );
    const io = testIo();

    const code = await doctor(io, { ...config, inventoryPath: files.write('whole.yaml', text) });

    expect(code).toBe(1);
    expect(io.text()).toContain(
      'FAIL  credential: arm-key is used by the inventory and not stored (arm.key of a profile)',
    );
    expect(io.text()).toContain(
      'FAIL  credential: idrac is used by the inventory and not stored (bmc.password of a host)',
    );
    expect(io.text()).toContain('ok    credential: ssh-ops is stored');
  });

  test('a host where sudo asks for a password is told apart from one that cannot be reached', async () => {
    const { config, importKey } = await fleet(await hostThatEndsSudoWith(1));
    await importKey();
    const io = testIo();

    expect(await doctor(io, config)).toBe(1);
    expect(io.text()).toContain('FAIL  host host-a: SSH is good, sudo asks for a password');
    expect(io.text()).toContain('-> Install examples/sudoers on the host.');
  });

  test('without Redis the rest is still looked at', async () => {
    const io = testIo();

    expect(await doctor(io, { ...bareConfig, inventoryPath: '/nowhere.yaml' })).toBe(1);
    expect(io.text()).toContain('FAIL  inventory: the file cannot be read');
    expect(io.text()).toContain('warn  slack: not looked at');
    expect(io.text()).toContain('FAIL  redis: REDIS_URL is not set');
  });
});
