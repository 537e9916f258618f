import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HostAccess, HostSession } from '../../../src/domain/device-ports.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { createHostAccess, type HostAccessOptions, type TunnelAccess } from '../../../src/transport/ssh/host-access.ts';
import { call, failureOfCall, sliceFor } from './support/slices.ts';
import {
  destroySocket,
  ecdsa,
  ed25519,
  operatorKey,
  otherKey,
  type SshServer,
  sshdPath,
  startFakeSsh,
  startSshd,
} from './support/ssh-servers.ts';

/** Access with the operator's key; extra options win. */
function accessWith(options: Partial<HostAccessOptions> = {}): HostAccess & TunnelAccess {
  return createHostAccess({
    key: () => Promise.resolve(new Secret(operatorKey.private)),
    redactor: createRedactor(),
    ...options,
  });
}

const servers: readonly (readonly [string, () => Promise<SshServer>])[] = [
  ['ssh2 server', startFakeSsh],
  ...(existsSync(sshdPath) ? [['OpenSSH sshd', startSshd] as const] : []),
];

it.skipIf(!existsSync(sshdPath))('the SSH contract is also run against OpenSSH sshd', () => {
  expect(servers.map(([name]) => name)).toContain('OpenSSH sshd');
});

describe.each(servers)('SSH contract: %s', (_name, start) => {
  let server: SshServer;
  let access: HostAccess & TunnelAccess;
  let host: HostSession;

  beforeAll(async () => {
    server = await start();
    access = accessWith();
    host = await access.open(sliceFor({ ssh: server.endpoint }));
  });
  afterAll(async () => {
    await access.close();
    await server.stop();
  });

  it('hands each argument to the program as it is', async () => {
    const argv = ['plain', '', 'two words', "it's", '"$HOME" `id` \\', 'line\nbreak', 'Größe ✓', '-n', '*', '~', '!!'];
    const result = await host.run(['printf', '%s\\0', ...argv], call);
    expect(result.stdout).toBe(argv.map((word) => `${word}\0`).join(''));
    expect(result).toMatchObject({ exitCode: 0, stderr: '', truncated: false });
  });

  it('gives a non-zero exit back as a result with both streams', async () => {
    const result = await host.run(['sh', '-c', 'echo out; echo err >&2; exit 3'], call);
    expect(result).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  it('reports a command killed by a signal as 128 plus its number, as a shell does', async () => {
    const result = await host.run(['sh', '-c', 'kill -KILL $$'], call);
    expect(result.exitCode).toBe(137);
  });

  it('feeds stdin from text and from a secret, and closes it', async () => {
    const text = await host.run(['cat'], { ...call, stdin: 'from text' });
    const secret = await host.run(['wc', '-c'], { ...call, stdin: new Secret('hunter2hunter2') });
    const none = await host.run(['cat'], call);
    expect([text.stdout, secret.stdout.trim(), none.stdout]).toEqual(['from text', '14', '']);
  });

  it('takes a secret that a command prints out of its output', async () => {
    const result = await host.run(['cat'], { ...call, stdin: new Secret('Zx9!kkQw-secret') });
    expect(result.stdout).toBe('[redacted]');
  });

  it('keeps head and tail of 4 MB on both streams at once and says so', async () => {
    const script = 'echo first; seq 1 300000; seq 1 300000 >&2; echo last';
    const result = await host.run(['sh', '-c', script], { ...call, maxBytes: 2_000 });
    expect(result.truncated).toBe(true);
    expect(result.stdout).toMatch(/^first\n1\n2\n[^]*bytes left out[^]*300000\nlast\n$/);
    expect(result.stderr).toMatch(/^1\n2\n[^]*bytes left out[^]*300000\n$/);
    expect(result.stdout.length).toBeLessThan(2_100);
  });

  it('times out a silent command, says the outcome is unknown, and goes on with the next one', async () => {
    const failure = await failureOfCall(host.run(['sleep', '60'], { timeoutMs: 300 }));
    const next = await host.run(['echo', 'still here'], call);
    expect(failure).toMatchObject({ code: 'ssh-timeout', state: 'unknown' });
    expect(next.stdout).toBe('still here\n');
  });

  it('rejects with the reason of the caller when the caller aborts', async () => {
    const controller = new AbortController();
    const reason = new Error('run 418 was cancelled');
    const running = host.run(['sleep', '60'], { ...call, signal: controller.signal });
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });

  it('runs 30 commands at once over one connection that allows 10 sessions', async () => {
    const results = await Promise.all(
      Array.from({ length: 30 }, (_, index) => host.run(['sh', '-c', 'sleep 0.05; echo "$1"', 'sh', `${index}`], call)),
    );
    expect(results.map(({ stdout }) => stdout)).toEqual(results.map((_, index) => `${index}\n`));
  });

  it('returns when the command has ended although a child of it keeps the output open', async () => {
    const result = await host.run(['sh', '-c', 'sleep 6 & echo started'], call);
    expect(result).toMatchObject({ exitCode: 0, stdout: 'started\n' });
    expect(result.durationMs).toBeLessThan(5_500);
  });

  it('runs a read command of a fact', async () => {
    const result = await host.read({ kind: 'read-command', name: 'kernel', argv: ['uname', '-s'] }, call);
    expect(result.stdout).toBe('Linux\n');
  });

  it('reports a cut connection as lost with unknown outcome, and connects anew for the next call', async () => {
    const running = failureOfCall(host.run(['sh', '-c', 'echo started; sleep 60'], call));
    const up = await host.run(['echo', 'up'], call);
    server.drop();
    const failure = await running;
    const again = await host.run(['echo', 'back'], call);
    expect(up.stdout).toBe('up\n');
    expect(failure).toMatchObject({ code: 'ssh-lost', state: 'unknown' });
    expect(again.stdout).toBe('back\n');
  });

  it('opens a stream through the host to an address that the host can reach', async () => {
    const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
    const { port } = echo.address() as AddressInfo;
    const stream = await access.openTunnel(sliceFor({ ssh: server.endpoint }), '127.0.0.1', port, call);
    stream.write('ping');
    const [heard] = (await once(stream, 'data')) as [Buffer];
    stream.destroy();
    echo.close();
    expect(heard.toString()).toBe('ping');
  });

  it('reaches a host through a jump host, each checked against its own pins', async () => {
    const inner = await startFakeSsh();
    const through = accessWith();
    const session = await through.open(sliceFor({ ssh: inner.endpoint, jump: server.endpoint }));
    const result = await session.run(['echo', 'inner'], call);
    const swapped = { ...inner.endpoint, hostKeys: server.endpoint.hostKeys };
    const failure = await failureOfCall(through.open(sliceFor({ ssh: swapped, jump: server.endpoint })));
    await through.close();
    await inner.stop();
    expect(result.stdout).toBe('inner\n');
    expect(failure.code).toBe('ssh-host-key-changed');
    expect(failure.text).toContain('host-01');
  });
});

describe('SSH transport against a server that misbehaves', () => {
  const cleanUps: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  });

  async function serve(options: Parameters<typeof startFakeSsh>[0], access: Partial<HostAccessOptions> = {}) {
    const server = await startFakeSsh(options);
    const hosts = accessWith(access);
    cleanUps.push(
      () => hosts.close(),
      () => server.stop(),
    );
    return { server, hosts };
  }

  it('refuses an unpinned host key before it tries any login', async () => {
    const { server, hosts } = await serve({});
    const wrong = { ...server.endpoint, hostKeys: [`SHA256:${'B'.repeat(43)}`] };
    const failure = await failureOfCall(hosts.open(sliceFor({ ssh: wrong })));
    expect(failure.code).toBe('ssh-host-key-changed');
    expect(failure.text).toContain(server.endpoint.hostKeys[0]);
    expect(server.authentications()).toBe(0);
  });

  it('finds the pinned key of a server that prefers to show another type', async () => {
    const { server, hosts } = await serve({ hostKeys: [ed25519(), ecdsa()] });
    const ecdsaOnly = { ...server.endpoint, hostKeys: server.endpoint.hostKeys.slice(1) };
    const session = await hosts.open(sliceFor({ ssh: ecdsaOnly }));
    const result = await session.run(['echo', 'pinned'], call);
    expect(result.stdout).toBe('pinned\n');
  });

  it('reports a refused login with user and name of the key', async () => {
    const { server, hosts } = await serve({}, { key: () => Promise.resolve(new Secret(otherKey.private)) });
    const failure = await failureOfCall(hosts.open(sliceFor({ ssh: server.endpoint })));
    expect(failure.code).toBe('ssh-auth-failed');
    expect(failure.text).toMatch(/ops[^]*ssh-ops/);
  });

  it('says that a credential is no private key, without showing it', async () => {
    const { server, hosts } = await serve({}, { key: () => Promise.resolve(new Secret('not-a-key-at-all')) });
    const failure = await failureOfCall(hosts.open(sliceFor({ ssh: server.endpoint })));
    expect(failure.code).toBe('ssh-key-unusable');
    expect(failure.text).not.toContain('not-a-key-at-all');
  });

  it('reports a host that nobody answers for as unreachable', async () => {
    const { server, hosts } = await serve({});
    await server.stop();
    const failure = await failureOfCall(hosts.open(sliceFor({ ssh: server.endpoint })));
    expect(failure.code).toBe('ssh-unreachable');
  });

  it('counts a missing exit status as lost, never as success', async () => {
    const { server, hosts } = await serve({ onExec: (channel) => channel.end('all fine\n') });
    const session = await hosts.open(sliceFor({ ssh: server.endpoint }));
    const failure = await failureOfCall(session.run(['true'], call));
    expect(failure).toMatchObject({ code: 'ssh-lost', state: 'unknown' });
  });

  it('gives up on a channel that is never opened, and uses a fresh connection afterwards', async () => {
    let mute = true;
    const limits = { channelOpenTimeoutMs: 200 };
    const { server, hosts } = await serve({ muteChannels: () => mute }, { limits });
    const session = await hosts.open(sliceFor({ ssh: server.endpoint }));
    const failure = await failureOfCall(session.run(['true'], call));
    mute = false;
    const next = await session.run(['echo', 'fresh'], call);
    expect(failure.code).toBe('ssh-timeout');
    expect(next.stdout).toBe('fresh\n');
    expect(server.connections()).toBe(2);
  });

  it('asks again for a channel that was refused: the server may still count sessions that have ended', async () => {
    let refusals = 3;
    const { server, hosts } = await serve({ refuseChannels: () => (refusals -= 1) >= 0 });
    const session = await hosts.open(sliceFor({ ssh: server.endpoint }));

    expect((await session.run(['echo', 'there'], call)).stdout).toBe('there\n');
    expect(server.commands).toHaveLength(1);
    expect(server.connections()).toBe(1);
  });

  it('says that it got no channel from a server that goes on refusing', async () => {
    const { server, hosts } = await serve({ refuseChannels: () => true });
    const session = await hosts.open(sliceFor({ ssh: server.endpoint }));

    expect((await failureOfCall(session.run(['true'], call))).code).toBe('ssh-unreachable');
    expect(server.commands).toEqual([]);
  });

  it('repeats a read whose connection was cut, but never a run', async () => {
    let cuts = 0;
    const { server, hosts } = await serve({
      onExec(channel, _command, connection) {
        cuts += 1;
        if (cuts % 2 === 1) return destroySocket(connection);
        channel.write('second time\n');
        channel.exit(0);
        channel.end();
      },
    });
    const session = await hosts.open(sliceFor({ ssh: server.endpoint }));
    const read = await session.read({ kind: 'read-command', name: 'x', argv: ['x'] }, call);
    const commandsBefore = server.commands.length;
    const failure = await failureOfCall(session.run(['y'], call));
    expect(read.stdout).toBe('second time\n');
    expect(failure.code).toBe('ssh-lost');
    expect(server.commands.slice(commandsBefore)).toEqual(['y']);
  });

  it('closes a connection that nobody uses and opens another one when it is needed', async () => {
    const { server, hosts } = await serve({}, { limits: { idleMs: 30 } });
    const session = await hosts.open(sliceFor({ ssh: server.endpoint }));
    await expect.poll(() => server.connections()).toBe(1);
    await expect
      .poll(
        async () => {
          await session.run(['true'], call);
          return server.connections();
        },
        { interval: 100 },
      )
      .toBeGreaterThan(1);
  });

  it('keeps a simulated site on loopback: nothing is sent to another address', async () => {
    const hosts = accessWith();
    const { endpoint } = await startFakeSsh().then(async (server) => {
      await server.stop();
      return server;
    });
    const away = { ...endpoint, address: '192.0.2.7' };
    const direct = await failureOfCall(hosts.open(sliceFor({ ssh: away })));
    const jump = await failureOfCall(hosts.open(sliceFor({ ssh: endpoint, jump: away })));
    expect([direct.code, jump.code]).toEqual(['address-not-loopback', 'address-not-loopback']);
  });
});
