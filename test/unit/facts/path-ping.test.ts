import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePathPing } from '../../../src/facts/path-ping.ts';
import { fixture } from '../../support/fixture.ts';

const parse = (name: string): unknown => parsePathPing('as7', fixture(`ping/${name}.txt`));

describe('ping -M do', () => {
  it.each([
    ['answered', { sent: 3, received: 3 }],
    ['too-long-here', { sent: 3, received: 0, limit: { mtuBytes: 1500, at: 'as7' } }],
    ['too-long-on-the-way', { sent: 3, received: 0, limit: { mtuBytes: 1500, at: '10.99.0.2' } }],
    ['nobody', { sent: 3, received: 0 }],
    ['silent', { sent: 3, received: 0, said: 'sendmsg: No buffer space available' }],
  ])('%s', (name, expected) => {
    expect(parse(name)).toEqual(expected);
  });

  it('without a count of packets is an error and never taken for no answer', () => {
    expect(() => parse('no-such-address')).toThrow(expect.objectContaining({ code: 'output-unreadable' }));
    expect(() => parsePathPing('as7', '')).toThrow(expect.objectContaining({ code: 'output-unreadable' }));
  });

  it('tells no packet that is not in what ping printed, wherever that is cut', () => {
    const text = fixture('ping/answered.txt');
    fc.assert(
      fc.property(fc.nat({ max: text.length }), (end) => {
        try {
          expect(parsePathPing('as7', text.slice(0, end))).toEqual({ sent: 3, received: 3 });
        } catch (error) {
          expect(error).toMatchObject({ code: 'output-unreadable' });
        }
      }),
    );
  });
});
