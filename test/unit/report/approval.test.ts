import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import { RUN_STREAM } from '../../../src/domain/journal.ts';
import { approvalDirectMessage, approvalMessage } from '../../../src/report/approval-message.ts';
import type { ApprovalRequest } from '../../../src/report/approval-standing.ts';
import { approvalStanding, voteText } from '../../../src/report/approval-standing.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { situation } from './arbitraries.ts';
import { ana, ben, failure, journal, plan, planned, run, START_MS, wholeRun } from './samples.ts';
import { activeMarks, complaints } from './slack-limits.ts';

const LINK = 'https://lab.slack.test/archives/C1/p1';
/** Marks the house itself makes: the sample people, the channel, the thread, and dates. */
const OURS =
  /^<(@U0(ANA|BEN)|#C1|https:\/\/lab\.slack\.test\/archives\/C1\/p1\|open the thread|!date\^\d+\^[^<>|]+\|[^<>|]+)>$/;

const { approval } = wholeRun().run;
const request: ApprovalRequest = {
  type: 'approval-requested',
  generation: 1,
  risk: 'disruptive',
  expiresAtMs: START_MS + 3_600_000,
  roles: ['approvers'],
};

function open(extra: Partial<NonNullable<typeof approval>> = {}) {
  if (approval === undefined) throw new Error('the sample has no approval');
  return run({ state: 'awaiting-approval', approval: { ...approval, state: 'open', votes: [], ...extra } });
}

/** Where the request stands after these events. */
function after(...events: readonly JournalEvent[]) {
  return approvalStanding(open(), request, journal(...events.map((event) => [RUN_STREAM, event] as const)));
}

describe('the direct message to an approver', () => {
  test('is within the limits of Slack whatever the run, and nothing in foreign text is active', () => {
    fc.assert(
      fc.property(situation, ({ run: any, plans, entries }) => {
        for (const [index, { event }] of entries.entries()) {
          if (event.type !== 'approval-requested') continue;
          const standing = approvalStanding(any, event, entries.slice(index + 1));
          for (const outcome of [standing.outcome, undefined]) {
            const message = approvalDirectMessage(any, plans, event, { ...standing, outcome }, { link: LINK });
            expect(complaints(message)).toEqual([]);
            expect(activeMarks(message).filter((mark) => !OURS.test(mark))).toEqual([]);
            expect(message.blocks.at(-1)?.type === 'actions').toBe(outcome === undefined);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('names what will be trusted in full, and what is left out with the reason', () => {
    const made = plan('as7', [planned('pin', 'as7-dpu0')], {
      pins: [{ target: 'as7-dpu0', kind: 'bmc-certificate', sha256: 'ab12'.repeat(16) }],
      imageHash: 'cd34'.repeat(16),
      refused: [{ target: 'as7-dpu1', failure }],
    });

    const text = plainText(approvalDirectMessage(open(), [made], request, after(), { link: LINK }));

    expect(text).toContain(`BMC certificate of as7-dpu0, SHA-256 \`${'ab12'.repeat(16)}\``);
    expect(text).toContain(`Image: SHA-256 \`${'cd34'.repeat(16)}\``);
    expect(text).toContain('as7-dpu1 is left out: as7-dpu0 did not come back.');
  });

  test('of a plan that is too long says where the rest is, and keeps the buttons', () => {
    const plans = Array.from({ length: 60 }, (_, index) =>
      plan(
        `as${index}`,
        Array.from({ length: 12 }, (__, step) => planned(`step-${step}`, `as${index}-dpu0`)),
      ),
    );

    const message = approvalDirectMessage(open(), plans, request, after(), {});

    expect(plainText(message)).toContain('The rest of the plan is in the thread.');
    expect(plainText(message)).toContain('[Approve]');
  });

  test('a chat that gives no good address gets no link', () => {
    const text = JSON.stringify(approvalDirectMessage(open(), [], request, after(), { link: 'https://x|<!channel>' }));

    expect(text).not.toContain('channel>');
    expect(text).toContain('in <#C1>');
  });
});

describe('the request in the thread', () => {
  test.each<[string, Partial<ApprovalRequest>, string]>([
    ['one person', { wanted: 1 }, 'May approve: one person of role approvers; not @U0ANA'],
    ['one person, where an older worker asked', {}, 'May approve: one person of role approvers; not @U0ANA'],
    ['several people', { wanted: 3 }, 'May approve: 3 different people of role approvers; not @U0ANA'],
    [
      'two roles',
      { wanted: 2, roles: ['approvers', 'security'] },
      'May approve: 2 different people, at least one of role approvers and one of role security; not @U0ANA',
    ],
    ['nobody', { roles: [] }, 'May approve: Nobody is allowed to by the policy'],
  ])('says that %s may approve, until when, and what happens then', (_who, extra, expected) => {
    const text = plainText(approvalMessage(open(), [], { ...request, ...extra }, after()));

    expect(text).toContain(expected);
    expect(text).toContain(
      'Expires: 2026-11-22 15:00:00 UTC. Without a decision by then nothing is changed, and `/dpu resume 418` makes a fresh plan.',
    );
  });

  test('names whoever set the run going again: that person may not approve it either', () => {
    const text = plainText(approvalMessage(open({ askers: [ana, ben] }), [], request, after()));

    expect(text).toContain('@U0ANA asked for `/dpu provision rack1`; set going again by @U0BEN');
    expect(text).toContain('not @U0ANA or @U0BEN');
  });

  test('says how many have approved, and which role is still missing', () => {
    const vote = { type: 'vote', by: ben, vote: 'approve', given: 1, wanted: 2 } as const;
    const missing = '1 more approval by role security, not by Ana';

    const text = plainText(approvalMessage(open(), [], request, after({ ...vote, missing })));

    expect(text).toContain(`So far: 1 of 2 approvals, approved by @U0BEN; still needed: ${missing}`);
    expect(text).toContain('[Approve]');
    expect(voteText({ ...vote, missing })).toBe(`<@U0BEN> approved the plan (1 of 2). Still needed: ${missing}.`);
  });

  test('that was cancelled says by whom, and has no buttons any more', () => {
    const standing = after({ type: 'cancel-requested', by: ben, note: 'stops before the next step' });

    const text = plainText(approvalMessage(open(), [], request, standing));

    expect(text).toContain('Run 418 was cancelled');
    expect(text).toContain('Outcome: cancelled by @U0BEN before it was approved');
    expect(text).not.toContain('[Approve]');
  });

  test('of two approvals names both people and their reasons', () => {
    const vote = { type: 'vote', vote: 'approve', wanted: 2 } as const;
    const standing = after({ ...vote, by: ben, given: 1 }, { ...vote, by: ana, given: 2, reason: 'looked at <both>' });

    expect(standing.outcome).toEqual({
      headline: 'was approved',
      text: 'approved by <@U0BEN>, approved by <@U0ANA> (looked at &lt;both&gt;)',
    });
  });
});
