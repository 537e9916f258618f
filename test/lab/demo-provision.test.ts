import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Demos } from '../support/lab/demos.ts';

const Runs = z.array(z.object({ run: z.number(), state: z.string(), simulated: z.boolean(), tookMs: z.number() }));

let demos: Demos;
beforeEach(() => {
  demos = new Demos();
});
afterEach(() => demos.end());

/** What the summary at the end says of each card, run by run. */
function cardsOf(output: string): readonly (readonly string[])[] {
  return output.split('\n').flatMap((line) => {
    const [, card, outcome] = /^ {2}(as\d+-dpu\d): (.*)$/.exec(line) ?? [];
    return card === undefined || outcome === undefined ? [] : [[card, outcome]];
  });
}

describe('the scripted demo', () => {
  it(
    'provisions rack1 from its boxes with a second person, finds nothing to do right after, and tells of each card of rack2',
    { timeout: 300_000 },
    async () => {
      const json = join(demos.folder, 'runs.json');
      const say = (line: string): readonly string[] => ['--say', line];
      const rack1 = say('/dpu provision rack1');
      const rack2 = say('/dpu provision rack2');

      const { ended, output } = demos.start(
        [...rack1, '--approve', ...rack1, ...rack2, '--exit', '--json', json],
        'sources',
      );

      // Cards of rack2 are refused, as they should be.
      expect(await ended, output()).toBe(1);
      const shown = output();
      expect(shown).toMatch(/^ready in \d+\.\d s\. SIMULATED: .* 120 times faster/m);
      expect(shown).toMatch(/ana +\/dpu provision rack1/);
      expect(shown).toMatch(/ben +presses \[Approve\]/);
      expect(shown).toMatch(
        /^ended after .*: run 1 done; run 2 satisfied; run 3 refused .*\. SIMULATED\. Exit code 1\.$/m,
      );
      const runs = Runs.parse(JSON.parse(readFileSync(json, 'utf8')));
      expect(runs.map(({ run, state, simulated }) => [run, state, simulated])).toEqual([
        [1, 'done', true],
        [2, 'satisfied', true],
        [3, 'refused', true],
      ]);
      expect(runs[0]?.tookMs).toBeLessThan(90_000);
      expect(runs[1]?.tookMs).toBeLessThan(10_000);
      expect(cardsOf(shown)).toEqual([
        ['as7-dpu0', 'done'],
        ['as8-dpu0', 'done'],
        ['as7-dpu0', 'right already'],
        ['as8-dpu0', 'right already'],
        ['as11-dpu0', 'done'],
        ['as11-dpu1', expect.stringMatching(/^done; warning: .*no crypto engines/)],
        ['as12-dpu0', expect.stringMatching(/^refused: .*B3220SH.* Next: Use a networking DPU/)],
        ['as13-dpu0', expect.stringMatching(/^refused: .*NIC mode.* Next: .*--set-mode/)],
        ['as14-dpu0', expect.stringMatching(/^refused: .*16 GT\/s.* Next: Move the card/)],
        ['as15-dpu0', expect.stringMatching(/^refused: .*set up by somebody else.* Next: Import its password/)],
      ]);
    },
  );
});
