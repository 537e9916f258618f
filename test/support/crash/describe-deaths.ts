import { describe, expect, it } from 'vitest';
import { allDeaths, complaints } from './deaths.ts';
import { pageWith, sectionOf } from './page.ts';
import type { Segment } from './segment.ts';

/** Lets the worker die everywhere in these parts of a provision run, and compares their sections of docs/crash-table.md. */
export function describeDeaths(where: string, parts: readonly Segment[]): void {
  const sections = new Map<string, string>();

  describe(`crash: the worker of a provision run dies ${where}`, () => {
    it.each(parts)(
      '$title: the run ends as an undisturbed one, with one push and one power cycle at most',
      { timeout: 300_000 },
      async (part) => {
        const outcomes = await allDeaths(part);

        sections.set(part.title, sectionOf(part, outcomes));
        expect(outcomes.length).toBeGreaterThan(8);
        expect(outcomes.flatMap((outcome) => complaints(part, outcome))).toEqual([]);
      },
    );

    it('docs/crash-table.md says what comes of it', async () => {
      await expect(await pageWith(sections)).toMatchFileSnapshot('../../../docs/crash-table.md');
    });
  });
}
