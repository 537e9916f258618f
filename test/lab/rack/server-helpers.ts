/** A running rack on loopback and small clients for it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import type { Client, ClientChannel, ConnectConfig } from 'ssh2';
import { rack1 } from '../../../src/lab/rack/layouts.ts';
import { startRack } from '../../../src/lab/rack/server.ts';
import type { RunningDpu, RunningHost, RunningRack } from '../../../src/lab/rack/server.ts';
import { setPassword } from './helpers.ts';
import { sshKeyPair } from '../../../scripts/lib/ssh-keys.mjs';

export const keys = sshKeyPair();

export function first<Item>(items: Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new Error('empty');
  return item;
}

export interface TestServers {
  rack: RunningRack;
  host: RunningHost;
  dpu: RunningDpu;
  stop(): Promise<void>;
}

/** Start rack1, 600 times faster than real, with the BMC password of `as7-dpu0` set. */
export async function startTestServers(): Promise<TestServers> {
  const directory = await mkdtemp(join(tmpdir(), 'rack-'));
  // Long enough that a slow machine still meets the BMC while it is down: a second of wall time.
  const layout = rack1();
  layout.delays.bmcResetMs = 600_000;
  const rack = await startRack({ dir: directory, timeFactor: 600, layout, authorizedKeys: [keys.public] });
  setPassword(rack.model.card('as7-dpu0'));
  const host = first(rack.hosts);
  const stop = async (): Promise<void> => {
    await rack.close();
    await rm(directory, { recursive: true });
  };
  return { rack, host, dpu: first(host.dpus), stop };
}

export function login(config: ConnectConfig): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client();
    client.on('ready', () => resolve(client)).on('error', reject);
    client.connect({ host: '127.0.0.1', readyTimeout: 15_000, ...config });
  });
}

export interface Outcome {
  stdout: string;
  stderr: string;
  code: number | null | undefined;
}

export function open(client: Client, line: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.exec(line, (error, channel) => (error ? reject(error) : resolve(channel)));
  });
}

export function exec(client: Client, line: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    client.exec(line, (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      const outcome: Outcome = { stdout: '', stderr: '', code: undefined };
      channel.on('data', (chunk: Buffer) => (outcome.stdout += chunk.toString()));
      channel.stderr.on('data', (chunk: Buffer) => (outcome.stderr += chunk.toString()));
      channel.on('exit', (code: number | null) => (outcome.code = code));
      channel.on('close', () => resolve(outcome));
    });
  });
}
