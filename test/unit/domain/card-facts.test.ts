import { describe, expect, it } from 'vitest';
import { gapsOf } from '../../../src/domain/card-facts.ts';
import { errors } from '../../../src/errors.ts';

describe('what nobody knows of a card', () => {
  it('is said once for each reason, in the order of people', () => {
    const unread = {
      image: { reason: 'the BMC was not asked', atMs: 1 },
      mode: { reason: 'the BMC was not asked', atMs: 1 },
      'pcie-link': { reason: 'the host is down', atMs: 1 },
      serial: { reason: 'the host is down', atMs: 1 },
    };
    const facts = { serial: { value: 'MT1', from: 'bmc' as const, atMs: 0 } };

    expect(gapsOf({ facts, unread })).toEqual([
      { labels: 'mode, image', reason: 'the BMC was not asked' },
      { labels: 'PCIe link', reason: 'the host is down' },
    ]);
  });

  it('names the way on where a BMC was not asked', () => {
    const { failure } = errors.bmcNotAsked({ target: 'as7-dpu0', why: 'Its certificate is not pinned yet.' });

    expect(failure).toMatchObject({ code: 'bmc-not-asked', next: expect.stringContaining('/dpu provision as7-dpu0') });
  });
});
