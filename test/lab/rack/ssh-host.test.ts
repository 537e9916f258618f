import { createHash } from 'node:crypto';
import { connect as tlsConnect } from 'node:tls';
import type { Client, ClientChannel, ConnectConfig } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningDpu, RunningHost, RunningRack } from '../../../src/lab/rack/server.ts';
import { exec, first, keys, login, open, startTestServers } from './server-helpers.ts';
import type { TestServers } from './server-helpers.ts';
import { sshKeyPair } from '../../../scripts/lib/ssh-keys.mjs';

const strangerKeys = sshKeyPair();

let servers: TestServers;
let rack: RunningRack;
let host: RunningHost;
let dpu: RunningDpu;

beforeAll(async () => {
  servers = await startTestServers();
  ({ rack, host, dpu } = servers);
});

afterAll(() => servers.stop());

function hostLogin(extra: ConnectConfig = {}): Promise<Client> {
  return login({ port: host.ssh.port, username: 'ops', privateKey: keys.private, ...extra });
}

describe('SSH to a host', () => {
  it('shows the host key it was announced with', async () => {
    let shown = '';
    const client = await hostLogin({
      hostVerifier: (key: Buffer) => {
        shown = `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
        return true;
      },
    });
    client.end();

    expect(shown).toBe(host.ssh.hostKeySha256);
  });

  it('refuses another key and another user', async () => {
    await expect(hostLogin({ privateKey: strangerKeys.private })).rejects.toThrow('authentication methods failed');
    await expect(hostLogin({ username: 'root' })).rejects.toThrow('authentication methods failed');
  });

  it('runs commands with two streams, an exit code and quoted words', async () => {
    const client = await hostLogin();

    const good = await exec(client, `cat '/proc/sys/kernel/hostname' "/no such"`);
    const bad = await exec(client, 'nonsense');
    client.end();

    expect(good).toEqual({ stdout: 'as7\n', stderr: 'cat: /no such: No such file or directory\n', code: 1 });
    expect(bad).toEqual({ stdout: '', stderr: 'sh: 1: nonsense: not found\n', code: 127 });
  });

  it('refuses the eleventh open session and gives its place back afterwards', async () => {
    const client = await hostLogin();
    rack.injectFault('ssh-hang', { target: 'as7', uses: 10 });
    const held: ClientChannel[] = [];
    for (let index = 0; index < 10; index += 1) held.push((await open(client, 'true')).resume());

    await expect(open(client, 'true')).rejects.toThrow('open failure');
    for (const channel of held) channel.close();
    await Promise.all(held.map((channel) => new Promise((resolve) => channel.once('close', resolve))));
    const after = await exec(client, 'true');
    client.end();

    expect(after.code).toBe(0);
  });

  it('breaks the connection in the middle of a command under ssh-drop', async () => {
    const client = await hostLogin();
    rack.injectFault('ssh-drop', { target: 'as7' });
    client.on('error', () => undefined);

    const outcome = await exec(client, 'uname -a');

    expect(outcome.code).toBeUndefined();
  });

  it('shows another host key under ssh-hostkey-changed, and nobody under ssh-refuse', async () => {
    const seen: string[] = [];
    const look = async (): Promise<void> => {
      const client = await hostLogin({ hostVerifier: (key: Buffer) => seen.push(key.toString('hex')) > 0 });
      client.end();
    };
    await look();
    rack.injectFault('ssh-hostkey-changed', { target: 'as7' });
    await look();
    rack.clearFault('ssh-hostkey-changed');
    rack.injectFault('ssh-refuse', { target: 'as7', uses: 1 });

    await expect(look()).rejects.toThrow(/ECONNRESET|reset|closed|lost/i);
    expect(new Set(seen).size).toBe(2);
  });
});

describe('forwarding through a host', () => {
  function forward(client: Client, address: string, port: number): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      client.forwardOut('127.0.0.1', 0, address, port, (error, channel) => (error ? reject(error) : resolve(channel)));
    });
  }

  it.each([
    ['its loopback port', (): [string, number] => ['127.0.0.1', dpu.bmc.port]],
    ['its management address', (): [string, number] => ['10.20.7.71', 443]],
  ])('reaches the own BMC by %s', async (_name, target) => {
    const client = await hostLogin();
    const channel = await forward(client, target()[0], target()[1]);
    const secure = tlsConnect({ socket: channel, rejectUnauthorized: false });
    secure.write('GET /redfish HTTP/1.1\r\nHost: bmc\r\nConnection: close\r\n\r\n');

    let answer = '';
    for await (const chunk of secure) answer += String(chunk);
    client.end();

    expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('does not reach another host’s card or anything else', async () => {
    const client = await hostLogin();
    const other = first(rack.hosts[1]?.dpus ?? []);

    await expect(forward(client, '127.0.0.1', other.bmc.port)).rejects.toThrow('open failure');
    await expect(forward(client, '10.20.7.81', 443)).rejects.toThrow('open failure');
    await expect(forward(client, '192.0.2.1', 80)).rejects.toThrow('open failure');
    client.end();
  });
});
