import { describe, expect, it } from 'vitest';
import { runEnd } from '../../src/engine/run-end.ts';
import { makeInventory, makeRun, withUnits } from '../support/make-run.ts';

describe('the end of a run', () => {
  it.each([
    [400, '0 s in all'],
    [17_400, '17 s in all'],
    [59_600, '1 min 00 s in all'],
    [1_445_000, '24 min 05 s in all'],
    [7_800_000, '2 h 10 min in all'],
  ])('says how long it took as people say it: %i ms', (tookMs, text) => {
    const run = withUnits(makeRun(makeInventory(['as7'])), { state: 'done' });

    expect(runEnd(run, run.createdAtMs + tookMs).summary).toBe(`1 host: 1 done; ${text}`);
  });
});
