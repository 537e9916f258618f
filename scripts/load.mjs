/**
 * `npm run load`: twenty runs at once for five minutes, then a Slack that is away for two. `npm run load -- 60 10` does it
 * for 60 and 10 seconds, as CI does. The figures are written to docs/load.md.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './lib/children.mjs';
import { markdownTable, runLonger, whenAndWhere } from './lib/longer-test.mjs';
import { Problem, runMain, say } from './lib/print.mjs';

/** @typedef {{ title: string, figures: Record<string, string | number> }} Figures */

await runMain(async () => {
  const [seconds, awaySeconds] = [Number(process.argv[2] ?? 300), Number(process.argv[3] ?? 120)];
  if (!(seconds >= 60 && awaySeconds >= 10))
    throw new Problem('npm run load -- SECONDS AWAY: at least 60 seconds of runs, and 10 of a Slack that is away');
  const lines = await runLonger({
    layer: 'browser',
    files: ['test/browser/crowd.test.ts', 'test/browser/slack-away.test.ts'],
    reportVariable: 'DPUBOT_LOAD_REPORT',
    env: { DPUBOT_LOAD_SECONDS: String(seconds), DPUBOT_LOAD_AWAY_SECONDS: String(awaySeconds) },
  });
  writeFileSync(join(repository, 'docs/load.md'), page(/** @type {Figures[]} */ (lines)));
  say('docs/load.md written');
  return 0;
});

/** @param {readonly Figures[]} all */
function page(all) {
  const parts = all.map(({ title, figures }) => {
    const rows = Object.entries(figures).map(([name, value]) => [name, String(value)]);
    return `## ${title}\n\n${markdownTable(['what', 'figure'], rows)}\n`;
  });
  return `# Many runs at once, and a Slack that is away

Written by \`npm run load\` from the tests \`test/browser/crowd.test.ts\` and \`test/browser/slack-away.test.ts\` (\`npm run test:browser\`
runs them for 60 s and 10 s): real bot, real workers, real Redis, a pretend rack, and a pretend Slack with Slack's rate
limits. SIMULATED. A card is compared with its journal once a second; what only the clock changes is no difference. All runs
post to one channel, which takes one message a second, and Slack takes about 50 edits a minute for the whole workspace: so
twenty cards cannot be younger than that allows.

${parts.join('\n')}
${whenAndWhere()}.
`;
}
