/**
 * What every other script needs before it can start: the npm packages and a Redis. Node's own modules only, because
 * nothing else is there on a fresh clone. `node scripts/setup.mjs` does just that and ends.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { repository } from './lib/children.mjs';
import { withLock } from './lib/lock.mjs';
import { Problem, runMain, say, seconds } from './lib/print.mjs';
import { ensureProgram } from './lib/programs.mjs';

const lowestNode = [20, 19];

/**
 * Brings node_modules to what package-lock.json says, with `npm ci` where it is not so already. Two scripts started at
 * once wait for each other.
 *
 * @param {{ root?: string }} [options]
 * @returns {Promise<void>}
 */
export async function ensureDependencies({ root = repository } = {}) {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < (lowestNode[0] ?? 0) || (major === lowestNode[0] && minor < (lowestNode[1] ?? 0)))
    throw new Problem(`This needs Node ${lowestNode.join('.')} or newer; this is ${process.versions.node}.`);
  if (dependenciesMatch(root)) return;
  await withLock(`npm-${root}`, async () => {
    if (dependenciesMatch(root)) return;
    const started = performance.now();
    say('Installing the npm packages (npm ci) ...');
    const npm = process.env.npm_execpath;
    const argv = [
      ...(npm?.endsWith('.js') ? [process.execPath, npm] : ['npm']),
      'ci',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ];
    const result = spawnSync(argv[0] ?? 'npm', argv.slice(1), {
      cwd: root,
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    });
    if (result.status !== 0)
      throw new Problem(`\`npm ci\` failed (exit code ${result.status}):\n${result.stderr.trim()}`);
    say(`Installed the npm packages in ${seconds(started)}.`);
  });
}

/**
 * Compares the lock file with the one npm leaves in node_modules when it has finished: no stamp of our own is needed,
 * and an interrupted installation is noticed because npm writes its copy last.
 *
 * @param {string} root
 */
function dependenciesMatch(root) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const present = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined)
    throw new Problem('package-lock.json is missing or unreadable: clone the repository again.');
  if (present === undefined) return false;
  // Optional packages are those of other platforms; whether they are there says nothing.
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional === true || present[path]?.version === entry.version,
  );
}

/**
 * @param {string} file
 * @returns {Readonly<Record<string, { version?: string, optional?: boolean }>> | undefined}
 */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

/**
 * The Redis to use: the one of REDIS_URL, or the path of a server program that `startRedis` can start.
 *
 * @returns {Promise<{ url: string } | { program: string }>}
 */
export async function ensureRedis() {
  const url = process.env.REDIS_URL;
  if (url !== undefined && url !== '') return { url };
  return withLock('redis', async () => ({
    program: ensureProgram({
      title: 'A Redis server',
      commands: ['redis-server', 'valkey-server'],
      packages: {
        'apt-get': ['redis-server', 'valkey-server'],
        dnf: ['valkey', 'redis'],
        apk: ['redis', 'valkey'],
        pacman: ['valkey'],
        zypper: ['redis', 'valkey'],
        brew: ['redis'],
      },
      otherwise: 'set REDIS_URL to a Redis that may be used',
    }),
  }));
}

/** Debian's chromium, for the browser tests and the screenshot. */
export function ensureChromium() {
  return ensureProgram({
    title: 'Chromium',
    commands: ['chromium', 'chromium-browser', 'google-chrome'],
    packages: { 'apt-get': ['chromium'], dnf: ['chromium'], apk: ['chromium'], pacman: ['chromium'] },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await runMain(async () => {
    await ensureDependencies();
    const redis = await ensureRedis();
    say(`Ready: npm packages are installed, Redis is ${'url' in redis ? 'that of REDIS_URL' : redis.program}.`);
    return 0;
  });
