import { describe, expect, test } from 'vitest';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import { RUN_STREAM } from '../../../src/domain/journal.ts';
import type { PlannedStep } from '../../../src/domain/plan.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { postsOf } from '../../../src/report/posts.ts';
import { failure, journal, plan, planned, run, unit } from './samples.ts';

const small = (step: string): PlannedStep => planned(step, 'as7-dpu0', { title: `Do ${step}`, risk: 'change' });
const steps = [
  small('pin'),
  small('ntp'),
  planned('flash', 'as7-dpu0', { title: 'Flash', risk: 'destructive' }),
  small('mtu'),
];
const made = plan('as7', steps);
const ended: JournalEvent = { type: 'unit-ended', state: 'done', summary: 'All applied.' };

const applied = (step: string, more: object = {}): JournalEvent => ({
  type: 'step-applied',
  step,
  target: 'as7-dpu0',
  reason: `${step} is as wanted`,
  verdicts: [{ check: `${step} setting`, pass: true, expected: 'on', actual: 'on' }],
  tookMs: 2_000,
  risk: step === 'flash' ? 'destructive' : 'change',
  ...more,
});
const snippet = (title: string, more: object = {}): JournalEvent => ({
  type: 'snippet',
  step: 'flash',
  target: 'as7-dpu0',
  title,
  text: `what ${title} showed`,
  ...more,
});

function thread(...events: readonly JournalEvent[]): readonly (readonly [string, string])[] {
  const ready: JournalEvent = { type: 'plan-ready', hash: made.hash, changes: 4, risk: 'destructive' };
  const entries = journal(...[ready, ...events].map((event): [string, JournalEvent] => ['as7', event]));
  const running = run({ state: 'running', units: { as7: unit('as7', { state: 'running', planHash: made.hash }) } });
  return postsOf(running, [made], entries).map(({ kind, message }) => [kind, plainText(message)]);
}

describe('what a unit has done', () => {
  test('in small steps is told with the next risky one, in one message with what the console showed', () => {
    const posts = thread(applied('pin'), applied('ntp'), snippet('Push'), applied('flash'));

    expect(posts).toHaveLength(1);
    const [kind, text] = posts[0] ?? [];
    expect(kind).toBe('milestone');
    expect(text).toContain('as7: 3 steps done in 6.0 s');
    expect(text).toContain('• Do pin (as7-dpu0): pin is as wanted');
    expect(text).toContain('• Flash (as7-dpu0): flash is as wanted');
    expect(text).toMatch(/Do ntp .*\n +• Checked ntp setting: on\n/);
    expect(text).toContain('Push (as7-dpu0)\nwhat Push showed');
  });

  test('is told before the end, and alone as before', () => {
    const posts = thread(applied('flash'), applied('mtu'), ended);

    expect(posts.map(([kind]) => kind)).toEqual(['milestone', 'milestone', 'unit-end']);
    expect(posts[1]?.[1]).toBe('as7-dpu0: Do mtu done in 2.0 s\nmtu is as wanted\nChecked mtu setting: on');
  });

  test('is told before a wait, a failure and a new plan, with all that was shown', () => {
    const waiting: JournalEvent = {
      type: 'step-waiting',
      step: 'flash',
      target: 'as7-dpu0',
      reason: 'locked',
      untilMs: 1,
    };
    const failed: JournalEvent = { type: 'step-failed', step: 'flash', target: 'as7-dpu0', outcome: 'failed', failure };
    const again: JournalEvent = { type: 'plan-ready', hash: made.hash, changes: 1, risk: 'change' };

    const posts = thread(applied('pin'), waiting, applied('ntp'), snippet('Console'), failed, applied('mtu'), again);

    expect(posts.map(([kind]) => kind)).toEqual(['milestone', 'waiting', 'milestone', 'needs-human', 'milestone']);
    expect(posts[2]?.[1]).toContain('what Console showed');
    expect(posts[4]?.[1]).toContain('Do mtu done');
  });

  test('keeps its warnings, and a file comes in a message of its own after what was before it', () => {
    const file = { id: 'f1', name: 'log.txt', mimeType: 'text/plain', bytes: 5 };

    const posts = thread(
      applied('pin', { warning: 'odd' }),
      applied('ntp'),
      snippet('Log', { file }),
      snippet('More'),
      ended,
    );

    expect(posts.map(([kind]) => kind)).toEqual(['milestone', 'snippet', 'snippet', 'unit-end']);
    expect(posts[0]?.[1]).toContain('Warning: odd');
    expect(posts[2]?.[1]).toContain('what More showed');
  });

  test('loses no check, however many steps come together', () => {
    const verdicts = (step: string) =>
      [1, 2, 3].map((number) => ({ check: `${step} ${number}`, pass: true, expected: 'on', actual: 'on' }));
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];

    const posts = thread(...names.map((name) => applied(name, { verdicts: verdicts(name) })), ended);

    expect(posts.map(([kind]) => kind)).toEqual(['milestone', 'unit-end']);
    for (const name of names) expect(posts[0]?.[1]).toContain(`Checked ${name} 1: on; ${name} 2: on; ${name} 3: on`);
  });

  test('is told in several messages where one has no room for it, and nothing of it is cut off', () => {
    const long = (title: string) => snippet(title, { text: `${`${title} `.repeat(10)}\n`.repeat(39) });
    const names = Array.from({ length: 20 }, (_, index) => `s${index}`);

    const steps = thread(...names.map((name) => applied(name, { reason: `${name} ${'x'.repeat(500)}` })), ended);
    const shown = thread(...['One', 'Two', 'Three', 'Four', 'Five'].map(long), ended);

    expect(steps.map(([kind]) => kind)).toEqual(['milestone', 'milestone', 'milestone', 'unit-end']);
    for (const name of names) expect(steps.some(([, text]) => text.includes(`${name} setting: on`))).toBe(true);
    expect(shown.map(([kind]) => kind)).toEqual(['snippet', 'snippet', 'unit-end']);
    for (const name of ['One', 'Two', 'Three', 'Four', 'Five'])
      expect(shown.some(([, text]) => text.includes(`${name} ${name}`))).toBe(true);
    expect(JSON.stringify([steps, shown])).not.toContain('left out here');
  });

  test('is told at the end of the run by whose death nobody said a word of the unit', () => {
    const entries = journal(
      ['as7', applied('pin')],
      [RUN_STREAM, { type: 'swept', unit: 'as7', generation: 1, reason: 'its worker is gone' }],
      [RUN_STREAM, { type: 'run-ended', state: 'cancelled', summary: '1 host: 1 cancelled' }],
    );
    const cancelled = run({ state: 'cancelled', units: { as7: unit('as7', { state: 'cancelled' }) } });

    expect(postsOf(cancelled, [], entries).map(({ kind }) => kind)).toEqual(['note', 'milestone', 'run-end']);
  });
});
