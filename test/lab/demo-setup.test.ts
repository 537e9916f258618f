import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const setup = fileURLToPath(new URL('../../scripts/setup.mjs', import.meta.url));

/** The only folder on the PATH: what is not put here does not exist. */
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dpubot-setup-'));
  symlinkSync('/bin/sh', join(folder, 'sh'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function program(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

/** Runs the set-up as a user with that id; the id is told to the script only. */
function runSetup(
  uid: number,
  settings: Readonly<Record<string, string>> = {},
): Promise<{ readonly code: number; readonly output: string }> {
  const asUser = `data:text/javascript,process.getuid=()=>${uid}`;
  return new Promise((resolve) => {
    const env = { PATH: folder, TMPDIR: folder, ...settings };
    execFile(process.execPath, ['--import', asUser, setup], { env, timeout: 15_000 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output: stdout + stderr });
    });
  });
}

const makesRedis = `printf '#!/bin/sh\\n' > "$PATH/redis-server"; /bin/chmod 755 "$PATH/redis-server"`;

describe.skipIf(process.platform === 'win32')('finding a Redis', () => {
  it('takes the one of REDIS_URL and looks for no program', async () => {
    const { code, output } = await runSetup(1000, { REDIS_URL: 'redis://127.0.0.1:6379' });

    expect(output).toContain('Redis is that of REDIS_URL');
    expect(code).toBe(0);
  });

  it('takes valkey-server when there is no redis-server', async () => {
    program('valkey-server', '');

    const { code, output } = await runSetup(1000);

    expect(output).toContain(join(folder, 'valkey-server'));
    expect(code).toBe(0);
  });

  it('gives one exact instruction when there is no package manager it knows', async () => {
    const { code, output } = await runSetup(0);

    expect(code).toBe(1);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(output).toContain('Put redis-server or valkey-server on the PATH, or set REDIS_URL');
  });

  it('installs it as root and says so in a line', async () => {
    program('apk', makesRedis);

    const { code, output } = await runSetup(0);

    expect(output).toMatch(/^Installing A Redis server \(apk: redis\) \.\.\.\nInstalled redis in /);
    expect(code).toBe(0);
  });

  it('installs it with sudo where that needs no password', async () => {
    program('apk', makesRedis);
    program('sudo', '[ "$1" = -n ] && shift && [ "$1" != true ] || exit 0; exec "$@"');

    const { code, output } = await runSetup(1000);

    expect(output).toContain('Installed redis in ');
    expect(code).toBe(0);
  });

  it('asks no password: where sudo would, it gives the exact command instead', async () => {
    program('apk', 'exit 1');
    program('sudo', 'exit 1');

    const { code, output } = await runSetup(1000);

    expect(code).toBe(1);
    expect(output).toContain('Run `sudo apk add redis`, or set REDIS_URL');
  });

  it('tries the next package name, and then gives the command, when installing fails', async () => {
    program('apk', 'echo "$@" >> "$PATH/calls"; exit 1');

    const { code, output } = await runSetup(0);

    expect(code).toBe(1);
    expect(output.match(/^Installing /gm)).toHaveLength(2);
    expect(output).toContain('Run `sudo apk add redis`');
  });
});
