import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RUN_STREAM } from '../../../src/domain/journal.ts';
import { emptyFold, foldMore } from '../../../src/report/journal-fold.ts';
import { runJson } from '../../../src/report/json.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { situation } from './arbitraries.ts';
import { ana, failure, journal, plan, planned, run, START_MS, wholeRun } from './samples.ts';

const names = (id: string): string => (id === 'U0ANA' ? 'ana' : 'ben');

describe('the thread of a run', () => {
  test('an approved run of one host reads as plan, request, vote, start, milestone, end of host, end of run', () => {
    const { run, plans, entries } = wholeRun();

    const posts = postsOf(run, plans, entries);

    expect(posts.map((post) => post.kind)).toEqual([
      'plan',
      'approval',
      'vote',
      'wave',
      'milestone',
      'unit-end',
      'run-end',
    ]);
    const texts = posts.map((post) => plainText(post.message, names));
    expect(texts[1]).toContain('Outcome: approved by @ben');
    expect(texts[2]).toBe('@ben approved the plan (1 of 1).');
    expect(texts[4]).toContain('as7-dpu0: disable secure boot done in 1 min 20 s\nSecure Boot is off.');
    expect(texts[4]).toContain('Checked SecureBootCurrentBoot: Disabled');
    expect(texts[1]).toContain('Run 418 was approved (SIMULATED)');
    expect(texts[5]).toBe('as7: done after 7.0 s. One change made.');
    expect(texts[6]).toContain('@ana Run 418 (SIMULATED): Done\nAll cards are as wanted.');
    expect(texts[6]).toMatch(/as7-dpu0 +done +1 +1 +1 min 20 s/);
  });

  test('while nobody has decided, the request has its buttons; afterwards it has none', () => {
    const { run: ended, plans, entries } = wholeRun();
    const { approval, ...rest } = ended;
    const open = {
      ...rest,
      state: 'awaiting-approval' as const,
      ...(approval && { approval: { ...approval, state: 'open' as const } }),
    };

    const before = postsOf(open, plans, entries.slice(0, 4)).find((post) => post.kind === 'approval');
    const after = postsOf(ended, plans, entries).find((post) => post.kind === 'approval');

    expect(plainText(before?.message ?? { text: '', blocks: [] })).toContain('[Approve] [Reject] [Details]');
    expect(before?.live).toBe(true);
    expect(after?.key).toBe(before?.key);
    expect(JSON.stringify(after?.message)).not.toContain('run:approve');
  });

  test('more entries add messages; what was there keeps its key and its words, except live ones', () => {
    fc.assert(
      fc.property(situation, fc.nat({ max: 200 }), ({ run, plans, entries }, cut) => {
        const early = postsOf(run, plans, entries.slice(0, cut % (entries.length + 1)));
        const all = postsOf(run, plans, entries);

        expect(all.slice(0, early.length).map((post) => post.key)).toEqual(early.map((post) => post.key));
        for (const [index, post] of early.entries()) if (!post.live) expect(all[index]).toEqual(post);
        expect(new Set(all.map((post) => post.key)).size).toBe(all.length);
      }),
      { numRuns: 60 },
    );
  });

  test('a step that keeps waiting for the same reason is told once, a new reason is told again', () => {
    const waiting = (reason: string) =>
      ['as7', { type: 'step-waiting', step: 's', target: 'd0', reason, untilMs: 1 }] as const;

    const posts = postsOf(run(), [], journal(waiting('BMC locked'), waiting('BMC locked'), waiting('rebooting')));

    expect(posts.map((post) => post.kind)).toEqual(['waiting', 'waiting']);
  });

  test('a step that turned out to be right after the plan was made is told with its reason when its host is done', () => {
    const made = plan('as7', [planned('read-mode', 'as7-dpu0', { state: 'deferred', title: 'Check the mode' })]);
    const entries = journal(
      ['as7', { type: 'plan-ready', hash: made.hash, changes: 1, risk: 'disruptive' }],
      ['as7', { type: 'step-satisfied', step: 'read-mode', target: 'as7-dpu0', reason: 'in DPU mode' }],
      ['as7', { type: 'unit-ended', state: 'done', summary: 'Nothing to do.' }],
    );

    const text = plainText(postsOf(run(), [made], entries).at(-1)?.message ?? { text: '', blocks: [] });

    expect(text).toBe('as7: done. Nothing to do.\n• Right already: Check the mode (as7-dpu0): in DPU mode');
  });

  test('a host that waits for another run says for which, since when, and has no row in the table of the end', () => {
    const reason = 'as7 is held by run 1 (ana, since 2026-11-22T18:41:07.123Z).';
    const entries = journal(
      ['as7', { type: 'step-waiting', step: 'unit', target: 'as7', reason, untilMs: START_MS }],
      ['as7', { type: 'step-satisfied', step: 'preflight-host', target: 'as7', reason: 'reached' }],
      ['as7', { type: 'step-satisfied', step: 'identify-card', target: 'as7-dpu0', reason: 'known' }],
      [RUN_STREAM, { type: 'run-ended', state: 'done', summary: '1 host: 1 done' }],
    );

    const [waiting, end] = postsOf(run(), [], entries);

    const since = Date.UTC(2026, 10, 22, 18, 41, 7) / 1000;
    expect(waiting?.message.text).toBe(
      `*as7* waits: as7 is held by run 1 (ana, since <!date^${since}^{time}|2026-11-22 18:41 UTC>).`,
    );
    expect(plainText(end?.message ?? { text: '', blocks: [] })).toMatch(/^as7-dpu0 +running/m);
    expect(plainText(end?.message ?? { text: '', blocks: [] })).not.toMatch(/^as7 /m);
  });

  test('the table at the end names the hosts when the names of the cards do not', () => {
    const right = { type: 'step-satisfied', step: 's', reason: 'known' } as const;
    const end = [RUN_STREAM, { type: 'run-ended', state: 'done', summary: '' }] as const;

    const plain = postsOf(run(), [], journal(['as7', { ...right, target: 'as7-dpu0' }], end)).at(-1);
    const odd = postsOf(run(), [], journal(['as7', { ...right, target: 'blue' }], end)).at(-1);

    expect(plainText(plain?.message ?? { text: '', blocks: [] })).toMatch(/^Card +Result +Changed +Right +Took$/m);
    expect(plainText(odd?.message ?? { text: '', blocks: [] })).toMatch(/^Card +Host +Result.*\nblue +as7 +running/m);
  });

  test('a fingerprint that was checked is shortened', () => {
    const verdicts = [{ check: 'pinned', pass: true, expected: '', actual: '0123456789abcdef'.repeat(4) }];
    const applied = {
      type: 'step-applied',
      step: 'pin',
      target: 'd0',
      reason: 'Pinned.',
      verdicts,
      tookMs: 7,
    } as const;

    const [post] = postsOf(run(), [], journal(['as7', applied]));

    expect(plainText(post?.message ?? { text: '', blocks: [] })).toBe(
      'd0: pin done in under 0.1 s\nPinned.\nChecked pinned: 0123456789abcdef…',
    );
  });

  test('a failure that needs a person mentions the requester, names the runbook, and is not repeated at the end', () => {
    const posts = postsOf(
      run(),
      [],
      journal(
        [
          'as7',
          {
            type: 'step-failed',
            step: 's',
            target: 'as7-dpu0',
            outcome: 'needs-human',
            failure: { ...failure, evidence: 'UEFI> <!here>' },
          },
        ],
        ['as7', { type: 'unit-ended', state: 'needs-human', summary: 'Stopped.', failure }],
      ),
    );
    const [first, second] = posts.map((post) => plainText(post.message, names));

    expect(posts.map((post) => post.kind)).toEqual(['needs-human', 'unit-end']);
    expect(first).toContain('@ana');
    expect(first).toContain('docs/runbooks/dpu-not-ready.md');
    expect(first).toContain('UEFI> <!here>');
    expect(second).not.toContain('What:');
  });

  test('a plan of a later attempt is shown with that attempt, not in the place of the first', () => {
    const { plans, entries } = wholeRun();
    const hash = plans[0]?.hash ?? '';
    const later = journal(
      ...entries.slice(0, 4).map((entry) => [entry.unit, entry.event] as const),
      [RUN_STREAM, { type: 'approval-expired' }],
      [RUN_STREAM, { type: 'resumed', by: ana, generation: 2 }],
      ['as7', { type: 'plan-ready', hash, changes: 1, risk: 'disruptive' }],
      [RUN_STREAM, { type: 'approval-requested', generation: 2, risk: 'disruptive', expiresAtMs: 1, roles: [] }],
    );

    const posts = postsOf(run({ state: 'awaiting-approval' }), plans, later);

    expect(posts.map((post) => post.kind)).toEqual(['plan', 'approval', 'note', 'note', 'plan', 'approval']);
    expect(plainText(posts[1]?.message ?? { text: '', blocks: [] })).toContain('expired, nothing was changed');
  });
});

describe('the run as JSON', () => {
  test('has outcome, plan hashes, steps, votes and times in a form that scripts can compare', () => {
    const { run, plans, entries } = wholeRun();

    const json = runJson(run, plans, foldMore(emptyFold(), entries));

    expect(json).toMatchObject({
      version: 1,
      run: 418,
      state: 'done',
      simulated: true,
      createdAt: '2026-11-22T14:00:00.000Z',
      tookMs: 15_000,
      approval: { state: 'approved', votes: [{ by: 'U0BEN', vote: 'approve' }] },
      units: [
        {
          unit: 'as7',
          planHash: plans[0]?.hash,
          state: 'done',
          steps: [
            { step: 'identify-card', state: 'satisfied' },
            { step: 'disable-secure-boot', state: 'applied', tookMs: 80_000 },
            { step: 'read-mode', state: 'later' },
          ],
        },
      ],
    });
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
  });
});
