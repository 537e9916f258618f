import type { Recipe } from '../src/domain/step.ts';
import { compareInventory } from '../src/steps/compare-inventory.ts';
import { recipeVersions } from './payloads.ts';
import { provision } from './provision.ts';

const [reachHost, ...others] = provision.steps;

/**
 * `/dpu inspect`: what `provision` would find, and nothing else: its runs are plans only. Cards and inventory are compared
 * first.
 */
export const inspect: Recipe = {
  ...provision,
  name: 'inspect',
  version: recipeVersions.inspect,
  steps: [...(reachHost ? [reachHost] : []), { step: compareInventory, params: () => ({}) }, ...others],
};
