import { createHash } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { Agent, request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as tlsConnect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startRack } from '../../../src/lab/rack/server.ts';
import type { RunningDpu, RunningRack } from '../../../src/lab/rack/server.ts';
import { goodPassword, paths, setPassword } from './helpers.ts';
import { startTestServers } from './server-helpers.ts';
import type { TestServers } from './server-helpers.ts';

let servers: TestServers;
let rack: RunningRack;
let dpu: RunningDpu;

beforeAll(async () => {
  servers = await startTestServers();
  ({ rack, dpu } = servers);
});

afterAll(() => servers.stop());

function https(port: number, path: string, options: { agent?: Agent } = {}): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        path,
        auth: `root:${goodPassword}`,
        rejectUnauthorized: false,
        agent: options.agent ?? false,
      },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end();
  });
}

function shownCertificate(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = tlsConnect({ host: '127.0.0.1', port: dpu.bmc.port, rejectUnauthorized: false }, () => {
      resolve(createHash('sha256').update(socket.getPeerCertificate().raw).digest('hex'));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('HTTPS of a BMC', () => {
  it('shows the certificate it was announced with, and another one under bmc-cert-changed', async () => {
    expect(await shownCertificate()).toBe(dpu.bmc.certSha256);
    rack.injectFault('bmc-cert-changed', { target: 'as7-dpu0' });

    const changed = await shownCertificate();
    rack.clearFault('bmc-cert-changed');

    expect(changed).not.toBe(dpu.bmc.certSha256);
    expect(await shownCertificate()).toBe(dpu.bmc.certSha256);
  });

  it('serves requests one after another on one connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });

    const one = await https(dpu.bmc.port, paths.system, { agent });
    const two = await https(dpu.bmc.port, paths.secureBoot, { agent });
    agent.destroy();

    expect([one.status, two.status]).toEqual([200, 200]);
    expect(JSON.parse(one.body)).toMatchObject({ Id: 'Bluefield' });
  });

  it('breaks off before or in the middle of a reply when told to', async () => {
    rack.injectFault('redfish-drop-reply', { target: 'as7-dpu0' });
    await expect(https(dpu.bmc.port, paths.root)).rejects.toThrow(/socket hang up|ECONNRESET/);
    rack.injectFault('redfish-truncated', { target: 'as7-dpu0' });

    await expect(https(dpu.bmc.port, paths.root)).rejects.toThrow(/aborted|ECONNRESET/);
  });

  it('is unreachable during a BMC reset and back afterwards', async () => {
    rack.model.card('as7-dpu0').resetBmc();
    await expect(https(dpu.bmc.port, paths.root)).rejects.toThrow(/ECONNRESET|hang up/);

    await expect
      .poll(
        () =>
          https(dpu.bmc.port, paths.root).then(
            ({ status }) => status,
            () => 0,
          ),
        { timeout: 10_000 },
      )
      .toBe(200);
  });
});

describe('the state directory', () => {
  it('is private, and a rack started on it again has the same keys and state', async () => {
    const other = await mkdtemp(join(tmpdir(), 'rack-'));
    const one = await startRack({ dir: other, timeFactor: 100, authorizedKeys: [] });
    setPassword(one.model.card('as8-dpu0'));
    const saved = one.snapshot();
    await one.saveState();
    await one.close();

    const two = await startRack({ dir: other, timeFactor: 100, authorizedKeys: [] });
    const { mode } = await stat(other);
    await two.close();
    await rm(other, { recursive: true });

    expect(mode & 0o777).toBe(0o700);
    const identity = (running: RunningRack): unknown =>
      running.hosts.map(({ ssh, dpus }) => [
        ssh.hostKeySha256,
        ...dpus.map(({ bmc, arm }) => [bmc.certSha256, arm.hostKeySha256]),
      ]);
    expect(identity(two)).toEqual(identity(one));
    expect(two.snapshot().cards[1]?.bmc.rootPassword).toBe(saved.cards[1]?.bmc.rootPassword);
    expect(two.snapshot().savedAtMs).toBeGreaterThanOrEqual(saved.savedAtMs);
  });
});
