import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import { fitMessage } from '../../../src/report/limits.ts';
import { measuredMessages } from '../../../src/report/measured-message.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { measuredEvent } from './seen-arbitraries.ts';
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
    const [result, ...others] = measuredMessages(event, 'U0ANA');

    expect(result?.file).toEqual(chart);
    const text = result === undefined ? '' : plainText(result.message);
    expect(text).toMatch(/Raw throughput of wire1.*\(SIMULATED\)/);
    for (const part of ['390.2 Gb/s (97.6 % of line rate)', 'a to b', 'RX-nombuf']) expect(text).toContain(part);
    const caption = 'All figures, samples and conditions: run12.json';
    expect(others).toEqual([{ file: json, message: expect.objectContaining({ text: caption }) }]);
  });

  it('keeps to what Slack takes, and lets nothing foreign mention anybody', () => {
    for (const { message } of measuredMessages(event, 'U0ANA')) {
      expect(complaints(message)).toEqual([]);
      expect(activeMarks(message)).toEqual([]);
    }
  });

  it('puts the cause in clear sight where software has done the work of the hardware', () => {
    const warnings = ['NOT OFFLOADED: hw-offload of Open vSwitch is off on as7-dpu0.', 'The slot is slow.'];

    const [result] = measuredMessages({ ...event, warnings }, 'U0ANA');

    const text = JSON.stringify(result?.message.blocks);
    expect(text).toContain('*NOT OFFLOADED:* hw-offload of Open vSwitch is off on as7-dpu0.');
    expect(text).toContain('*Warning:* The slot is slow.');
  });

  it('mentions the requester of a confirmed regression, and nobody otherwise', () => {
    const [confirmed] = measuredMessages({ ...event, regression: true }, 'U0ANA');
    const [usual] = measuredMessages(event, 'U0ANA');

    expect(confirmed?.message.text).toContain('<@U0ANA>');
    expect(JSON.stringify(confirmed?.message.blocks)).toContain('<@U0ANA> *Slower than the baseline*');
    expect(JSON.stringify(usual?.message)).not.toContain('<@');
  });

  it('names a further picture by its title, a table and logs by what they are', () => {
    const files = [
      chart,
      { ...chart, altText: 'SIMULATED: Raw throughput of wire1, testpmd: history. run 5: 385.0 Gb/s.' },
      { ...json, name: 'run12-table.csv', mimeType: 'text/csv' },
      { ...json, name: 'run12-tool-logs.txt', mimeType: 'text/plain' },
      { ...json, name: 'odd.bin', mimeType: 'application/octet-stream' },
    ];

    const [, ...captions] = measuredMessages({ ...event, files }, 'U0ANA').map(({ message }) => message.text);

    expect(captions).toEqual([
      'SIMULATED: Raw throughput of wire1, testpmd: history',
      'The whole table: run12-table.csv',
      'What the tools have logged: run12-tool-logs.txt',
      'odd.bin',
    ]);
  });

  it('stays within the limits of Slack whatever devices write into it', () => {
    fc.assert(
      fc.property(measuredEvent, (one) => {
        for (const { message } of measuredMessages(one, 'U0ANA')) {
          const fitted = fitMessage(message);
          expect(complaints(fitted)).toEqual([]);
          const marks = activeMarks(fitted).filter((mark) => !mark.includes('U0ANA'));
          expect(marks).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is posted without a file where there is none', () => {
    expect(measuredMessages({ ...event, files: [] }, 'U0ANA')).toEqual([{ message: expect.anything() }]);
  });
});
