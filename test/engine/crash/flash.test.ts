import { describe, expect, it } from 'vitest';
import { allDeaths, complaints } from '../../support/crash/deaths.ts';
import { pageWith, sectionOf } from '../../support/crash/page.ts';
import type { Segment } from '../../support/crash/segment.ts';
import { segments } from '../../support/crash/segments.ts';

const parts: readonly Segment[] = [segments.flash, segments.flashOfFound, segments.power];
const sections = new Map<string, string>();

describe('crash: the worker of a provision run dies in flash and power cycle', () => {
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
