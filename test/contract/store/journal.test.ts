import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as fc from 'fast-check';
import type { JournalEvent, Progress } from '../../../src/domain/journal.ts';
import { JOURNAL_ENTRY_MAX_BYTES } from '../../../src/domain/journal.ts';
import type { Journal, ProgressStore } from '../../../src/domain/ports.ts';
import type { Backend } from './backends.ts';
import { backends } from './backends.ts';
import { ana } from './samples.ts';

const satisfied = (reason: string): JournalEvent => ({
  type: 'step-satisfied',
  step: 'identify-card',
  target: 'as7-dpu0',
  reason,
});

describe.each(backends)('the journal in $kind', ({ open }) => {
  let backend: Backend;
  let journal: Journal;
  let progress: ProgressStore;
  beforeAll(async () => {
    backend = await open();
  });
  beforeEach(async () => {
    ({ journal, progress } = await backend.fresh());
  });
  afterAll(async () => backend.stop());

  it('gives entries back in the order in which they were appended', async () => {
    const first = await journal.append(418, '_run', { type: 'run-created', by: ana, text: 'provision rack1' });
    const second = await journal.append(418, '_run', { type: 'approval-expired' });
    expect(await journal.read(418, '_run')).toEqual([first, second]);
    expect(first).toMatchObject({ runId: 418, unit: '_run', event: { type: 'run-created' } });
  });

  it('dates an entry with the time in its id', async () => {
    const entry = await journal.append(418, 'as7', satisfied('it is one'));
    expect(entry.id).toMatch(/^\d+-\d+$/);
    expect(entry.atMs).toBe(Number(entry.id.split('-')[0]));
  });

  it('reads on after an entry without giving that one again', async () => {
    const entries = [];
    for (const reason of ['a', 'b', 'c']) entries.push(await journal.append(418, 'as7', satisfied(reason)));
    expect(await journal.read(418, 'as7', entries[0]?.id)).toEqual(entries.slice(1));
    expect(await journal.read(418, 'as7', entries[2]?.id)).toEqual([]);
  });

  it('keeps the streams of units and runs apart', async () => {
    await journal.append(418, 'as7', satisfied('a'));
    await journal.append(418, 'as8', satisfied('b'));
    await journal.append(41, 'as7', satisfied('c'));
    expect(await journal.read(418, 'as7')).toHaveLength(1);
    expect(await journal.read(999, 'as7')).toEqual([]);
  });

  it('loses none of a hundred entries appended at once and gives each its own id', async () => {
    await Promise.all(Array.from({ length: 100 }, async (_, n) => journal.append(418, 'as7', satisfied(String(n)))));
    const entries = await journal.read(418, 'as7');
    expect(new Set(entries.map((entry) => entry.id)).size).toBe(100);
  });

  it('reads a stream that is longer than one page whole', async () => {
    await Promise.all(Array.from({ length: 1_203 }, async (_, n) => journal.append(418, 'as7', satisfied(String(n)))));
    const entries = await journal.read(418, 'as7');
    expect(entries).toHaveLength(1_203);
    expect(new Set(entries.map((entry) => JSON.stringify(entry.event))).size).toBe(1_203);
  });

  it('accepts an entry of exactly the limit and rejects one of a byte more, counting bytes and not letters', async () => {
    const room = JOURNAL_ENTRY_MAX_BYTES - Buffer.byteLength(JSON.stringify(satisfied('')));
    const umlauts = 'ü'.repeat(Math.floor(room / 2)) + 'x'.repeat(room % 2);
    await journal.append(418, 'as7', satisfied(umlauts));
    await expect(journal.append(418, 'as7', satisfied(`${umlauts}x`))).rejects.toMatchObject({ code: 'bug' });
    expect(await journal.read(418, 'as7')).toHaveLength(1);
  });

  it('gives any text back unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 200 }), async (text) => {
        const entry = await journal.append(1, 'as7', satisfied(text));
        const [read] = (await journal.read(1, 'as7')).slice(-1);
        expect(read).toEqual(entry);
        expect(read?.event).toEqual(satisfied(text));
      }),
      { numRuns: 50 },
    );
  });

  it('keeps only the last sign of life of each unit', async () => {
    const sign = (text: string): Progress => ({
      step: 'disable-secure-boot',
      target: 'as7-dpu0',
      text,
      sinceMs: 1,
      stepIndex: 3,
      stepCount: 4,
      updatedAtMs: 2,
    });
    await progress.set(418, 'as7', { ...sign('first reset'), percent: 10 });
    await progress.set(418, 'as7', sign('second reset'));
    await progress.set(418, 'as8', sign('other'));
    expect(await progress.get(418, 'as7')).toEqual(sign('second reset'));
    expect(await progress.get(417, 'as7')).toBeUndefined();
  });
});
