import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Inventory } from '../../../src/domain/inventory.ts';
import type { Selection } from '../../../src/domain/target-expression.ts';
import { asksStates, isExpression, selectTargets } from '../../../src/domain/target-expression.ts';

const key = 'SHA256:0000000000000000000000000000000000000000000';
const recipient = 'age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq';

/** as7 to as12, one card each but as9 with two; the even ones in rack2. */
const inventory = Inventory.parse({
  version: 1,
  sites: { lab: { recipient } },
  hosts: Object.fromEntries(
    [7, 8, 9, 10, 11, 12].map((number) => [
      `as${number}`,
      {
        site: 'lab',
        rack: number % 2 === 0 ? 'rack2' : 'rack1',
        ssh: { address: `10.0.0.${number}`, key: 'ops', hostKeys: [key] },
        dpus: (number === 9 ? [0, 1] : [0]).map((card) => ({
          name: `as${number}-dpu${card}`,
          bmc: { address: `10.0.1.${number + card}` },
          ...(number > 10 && { tags: ['spare'] }),
        })),
        ...(number < 10 && { tags: ['gen5'] }),
      },
    ]),
  ),
  policy: { approvals: { disruptive: { role: 'a' }, destructive: { role: 'a' } } },
});

const states = new Map([
  ['as7', 'failed'],
  ['as8', 'done'],
]);

function cards(target: string, rest: Partial<Selection> = {}): string[] | string {
  const selected = selectTargets(inventory, { target, ...rest }, states);
  return selected.ok ? selected.units.flatMap(({ dpus }) => dpus) : selected.reason;
}

describe('a target', () => {
  test.each([
    ['rack1', ['as7-dpu0', 'as9-dpu0', 'as9-dpu1', 'as11-dpu0']],
    ['AS9', ['as9-dpu0', 'as9-dpu1']],
    ['as9-dpu1', ['as9-dpu1']],
    ['as12, as7', ['as7-dpu0', 'as12-dpu0']],
    ['rack1,as9', ['as7-dpu0', 'as9-dpu0', 'as9-dpu1', 'as11-dpu0']],
    ['as?', ['as7-dpu0', 'as8-dpu0', 'as9-dpu0', 'as9-dpu1']],
    ['as1*', ['as10-dpu0', 'as11-dpu0', 'as12-dpu0']],
    ['*-dpu1', ['as9-dpu1']],
    ['as[7-8]', ['as7-dpu0', 'as8-dpu0']],
    ['as[7,10-11]', ['as7-dpu0', 'as10-dpu0', 'as11-dpu0']],
    ['as[1-2]', 'no-match'],
    ['as[07-09]', 'no-match'],
    ['rack[1-1],as[8]', ['as7-dpu0', 'as8-dpu0', 'as9-dpu0', 'as9-dpu1', 'as11-dpu0']],
    ['tag:gen5', ['as7-dpu0', 'as8-dpu0', 'as9-dpu0', 'as9-dpu1']],
    ['tag:spare', ['as11-dpu0', 'as12-dpu0']],
    ['state:failed', ['as7-dpu0']],
    ['state:never', ['as9-dpu0', 'as9-dpu1', 'as10-dpu0', 'as11-dpu0', 'as12-dpu0']],
    ['state:refused', 'no-match'],
    ['as77', 'unknown'],
    ['tag:gen6', 'no-match'],
    ['*', 'malformed'],
    ['rack1,*', 'malformed'],
    ['state:odd', 'malformed'],
    ['as[7-', 'malformed'],
    ['as[a]', 'malformed'],
    ['as[9-7]', 'malformed'],
    ['as[0-9999999]', 'malformed'],
    ['a*b*c*d*e*f', 'no-match'],
    ['*s*1*2', ['as12-dpu0']],
    [' , ', 'malformed'],
    ['as.', 'unknown'],
  ])('%j means %j', (target, meant) => {
    expect(cards(target)).toEqual(meant);
  });

  test('is narrowed by --only and --except, and what is empty then is refused', () => {
    expect(cards('rack1', { except: 'as9' })).toEqual(['as7-dpu0', 'as11-dpu0']);
    expect(cards('rack1', { only: 'tag:gen5', except: 'as9-dpu1' })).toEqual(['as7-dpu0', 'as9-dpu0']);
    expect(cards('rack1', { only: 'rack2' })).toBe('nothing-left');
    expect(cards('rack1', { except: 'as*' })).toBe('nothing-left');
    expect(cards('rack1', { except: 'as99' })).toBe('unknown');
  });

  test('that is nearly a name or a tag says which was meant', () => {
    expect(selectTargets(inventory, { target: 'rack11' })).toMatchObject({ part: 'rack11', suggestion: 'rack1' });
    expect(selectTargets(inventory, { target: 'as7,tag:gen6' })).toMatchObject({ suggestion: 'tag:gen5' });
    expect(selectTargets(inventory, { target: 'state:faild' })).toMatchObject({
      problem: expect.stringMatching(/^Did you mean "state:failed"\? The states are done, /),
    });
  });

  test('asks for the outcome of runs only where it needs it, and is explained where it is more than a name', () => {
    expect(asksStates({ target: 'rack1', except: 'as7, state:failed' })).toBe(true);
    expect(asksStates({ target: 'rack1,tag:gen5' })).toBe(false);
    expect(isExpression({ target: 'rack1' })).toBe(false);
    expect(isExpression({ target: 'rack1', only: 'as7' })).toBe(true);
    expect(isExpression({ target: 'tag:gen5' })).toBe(true);
  });
});

const word = fc.oneof(
  fc.constantFrom('rack1', 'rack2', 'as7', 'as9-dpu1', 'as?', 'as1*', 'as[8-11]', 'tag:gen5', 'state:never', 'as99'),
  fc.string({ maxLength: 12 }),
  fc.stringMatching(/^[as0-9*?[\],:-]{1,20}$/),
);
const expression = fc.array(word, { minLength: 1, maxLength: 4 }).map((words) => words.join(','));

describe('whatever is written', () => {
  test('it ends in cards of the inventory, at least one and each once, or in a reason', () => {
    fc.assert(
      fc.property(expression, (target) => {
        const found = cards(target);
        if (typeof found === 'string') return;
        expect(found.length).toBeGreaterThan(0);
        expect(new Set(found).size).toBe(found.length);
        for (const card of found) expect(card).toMatch(/^as(7|8|9|10|11|12)-dpu[01]$/);
      }),
    );
  });

  test('the order of parts does not matter, and said twice it is the same', () => {
    fc.assert(
      fc.property(word, word, (one, other) => {
        const [there, back] = [cards(`${one},${other}`), cards(`${other},${one}`)];
        if (typeof there !== 'string' && typeof back !== 'string') {
          expect(back).toEqual(there);
          expect(cards(`${one},${other},${one}`)).toEqual(there);
        } else expect(typeof back).toBe(typeof there);
      }),
    );
  });

  test('nothing is left of it without itself, and all of it with nothing but itself', () => {
    fc.assert(
      fc.property(expression, (target) => {
        const found = cards(target);
        if (typeof found === 'string') return;
        expect(cards(target, { except: target })).toBe('nothing-left');
        expect(cards(target, { only: target })).toEqual(found);
      }),
    );
  });
});
