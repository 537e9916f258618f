/**
 * `npm run demo`: everything on this machine, nothing real. See `npm run demo -- --help`. Arguments are read before
 * anything is installed; the rest is TypeScript and loaded once it can be.
 */
import { readDemoArguments, usage, UsageError } from './lib/demo-arguments.mjs';
import { runMain, say } from './lib/print.mjs';
import { ensureDependencies, ensureRedis } from './setup.mjs';

await runMain(async () => {
  const args = readArguments();
  if (args === undefined) return 2;
  if (args.help) {
    process.stdout.write(usage);
    return 0;
  }
  await ensureDependencies();
  const { register } = await import('tsx/esm/api');
  register();
  if (args.listFaults) {
    const { faultLines } = await import('./demo/fault-list.ts');
    for (const line of faultLines()) say(line);
    return 0;
  }
  const redis = await ensureRedis();
  const { runDemo } = await import('./demo/main.ts');
  return runDemo(args, redis);
});
// Connections that are kept alive (fetch) must not keep the script alive: everything it has started has ended.
process.exit();

function readArguments() {
  try {
    return readDemoArguments(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\n\n${usage}`);
    return undefined;
  }
}
