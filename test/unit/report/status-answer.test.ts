import { describe, expect, it } from 'vitest';
import type { CardFacts } from '../../../src/domain/card-facts.ts';
import type { CardStatus } from '../../../src/report/status-answer.ts';
import { statusAnswer } from '../../../src/report/status-answer.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { complaints } from './slack-limits.ts';

const nowMs = 10 * 3_600_000;

function seen(mode: string, warning?: string): CardFacts {
  const atMs = nowMs - 2 * 3_600_000;
  const fact = { from: 'bmc', atMs } as const;
  return {
    facts: {
      mode: { ...fact, value: mode },
      'arm-state': { ...fact, value: 'OsIsRunning', ...(warning !== undefined && { warning }) },
    },
    unread: {},
    runId: 7,
    atMs,
  };
}

function card(index: number, more: Partial<CardStatus> = {}): CardStatus {
  const facts = seen('DPU mode');
  return {
    dpu: `dpu-${index}`,
    host: 'as7',
    simulated: false,
    facts,
    held: undefined,
    locked: undefined,
    changed: undefined,
    ...more,
  };
}

function fleet(count: number, more: (index: number) => Partial<CardStatus> = () => ({})): readonly CardStatus[] {
  return Array.from({ length: count }, (_, index) => card(index, more(index)));
}

function shown(cards: readonly CardStatus[], target = 'all cards'): string {
  return JSON.stringify(statusAnswer(target, cards, nowMs).blocks);
}

describe('the answer of /dpu status', () => {
  it('gives each of 50 cards a line', () => {
    const text = shown(fleet(50));

    for (const index of [0, 49]) expect(text).toContain(`"dpu-${index}"`);
  });

  it('counts the states of more than 50 cards, and names those with warnings', () => {
    const cards = fleet(60, (index) => {
      if (index < 3) return { facts: undefined };
      if (index < 10) return { facts: seen('NIC mode', 'It stands in the UEFI shell.') };
      return index === 10 ? { held: { runId: 418, by: 'ana', sinceMs: nowMs } } : {};
    });

    const text = shown(cards);

    expect(text).not.toContain('"dpu-40"');
    expect(text).toMatch(/"DPU mode, OsIsRunning".{0,120}"50"/);
    expect(text).toMatch(/"NIC mode, OsIsRunning".{0,120}"7"/);
    expect(text).toMatch(/"never looked at".{0,120}"3"/);
    expect(text).toContain('With warnings: dpu-3, dpu-4');
    expect(text).toContain('Never looked at: dpu-0, dpu-1 and dpu-2.');
    expect(text).toContain('1 card in the hands of a run');
  });

  it.each([1, 2, 3, 4, 50, 51])('of %i cards, all seen, is one that Slack takes', (count) => {
    expect(complaints(statusAnswer('rack1', fleet(count), nowMs))).toEqual([]);
  });

  it('shows all values of up to three cards in one table, by card', () => {
    const text = plainText(statusAnswer('rack1', fleet(2), nowMs));

    expect(text).toMatch(/^card +what +value +seen$/m);
    expect(text).toMatch(/^dpu-0 +mode +DPU mode +2 h/m);
    expect(text).toMatch(/^dpu-1 +mode +DPU mode +2 h/m);
  });

  it('gives the values that share a reason one row, and says where there is nobody on the host', () => {
    const reason = 'The BMC of dpu-0 was not asked.';
    const facts = {
      ...seen('DPU mode'),
      unread: { image: { reason, atMs: nowMs }, 'bmc-firmware': { reason, atMs: nowMs } },
    };

    const text = plainText(statusAnswer('dpu-0', [card(0, { facts })], nowMs));

    expect(text).toMatch(/^not read +image, BMC firmware +The BMC of dpu-0 was not asked\.$/m);
    expect(text).toContain('dpu-0 in as7, held by nobody');
  });

  it('of many cards says in the line of each that it was never looked at, and not again below', () => {
    const text = plainText(
      statusAnswer(
        'rack1',
        fleet(5, () => ({ facts: undefined })),
        nowMs,
      ),
    );

    expect(text.match(/never looked at/gi)).toHaveLength(5);
  });

  it('of a card that was never looked at says so once, and how to look', () => {
    const text = plainText(statusAnswer('dpu-0', [card(0, { facts: undefined })], nowMs));

    expect(text.match(/never looked at/gi)).toHaveLength(1);
    expect(text).toContain('`/dpu status dpu-0 --refresh` looks.');
    expect(text).not.toContain('seen earlier');
  });

  it('says the age of each value, and offers the line that looks anew', () => {
    const text = shown([card(0)], 'dpu-0');

    expect(text).toContain('2 h');
    expect(text).toContain('/dpu status dpu-0 --refresh');
  });

  it.each([
    ['before the run, it is marked', nowMs - 3_600_000, true],
    ['after the run, it is not', nowMs - 3 * 3_600_000, false],
  ])('of a value seen %s', (_what, atMs, isMarked) => {
    const text = shown([card(0, { changed: { runId: 418, atMs } })], 'dpu-0');

    expect(text.includes('before run 418')).toBe(isMarked);
  });

  it('stamps cards of a simulated site', () => {
    expect(statusAnswer('dpu-0', [card(0, { simulated: true })], nowMs).text).toContain('SIMULATED');
  });
});
