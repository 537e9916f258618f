import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ArmAccess, ArmLogin, ArmRoute } from '../../../src/domain/arm-ports.ts';
import type { CardRef, HostSession } from '../../../src/domain/device-ports.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { type ArmAccessOptions, createArmAccess } from '../../../src/transport/ssh/arm-access.ts';
import { carrierReason } from '../../../src/transport/ssh/arm-route.ts';
import { createHostAccess } from '../../../src/transport/ssh/host-access.ts';
import { armCard, createHostPrograms, type HostPrograms, namespace } from './support/arm-world.ts';
import { call, failureOfCall } from './support/slices.ts';
import {
  type FakeSshServer,
  freePort,
  operatorKey,
  otherKey,
  type SshServer,
  sshdPath,
  startFakeSsh,
  startSshd,
} from './support/ssh-servers.ts';

const tmfifo: ArmRoute = { kind: 'tmfifo', namespace };
const wrongPin = `SHA256:${'B'.repeat(43)}`;

interface World {
  readonly hosts: ReturnType<typeof createHostAccess>;
  readonly arm: ArmAccess;
  readonly pins: Map<string, string>;
  readonly redactor: ReturnType<typeof createRedactor>;
}

function createWorld(options: Partial<ArmAccessOptions> = {}): World {
  const redactor = createRedactor();
  const key = (): Promise<Secret> => Promise.resolve(new Secret(operatorKey.private));
  const hosts = createHostAccess({ key, redactor });
  const pins = new Map<string, string>();
  const arm = createArmAccess({
    hosts,
    key,
    pins: { get: (_kind, target) => Promise.resolve(pins.get(target)) },
    redactor,
    ...options,
  });
  return { hosts, arm, pins, redactor };
}

async function close({ arm, hosts }: World): Promise<void> {
  await arm.close();
  await hosts.close();
}

function sessionOf(login: ArmLogin): HostSession {
  if (login.state !== 'in') throw new Error(`not in: ${JSON.stringify(login)}`);
  return login.session;
}

const armServers: readonly (readonly [string, () => Promise<SshServer>])[] = [
  ['ssh2 server', () => startFakeSsh()],
  ...(existsSync(sshdPath) ? [['OpenSSH sshd', () => startSshd()] as const] : []),
];
const routes = ['oob', 'oob through the host', 'tmfifo'] as const;
const cases = armServers.flatMap(([name, start]) => routes.map((route) => [route, name, start] as const));

describe.each(cases)('login on the Arm over %s: %s', (way, _name, start) => {
  let host: FakeSshServer;
  let far: SshServer;
  let programs: HostPrograms;
  let world: World;
  let card: CardRef;
  const route: ArmRoute = way === 'tmfifo' ? tmfifo : { kind: 'oob' };

  beforeAll(async () => {
    programs = createHostPrograms();
    host = await startFakeSsh({ programs: programs.folder });
    far = await start();
    programs.leadTo(far.endpoint.port);
    world = createWorld();
    const via = way === 'oob through the host' ? 'host' : 'direct';
    card = armCard({
      host: host.endpoint,
      user: far.endpoint.user,
      ...(way !== 'tmfifo' && { arm: { port: far.endpoint.port, via } }),
    });
    world.pins.set(card.dpu.name, far.endpoint.hostKeys[0] ?? '');
  });
  afterAll(async () => {
    await close(world);
    await far.stop();
    await host.stop();
    programs.remove();
  });

  it('gives a session of the card that runs commands, over the route of the inventory when none is given', async () => {
    const session = sessionOf(await world.arm.login(card, call));
    const result = await session.run(['printf', '%s', "it's $HOME"], call);
    expect(session.name).toBe('host-01-dpu0');
    expect(result).toMatchObject({ exitCode: 0, stdout: "it's $HOME" });
  });

  it('uses one connection for several logins and commands at once', async () => {
    const logins = await Promise.all([1, 2, 3].map(async () => world.arm.login(card, { ...call, route })));
    const ran = logins.map(async (login, index) => sessionOf(login).run(['echo', `${index}`], call));
    const said = (await Promise.all(ran)).map(({ stdout }) => stdout);
    expect(said).toEqual(['0\n', '1\n', '2\n']);
    if ('connections' in far && typeof far.connections === 'function') expect(far.connections()).toBe(1);
  });

  it('carries a megabyte in both directions unharmed', async () => {
    const session = sessionOf(await world.arm.login(card, { ...call, route }));
    const text = 'a line of the image\n'.repeat(50_000);
    const { stdout } = await session.run(['sha256sum'], { ...call, stdin: text });
    const back = await session.run(['sh', '-c', 'yes "a line of the image" | head -n 50000'], {
      ...call,
      maxBytes: 2_000_000,
    });
    const again = await session.run(['sha256sum'], { ...call, stdin: back.stdout });
    expect(back.stdout).toBe(text);
    expect(again.stdout).toBe(stdout);
  });

  it('starts a detached command, which goes on when the connection is forgotten', async () => {
    const session = sessionOf(await world.arm.login(card, { ...call, route }));
    const folder = join(programs.folder, `job-${randomUUID()}`);
    await session.startDetached(folder, ['sh', '-c', 'echo begun; sleep 0.3; echo ended'], call);
    world.arm.forget(card);
    await expect
      .poll(async () => session.observeDetached(folder, call), { timeout: 10_000 })
      .toMatchObject({ kind: 'exited', exitCode: 0 });
    const log = await session.readDetachedLog(folder, 0, call);
    expect(log.text).toBe('begun\nended\n');
  });

  it('connects anew when the card has cut its connections', async () => {
    const session = sessionOf(await world.arm.login(card, { ...call, route }));
    far.drop();
    const login = await world.arm.login(card, { ...call, route });
    const result = await session.read({ kind: 'read-command', name: 'x', argv: ['echo', 'back'] }, call);
    expect(login.state).toBe('in');
    expect(result.stdout).toBe('back\n');
  });

  it('forgets its connections when told so, and makes a new one', async () => {
    const session = sessionOf(await world.arm.login(card, { ...call, route }));
    const running = failureOfCall(session.run(['sleep', '60'], call));
    await session.run(['true'], call);
    world.arm.forget(card);
    const failure = await running;
    const result = await session.run(['echo', 'new'], call);
    expect(failure).toMatchObject({ code: 'ssh-lost', state: 'unknown' });
    expect(result.stdout).toBe('new\n');
  });

  it('refuses a host key other than the pin, as a security event', async () => {
    const other = createWorld();
    other.pins.set(card.dpu.name, wrongPin);
    const failure = await failureOfCall(other.arm.login(card, { ...call, route }));
    await close(other);
    expect(failure.code).toBe('ssh-host-key-changed');
    expect(failure.text).toContain('host-01-dpu0');
  });

  it('says refused when the key is not accepted', async () => {
    const other = createWorld({ key: () => Promise.resolve(new Secret(otherKey.private)) });
    other.pins.set(card.dpu.name, far.endpoint.hostKeys[0] ?? '');
    const login = await other.arm.login(card, { ...call, route });
    await close(other);
    expect(login).toEqual({ state: 'refused' });
  });
});

it.skipIf(!existsSync(sshdPath))('a file is sent over SFTP through the tmfifo link, whole', async () => {
  const programs = createHostPrograms();
  const host = await startFakeSsh({ programs: programs.folder });
  const far = await startSshd();
  programs.leadTo(far.endpoint.port);
  const world = createWorld();
  const card = armCard({ host: host.endpoint, user: far.endpoint.user });
  world.pins.set(card.dpu.name, far.endpoint.hostKeys[0] ?? '');
  const content = randomBytes(3_000_000);
  const localPath = join(programs.folder, 'image');
  const remotePath = join(programs.folder, 'arrived');
  writeFileSync(localPath, content);

  const session = sessionOf(await world.arm.login(card, call));
  await session.upload({ localPath, remotePath, fromByte: 0, bytes: content.length }, call);

  expect(readFileSync(remotePath).equals(content)).toBe(true);
  await close(world);
  await far.stop();
  await host.stop();
  programs.remove();
});

describe('login on the Arm when something is in the way', () => {
  const cleanUps: (() => Promise<void> | void)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
  });

  async function setUp(parts: { readonly arm?: Parameters<typeof startFakeSsh>[0] } = {}) {
    const programs = createHostPrograms();
    const host = await startFakeSsh({ programs: programs.folder });
    const far = await startFakeSsh(parts.arm);
    programs.leadTo(far.endpoint.port);
    const world = createWorld({ answerMs: 500 });
    const card = armCard({ host: host.endpoint });
    world.pins.set(card.dpu.name, far.endpoint.hostKeys[0] ?? '');
    cleanUps.push(
      () => programs.remove(),
      () => host.stop(),
      () => far.stop(),
      () => close(world),
    );
    return { programs, host, far, world, card, ...world };
  }

  function unreachable(login: ArmLogin): { code: string; text: string } {
    if (login.state !== 'unreachable') throw new Error(`state ${login.state}`);
    const { code, what, why } = login.failure;
    return { code, text: `${what} ${why}` };
  }

  it('sends nothing to a card whose host key is not pinned', async () => {
    const { arm, card, far, host, pins } = await setUp();
    pins.clear();
    const login = await arm.login(card, call);
    expect(login).toEqual({ state: 'unpinned' });
    expect([far.connections(), host.connections()]).toEqual([0, 0]);
  });

  it('tries no login at all on a server with another host key', async () => {
    const { arm, card, far, pins } = await setUp();
    pins.set(card.dpu.name, wrongPin);
    await failureOfCall(arm.login(card, call));
    expect(far.connections()).toBeGreaterThan(0);
    expect(far.authentications()).toBe(0);
  });

  it('gives the reason of socat when nobody listens on the card', async () => {
    const { arm, card, programs } = await setUp();
    programs.leadTo(await freePort());
    const { code, text } = unreachable(await arm.login(card, call));
    expect(code).toBe('ssh-unreachable');
    expect(text).toMatch(/host-01-dpu0[^]*192\.168\.100\.2:22 over tmfifo of host-01[^]*socat: [^]*Connection refused/);
  });

  it('gives the reason of ip when there is no such namespace', async () => {
    const { arm, card } = await setUp();
    const route: ArmRoute = { kind: 'tmfifo', namespace: 'dpubot-gone' };
    const { text } = unreachable(await arm.login(card, { ...call, route }));
    expect(text).toContain('Cannot open network namespace "dpubot-gone": No such file or directory');
  });

  it('says that sudo refuses, with the user of the host', async () => {
    const { arm, card, programs } = await setUp();
    programs.sudoRefuses('sudo: a password is required');
    const { code, text } = unreachable(await arm.login(card, call));
    expect(code).toBe('sudo-refused');
    expect(text).toMatch(/ops may not use sudo[^]*host-01/);
  });

  it('says that the host is in the way when the host does not answer', async () => {
    const { arm, card, host } = await setUp();
    await host.stop();
    const { text } = unreachable(await arm.login(card, call));
    expect(text).toMatch(/host-01-dpu0 does not answer[^]*host-01 does not answer SSH/);
  });

  it('takes a host that refuses the key for an unreachable card, not for a card that refuses the key', async () => {
    const { world, card, far } = await setUp();
    const strangers = createHostAccess({
      key: () => Promise.resolve(new Secret(otherKey.private)),
      redactor: createRedactor(),
    });
    const key = (): Promise<Secret> => Promise.resolve(new Secret(operatorKey.private));
    const pins = { get: () => Promise.resolve(far.endpoint.hostKeys[0]) };
    const arm = createArmAccess({ hosts: strangers, key, pins, redactor: world.redactor });
    const login = await arm.login(card, call);
    await arm.close();
    await strangers.close();
    expect(unreachable(login).text).toContain('refused the login of ops');
  });

  it('reports a host with another host key as such, and not as an unreachable card', async () => {
    const { arm, card } = await setUp();
    const { slice } = card;
    const ssh = { ...slice.entry.ssh, hostKeys: [wrongPin] };
    const swapped = { ...card, slice: { ...slice, entry: { ...slice.entry, ssh } } };
    const failure = await failureOfCall(arm.login(swapped, call));
    expect(failure.code).toBe('ssh-host-key-changed');
    expect(failure.text).toContain('host-01 shows');
  });

  it('ends the session on the card when the connection of the host dies, and comes back with it', async () => {
    const { arm, card, host } = await setUp();
    const session = sessionOf(await arm.login(card, call));
    const running = failureOfCall(session.run(['sleep', '60'], call));
    await session.run(['true'], call);
    host.drop();
    const failure = await running;
    const again = await session.run(['echo', 'again'], call);
    expect(failure).toMatchObject({ code: 'ssh-lost', state: 'unknown' });
    expect(again.stdout).toBe('again\n');
  });

  it('takes an account with an expired password for refused: no command would run', async () => {
    const { arm, card } = await setUp({
      arm: {
        // What OpenSSH 9.2 did with PAM after `chage -d 0`, without a terminal.
        onExec(channel) {
          channel.stderr.write('WARNING: Your password has expired.\nPassword change required but no TTY available.\n');
          channel.exit(1);
          channel.end();
        },
      },
    });
    expect(await arm.login(card, call)).toEqual({ state: 'refused' });
  });

  it('reports an account that runs no command with its words', async () => {
    const { arm, card } = await setUp({
      arm: {
        onExec(channel) {
          channel.write('This account is currently not available.\n');
          channel.exit(1);
          channel.end();
        },
      },
    });
    const failure = await failureOfCall(arm.login(card, call));
    expect(failure.code).toBe('command-failed');
    expect(failure.text).toContain('This account is currently not available.');
  });

  it('is unreachable in time when the card takes the connection and never runs anything', async () => {
    const { arm, card } = await setUp({ arm: { onExec: () => undefined } });
    const { code } = unreachable(await arm.login(card, { timeoutMs: 3_000 }));
    expect(['ssh-timeout', 'ssh-unreachable']).toContain(code);
  });

  it('rejects with the reason of the caller when the caller aborts', async () => {
    const { arm, card } = await setUp({ arm: { onExec: () => undefined } });
    const controller = new AbortController();
    const reason = new Error('run 418 was cancelled');
    const login = arm.login(card, { ...call, signal: controller.signal });
    controller.abort(reason);
    await expect(login).rejects.toBe(reason);
  });

  it('keeps a simulated site on loopback: nothing is sent to another address', async () => {
    const { arm, host, far, pins } = await setUp();
    for (const via of ['direct', 'host'] as const) {
      const away = armCard({ host: host.endpoint, arm: { address: '192.0.2.7', port: 22, via } });
      pins.set(away.dpu.name, far.endpoint.hostKeys[0] ?? '');
      const failure = await failureOfCall(arm.login(away, call));
      expect(failure.code).toBe('address-not-loopback');
    }
  });

  it('says which profile names no login', async () => {
    const { arm, host } = await setUp();
    const card = armCard({ host: host.endpoint, account: false });
    const login = await failureOfCall(arm.login(card, call));
    const publicKey = await failureOfCall(arm.publicKey(card));
    expect([login.code, publicKey.code]).toEqual(['arm-account-missing', 'arm-account-missing']);
  });
});

describe('the public key of the Arm login', () => {
  it('is the public half of the credential, as one line of authorized_keys', async () => {
    const world = createWorld();
    const line = await world.arm.publicKey(armCard({}));
    await close(world);
    expect(line).toBe(`${operatorKey.public.split(' ').slice(0, 2).join(' ').trim()} dpubot`);
  });

  it('is refused for a credential that is no private key, without showing it', async () => {
    const world = createWorld({ key: () => Promise.resolve(new Secret('not-a-key-at-all')) });
    const failure = await failureOfCall(world.arm.publicKey(armCard({})));
    await close(world);
    expect(failure.code).toBe('ssh-key-unusable');
    expect(failure.text).not.toContain('not-a-key-at-all');
  });
});

describe('the reason of a carrier', () => {
  it('is the last line of socat without time, pid and class', () => {
    const said =
      '2026/11/22 21:34:10 socat[4711] W a warning\n' +
      '2026/11/22 21:34:10 socat[4711] E TCP: connecting to AF=2 192.168.100.2:22: No route to host\n';
    expect(carrierReason(said)).toBe('socat: TCP: connecting to AF=2 192.168.100.2:22: No route to host');
  });
});
