import * as fc from 'fast-check';
import { hostilePieces } from '../../support/fuzz/hostile-pieces.ts';

/** Text as devices and people write it at their worst: mentions, fences, entities, very long. */
export const foreignText = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 60, unit: 'binary' }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom('<!channel>', '<@U1>', '```', '`', '&lt;', '<https://x|y>', '*a*', '\n', '````', ''),
  },
  {
    weight: 3,
    arbitrary: fc.array(fc.constantFrom(...hostilePieces, 'x', ' '), { maxLength: 12 }).map((parts) => parts.join('')),
  },
  // A line of a console that never ends.
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...hostilePieces), fc.nat({ max: 6_000 }))
      .map(([piece, length]) => piece.repeat(length / piece.length)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.string({ minLength: 1, maxLength: 30 }), fc.integer({ min: 2000, max: 5000 }))
      .map(([text, length]) => text.repeat(Math.ceil(length / text.length)).slice(0, length)),
  },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.constantFrom('<!here>', '```', '<@U0BEN>', '&', '<', '>', '`', 'x', ' '), { maxLength: 60 })
      .map((parts) => parts.join('')),
  },
);
