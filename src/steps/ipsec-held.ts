import type { ObserveContext, Step } from '../domain/step.ts';

const held = Symbol('the path is that of a measurement');
/** Steps that change for a while what the profile wants of ports and MTUs. */
const changing = ['set-up-ipsec', 'measure'] as const;

/**
 * A step of the data path that leaves alone what this very run has changed for its measurement. A run whose worker died is
 * walked again from its first step: without this it would put ports back into bridges under the IPsec that it has set up.
 */
export function unlessMeasuring(step: Step): Step {
  return {
    ...step,
    observe: async (context, params) => (isMeasuring(context) ? held : step.observe(context, params)),
    diff: (observed, params, dpu) =>
      observed === held
        ? { kind: 'satisfied', reason: 'this run measures, and has changed it for that time' }
        : step.diff(observed, params, dpu),
  };
}

function isMeasuring({ slice, actionsIn }: ObserveContext): boolean {
  const hosts = slice.pair?.ends.map(({ host }) => host) ?? [];
  const units = [hosts.join('+'), hosts.toReversed().join('+')];
  return units.some((unit) => changing.some((step) => (actionsIn?.(step, unit) ?? []).length > 0));
}
