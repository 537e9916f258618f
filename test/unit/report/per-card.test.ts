import { describe, expect, test } from 'vitest';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import { RUN_STREAM } from '../../../src/domain/journal.ts';
import type { Failure } from '../../../src/domain/outcome.ts';
import type { Run, TargetNote, UnitRecord } from '../../../src/domain/run.ts';
import { emptyFold, foldMore } from '../../../src/report/journal-fold.ts';
import { runJson } from '../../../src/report/json.ts';
import { legalButtons } from '../../../src/report/legal-buttons.ts';
import type { ChatMessage } from '../../../src/report/message.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { planMessages } from '../../../src/report/plan-message.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { runCard } from '../../../src/report/run-card.ts';
import { foldJournal } from '../../../src/report/run-view.ts';
import { failure, journal, plan, planned, run, START_MS, unit } from './samples.ts';
import { activeMarks, complaints } from './slack-limits.ts';

const controller: Failure = {
  code: 'controller-sku',
  kind: 'permanent',
  what: 'b-dpu1 is a B3220SH.',
  why: 'It is a self-hosted controller.',
  next: 'Use a networking DPU in this slot.',
  deviceState: 'unchanged',
};
const noCrypto = 'its crypto is disabled: no IPsec offload';
const fine: TargetNote = { target: 'b-dpu0', outcome: 'done', warnings: [noCrypto] };
const refused: TargetNote = { target: 'b-dpu1', outcome: 'refused', failure: controller, warnings: [] };

function hostB(extra: Partial<UnitRecord> = {}): UnitRecord {
  return unit('b', { state: 'refused', targets: ['b-dpu0', 'b-dpu1'], targetNotes: [fine, refused], ...extra });
}

function ofHosts(units: readonly UnitRecord[], extra: Partial<Run> = {}): Run {
  return run({ state: 'refused', units: Object.fromEntries(units.map((record) => [record.unit, record])), ...extra });
}

function cardText(record: Run): string {
  return plainText(runCard(foldJournal(record, [], []), START_MS));
}

function postTexts(record: Run, ...events: readonly (readonly [string, JournalEvent])[]): string[] {
  return postsOf(record, [], journal(...events)).map((post) => plainText(post.message));
}

const end = [RUN_STREAM, { type: 'run-ended', state: 'refused', summary: '1 host: 1 refused' }] as const;

describe('the card of a run that has ended', () => {
  test('says per card what became of it, with warnings, and with reason and remedy of a refusal', () => {
    const text = cardText(ofHosts([hostB()]));

    expect(text).toContain(`• b-dpu0: done\n    • warning: ${noCrypto}`);
    expect(text).toContain(
      '• b-dpu1: left out\n    • refused: b-dpu1 is a B3220SH. It is a self-hosted controller. Next: Use a networking DPU in this slot.',
    );
  });

  test('does not repeat the remedy of a failure that stands below in full', () => {
    const text = cardText(ofHosts([hostB({ failure: controller })]));

    expect(text.split('Use a networking DPU in this slot.')).toHaveLength(2);
  });

  test('of many cards it lists those of which there is more to say than that they are done', () => {
    const others = Array.from({ length: 30 }, (_, index) =>
      unit(`h${index}`, {
        state: 'done',
        targets: [`h${index}-dpu0`],
        targetNotes: [{ target: `h${index}-dpu0`, outcome: 'done', warnings: [] }],
      }),
    );

    const text = cardText(ofHosts([hostB(), ...others]));

    expect(text).toContain('32 targets on 31 units: 31 done, 1 left out');
    expect(text).toContain(`• b-dpu0: warning: ${noCrypto}`);
    expect(text).toContain('• b-dpu1: refused: b-dpu1 is a B3220SH.');
    expect(text).not.toContain('h13-dpu0');
  });

  test('warnings stand there while the run still works on the host', () => {
    const working = unit('b', { state: 'running', targets: ['b-dpu0'] });
    const entries = journal([
      'b',
      { type: 'step-satisfied', step: 'identify-card', target: 'b-dpu0', reason: 'known', warning: noCrypto },
    ]);

    const text = plainText(runCard(foldJournal(ofHosts([working], { state: 'running' }), [], entries), START_MS));

    expect(text).toContain(`warning: ${noCrypto}`);
  });
});

describe('the message at the end of a run', () => {
  test('has a row for each card, also for one that was left out when the plan was made', () => {
    const [text = ''] = postTexts(ofHosts([hostB()]), end);

    expect(text).toMatch(/^b-dpu0 +done/m);
    expect(text).toMatch(/^b-dpu1 +refused/m);
    expect(text).toContain(`• b-dpu0: warning: ${noCrypto}`);
    expect(text).toContain('• b-dpu1: refused: b-dpu1 is a B3220SH. It is a self-hosted controller. Next: Use a');
  });

  test('a card of a host whose own step failed is not called done', () => {
    const host: TargetNote = { target: 'b', outcome: 'failed', failure, warnings: [] };
    const record = hostB({ state: 'failed', targetNotes: [fine, host] });

    const texts = postTexts(
      ofHosts([record]),
      ['b', { type: 'step-applied', step: 's', target: 'b-dpu0', reason: '', verdicts: [], tookMs: 1 }],
      ['b', { type: 'step-failed', step: 'install-doca', target: 'b', outcome: 'failed', failure }],
      end,
    );

    expect(texts.at(-1)).toMatch(/^b-dpu0 +not finished/m);
    expect(texts.at(-1)).toMatch(/^b +failed: install-doca/m);
  });

  test.each([
    [true, 'planned'],
    [false, 'not started'],
  ])('cards of a host whose turn did not come are not called right (plan only: %s)', (planOnly, words) => {
    const waits: TargetNote = { target: 'b-dpu0', outcome: 'satisfied', warnings: [] };
    const record = hostB({ state: 'planned', targetNotes: [waits, refused] });

    const texts = postTexts(ofHosts([record], { planOnly }), end);

    expect(texts.at(-1)).toMatch(new RegExp(`^b-dpu0 +${words}`, 'm'));
    expect(texts.at(-1)).toMatch(/^b-dpu1 +refused/m);
  });

  test('a card that came to its end counts as done, also when another card of the host failed', () => {
    const other: TargetNote = { target: 'b-dpu1', outcome: 'failed', failure, warnings: [] };
    const record = hostB({ state: 'failed', targetNotes: [fine, other] });

    const texts = postTexts(
      ofHosts([record]),
      ['b', { type: 'step-failed', step: 's', target: 'b-dpu1', outcome: 'failed', failure }],
      end,
    );

    expect(texts.at(-1)).toMatch(/^b-dpu0 +done/m);
  });

  test('sixty refused cards are told within the limits of Slack', () => {
    const long = { ...controller, what: 'x'.repeat(900), why: 'y'.repeat(900), next: 'z'.repeat(900) };
    const units = Array.from({ length: 60 }, (_, index) =>
      unit(`h${index}`, { state: 'refused', targetNotes: [{ ...refused, target: `h${index}-dpu0`, failure: long }] }),
    );

    const [post] = postsOf(ofHosts(units), [], journal(end));

    expect(post && complaints(post.message)).toEqual([]);
    expect(post && plainText(post.message)).toContain('h59-dpu0');
  });
});

describe('activation pending', () => {
  const pending: TargetNote = { target: 'b-dpu0', outcome: 'activation-pending', warnings: [] };
  const record = ofHosts([hostB({ state: 'activation-pending', targets: ['b-dpu0'], targetNotes: [pending] })], {
    state: 'activation-pending',
  });

  test('is said in words by the card, for run, host and card of the host', () => {
    const text = cardText(record);

    expect(text).toContain('Done, activation pending');
    expect(text).toContain('b: done, activation pending');
    expect(text).toContain('b-dpu0: done, activation pending');
    expect(text).toContain('[Details]');
    expect(text).not.toContain('[Resume]');
  });

  test('is said in words by the ends of host and run', () => {
    const [host = '', whole = ''] = postTexts(
      record,
      ['b', { type: 'unit-ended', state: 'activation-pending', summary: 'firmware is staged' }],
      [RUN_STREAM, { type: 'run-ended', state: 'activation-pending', summary: '1 host' }],
    );

    expect(host).toBe('b: done, activation pending. firmware is staged');
    expect(whole).toContain('Run 418 (SIMULATED): Done, activation pending');
    expect(whole).toMatch(/^b-dpu0 +done, activation pending/m);
  });
});

describe('work that only a person can do', () => {
  const byHand: Failure = { ...failure, code: 'activation-by-hand', next: 'Switch b off and on. Then press Done.' };

  test('has a Done button beside what to do', () => {
    const text = cardText(ofHosts([hostB({ state: 'needs-human', failure: byHand })], { state: 'needs-human' }));

    expect(text).toContain('Next: Switch b off and on. Then press Done.');
    expect(text).toContain('[Done] [Details]');
  });

  test.each([
    ['another code', [hostB({ state: 'needs-human', failure })], ['resume', 'details']],
    [
      'another host that failed',
      [hostB({ state: 'needs-human', failure: byHand }), unit('c', { state: 'failed', failure })],
      ['resume', 'details'],
    ],
    [
      'another host that was left out',
      [hostB({ state: 'needs-human', failure: byHand }), unit('c', { state: 'refused', failure: controller })],
      ['done', 'details'],
    ],
    ['no code at all', [hostB({ state: 'needs-human' })], ['resume', 'details']],
  ] as const)('with %s the buttons fit that', (_what, units, buttons) => {
    expect(legalButtons(ofHosts(units, { state: 'needs-human' }))).toEqual(buttons);
  });
});

describe('warnings in the thread', () => {
  const satisfied = [
    'b',
    { type: 'step-satisfied', step: 's', target: 'b-dpu0', reason: 'ok', warning: noCrypto },
  ] as const;

  test('of a step that changed nothing make a message of their own, once', () => {
    const resumed = [RUN_STREAM, { type: 'resumed', by: run().requester, generation: 2 }] as const;

    const posts = postsOf(ofHosts([hostB()]), [], journal(satisfied, resumed, satisfied));

    expect(posts.map((post) => post.kind)).toEqual(['milestone', 'note']);
    expect(posts[0] && plainText(posts[0].message)).toBe(`b-dpu0: Warning (s): ${noCrypto}`);
  });

  test('of a step that changed something stand in its message and are not told again', () => {
    const applied = { type: 'step-applied', step: 's', target: 'b-dpu0', reason: 'changed', verdicts: [] } as const;

    const posts = postsOf(
      ofHosts([hostB()]),
      [],
      journal(['b', { ...applied, tookMs: 1000, warning: noCrypto }], satisfied),
    );

    expect(posts).toHaveLength(1);
    expect(posts[0] && plainText(posts[0].message)).toContain(`changed\nWarning: ${noCrypto}`);
  });
});

describe('a snippet', () => {
  function snippet(text: string): ChatMessage | undefined {
    const event = { type: 'snippet', step: 's', target: 'b-dpu0', title: 'Installer log', text } as const;
    const ended = { type: 'unit-ended', state: 'done', summary: 'Done.' } as const;
    return postsOf(ofHosts([hostB()]), [], journal(['b', event], ['b', ended]))[0]?.message;
  }

  test('is a code block in which nothing is active, with redactions as they are', () => {
    const message = snippet('INFO[BL2]: start\n<!channel> ```\npassword: [redacted]');

    expect(message && plainText(message)).toBe(
      'Installer log (b-dpu0)\nINFO[BL2]: start\n<!channel> ```\npassword: [redacted]',
    );
    expect(JSON.stringify(message?.blocks)).toContain('rich_text_preformatted');
    expect(message && activeMarks(message)).toEqual([]);
  });

  test('of many lines shows the last forty and says so', () => {
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index + 1}.`);

    const text = plainText(snippet(lines.join('\n')) ?? { text: '', blocks: [] });

    expect(text).toContain('Installer log (b-dpu0, the last 40 lines of 100)');
    expect(text).not.toContain('line 60.');
    expect(text).toContain('line 61.\n');
    expect(text).toContain('line 100.');
  });

  test('of very long lines is cut so that its end is there', () => {
    const message = snippet(`${'x'.repeat(5000)}\n${'y'.repeat(5000)}\nthe end`);

    expect(message && complaints(message)).toEqual([]);
    expect(message && plainText(message)).toMatch(/…\nthe end$/);
  });
});

describe('the plan of a flash', () => {
  const flash = planned('install-bfb', 'b-dpu0', { title: 'Install the BFB', risk: 'destructive' });
  const made = plan('b', [
    planned('install-doca', 'b', { title: 'Install DOCA', reboots: [] }),
    planned('identify-card', 'b-dpu0', { state: 'satisfied', reason: 'known', risk: 'read', warning: noCrypto }),
    flash,
    planned('set-dpu-mode', 'b-dpu1', { title: 'Set the mode', risk: 'destructive' }),
    planned('activate-firmware', 'b', {
      title: 'Activate firmware',
      state: 'satisfied',
      reason: 'staged',
      pending: true,
    }),
  ]);

  function textOf(...plans: Parameters<typeof planMessages>[0]): string {
    return planMessages(plans, 418)
      .map((message) => plainText(message))
      .join('\n');
  }

  test('says that all files on the card are erased, and says it of no other destructive step', () => {
    const text = textOf(made);

    expect(text).toContain('Will change: Install the BFB (destructive)');
    expect(text).toContain('    • All files on b-dpu0 are erased.');
    expect(text).not.toContain('All files on b-dpu1');
    expect(textOf(plan('b', [{ ...flash, state: 'deferred', reason: 'after DOCA' }]))).toContain('are erased');
    expect(textOf(plan('b', [{ ...flash, state: 'satisfied', reason: 'runs' }]))).not.toContain('are erased');
  });

  test('names the host that a host step touches, and shows warnings and what waits below their steps', () => {
    const text = textOf(made);

    expect(text).toContain('Will change: Install DOCA (disruptive): Secure Boot of b is switched off');
    expect(text).toContain(`Right already: identify card: known\n    • Warning: ${noCrypto}`);
    expect(text).toContain('Right already: Activate firmware: staged\n    • Activation pending');
  });

  test('the request for approval names the cards whose files are erased', () => {
    const entries = journal(
      ['b', { type: 'plan-ready', hash: made.hash, changes: 3, risk: 'destructive' }],
      [
        RUN_STREAM,
        { type: 'approval-requested', generation: 1, risk: 'destructive', expiresAtMs: START_MS, roles: ['admins'] },
      ],
    );

    const posts = postsOf(ofHosts([hostB()], { state: 'awaiting-approval' }), [made], entries);

    expect(plainText(posts.at(-1)?.message ?? { text: '', blocks: [] })).toContain('Erased: all files on b-dpu0');
  });
});

test('the JSON form has outcome, warnings and failure of each card, and warnings of steps', () => {
  const entries = journal([
    'b',
    { type: 'step-satisfied', step: 's', target: 'b-dpu0', reason: 'ok', warning: noCrypto },
  ]);

  const json = runJson(ofHosts([hostB()]), [], foldMore(emptyFold(), entries));

  expect(json).toMatchObject({
    units: [
      {
        targets: [
          { target: 'b-dpu0', outcome: 'done', warnings: [noCrypto], failure: null },
          { target: 'b-dpu1', outcome: 'refused', state: 'refused', failure: { code: 'controller-sku' } },
        ],
        steps: [{ step: 's', warning: noCrypto }],
      },
    ],
  });
});
