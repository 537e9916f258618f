import { describe, expect, it } from 'vitest';
import { mergeAlike } from '../../../src/steps/measure-warnings.ts';

describe('warnings of many repeats', () => {
  it('that differ in their numbers only are told once, with how many there are', () => {
    const missed = (frames: number): string => `the receiver was too slow for ${frames} frames`;

    expect(mergeAlike([missed(42), missed(48), 'the server was busy', missed(42), missed(1.5)])).toEqual([
      'the receiver was too slow for 42 frames (and 2 more like it, in the JSON file)',
      'the server was busy',
    ]);
  });
});
