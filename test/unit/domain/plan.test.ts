import { describe, expect, it } from 'vitest';
import type { UnitPlan } from '../../../src/domain/plan.ts';
import { coversPlan, planDifferences, planHash } from '../../../src/domain/plan.ts';
import { errors } from '../../../src/errors.ts';
import { makePlan } from '../../support/make-run.ts';

/** A plan of a host with two cards of which the second was left out. */
function withCardLeftOut(failure = errors.bmcUnreachable({ target: 'as7-dpu1', address: 'a' }).failure): UnitPlan {
  const plan = makePlan('as7', 'change');
  const [step] = plan.steps;
  if (step === undefined) throw new Error('the plan has no step');
  const second = { ...step, target: 'as7-dpu1', state: 'refused', failure } as const;
  const body = { ...plan, steps: [step, second], refused: [{ target: 'as7-dpu1', failure }] };
  return { ...body, hash: planHash(body) };
}

describe('plan hash', () => {
  it('does not depend on why a card that is left out could not be looked at', () => {
    const busy = errors.redfishBusy({ target: 'as7-dpu1', request: 'GET /', status: 503 }).failure;

    expect(withCardLeftOut(busy).hash).toBe(withCardLeftOut().hash);
  });

  it('binds how often a card is reset, not the words for when', () => {
    const arm = { what: 'arm', target: 'as7-dpu0', times: 3, certainty: 'at-most' } as const;
    const plain = makePlan('as7', 'change', { reboots: [arm] });
    const told = makePlan('as7', 'change', { reboots: [{ ...arm, when: 'when Secure Boot comes back' }] });

    expect(told.hash).toBe(plain.hash);
    expect(makePlan('as7', 'change', { reboots: [{ ...arm, times: 4 }] }).hash).not.toBe(plain.hash);
  });

  it('is another one when the card is not left out', () => {
    const plan = withCardLeftOut();

    expect(planHash({ ...plan, refused: [] })).not.toBe(plan.hash);
  });
});

describe('what differs between two plans', () => {
  it('is said where only a warning or the resets are other ones', () => {
    const plain = makePlan('as7', 'change');
    const used = makePlan('as7', 'change', { warning: 'p0 has 10.0.0.1/24' });
    const reset = { what: 'arm', target: 'as7-dpu0', times: 1, certainty: 'planned' } as const;
    const where = 'disable-secure-boot on as7-dpu0';

    expect(planDifferences(plain, used)).toEqual([`${where} warns now: p0 has 10.0.0.1/24`]);
    expect(planDifferences(used, plain)).toEqual([`${where} does not warn any more: p0 has 10.0.0.1/24`]);
    expect(planDifferences(plain, makePlan('as7', 'change', { reboots: [reset] }))).toEqual([
      `${where} needs other resets now`,
    ]);
  });
});

describe('what an approval covers on resume', () => {
  const arm = (times: number) => ({ what: 'arm', target: 'as7-dpu0', times, certainty: 'planned' }) as const;

  it('is as many resets as were approved, and no more', () => {
    const approved = makePlan('as7', 'change', { reboots: [arm(2)] });

    expect(coversPlan(approved, makePlan('as7', 'change', { reboots: [arm(1)] }))).toBe(true);
    expect(coversPlan(approved, makePlan('as7', 'change', { reboots: [arm(3)] }))).toBe(false);
  });

  it('is not another present value where the step declared that it matters', () => {
    const approved = makePlan('as7', 'change', { present: 'a' });

    expect(coversPlan(approved, makePlan('as7', 'change', { present: 'b' }))).toBe(false);
  });
});
