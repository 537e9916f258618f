import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changeText, figureText, rateText, rateUnit, repeatsText } from '../../../src/bench/rate-text.ts';

describe('a rate in words', () => {
  it.each([
    [390.24, '390.2 Gb/s'],
    [10, '10.0 Gb/s'],
    [4.211, '4.21 Gb/s'],
    [1, '1.00 Gb/s'],
    [0.0401234, '40.1 Mb/s'],
    [0.0012, '1.20 Mb/s'],
    [0.00012, '0.120 Mb/s'],
    [0, '0.00 Gb/s'],
  ])('of %d is %s', (gbps, text) => {
    expect(rateText(gbps)).toBe(text);
  });

  it('says the figure to 1 % or better, whatever its size', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-5, max: 800, noNaN: true }), (gbps) => {
        const [value = '', unit] = rateText(gbps).split(' ');
        const said = Number(value) * (unit === 'Mb/s' ? 1e-3 : 1);
        expect(Math.abs(said / gbps - 1)).toBeLessThan(0.01);
      }),
    );
  });

  it('has one unit in a column: that of the largest', () => {
    expect(rateUnit(0.9).unit).toBe('Mb/s');
    expect(rateUnit(0.9).text(0.04)).toBe('40.0');
    expect(rateUnit(2).text(0.04)).toBe('0.0400');
    expect(figureText(0.0412)).toBe('0.0412');
  });

  it.each([
    [3.14, '+3.1 %'],
    [-0.2, '-0.2 %'],
    [0.01, '0.0 %'],
    [-0.04, '0.0 %'],
    [Number.POSITIVE_INFINITY, 'from nothing'],
  ])('says a change of %d as %s', (percent, text) => {
    expect(changeText(percent)).toBe(text);
  });

  it('counts one repeat as one', () => {
    expect([1, 5].map(repeatsText)).toEqual(['1 repeat', '5 repeats']);
  });
});
