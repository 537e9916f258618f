import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArmLogin, ArmRoute } from '../../../src/domain/arm-ports.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { createArmAccess } from '../../../src/transport/ssh/arm-access.ts';
import { createHostAccess } from '../../../src/transport/ssh/host-access.ts';
import { hostKeyFingerprint } from '../../../src/transport/ssh/pins.ts';
import { armCard, isInstalled } from './support/arm-world.ts';
import { call } from './support/slices.ts';
import { ed25519, type FakeSshServer, operatorKey, sshdPath, startFakeSsh } from './support/ssh-servers.ts';

const namespace = `dpubot-test-${process.pid}`;
const ipPath = '/usr/sbin/ip';
const ip = (...words: readonly string[]): boolean => spawnSync(ipPath, words).status === 0;

/** Only root may make network namespaces, and not in every container. */
function canUseNamespaces(): boolean {
  if (userInfo().uid !== 0 || !isInstalled('socat') || !existsSync(ipPath) || !existsSync(sshdPath)) return false;
  return ip('netns', 'add', `${namespace}-probe`) && ip('netns', 'delete', `${namespace}-probe`);
}

const usable = canUseNamespaces();

it('login on the Arm is also tried through a real network namespace', (context) => {
  context.skip(!usable, 'needs root with the right to make network namespaces, ip(8), socat(1) and sshd(8)');
  expect(usable).toBe(true);
});

if (usable)
  describe('login on the Arm through a real network namespace with ip(8) and socat(1)', () => {
    const key = ed25519();
    const route: ArmRoute = { kind: 'tmfifo', namespace };
    let folder: string;
    let host: FakeSshServer;
    let stopSshd: () => Promise<void>;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'dpubot-netns-'));
      const put = (name: string, text: string, mode: number): void => writeFileSync(join(folder, name), text, { mode });
      put('sudo', '#!/bin/sh\nshift\nexec "$@"\n', 0o755);
      put('host_key', key.private, 0o600);
      put('authorized_keys', `${operatorKey.public}\n`, 0o600);
      const config = [
        'ListenAddress 192.168.100.2:22',
        `HostKey ${folder}/host_key`,
        `AuthorizedKeysFile ${folder}/authorized_keys`,
        `PidFile ${folder}/pid`,
        'StrictModes no',
        'UsePAM no',
        'PermitRootLogin prohibit-password',
      ];
      put('sshd_config', config.join('\n'), 0o600);
      mkdirSync('/run/sshd', { recursive: true });
      ip('netns', 'add', namespace);
      ip('-n', namespace, 'link', 'set', 'dev', 'lo', 'up');
      ip('-n', namespace, 'addr', 'add', '192.168.100.2/30', 'dev', 'lo');
      host = await startFakeSsh({ programs: folder });
    });
    afterAll(async () => {
      await stopSshd();
      await host.stop();
      ip('netns', 'delete', namespace);
      rmSync(folder, { recursive: true, force: true });
    });

    async function startArm(): Promise<void> {
      const args = ['netns', 'exec', namespace, sshdPath, '-D', '-e', '-f', join(folder, 'sshd_config')];
      const daemon = spawn(ipPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      const stopped = new Promise<void>((resolve) => daemon.once('exit', () => resolve()));
      stopSshd = async () => {
        daemon.kill('SIGTERM');
        await stopped;
      };
      await new Promise<void>((resolve) => {
        daemon.stderr.on('data', (chunk: Buffer) => {
          if (chunk.toString().includes('Server listening')) resolve();
        });
      });
    }

    it('says why nobody answers, and is in as soon as the SSH server runs', async () => {
      const redactor = createRedactor();
      const privateKey = (): Promise<Secret> => Promise.resolve(new Secret(operatorKey.private));
      const hosts = createHostAccess({ key: privateKey, redactor });
      const fingerprint = hostKeyFingerprint(Buffer.from(key.public.split(' ')[1] ?? '', 'base64'));
      const pins = { get: () => Promise.resolve(fingerprint) };
      const arm = createArmAccess({ hosts, key: privateKey, pins, redactor });
      const card = armCard({ host: host.endpoint, user: 'root' });
      const login = async (): Promise<ArmLogin> => arm.login(card, { ...call, route });

      const before = await login();
      await startArm();
      const after = await login();
      const said =
        after.state === 'in' ? (await after.session.run(['sh', '-c', 'echo $SSH_CONNECTION'], call)).stdout : '';
      await arm.close();
      await hosts.close();

      expect(before.state === 'unreachable' && before.failure.why).toContain('Connection refused');
      expect(said).toMatch(/ 192\.168\.100\.2 22\n$/);
    });
  });
