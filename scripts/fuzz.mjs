/**
 * `npm run fuzz`: the property tests of the chat with 100,000 random cases instead of 5,000; `npm run fuzz -- 20000` with
 * as many as that. What they did is written to docs/fuzz.md.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './lib/children.mjs';
import { markdownTable, runLonger, whenAndWhere } from './lib/longer-test.mjs';
import { Problem, runMain, say } from './lib/print.mjs';

/** @typedef {{ property: string, cases: number, seed: number, seconds: number, reached: Record<string, number> }} Done */

/** What each property says, in the order of the page. */
const sentences = new Map([
  ['lines', 'whatever anybody types is answered, or starts a run; nothing of it is alive in the answer'],
  ['views', 'whatever devices write, card and thread of a run are within the limits; nothing foreign is alive'],
  ['answers', 'whatever devices and people have written, answers are within the limits; nothing foreign is alive'],
]);

await runMain(async () => {
  const cases = Number(process.argv[2] ?? 100_000);
  if (!Number.isInteger(cases) || cases < 100) throw new Problem('npm run fuzz -- CASES: a whole number from 100 on');
  const lines = await runLonger({
    layer: 'unit',
    files: ['test/unit/fuzz/'],
    reportVariable: 'DPUBOT_FUZZ_REPORT',
    env: { DPUBOT_FUZZ_CASES: String(cases) },
  });
  writeFileSync(join(repository, 'docs/fuzz.md'), page(/** @type {Done[]} */ (lines), cases));
  say('docs/fuzz.md written');
  return 0;
});

/**
 * @param {readonly Done[]} done
 * @param {number} cases
 */
function page(done, cases) {
  const rows = [...sentences].flatMap(([name, sentence]) => {
    const one = done.find(({ property }) => property === name);
    return one === undefined ? [] : [[sentence, amount(one.cases), String(one.seed), one.seconds.toFixed(1)]];
  });
  const reached = [...sentences.keys()].flatMap((name) => {
    const one = done.find(({ property }) => property === name);
    if (one === undefined) return [];
    return [
      `- ${name}: ${Object.entries(one.reached)
        .map(([what, number]) => `${what} ${amount(number)}`)
        .join(', ')}`,
    ];
  });
  return `# Random cases

Written by \`npm run fuzz\`: the property tests in \`test/unit/fuzz\` with ${amount(cases)} random cases (\`npm test\` tries 5,000).
All of them passed. A message is judged by the block limits of the pretend Slack and by Slack's documentation of what it
parses (\`test/support/fuzz/slack-judge.ts\`), not by dpubot's own ideas of either.

${markdownTable(['property', 'cases', 'seed', 'seconds'], rows)}

${whenAndWhere()}. \`DPUBOT_FUZZ_SEED=<seed> npm run fuzz -- ${cases}\` tries the cases of a seed again.

How far the cases got:

${reached.join('\n')}
`;
}

/** @param {number} number */
function amount(number) {
  return number.toLocaleString('en-US');
}
