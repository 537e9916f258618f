import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RUN_STREAM } from '../../../src/domain/journal.ts';
import type { RunState } from '../../../src/domain/run.ts';
import { approvalMessage } from '../../../src/report/approval-message.ts';
import { failureAnswer, helpAnswer, runsAnswer, tableAnswer, textAnswer } from '../../../src/report/answers.ts';
import { parseRunButton, runButtons } from '../../../src/report/blocks.ts';
import { fitMessage } from '../../../src/report/limits.ts';
import type { ChatMessage } from '../../../src/report/message.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { planMessages } from '../../../src/report/plan-message.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { runCard } from '../../../src/report/run-card.ts';
import { foldJournal } from '../../../src/report/run-view.ts';
import { situation } from './arbitraries.ts';
import { foreignText } from './foreign-text.ts';
import { failure, journal, plan, planned, run, START_MS, unit, wholeRun } from './samples.ts';
import { activeMarks, complaints } from './slack-limits.ts';

/** Marks the house itself may make: the two sample people, and dates. */
const OURS = /^<(@U0(ANA|BEN)|!date\^\d+\^[^<>|]+\|[^<>|]+)>$/;

function expectSound(message: ChatMessage): void {
  expect(complaints(message)).toEqual([]);
  expect(activeMarks(message).filter((mark) => !OURS.test(mark))).toEqual([]);
}

describe('whatever the run', () => {
  test('card and thread are within the limits of Slack, and nothing in foreign text is active', () => {
    fc.assert(
      fc.property(situation, ({ run, plans, entries, progress }) => {
        expectSound(runCard(foldJournal(run, plans, entries, progress), START_MS + 90_000));
        for (const message of planMessages(plans, run.id)) expectSound(message);
        for (const post of postsOf(run, plans, entries)) expectSound(post.message);
      }),
      { numRuns: 120 },
    );
  });

  test('answers are within the limits of Slack, and nothing in foreign text is active', () => {
    fc.assert(
      fc.property(foreignText, fc.array(fc.array(foreignText, { maxLength: 25 }), { maxLength: 120 }), (text, rows) => {
        expectSound(textAnswer(text));
        const refused = failureAnswer({ ...failure, what: text, why: text, next: text, evidence: text });
        expectSound({ text: refused.text, blocks: refused.blocks });
        expectSound(
          tableAnswer(
            text === '' ? 'Title' : text,
            ['a', 'b'],
            rows.map((row) => ['x', ...row]),
          ),
        );
        expectSound(runsAnswer([run({ text, requester: { userId: 'U0ANA', teamId: 'T1', displayName: text } })]));
        expectSound(helpAnswer('Help', [{ usage: text, summary: text, remark: text, details: [text, text] }], text));
      }),
      { numRuns: 60 },
    );
  });

  test('the plain text of every message can be written', () => {
    fc.assert(
      fc.property(situation, ({ run, plans, entries, progress }) => {
        const card = runCard(foldJournal(run, plans, entries, progress), START_MS);
        expect(plainText(card)).toContain('Run 418');
      }),
      { numRuns: 30 },
    );
  });
});

describe('fitting a message', () => {
  test('surplus blocks are replaced by a line that says so, and the buttons stay last', () => {
    const blocks = Array.from({ length: 80 }, (_, index) => textAnswer(`line ${index}`).blocks).flat();
    const buttons = runButtons(418, 1, ['details']);

    const fitted = fitMessage({ text: 't', blocks: [...blocks, ...(buttons === undefined ? [] : [buttons])] });

    expect(fitted.blocks).toHaveLength(50);
    expect(fitted.blocks.at(-1)?.type).toBe('actions');
    expect(JSON.stringify(fitted.blocks.at(-2))).toContain('left out');
    expect(complaints(fitted)).toEqual([]);
  });

  test('a message within the limits is not changed', () => {
    const { run, plans, entries } = wholeRun();
    const card = runCard(foldJournal(run, plans, entries), START_MS);

    expect(fitMessage(card)).toEqual(card);
  });
});

describe('the card', () => {
  test('a run that waits for approval says risk, who may approve and until when, and has the buttons', () => {
    const { plans, entries } = wholeRun();
    const waiting = run({
      state: 'awaiting-approval',
      units: { as7: unit('as7', { state: 'planned', planHash: plans[0]?.hash ?? '' }) },
    });

    const card = runCard(foldJournal(waiting, plans, entries.slice(0, 4)), START_MS);
    const text = plainText(card, () => 'ana');

    expect(text).toContain('Waiting for approval');
    expect(text).toContain('SIMULATED · asked for by Ana');
    expect(text).toContain('May approve: approvers. Expires 2026-11-22 15:00 UTC.');
    expect(text).toContain('[Approve] [Reject] [Cancel] [Details]');
  });

  test('a running step shows position, reason, running time and limit in words', () => {
    const { plans, entries } = wholeRun();
    const running = run({
      state: 'running',
      units: { as7: unit('as7', { state: 'running', planHash: plans[0]?.hash ?? '' }) },
    });
    const sign = {
      step: 'disable-secure-boot',
      target: 'as7-dpu0',
      text: 'waiting for the second Arm reboot',
      lastLine: 'INFO[BL31]: <!channel>',
      sinceMs: START_MS,
      limitMs: 300_000,
      stepIndex: 1,
      stepCount: 3,
      updatedAtMs: START_MS,
    };

    const card = runCard(
      foldJournal(running, plans, entries.slice(0, 12), new Map([['as7', sign]])),
      START_MS + 80_000,
    );

    expect(plainText(card)).toContain(
      'Step 2 of 3, disable secure boot on as7-dpu0: waiting for the second Arm reboot, 1:20 of at most 5:00',
    );
    expect(plainText(card)).toContain('Last output: `INFO[BL31]: <!channel>`');
    expect(activeMarks(card).filter((mark) => !OURS.test(mark))).toEqual([]);
  });

  test('sixty cards are counted, not listed, and those at work are named', () => {
    const names = Array.from({ length: 60 }, (_, index) => `host-${index}`);
    const units = names.map((name, index) => unit(name, { state: index < 40 ? 'done' : 'queued' }));
    const plans = names.map((name) => plan(name, [planned('s1', `${name}-dpu0`, { state: 'satisfied' })]));
    const many = run({
      state: 'running',
      units: Object.fromEntries(
        units.map((record, index) => [
          record.unit,
          { ...record, targets: [`${record.unit}-dpu0`], planHash: plans[index]?.hash ?? '' },
        ]),
      ),
    });

    const text = plainText(runCard(foldJournal(many, plans, []), START_MS));

    expect(text).toContain('60 targets on 60 units: 60 done');
    expect(text).not.toContain('host-13');
  });

  test('a failed unit is told as what, why, next and the state of the device', () => {
    const failed = run({ state: 'needs-human', units: { as7: unit('as7', { state: 'needs-human', failure }) } });

    const text = plainText(runCard(foldJournal(failed, [], []), START_MS));

    expect(text).toContain('What: as7-dpu0 did not come back.');
    expect(text).toContain('Next: Read the console.');
    expect(text).toContain('State: The device was changed before this happened.');
    expect(text).toContain('runbook `docs/runbooks/dpu-not-ready.md`');
    expect(text).toContain('[Resume] [Details]');
  });

  test('a finished run says who asked, who approved, and per card what changed and what was right already', () => {
    const { run: ended, plans, entries } = wholeRun();

    const text = plainText(runCard(foldJournal(ended, plans, entries), START_MS), (id) => id.slice(2).toLowerCase());

    expect(text).toContain('SIMULATED · asked for by Ana · approved by @ben · ended 2026-11-22 14:00 UTC');
    expect(text).toContain(
      ['as7: done in 7.0 s', '• as7-dpu0: done, 1 step changed it, 1 was right already'].join('\n'),
    );
    expect(text).not.toContain('identify card');
  });

  test.each<RunState>(['done', 'failed', 'rejected'])('a run that is %s has no Approve and no Cancel', (state) => {
    const text = JSON.stringify(runCard(foldJournal(run({ state }), [], []), START_MS).blocks);

    expect(text).not.toMatch(/run:(approve|cancel)/);
  });
});

describe('the plan', () => {
  test('says per card what is right, what changes from what to what, what is known later, and what reboots', () => {
    const { plans } = wholeRun();

    const text = plainText(planMessages(plans, 418)[0] ?? { text: '', blocks: [] });

    expect(text).toContain('Plan of run 418 (SIMULATED): 1 change');
    expect(text).toContain('• Right already: identify card: it is the card of the inventory');
    expect(text).toContain(
      '• Will change: disable secure boot (disruptive): Secure Boot of as7-dpu0 is switched off\n',
    );
    expect(text).toContain('• Later: read mode: known after the reset');
    expect(text).toContain('Reboots: Arm side of as7-dpu0: 2 times');
    expect(text).toContain(`Plan \`${plans[0]?.hash.slice(0, 12)}\``);
  });

  test('a fingerprint is shown in full exactly once: where it says what will be pinned', () => {
    const sha256 = 'ab12cd34'.repeat(8);
    const change = { target: 'd0', from: 'not pinned', to: sha256, text: `d0 will be trusted: SHA-256 ${sha256}` };
    const made = plan('as7', [planned('pin', 'd0', { changes: [change], risk: 'change', reboots: [] })], {
      pins: [{ target: 'd0', kind: 'bmc-certificate', sha256 }],
    });

    const text = plainText(planMessages([made], 418)[0] ?? { text: '', blocks: [] });

    expect(text.split(sha256)).toHaveLength(2);
    expect(text).toContain(`Will be pinned: BMC certificate of d0, SHA-256 \`${sha256}\``);
    expect(text).toContain('Will change: pin: d0 will be trusted: SHA-256 ab12cd34ab12cd34…');
  });

  test('with nothing to change, every step is there with the reason why it is right', () => {
    const right = { state: 'satisfied', risk: 'read', changes: [], reboots: [] } as const;
    const made = plan('as7', [
      planned('reach-the-host', 'as7', { ...right, reason: 'Debian 12, sudo without a password' }),
      planned('identify-card', 'as7-dpu0', { ...right, serial: 'MT1', reason: 'B3240, PCIe 32 GT/s x16' }),
    ]);

    const text = plainText(planMessages([made], 418)[0] ?? { text: '', blocks: [] });

    expect(text).toContain(
      [
        `as7: nothing to change. Plan \`${made.hash.slice(0, 12)}\``,
        '• Right already: reach the host: Debian 12, sudo without a password',
        'as7-dpu0 (serial `MT1`)',
        '• Right already: identify card: B3240, PCIe 32 GT/s x16',
      ].join('\n'),
    );
  });

  test('reboots that only may happen are told apart from those that are expected, with what has to happen for them, and pins and refusals are named', () => {
    const made = plan(
      'as7',
      [
        planned('a', 'd0'),
        planned('b', 'd0', {
          state: 'deferred',
          reboots: [
            { what: 'arm', target: 'd0', times: 15, certainty: 'at-most', when: 'when Secure Boot comes back' },
            { what: 'bmc', target: 'd0', times: 1, certainty: 'at-most' },
          ],
        }),
      ],
      {
        pins: [{ target: 'd0', kind: 'bmc-certificate', sha256: 'ab12' }],
        refused: [{ target: 'd1', failure }],
      },
    );

    const text = plainText(planMessages([made], 418)[0] ?? { text: '', blocks: [] });

    expect(text).toContain(
      'Reboots: Arm side of d0: 2 times expected, at most 17; BMC of d0: none expected, at most 1\n' +
        'More than expected only when Secure Boot comes back, or when the device needs it.\n',
    );
    expect(text).toContain('Will be pinned: BMC certificate of d0, SHA-256 `ab12`');
    expect(text).toContain('d1 is left out:');
    expect(text).toContain('Next: Read the console.');
  });

  test('resets of a step that comes later are expected, not sure: it may find nothing to do', () => {
    const made = plan('as7', [planned('a', 'd0', { state: 'deferred' })]);

    const text = plainText(planMessages([made], 418)[0] ?? { text: '', blocks: [] });

    expect(text).toContain('Reboots: Arm side of d0: 2 times expected');
  });

  test('what its approval asks for names the same reboots, and the files that an update over the BMC erases', () => {
    const made = plan('as7', [planned('update-bfb', 'd0', { state: 'deferred' })]);
    const request = {
      type: 'approval-requested',
      generation: 1,
      risk: 'destructive',
      expiresAtMs: 0,
      roles: [],
    } as const;

    const text = plainText(approvalMessage(run(), [made], request, { outcome: undefined, votes: '' }));

    expect(text).toContain('Reboots: Arm side of d0: 2 times expected');
    expect(text).toContain('Erased: all files on d0');
  });

  test('plans that do not fit into one message are spread over several, none of them cut', () => {
    const steps = (name: string) => Array.from({ length: 12 }, (_, index) => planned(`step-${index}`, `${name}-dpu0`));
    const plans = Array.from({ length: 40 }, (_, index) => plan(`h${index}`, steps(`h${index}`)));

    const messages = planMessages(plans, 418);
    const text = messages.map((message) => plainText(message)).join('\n');

    expect(messages.length).toBeGreaterThan(1);
    for (const { unit: name } of plans) expect(text).toContain(`${name}-dpu0`);
    expect(text).not.toContain('left out here');
  });
});

describe('buttons', () => {
  test('what a button carries is run and generation, and it is read back', () => {
    const element = runButtons(418, 3, ['approve'])?.elements[0];

    expect(element).toMatchObject({ action_id: 'run:approve', value: '418:3' });
    expect(parseRunButton('run:approve', '418:3')).toEqual({ action: 'approve', runId: 418, generation: 3 });
    expect(parseRunButton('run:done', '418:3')).toEqual({ action: 'done', runId: 418, generation: 3 });
  });

  test.each([
    ['run:approve', '418'],
    ['run:approve', '418:3; halt'],
    ['run:unlock', '418:3'],
    ['run:approve', undefined],
  ])('%s with value %s is not ours', (action, value) => expect(parseRunButton(action, value)).toBeUndefined());
});

describe('an inspection', () => {
  const inspected = plan(
    'as7',
    [
      planned('stage-image', 'as7'),
      planned('install-bfb', 'as7-dpu0', { state: 'deferred', risk: 'destructive', reason: 'erases all' }),
      planned('set-mtu', 'as7-dpu0', { state: 'satisfied', changes: [], reboots: [] }),
    ],
    {
      recipe: { name: 'inspect', version: 1 },
      pins: [{ kind: 'bmc-certificate', target: 'as7-dpu0', sha256: 'a'.repeat(64) }],
    },
  );

  test('counts what differs apart from what cannot be seen yet, and speaks of no reboot, pin or erased file', () => {
    const text = planMessages([inspected], 418)
      .map((message) => plainText(message))
      .join('\n');

    expect(text).toContain('Drift seen by run 418 (SIMULATED): 1 difference, 1 not seen yet');
    expect(text).toContain('as7: 1 difference, 1 not seen yet');
    expect(text).not.toMatch(/Reboots|Will be pinned|are erased/);
  });

  test('does not call a host as wanted whose card could not be compared', () => {
    const plans = [
      plan('as7', [], { recipe: { name: 'inspect', version: 1 }, refused: [{ target: 'as7-dpu0', failure }] }),
    ];

    const text = planMessages(plans, 418)
      .map((message) => plainText(message))
      .join('\n');

    expect(text).toContain('as7: no difference, 1 card not compared');
    expect(text).not.toContain('as wanted');
  });

  test('ends without a table of what was done, because nothing was', () => {
    const as7 = unit('as7', { state: 'planned', targets: ['as7-dpu0'] });
    const end = { type: 'run-ended', state: 'planned', summary: '1 host: 1 differing; 1 s in all' } as const;
    const of = run({ recipe: 'inspect', text: 'inspect as7', state: 'planned', planOnly: true, units: { as7 } });

    const posts = postsOf(of, [inspected], journal([RUN_STREAM, end]));

    expect(plainText(posts.at(-1)?.message ?? { text: '', blocks: [] })).not.toContain('Changed');
    expect(plainText(posts.at(-1)?.message ?? { text: '', blocks: [] })).toContain('1 host: 1 differing');
  });
});
