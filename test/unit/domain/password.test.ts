import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BMC_PASSWORD_BYTES, generateBmcPassword, isGoodBmcPassword } from '../../../src/domain/password.ts';

describe('password', () => {
  it('is always good by the rules of the BMC, and 16 bytes of plain ASCII', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(255)), (stream) => {
        const password = generateBmcPassword({
          bytes: (count) => Uint8Array.from(Array.from({ length: count }, () => stream.next().value ?? 0)),
        });

        expect(Buffer.byteLength(password)).toBe(BMC_PASSWORD_BYTES);
        expect(password).toMatch(/^[\x21-\x7e]+$/);
        expect(isGoodBmcPassword(password)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it.each(['0penBmc', 'short-A1', 'alllowercase-1234', 'Abcdefgh-12345678', 'NoSpecialChar123', 'Seventeen-Bytes-17'])(
    'refuses %s',
    (password) => {
      expect(isGoodBmcPassword(password)).toBe(false);
    },
  );
});
