import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pushArgv } from '../../../src/steps/flash-command.ts';
import { fixture } from '../../support/fixture.ts';

const hasTools = ['script', 'pgrep', 'awk'].every((tool) => spawnSync('which', [tool]).status === 0);
const device = 'pcie-0000:e1:00.2';

describe.skipIf(!hasTools)('the script of a push, run by a shell', () => {
  let folder = '';
  let config = '';
  let running: ChildProcess | undefined;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'push-'));
    config = join(folder, 'bf.cfg');
    mkdirSync(join(folder, 'rshim'));
    writeFileSync(join(folder, 'rshim/misc'), fixture('rshim/misc-level-0.txt'));
    writeFileSync(config, 'secret');
    tool('echo "asked: $*"; tty; cat "$6"');
  });
  afterEach(() => {
    running?.kill('SIGKILL');
    running = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  function tool(body: string): void {
    writeFileSync(join(folder, 'bfb-install'), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, 'bfb-install'), 0o755);
  }

  /** The device stands elsewhere than in /dev, and no other push of this machine is seen. */
  function words(devName = device): readonly string[] {
    const [shell = '', option = '', script = '', name = ''] = pushArgv('rshim0', devName, '/a.bfb', '/b.cfg');
    return [shell, option, script, name, `../${folder}/rshim`, devName, '/a.bfb', config];
  }
  const env = (): NodeJS.ProcessEnv => ({ ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` });

  function run(devName?: string): { readonly status: number | null; readonly stdout: string } {
    const [shell = '', ...rest] = words(devName);
    return spawnSync(shell, rest, { env: env(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  }

  it('gives the tool a terminal, passes its words and exit code on, and removes the bf.cfg', () => {
    tool('echo "asked: $*"; tty; cat "$6"; exit 3');

    const { status, stdout } = run();

    expect(stdout).toMatch(/^asked: --rshim \S+ --bfb \/a\.bfb --config \S+\r\n\/dev\/pts\/\d+\r\nsecret$/);
    expect(status).toBe(3);
    expect(existsSync(config)).toBe(false);
  });

  it.each([
    ['the device is another card now', () => device.replace('e1', '21'), /was pcie-0000:21:00\.2 and is pcie-0000:e1/],
    [
      'the device is gone',
      () => {
        rmSync(join(folder, 'rshim'), { recursive: true });
        return device;
      },
      /and is gone now/,
    ],
  ])('sends nothing when %s, and removes the bf.cfg', (_what, devNameOf, said) => {
    const { status, stdout } = run(devNameOf());

    expect(stdout).toMatch(/^dpubot: /);
    expect(stdout).toMatch(said);
    expect(stdout).not.toContain('asked');
    expect(status).toBe(75);
    expect(existsSync(config)).toBe(false);
  });

  it('sends nothing while another push runs; ended by a signal, that one removes its bf.cfg too', async () => {
    tool('echo begun; exec sleep 30');
    const own = join(folder, 'other.cfg');
    writeFileSync(own, 'secret');
    const [shell = '', ...rest] = words();
    const other = spawn(shell, [...rest.slice(0, -1), own], { env: env(), stdio: ['ignore', 'pipe', 'ignore'] });
    running = other;
    await new Promise((resolve) => other.stdout.once('data', resolve));

    const { status, stdout } = run();

    expect(stdout).toMatch(/^dpubot: another push runs: .*bfb-install --rshim/);
    expect(status).toBe(75);
    expect(existsSync(own)).toBe(true);

    const ended = new Promise((resolve) => other.once('exit', resolve));
    const { stdout: children } = spawnSync('pgrep', ['-P', String(other.pid)], { encoding: 'utf8' });
    other.kill('SIGTERM');
    for (const pid of children.split('\n').filter((one) => one !== '')) process.kill(Number(pid), 'SIGTERM');

    expect(await ended).toBe(143);
    expect(existsSync(own)).toBe(false);
  });
});
