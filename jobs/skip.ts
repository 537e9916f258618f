import type { RecipeTarget } from '../src/domain/step.ts';

/** A sentence means: this step is not for this target, and why. */
export type Skip = (target: RecipeTarget) => string | undefined;

/** The first reason that applies. */
export function unless(...skips: readonly Skip[]): Skip {
  return (target) => {
    for (const skip of skips) {
      const reason = skip(target);
      if (reason !== undefined) return reason;
    }
    return undefined;
  };
}
