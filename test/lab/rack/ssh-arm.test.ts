import ssh2 from 'ssh2';
import type { ClientChannel } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningDpu, RunningRack } from '../../../src/lab/rack/server.ts';
import { exec, first, login, startTestServers } from './server-helpers.ts';
import type { TestServers } from './server-helpers.ts';

let servers: TestServers;
let rack: RunningRack;
let dpu: RunningDpu;

beforeAll(async () => {
  servers = await startTestServers();
  ({ rack, dpu } = servers);
});

afterAll(() => servers.stop());

describe('SSH to the Arm side', () => {
  const newPassword = 'a-much-longer-One7';

  it('lets an expired password do nothing without a terminal', async () => {
    const client = await login({ port: dpu.arm.port, username: 'ubuntu', password: 'ubuntu' });

    const outcome = await exec(client, 'uname -m');
    client.end();

    expect(outcome).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stderr).toContain('Password change required but no TTY available.');
  });

  it('changes it by keyboard-interactive prompts, says BAD PASSWORD, and wants a new login', async () => {
    const asked: string[] = [];
    const answers = ['ubuntu', 'ubuntu', 'short', 'short', newPassword, newPassword];
    const client = new ssh2.Client();
    client.on('keyboard-interactive', (_name, instructions, _lang, prompts, finish) => {
      asked.push(instructions + prompts.map(({ prompt }) => prompt).join(''));
      finish(prompts.map(() => answers.shift() ?? ''));
    });
    const other = first(first(rack.hosts.slice(1)).dpus);
    const ended = new Promise<string>((resolve) => {
      client.on('error', (error) => resolve(error.message)).on('ready', () => resolve('ready'));
    });
    client.connect({ host: '127.0.0.1', port: other.arm.port, username: 'ubuntu', tryKeyboard: true });

    expect(await ended).toContain('authentication methods failed');
    expect(asked.join('|')).toContain('You are required to change your password immediately (administrator enforced).');
    expect(asked.join('|')).toContain('BAD PASSWORD: The password is shorter than 12 characters');
    const again = await login({ port: other.arm.port, username: 'ubuntu', password: newPassword });
    const outcome = await exec(again, 'uname -m');
    again.end();
    expect(outcome).toEqual({ stdout: 'aarch64\n', stderr: '', code: 0 });
  });

  it('changes it in a dialogue on a terminal and closes the connection', async () => {
    const client = await login({ port: dpu.arm.port, username: 'ubuntu', password: 'ubuntu' });
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      client.shell({ term: 'dumb' }, (error, stream) => (error ? reject(error) : resolve(stream)));
    });
    const replies: [RegExp, string][] = [
      [/Current password: $/, 'ubuntu\n'],
      [/New password: $/, `${newPassword}\n`],
      [/Retype new password: $/, `${newPassword}\n`],
    ];
    let seen = '';
    channel.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (replies[0]?.[0].test(seen)) channel.write(replies.shift()?.[1] ?? '');
    });
    await closed;

    expect(seen).toContain('You must change your password now and login again!');
    expect(seen).toContain('passwd: password updated successfully');
    await expect(login({ port: dpu.arm.port, username: 'ubuntu', password: 'ubuntu' })).rejects.toThrow(
      'methods failed',
    );
  });

  it('drops connections and refuses new ones while the Arm boots', async () => {
    const client = await login({ port: dpu.arm.port, username: 'ubuntu', password: newPassword });
    client.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));

    rack.injectFault('arm-boot-stuck', { target: 'as7-dpu0' });
    rack.model.card('as7-dpu0').resetArm();
    await closed;

    await expect(login({ port: dpu.arm.port, username: 'ubuntu', password: newPassword })).rejects.toThrow();
    rack.model.card('as7-dpu0').resetArm();
    await expect.poll(() => rack.model.card('as7-dpu0').armIsUp(), { timeout: 10_000 }).toBe(true);
  });
});
