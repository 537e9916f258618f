import { describe, expect, it } from 'vitest';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import { measuredMessages } from '../../../src/report/measured-message.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { activeMarks, complaints } from './slack-limits.ts';

const chart = {
  id: 'a'.repeat(32),
  name: 'chart.png',
  mimeType: 'image/png',
  bytes: 40_000,
  altText: 'Rate over time.',
};
const json = { id: 'b'.repeat(32), name: 'run12.json', mimeType: 'application/json', bytes: 9_000 };
const event = {
  type: 'measured',
  target: 'as7+as8',
  id: 'result',
  title: 'Raw throughput of wire1',
  line: '390.2 Gb/s (97.6 % of line rate) <!channel>',
  stamp: 'SIMULATED',
  table: { columns: ['Direction', 'Median'], rows: [['a to b', '390.2 Gb/s']] },
  warnings: ['RX-nombuf: the mbuf pool is too small.'],
  files: [chart, json],
} as const satisfies JournalEvent;

describe('the message of a result', () => {
  it('says stamp, the one line, the table and what to know, with the chart; further files follow', () => {
    const [result, ...others] = measuredMessages(event);

    expect(result?.file).toEqual(chart);
    const text = result === undefined ? '' : plainText(result.message);
    expect(text).toMatch(/Raw throughput of wire1.*\(SIMULATED\)/);
    for (const part of ['390.2 Gb/s (97.6 % of line rate)', 'a to b', 'RX-nombuf']) expect(text).toContain(part);
    expect(others).toEqual([{ file: json, message: expect.objectContaining({ text: 'run12.json' }) }]);
  });

  it('keeps to what Slack takes, and lets nothing foreign mention anybody', () => {
    for (const { message } of measuredMessages(event)) {
      expect(complaints(message)).toEqual([]);
      expect(activeMarks(message)).toEqual([]);
    }
  });

  it('is posted without a file where there is none', () => {
    expect(measuredMessages({ ...event, files: [] })).toEqual([{ message: expect.anything() }]);
  });
});
