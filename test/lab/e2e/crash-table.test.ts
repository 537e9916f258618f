import { expect, it } from 'vitest';
import { allCrashes, crashTable } from '../../support/lab/crash-table.ts';

it(
  'docs/crash-table.md says what happens wherever the worker of a provision run dies',
  { timeout: 60_000 },
  async () => {
    const outcomes = await allCrashes();

    expect(outcomes.length).toBeGreaterThan(60);
    expect(outcomes.filter((one) => one.state !== 'done' || !one.asWanted)).toEqual([]);
    expect(outcomes.filter((one) => one.extraResets < 0 || one.extraResets > 1)).toEqual([]);
    await expect(await crashTable(outcomes)).toMatchFileSnapshot('../../../docs/crash-table.md');
  },
);
