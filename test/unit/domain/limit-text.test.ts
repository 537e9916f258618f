import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitText } from '../../../src/domain/limit-text.ts';
import { errors } from '../../../src/errors.ts';

describe('a limit, as people read it', () => {
  it.each([
    [59_999.99, '60 s'],
    [60_000, '60 s'],
    [500, '0.5 s'],
    [2_083.333, '2.1 s'],
    [119_999, '2 min'],
    [150_000, '2.5 min'],
    [600_000, '10 min'],
    [2_000_000, '33 min'],
  ])('%d ms is %s', (limitMs, text) => expect(limitText(limitMs)).toBe(text));

  it('never has more than one digit behind the point, and is within 6 percent or half a tenth', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e8, noNaN: true }), (limitMs) => {
        const [figure = '', unit = ''] = limitText(limitMs).split(' ');
        const shownMs = Number(figure) * (unit === 'min' ? 60_000 : 1000);
        expect(figure).toMatch(/^\d+(\.\d)?$/);
        expect(Math.abs(shownMs - limitMs)).toBeLessThanOrEqual(Math.max(51, limitMs * 0.06));
      }),
    );
  });
});

describe('errors that name a limit', () => {
  it.each([
    errors.bmcTimeout({ target: 'as7-dpu0', request: 'GET /redfish/v1', timeoutMs: 59_999.99 }),
    errors.consoleSilent({ target: 'as7-dpu0', device: '/dev/rshim0/console', timeoutMs: 59_999.99, said: '' }),
    errors.sshTimeout({ host: 'as7', command: 'lspci', timeoutMs: 59_999.99 }),
  ])('$code says it in a round figure', (error) => expect(error.failure.what).toContain('within 60 s.'));
});
