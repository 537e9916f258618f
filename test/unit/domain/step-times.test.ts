import { describe, expect, it } from 'vitest';
import type { PlannedStep } from '../../../src/domain/plan.ts';
import { expectedTimes, timedAs, timedPlace } from '../../../src/domain/step-times.ts';
import { planned } from '../report/samples.ts';

const flash: PlannedStep = planned('install-bfb', 'as7-dpu0', { state: 'deferred' });
const ntp: PlannedStep = planned('set-ntp', 'as7-dpu0');
const measure: PlannedStep = planned('measure', 'wire1', { params: { repeats: 3 } });
const steps = new Map([
  ['install-bfb', { usualMs: 900_000 }],
  ['set-ntp', {}],
  ['measure', { usualMs: (params: unknown) => (params as { repeats: number }).repeats * 60_000 }],
]);
const wall = (deviceMs: number): number => deviceMs / 10;

function expected(planSteps: readonly PlannedStep[], times: Record<string, readonly number[]> = {}) {
  return expectedTimes({ steps: planSteps }, steps, times, wall);
}

describe('what a step is expected to take', () => {
  it('is the figure that the step names, as it passes at the site, and nothing where it names none', () => {
    expect(expected([flash, ntp])).toEqual({ 'install-bfb as7-dpu0': { ms: 90_000, of: 0 } });
  });

  it('is the median of what was measured there, from five times on', () => {
    const four = { 'install-bfb later': [1, 2, 3, 4] };
    const six = { 'install-bfb later': [80, 10, 20, 90, 40, 30], 'set-ntp': [5, 5, 5, 6, 7] };

    expect(expected([flash], four)).toEqual({ 'install-bfb as7-dpu0': { ms: 90_000, of: 0 } });
    expect(expected([flash, ntp], six)).toEqual({
      'install-bfb as7-dpu0': { ms: 35, of: 6 },
      'set-ntp as7-dpu0': { ms: 5, of: 5 },
    });
  });

  it('comes from the parameters where they say it, whatever others took', () => {
    expect(expected([measure], { measure: [1, 1, 1, 1, 1] })).toEqual({ 'measure wire1': { ms: 18_000, of: 0 } });
  });

  it('is nothing for what is right already, refused or left out', () => {
    const idle = (['satisfied', 'refused', 'skipped'] as const).map((state) =>
      planned('install-bfb', state, { state }),
    );

    expect(expected(idle)).toEqual({});
  });
});

describe('measured times', () => {
  it('of a step that may turn out to have nothing to do are kept apart from those with work', () => {
    expect([timedAs(flash), timedAs(ntp)]).toEqual(['install-bfb later', 'set-ntp']);
  });

  it('of a pretend rack are kept apart from real ones', () => {
    expect([timedPlace('lab', true), timedPlace('lab', false)]).toEqual(['lab:simulated', 'lab']);
  });
});
