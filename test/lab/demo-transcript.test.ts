import type { KnownBlock } from '@slack/types';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageLines, mrkdwnText } from '../../scripts/demo/block-text.ts';
import { Transcript, wrap } from '../../scripts/demo/transcript.ts';
import type { VisibleMessage } from '../../src/lab/chat/types.ts';

const names = { users: new Map([['U1', 'ana']]), channels: new Map([['C1', 'dpu-lab']]) };

function message(fields: Partial<VisibleMessage>): VisibleMessage {
  return {
    type: 'message',
    ts: '1700000000.000100',
    user: 'U1',
    team: 'T1',
    text: '',
    channel: 'C1',
    is_ephemeral: false,
    ...fields,
  };
}

describe('text of messages', () => {
  it.each([
    ['*Done* for <@U1> in <#C1>', 'Done for @ana in #dpu-lab'],
    ['<https://example.org|docs> &lt;b&gt; &amp;', 'docs <b> &'],
    ['2 * 3 * 4 and `a*b*c`', '2 * 3 * 4 and `a*b*c`'],
    ['```\nline\n```', 'line'],
  ])('shows %j as a person reads it', (mrkdwn, text) => {
    expect(mrkdwnText(mrkdwn, names)).toBe(text);
  });

  it('shows heading, sections, small print, buttons and output of devices', () => {
    const blocks: KnownBlock[] = [
      { type: 'header', text: { type: 'plain_text', text: 'Run 1' } },
      { type: 'section', text: { type: 'mrkdwn', text: '*Running*\nas7: now' } },
      { type: 'context', elements: [{ type: 'mrkdwn', text: 'by <@U1>' }] },
      {
        type: 'rich_text',
        elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: 'boot *ok*' }] }],
      },
      {
        type: 'table',
        rows: [
          [
            { type: 'raw_text', text: 'Target' },
            { type: 'raw_text', text: 'Result' },
          ],
          [
            { type: 'raw_text', text: 'as7-dpu0' },
            { type: 'raw_text', text: 'done' },
          ],
        ],
      },
      {
        type: 'actions',
        elements: [{ type: 'button', action_id: 'a', text: { type: 'plain_text', text: 'Approve' } }],
      },
    ];

    const lines = messageLines({ text: 'summary', blocks }, names);

    expect(lines).toEqual([
      'Run 1',
      'Running',
      'as7: now',
      'by @ana',
      'boot *ok*',
      'Target    Result',
      'as7-dpu0  done',
      '[Approve]',
    ]);
  });
});

describe('the transcript', () => {
  it('indents a thread and prints an edited card only when its first lines say something new', () => {
    const written: string[] = [];
    const transcript = new Transcript(names, (line) => written.push(line.slice('00:00:00  '.length)));
    const card = (text: string): VisibleMessage => message({ text: `Run 1\n${text}\nstep 1` });

    transcript.typed('ana', '/dpu provision rack1');
    transcript.posted(card('Running'));
    transcript.posted(message({ ts: '2', thread_ts: '1700000000.000100', text: 'Plan' }));
    transcript.edited(message({ text: 'Run 1\nRunning\nstep 2' }));
    transcript.edited(card('Done'));

    expect(written).toEqual([
      'ana     /dpu provision rack1',
      'ana     Run 1',
      '        Running',
      '        step 1',
      '  ana     Plan',
      'ana     (edited) Run 1: Done',
    ]);
  });

  it('says when only one person sees a message', () => {
    const written: string[] = [];
    const transcript = new Transcript(names, (line) => written.push(line));

    transcript.posted(message({ is_ephemeral: true, text: 'no such rack' }));

    expect(written[0]).toMatch(/ana +\(only visible to one person\) no such rack$/);
  });
});

describe('wrapping', () => {
  it('keeps the indentation and a little more on the following lines', () => {
    expect(wrap('    Will change: ab cd ef gh', 18)).toEqual(['    Will change:', '      ab cd ef gh']);
  });

  it('loses no word, whatever the line, and breaks only at spaces', () => {
    const word = fc.stringMatching(/^[a-z:`-]{1,40}$/);
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 10, max: 100 }),
        (words, columns) => {
          const lines = wrap(words.join(' '), columns);

          expect(lines.flatMap((line) => line.trim().split(' '))).toEqual(words);
          // Longer than allowed is only a line that is one word.
          for (const line of lines) if (line.length > columns) expect(line.trim()).not.toContain(' ');
        },
      ),
    );
  });
});
