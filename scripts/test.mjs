/**
 * `npm test`: brings what the tests need, starts one private Redis for all of them, runs the layers and says what each
 * took. `--layer NAME` (repeatable) picks layers; everything else goes to vitest as it is.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onSignal, repository, stopChildren } from './lib/children.mjs';
import { compilePrograms } from './lib/compiled.mjs';
import { Problem, runMain, say } from './lib/print.mjs';
import { whyNoRack } from './lib/rack-tools.mjs';
import { startRedis } from './lib/redis-server.mjs';
import { ensureChromium, ensureDependencies, ensureRedis } from './setup.mjs';

/** Seconds of wall time a layer may take on two cores. Going over is said, and does not fail the run. */
const budgetsS = { unit: 60, engine: 180, policy: 20, contract: 90, lab: 360, rack: 300, browser: 240 };
/** Layers that start whole programs. */
const startingLayers = ['lab', 'rack', 'browser'];
const ordinaryLayers = ['unit', 'engine', 'policy', 'contract', 'lab'];

await runMain(async () => {
  const { layers: wanted, rest } = readArguments(process.argv.slice(2));
  await ensureDependencies();
  const noRack = wanted.includes('rack') ? whyNoRack() : undefined;
  const layers = wanted.filter((layer) => layer !== 'rack' || noRack === undefined);
  if (noRack !== undefined) say(`skipped: rack (${noRack})`);
  if (layers.length === 0) {
    say('0 passed, 0 failed, 1 skipped');
    return 0;
  }
  const redis = await ensureRedis();
  const chromium = layers.includes('browser') ? ensureChromium() : undefined;

  const folder = mkdtempSync(join(tmpdir(), 'dpubot-test-'));
  const cleanUp = async () => {
    await stopChildren();
    rmSync(folder, { recursive: true, force: true });
  };
  onSignal(cleanUp);
  try {
    const redisUrl = 'url' in redis ? redis.url : await startRedis(redis.program, folder);
    const summaryFile = join(folder, 'summary.json');
    const starting = layers.some((layer) => startingLayers.includes(layer));
    const code = await runVitest(layers, rest, {
      ...foreignEnvironment(),
      DPUBOT_TEST_REDIS_URL: redisUrl,
      DPUBOT_TEST_SUMMARY: summaryFile,
      ...(starting && { DPUBOT_PROGRAMS: compilePrograms(join(folder, 'programs')) }),
      ...(chromium !== undefined && { DPUBOT_TEST_CHROMIUM: chromium }),
    });
    return report(summaryFile, code, noRack === undefined ? 0 : 1);
  } finally {
    await cleanUp();
  }
});

/**
 * @param {readonly string[]} args
 * @returns {{ layers: readonly string[], rest: readonly string[] }}
 */
function readArguments(args) {
  const layers = [];
  const rest = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg !== '--layer') {
      rest.push(arg);
      continue;
    }
    const name = args[(index += 1)] ?? '';
    if (!(name in budgetsS)) throw new Problem(`--layer needs one of ${Object.keys(budgetsS).join(', ')}.`);
    layers.push(name);
  }
  return { layers: layers.length === 0 ? ordinaryLayers : layers, rest };
}

/**
 * The environment less the settings of a real dpubot: a test must never meet somebody's real Slack or Redis. What says how
 * much a test is to try stays.
 */
function foreignEnvironment() {
  const settings = /^(SLACK_|DPUBOT_(?!FUZZ_|LOAD_)|REDIS_URL$|HTTP_PORT$|METRICS_PORT$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !settings.test(name)));
}

/**
 * @param {readonly string[]} layers
 * @param {readonly string[]} rest
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<number>}
 */
function runVitest(layers, rest, env) {
  const args = [
    join(repository, 'node_modules/vitest/vitest.mjs'),
    'run',
    ...layers.flatMap((name) => ['--project', name]),
    '--reporter=default',
    '--reporter=./scripts/lib/test-reporter.mjs',
    '--passWithNoTests',
    ...rest,
  ];
  const child = spawn(process.execPath, args, { cwd: repository, env, stdio: ['ignore', 'inherit', 'inherit'] });
  process.once('exit', () => child.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', (code) => resolve(code ?? 1));
  });
}

/**
 * Prints time and counts per layer, the skipped tests with their reasons, and the closing line.
 *
 * @param {string} file
 * @param {number} code  Exit code of vitest.
 * @param {number} skippedLayers  Left out because this machine cannot run them.
 */
function report(file, code, skippedLayers) {
  /** @type {import('./lib/test-reporter.mjs').Summary} */
  let summary;
  try {
    summary = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new Problem(`vitest ended (exit code ${code}) without a summary.\n0 passed, 1 failed`);
  }
  say('');
  const total = { passed: 0, failed: summary.unhandledErrors, skipped: skippedLayers };
  for (const [name, layer] of Object.entries(summary.layers)) {
    const tookS = (layer.endMs - layer.startMs) / 1000;
    const budgetS = budgetsS[/** @type {keyof typeof budgetsS} */ (name)];
    const over = tookS > budgetS ? ', OVER BUDGET' : '';
    const counts = `${layer.passed} passed, ${layer.failed} failed, ${layer.skipped} skipped`;
    say(`layer ${name.padEnd(8)} ${tookS.toFixed(1).padStart(6)} s of ${budgetS} s${over}: ${counts}`);
    total.passed += layer.passed;
    total.failed += layer.failed;
    total.skipped += layer.skipped;
  }
  for (const { title, reason } of summary.skipped) say(`skipped: ${title} (${reason})`);
  // Again, at the end: whoever reads a long log from its end sees what broke before anything else.
  for (const { title, message } of summary.failed) say(`FAILED: ${title}\n  ${message.replaceAll('\n', '\n  ')}`);
  if (summary.unhandledErrors > 0) say(`${summary.unhandledErrors} errors outside any test`);
  // A run that vitest calls failed is never reported as all passed, whatever was counted.
  if (code !== 0 && total.failed === 0) total.failed = 1;
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  say(`${total.passed} passed, ${total.failed} failed${skipped}`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}
