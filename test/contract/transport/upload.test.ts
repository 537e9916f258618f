import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { HostAccess, HostSession, Upload } from '../../../src/domain/device-ports.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { createHostAccess } from '../../../src/transport/ssh/host-access.ts';
import { createPool } from '../../../src/transport/ssh/pool.ts';
import { createHostSession } from '../../../src/transport/ssh/session.ts';
import { serveFiles, type WriteFault } from './support/sftp-files.ts';
import { call, failureOfCall, sliceFor } from './support/slices.ts';
import {
  destroySocket,
  type FakeSshServer,
  operatorKey,
  type SshServer,
  sshdPath,
  startFakeSsh,
  startSshd,
} from './support/ssh-servers.ts';

const servers: readonly (readonly [string, () => Promise<SshServer>])[] = [
  ['ssh2 server', () => startFakeSsh({ onSftp: (sftp) => serveFiles(sftp) })],
  ...(existsSync(sshdPath) ? [['OpenSSH sshd', startSshd] as const] : []),
];
const key = (): Promise<Secret> => Promise.resolve(new Secret(operatorKey.private));
/** Neither a multiple of the chunk nor of the window, and larger than both. */
const content = randomBytes(3 * 1024 * 1024 + 4_321);

let root: string;
let localPath: string;
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'dpubot-upload-'));
  localPath = join(root, 'bf-bundle.bfb');
  writeFileSync(localPath, content);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function fileFrom(fromByte: number, remotePath = join(root, `${(count += 1)}.part`)): Upload {
  return { localPath, remotePath, fromByte, bytes: content.length };
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

it.skipIf(!existsSync(sshdPath))('uploads are also run against OpenSSH sshd', () => {
  expect(servers.map(([name]) => name)).toContain('OpenSSH sshd');
});

describe.each(servers)('upload: %s', (_name, start) => {
  let server: SshServer;
  let access: HostAccess;
  let host: HostSession;

  beforeAll(async () => {
    server = await start();
    access = createHostAccess({ key, redactor: createRedactor() });
    host = await access.open(sliceFor({ ssh: server.endpoint }));
  });
  afterAll(async () => {
    await access.close();
    await server.stop();
  });

  it('sends a whole file, readable by its owner only, and tells the bytes that have arrived', async () => {
    const file = fileFrom(0);
    const told: number[] = [];
    await host.upload(file, { ...call, onProgress: (bytes) => told.push(bytes) });
    expect(sha256(readFileSync(file.remotePath))).toBe(sha256(content));
    expect(statSync(file.remotePath).mode & 0o777).toBe(0o600);
    expect(told.at(-1)).toBe(content.length);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
  });

  it('goes on where an earlier try ended, and cuts off what stands behind that', async () => {
    const file = fileFrom(1_000_001);
    writeFileSync(file.remotePath, Buffer.concat([content.subarray(0, 1_000_001), randomBytes(2_500_000)]));
    const told: number[] = [];
    await host.upload(file, { ...call, onProgress: (bytes) => told.push(bytes) });
    expect(sha256(readFileSync(file.remotePath))).toBe(sha256(content));
    expect(told[0]).toBeGreaterThan(1_000_001);
  });

  it('replaces an older file when it begins at the first byte', async () => {
    const file = fileFrom(0);
    writeFileSync(file.remotePath, randomBytes(content.length + 100));
    await host.upload(file, call);
    expect(sha256(readFileSync(file.remotePath))).toBe(sha256(content));
  });

  it('has nothing to send when all of it is there', async () => {
    const file = fileFrom(content.length);
    writeFileSync(file.remotePath, content);
    await host.upload(file, call);
    expect(sha256(readFileSync(file.remotePath))).toBe(sha256(content));
  });

  it('sends an empty file', async () => {
    const empty = join(root, 'empty');
    writeFileSync(empty, '');
    const remotePath = join(root, `${(count += 1)}.part`);
    await host.upload({ localPath: empty, remotePath, fromByte: 0, bytes: 0 }, call);
    expect(statSync(remotePath).size).toBe(0);
  });

  it('refuses to go on where less has arrived than was said', async () => {
    const file = fileFrom(1_000);
    writeFileSync(file.remotePath, content.subarray(0, 10));
    const failure = await failureOfCall(host.upload(file, call));
    expect(failure.code).toBe('upload-failed');
    expect(failure.text).toContain('only 10 bytes');
    expect(statSync(file.remotePath).size).toBe(10);
  });

  it('says that the folder there is missing', async () => {
    const failure = await failureOfCall(host.upload(fileFrom(0, join(root, 'nowhere', 'x.part')), call));
    expect(failure.code).toBe('upload-failed');
    expect(failure.text).toMatch(/0 of 3150049 bytes[^]*No such file/i);
  });

  it('gives the channel back: more uploads than a connection may have sessions, one after the other', async () => {
    for (let round = 0; round < 12; round += 1) await host.upload(fileFrom(0), call);
    const result = await host.run(['echo', 'still here'], call);
    expect(result.stdout).toBe('still here\n');
  });

  it('sends several files at the same time', async () => {
    const files = Array.from({ length: 12 }, () => fileFrom(0));
    await Promise.all(files.map((file) => host.upload(file, call)));
    expect(files.map((file) => sha256(readFileSync(file.remotePath)))).toEqual(files.map(() => sha256(content)));
  });

  it('stops with the reason of the caller when the caller aborts', async () => {
    const controller = new AbortController();
    const reason = new Error('run 418 was cancelled');
    const file = fileFrom(0);
    const onProgress = (): void => controller.abort(reason);
    await expect(host.upload(file, { ...call, signal: controller.signal, onProgress })).rejects.toBe(reason);
    const next = await host.run(['echo', 'still here'], call);
    expect(next.stdout).toBe('still here\n');
  });

  it('can be taken up again with what is there after the connection was cut', async () => {
    const file = fileFrom(0);
    let dropped = false;
    const drop = (): void => {
      if (!dropped) server.drop();
      dropped = true;
    };
    const failure = await failureOfCall(host.upload(file, { ...call, onProgress: drop }));
    const arrived = statSync(file.remotePath).size;
    await host.upload({ ...file, fromByte: arrived }, call);
    expect(failure).toMatchObject({ code: 'upload-failed', state: 'changed' });
    expect(failure.text).toMatch(/broke off: \d+ of 3150049 bytes have arrived[^]*connection was lost/);
    expect(sha256(readFileSync(file.remotePath))).toBe(sha256(content));
  });

  it.each([
    ['is missing', () => ({ ...fileFrom(0), localPath: join(root, 'missing') }), /ENOENT/],
    ['is a folder', () => ({ ...fileFrom(0), localPath: root }), /no regular file/],
    ['has another size', () => ({ ...fileFrom(0), bytes: 7 }), /3150049 bytes instead of 7/],
  ])('sends nothing of a local file that %s', async (_title, make, why) => {
    const file = make();
    const failure = await failureOfCall(host.upload(file, call));
    expect(failure).toMatchObject({ code: 'image-file-unreadable', state: 'unchanged' });
    expect(failure.text).toMatch(why);
    expect(existsSync(file.remotePath)).toBe(false);
  });
});

describe('upload to a server that misbehaves', () => {
  const cleanUps: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp();
  });

  async function serve(fault: WriteFault, idleMs?: number): Promise<{ host: HostSession; server: FakeSshServer }> {
    const server = await startFakeSsh({
      onSftp: (sftp, connection) => serveFiles(sftp, { fault, cut: () => destroySocket(connection) }),
    });
    const pool = createPool({
      key,
      readyTimeoutMs: 5_000,
      keepaliveIntervalMs: 0,
      keepaliveCount: 3,
      maxChannels: 8,
      maxForwards: 8,
      channelOpenTimeoutMs: 1_000,
      idleMs: 60_000,
    });
    const slice = sliceFor({ ssh: server.endpoint });
    const host = createHostSession(slice, [{ host: slice.name, endpoint: server.endpoint }], {
      pool,
      redactor: createRedactor(),
      channelOpenTimeoutMs: 1_000,
      uploadIdleMs: idleMs,
    });
    cleanUps.push(
      () => pool.close(),
      () => server.stop(),
    );
    return { host, server };
  }

  it('says how much has arrived when the disk is full, and that this is how a full disk looks', async () => {
    const { host } = await serve((total) => (total > 1_000_000 ? 'fail' : 'take'));
    const file = fileFrom(0);
    const failure = await failureOfCall(host.upload(file, call));
    const arrived = statSync(file.remotePath).size;
    expect(failure.code).toBe('upload-failed');
    expect(failure.text).toContain(`${arrived} of 3150049 bytes have arrived`);
    expect(failure.text).toContain('full disk');
    expect(sha256(readFileSync(file.remotePath))).toBe(sha256(content.subarray(0, arrived)));
  });

  it('leaves no gap when the server refuses one write and takes the next ones', async () => {
    let writes = 0;
    const { host } = await serve(() => ((writes += 1) === 20 ? 'fail' : 'take'));
    const file = fileFrom(0);
    const failure = await failureOfCall(host.upload(file, call));
    const there = readFileSync(file.remotePath);
    expect(writes).toBeGreaterThan(20);
    expect(failure.text).toContain(`${there.length} of 3150049 bytes have arrived`);
    expect(sha256(there)).toBe(sha256(content.subarray(0, there.length)));
  });

  it('gives up when nothing is acknowledged any more', async () => {
    const { host } = await serve((total) => (total > 1_000_000 ? 'silent' : 'take'), 200);
    const failure = await failureOfCall(host.upload(fileFrom(0), call));
    expect(failure.code).toBe('upload-failed');
    expect(failure.text).toContain('nothing was acknowledged for 0.2 s');
  });

  it('keeps to the limit of the whole call', async () => {
    const { host } = await serve((total) => (total > 1_000_000 ? 'silent' : 'take'));
    const failure = await failureOfCall(host.upload(fileFrom(0), { timeoutMs: 400 }));
    expect(failure.code).toBe('ssh-timeout');
  });

  it('tells only what has arrived without a gap when the link dies in the middle', async () => {
    const { host } = await serve((total) => (total > 2_000_000 ? 'cut' : 'take'));
    const file = fileFrom(0);
    const failure = await failureOfCall(host.upload(file, call));
    const told = Number(/broke off: (\d+) of/.exec(failure.text)?.[1]);
    const there = readFileSync(file.remotePath);
    expect(failure.code).toBe('upload-failed');
    expect(told).toBeLessThanOrEqual(there.length);
    expect(sha256(there)).toBe(sha256(content.subarray(0, there.length)));
  });

  it('says that a server has no SFTP', async () => {
    const server = await startFakeSsh();
    const access = createHostAccess({ key, redactor: createRedactor() });
    const host = await access.open(sliceFor({ ssh: server.endpoint }));
    const failure = await failureOfCall(host.upload(fileFrom(0), call));
    await access.close();
    await server.stop();
    expect(failure.code).toBe('upload-failed');
    expect(failure.text).toContain('no SFTP session');
  });
});
