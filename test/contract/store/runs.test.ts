import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import { isEnded } from '../../../src/domain/run.ts';
import type { RunState } from '../../../src/domain/run.ts';
import type { Journal, RunStore } from '../../../src/domain/ports.ts';
import type { Backend } from './backends.ts';
import { backends } from './backends.ts';
import { ben, samplePlan, sampleRun } from './samples.ts';

describe.each(backends)('runs in $kind', ({ open }) => {
  let backend: Backend;
  let runs: RunStore;
  let journal: Journal;
  beforeAll(async () => {
    backend = await open();
  });
  beforeEach(async () => {
    ({ runs, journal } = await backend.fresh());
  });
  afterAll(async () => backend.stop());

  it('numbers runs from 1 without a gap when twenty are created at once', async () => {
    const created = await Promise.all(Array.from({ length: 20 }, async () => runs.create(sampleRun())));
    expect(created.map((run) => run.id).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
  });

  it('gives back what was created, at version 1', async () => {
    const created = await runs.create(sampleRun());
    expect(await runs.get(created.id)).toEqual({ ...sampleRun(), id: created.id, version: 1 });
  });

  it('writes the first journal entries together with the run', async () => {
    const by = { userId: 'U1', teamId: 'T1', displayName: 'Ana' };
    const created = await runs.create(sampleRun(), () => [
      { unit: '_run', event: { type: 'run-created', by, text: 'provision rack1' } },
    ]);

    const entries = await journal.read(created.id, '_run');
    expect(entries.map((entry) => entry.event)).toEqual([{ type: 'run-created', by, text: 'provision rack1' }]);
  });

  it('knows no run that was never created', async () => {
    expect(await runs.get(418)).toBeUndefined();
  });

  it('refuses to change a run that was never created', async () => {
    await expect(runs.update(418, (run) => run)).rejects.toMatchObject({ code: 'run-unknown' });
  });

  it('raises the version by one and keeps the number, whatever the change says about them', async () => {
    const { id } = await runs.create(sampleRun());
    const result = await runs.update(id, (run) => ({ ...run, id: 9, version: 77, summary: 'done' }));
    expect(result).toMatchObject({ changed: true, run: { id, version: 2, summary: 'done' } });
    expect(await runs.get(id)).toEqual(result.run);
  });

  it('leaves the record alone when the change gives nothing back', async () => {
    const created = await runs.create(sampleRun());
    expect(await runs.update(created.id, () => undefined)).toEqual({ run: created, changed: false });
    expect(await runs.get(created.id)).toEqual(created);
  });

  it('stores nothing when the change throws', async () => {
    const created = await runs.create(sampleRun());
    await expect(
      runs.update(created.id, () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await runs.get(created.id)).toEqual(created);
  });

  it('loses none of fifty changes made at once', async () => {
    const { id } = await runs.create(sampleRun());
    const results = await Promise.all(
      Array.from({ length: 50 }, async () => runs.update(id, (run) => ({ ...run, waveIndex: run.waveIndex + 1 }))),
    );
    expect((await runs.get(id))?.waveIndex).toBe(50);
    expect(new Set(results.map((result) => result.run.version)).size).toBe(50);
  });

  it('tells exactly one of twenty people who press Approve at once that it was the first', async () => {
    const { id } = await runs.create(sampleRun({ state: 'awaiting-approval' }));
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        runs.update(id, (run) =>
          run.state === 'awaiting-approval' ? { ...run, state: 'running', summary: `by ${index}` } : undefined,
        ),
      ),
    );
    expect(results.filter((result) => result.changed)).toHaveLength(1);
    const winner = results.findIndex((result) => result.changed);
    expect((await runs.get(id))?.summary).toBe(`by ${winner}`);
  });

  it('writes record and journal entries together, in order, and to the streams they belong to', async () => {
    const { id } = await runs.create(sampleRun());
    await runs.update(
      id,
      (run) => ({ ...run, state: 'paused' }),
      (before, after) => [
        { unit: '_run', event: { type: 'paused', reason: `${before.state} ${after.state} ${after.version}` } },
        { unit: '_run', event: { type: 'approval-expired' } },
        { unit: 'as7', event: { type: 'plan-started', worker: 'w1' } },
      ],
    );
    expect((await journal.read(id, '_run')).map((entry) => entry.event)).toEqual([
      { type: 'paused', reason: 'planning paused 2' },
      { type: 'approval-expired' },
    ]);
    expect((await journal.read(id, 'as7')).map((entry) => entry.event.type)).toEqual(['plan-started']);
  });

  it('journals nothing for a change that was not made, and once for each of twenty made at once', async () => {
    const { id } = await runs.create(sampleRun());
    const paused = (text: string) => () => [{ unit: '_run', event: { type: 'paused', reason: text } as const }];
    await runs.update(id, () => undefined, paused('not made'));
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => runs.update(id, (run) => ({ ...run, waveIndex: n }), paused(`${n}`))),
    );
    const entries = await journal.read(id, '_run');
    const reasons = entries.map((entry) => (entry.event.type === 'paused' ? entry.event.reason : ''));
    expect(reasons.toSorted((a, b) => Number(a) - Number(b))).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`));
  });

  it('changes nothing when one of the entries is over the limit', async () => {
    const created = await runs.create(sampleRun());
    const update = runs.update(
      created.id,
      (run) => ({ ...run, waveIndex: 9 }),
      () => [
        { unit: '_run', event: { type: 'approval-expired' } },
        { unit: '_run', event: { type: 'paused', reason: 'x'.repeat(5_000) } },
      ],
    );
    await expect(update).rejects.toMatchObject({ code: 'bug' });
    expect(await runs.get(created.id)).toEqual(created);
    expect(await journal.read(created.id, '_run')).toEqual([]);
  });

  it('lists a run as open until it ends, and again after it was resumed', async () => {
    const { id } = await runs.create(sampleRun());
    const other = await runs.create(sampleRun());
    await runs.update(id, (run) => ({ ...run, state: 'failed', endedAtMs: 2 }));
    expect(await runs.open()).toEqual([other.id]);
    await runs.update(id, (run) => ({ ...run, state: 'planning' }));
    expect(await runs.open()).toEqual([id, other.id]);
  });

  it('lists the newest runs first, at most as many as asked for', async () => {
    for (let n = 0; n < 12; n += 1) await runs.create(sampleRun());
    expect((await runs.recent(3)).map((run) => run.id)).toEqual([12, 11, 10]);
    expect(await runs.recent(100)).toHaveLength(12);
  });

  it('lists them page by page, each run once', async () => {
    for (let n = 0; n < 7; n += 1) await runs.create(sampleRun(n % 2 === 0 ? {} : { state: 'failed', endedAtMs: 2 }));
    expect((await runs.recent(3, { before: 5 })).map((run) => run.id)).toEqual([4, 3, 2]);
    expect((await runs.recent(3, { before: 4, states: ['failed'] })).map((run) => run.id)).toEqual([2]);
    expect(await runs.recent(3, { before: 1 })).toEqual([]);
  });

  it('lists only runs in the states that were asked for, newest first over several states', async () => {
    for (let n = 0; n < 4; n += 1) await runs.create(sampleRun());
    await runs.update(2, (run) => ({ ...run, state: 'failed' }));
    await runs.update(3, (run) => ({ ...run, state: 'needs-human' }));
    await runs.update(2, (run) => ({ ...run, state: 'cancelled' }));
    const found = await runs.recent(10, { states: ['cancelled', 'needs-human', 'failed'] });
    expect(found.map((run) => [run.id, run.state])).toEqual([
      [3, 'needs-human'],
      [2, 'cancelled'],
    ]);
  });

  it('finds a run of a state behind one that has left that state', async () => {
    for (let n = 0; n < 2; n += 1) await runs.create(sampleRun({ state: 'failed', endedAtMs: 2 }));
    await runs.update(2, (run) => ({ ...run, state: 'done' }));
    expect((await runs.recent(1, { states: ['failed'] })).map((run) => run.id)).toEqual([1]);
  });

  it('keeps the approved plan readable after a newer one of the same unit was made', async () => {
    const { id } = await runs.create(sampleRun());
    await runs.savePlan(samplePlan(id, 'aa'));
    await runs.savePlan(samplePlan(id, 'bb'));
    expect(await runs.plan(id, 'as7', 'aa')).toEqual(samplePlan(id, 'aa'));
    expect(await runs.plan(id, 'as7', 'bb')).toEqual(samplePlan(id, 'bb'));
    expect(await runs.plan(id, 'as8', 'aa')).toBeUndefined();
  });

  it('does not share objects with its callers', async () => {
    const created = await runs.create(sampleRun());
    const votes: (typeof ben)[] = [];
    await runs.update(created.id, (run) => ({ ...run, params: { votes } }));
    votes.push(ben);
    expect((await runs.get(created.id))?.params).toEqual({ votes: [] });
  });

  it('agrees with a plain list about open runs and states after any sequence of changes', async () => {
    const states: readonly RunState[] = ['planning', 'running', 'paused', 'failed', 'done'];
    const change = fc.record({ run: fc.nat(3), state: fc.constantFrom(...states) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 12 }), async (changes) => {
        ({ runs } = await backend.fresh());
        const model = await Promise.all([0, 1, 2, 3].map(async () => (await runs.create(sampleRun())).state));
        for (const { run, state } of changes) {
          model[run] = state;
          await runs.update(run + 1, (record) => ({ ...record, state }));
        }
        const ids = [1, 2, 3, 4];
        expect(await runs.open()).toEqual(ids.filter((id) => !isEnded(model[id - 1] ?? 'done')));
        const failed = await runs.recent(10, { states: ['failed'] });
        expect(failed.map((run) => run.id)).toEqual(ids.filter((id) => model[id - 1] === 'failed').toReversed());
      }),
      { numRuns: 25 },
    );
  });
});
