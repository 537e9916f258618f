import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DetachedState, HostAccess, HostSession } from '../../../src/domain/device-ports.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createRedactor } from '../../../src/transport/redact.ts';
import { createHostAccess } from '../../../src/transport/ssh/host-access.ts';
import { call, failureOfCall, sliceFor } from './support/slices.ts';
import { operatorKey, type SshServer, sshdPath, startFakeSsh, startSshd } from './support/ssh-servers.ts';

const servers: readonly (readonly [string, (options: { readonly programs: string }) => Promise<SshServer>])[] = [
  ['ssh2 server', startFakeSsh],
  ...(existsSync(sshdPath) ? [['OpenSSH sshd', startSshd] as const] : []),
];

it.skipIf(!existsSync(sshdPath))('detached commands are also run against OpenSSH sshd', () => {
  expect(servers.map(([name]) => name)).toContain('OpenSSH sshd');
});

/** Stands in for sudo: notes that it was asked, refuses when told to, and runs what it was given. */
const sudoScript = `#!/bin/sh
here=$(dirname "$0")
printf '%s\\n' "$1" >>"$here/asked"
[ ! -e "$here/refuse" ] || { echo 'sudo: a password is required' >&2; exit 1; }
shift
exec "$@"
`;

describe.each(servers)('detached commands: %s', (name, start) => {
  let server: SshServer;
  let access: HostAccess;
  let host: HostSession;
  let root: string;
  let programs: string;
  let count = 0;
  const redactor = createRedactor();
  const folder = (): string => join(root, 'jobs', `run418-install-bfb-${(count += 1)}`);

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'dpubot-detached-'));
    programs = join(root, 'programs');
    mkdirSync(programs);
    writeFileSync(join(programs, 'sudo'), sudoScript, { mode: 0o755 });
    server = await start({ programs });
    access = createHostAccess({ key: () => Promise.resolve(new Secret(operatorKey.private)), redactor });
    host = await access.open(sliceFor({ ssh: server.endpoint }));
  });
  afterAll(async () => {
    await access.close();
    await server.stop();
    rmSync(root, { recursive: true, force: true });
  });

  async function ended(job: string): Promise<DetachedState> {
    await expect
      .poll(async () => (await host.observeDetached(job, call)).kind, { timeout: 10_000, interval: 200 })
      .not.toBe('running');
    return host.observeDetached(job, call);
  }

  it('is absent before it was started', async () => {
    const state = await host.observeDetached(folder(), call);
    expect(state).toEqual({ kind: 'absent' });
  });

  it('runs on after the call, keeps its log and its exit code, and gets its arguments as they are', async () => {
    const job = folder();
    const argv = ['sh', '-c', 'echo "got <$1>"; echo err >&2; exit 7', 'x', `it's "$HOME" $(id)\n*`];
    await host.startDetached(job, argv, call);
    const state = await ended(job);
    const log = await host.readDetachedLog(job, 0, call);
    expect(state).toEqual({ kind: 'exited', exitCode: 7, logBytes: log.nextByte });
    expect(log.text).toBe(`got <it's "$HOME" $(id)\n*>\nerr\n`);
  });

  it('survives the cut of its connection', async () => {
    const job = folder();
    const started = await host.startDetached(job, ['sh', '-c', 'sleep 0.6; echo survived'], call);
    server.drop();
    const state = await ended(job);
    expect(started.kind).toBe('running');
    expect(state).toMatchObject({ kind: 'exited', exitCode: 0 });
  });

  it('is started once however often it is asked for, also by several at the same time', async () => {
    const job = folder();
    const mark = join(root, 'marks');
    const argv = ['sh', '-c', 'echo started >>"$1"', 'x', mark];
    await Promise.all(Array.from({ length: 6 }, () => host.startDetached(job, argv, call)));
    await ended(job);
    const again = await host.startDetached(job, argv, call);
    expect(again.kind).toBe('exited');
    expect(readFileSync(mark, 'utf8')).toBe('started\n');
  });

  it('is unknown when its process was killed without leaving an exit status', async () => {
    const job = folder();
    const state = await host.startDetached(job, ['sleep', '30'], call);
    if (state.kind !== 'running') throw new Error(`it is ${state.kind}`);
    // The runner first: it would write down how its child ended.
    const script = 'children=$(pgrep -P "$1"); kill -KILL "$1" $children';
    await host.run(['sh', '-c', script, 'sh', String(state.pid)], call);
    const after = await ended(job);
    expect(after.kind === 'unknown' ? after.reason : after.kind).toMatch(/process is gone|exit status/);
  });

  it('is unknown when the host has been restarted since', async () => {
    const job = folder();
    const state = await host.startDetached(job, ['sleep', '30'], call);
    writeFileSync(join(job, 'boot'), '00000000-0000-0000-0000-000000000000\n');
    const after = await host.observeDetached(job, call);
    if (state.kind === 'running') await host.run(['sh', '-c', 'pkill -P "$1"', 'sh', String(state.pid)], call);
    expect(after).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('restarted') as unknown });
  });

  it('is unknown when another process has got its pid', async () => {
    const job = folder();
    await host.startDetached(job, ['true'], call);
    await ended(job);
    rmSync(join(job, 'exit'));
    writeFileSync(join(job, 'pid'), `${process.pid} 1\n`);
    const after = await host.observeDetached(job, call);
    expect(after.kind).toBe('unknown');
  });

  it('is unknown, and is not started, where a folder was made and nothing more', async () => {
    const job = folder();
    await host.run(['mkdir', '-p', job], call);
    const after = await host.startDetached(job, ['touch', join(root, 'must-not-exist')], call);
    expect(after.kind).toBe('unknown');
    expect(existsSync(join(root, 'must-not-exist'))).toBe(false);
  });

  it('reads a log in pieces that end at line ends and leave nothing out', async () => {
    const job = folder();
    await host.startDetached(job, ['sh', '-c', 'seq 1 500; printf "Größe ✓ ohne Ende"'], call);
    const state = await ended(job);
    let text = '';
    let at = 0;
    for (;;) {
      const piece = await host.readDetachedLog(job, at, { ...call, maxBytes: 400 });
      if (piece.nextByte === at) break;
      text += piece.text;
      at = piece.nextByte;
    }
    const numbers = Array.from({ length: 500 }, (_, index) => `${index + 1}\n`).join('');
    expect(text).toBe(`${numbers}Größe ✓ ohne Ende`);
    expect(state).toMatchObject({ logBytes: at });
  });

  it('takes known secrets and password fields out of the log', async () => {
    const job = folder();
    redactor.add(new Secret('Kq7!vvWz-generated'));
    const argv = ['sh', '-c', 'echo "{\\"Password\\": \\"abc\\"} Kq7!vvWz-generated"'];
    await host.startDetached(job, argv, call);
    await ended(job);
    const log = await host.readDetachedLog(job, 0, call);
    expect(log.text).toBe('{"Password": "[redacted]"} [redacted]\n');
  });

  it('goes through sudo with every call about a folder of root, which nobody else may look into', async () => {
    const job = folder();
    const asRoot = { ...call, asRoot: true };
    writeFileSync(join(programs, 'asked'), '');
    await host.startDetached(job, ['sh', '-c', 'echo as root; exec sleep 30'], asRoot);
    const asked = (): number => readFileSync(join(programs, 'asked'), 'utf8').split('-n\n').length - 1;
    const afterStart = asked();
    const log = await host.readDetachedLog(job, 0, asRoot);
    const afterLog = asked();
    const state = await host.stopDetached(job, asRoot);
    expect([afterStart, afterLog, asked()]).toEqual([2, 3, 6]);
    expect(log.text).toBe('as root\n');
    expect(state).toMatchObject({ kind: 'exited', exitCode: 143 });
    expect(statSync(job).mode & 0o777).toBe(0o700);
  });

  it('says so when sudo asks for a password, and starts nothing', async () => {
    const job = folder();
    writeFileSync(join(programs, 'refuse'), '');
    const failure = await failureOfCall(host.startDetached(job, ['true'], { ...call, asRoot: true }));
    rmSync(join(programs, 'refuse'));
    expect(failure.code).toBe('sudo-refused');
    expect(existsSync(job)).toBe(false);
  });

  /** Process ids that a command wrote into files of its own, once all of them are there. */
  async function pidsIn(...files: readonly string[]): Promise<number[]> {
    const read = (): number[] => files.map((file) => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0));
    await expect.poll(() => read().every((pid) => pid > 0), { timeout: 5_000, interval: 20 }).toBe(true);
    return read();
  }

  it('is stopped with its children, also those with a session of their own, and keeps its exit status', async () => {
    const job = folder();
    const files = [join(root, `${name}-child`), join(root, `${name}-away`)] as const;
    const script =
      'sh -c \'echo $$ >"$1"; exec sleep 60\' x "$1" & setsid sh -c \'echo $$ >"$1"; sleep 60; true\' x "$2" & wait';
    await host.startDetached(job, ['sh', '-c', script, 'x', ...files], call);
    const pids = await pidsIn(...files);
    const state = await host.stopDetached(job, call);
    expect(state).toMatchObject({ kind: 'exited', exitCode: 143 });
    expect(pids.filter(isRunning)).toEqual([]);
  });

  // Ten seconds once are enough: the script is the same for both servers.
  if (name === 'ssh2 server')
    it('is killed when it does not end within 10 s', { timeout: 30_000 }, async () => {
      const job = folder();
      const file = join(root, 'stubborn');
      const script = 'trap "" TERM; echo $$ >"$1"; while :; do sleep 1; done';
      await host.startDetached(job, ['sh', '-c', script, 'x', file], call);
      const pids = await pidsIn(file);
      const startedMs = performance.now();
      const state = await host.stopDetached(job, { timeoutMs: 25_000 });
      expect(state).toMatchObject({ kind: 'exited', exitCode: 137 });
      expect(performance.now() - startedMs).toBeGreaterThan(9_000);
      expect(pids.filter(isRunning)).toEqual([]);
    });

  it('never stops another process that has got its pid, nor one of another boot', async () => {
    const stranger = spawn('sleep', ['60']);
    const reused = folder();
    const otherBoot = folder();
    for (const job of [reused, otherBoot]) await host.startDetached(job, ['true'], call);
    for (const job of [reused, otherBoot]) await ended(job);
    for (const job of [reused, otherBoot]) rmSync(join(job, 'exit'));
    writeFileSync(join(reused, 'pid'), `${stranger.pid} 1\n`);
    const startTime = readFileSync(`/proc/${stranger.pid}/stat`, 'utf8').replace(/.*\) /, '').split(' ')[19];
    writeFileSync(join(otherBoot, 'pid'), `${stranger.pid} ${startTime}\n`);
    writeFileSync(join(otherBoot, 'boot'), '00000000-0000-0000-0000-000000000000\n');
    const states = [await host.stopDetached(reused, call), await host.stopDetached(otherBoot, call)];
    const lives = isRunning(stranger.pid ?? 0);
    stranger.kill('SIGKILL');
    expect(states.map(({ kind }) => kind)).toEqual(['unknown', 'unknown']);
    expect(lives).toBe(true);
  });

  it('stops nothing where nothing runs and says what is there', async () => {
    const over = folder();
    await host.startDetached(over, ['sh', '-c', 'exit 4'], call);
    await ended(over);
    const states = [await host.stopDetached(folder(), call), await host.stopDetached(over, call)];
    expect(states).toMatchObject([{ kind: 'absent' }, { kind: 'exited', exitCode: 4 }]);
  });

  it('says why when the folder cannot be made', async () => {
    writeFileSync(join(root, 'a-file'), '');
    const failure = await failureOfCall(host.startDetached(join(root, 'a-file', 'job'), ['true'], call));
    expect(failure.code).toBe('command-failed');
    expect(failure.text).toContain('a-file');
  });

  it('refuses a folder that is not a plain absolute path', async () => {
    const tries = ['relative', '/tmp/../etc', '/tmp/a b', '/tmp/$(id)'];
    const results = await Promise.allSettled(tries.map((path) => host.startDetached(path, ['true'], call)));
    expect(results.map(({ status }) => status)).toEqual(tries.map(() => 'rejected'));
  });
});

/** A zombie has ended: it only waits for somebody to ask for its exit status. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
