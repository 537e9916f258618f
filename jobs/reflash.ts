import type { Recipe } from '../src/domain/step.ts';
import { recipeVersions } from './payloads.ts';
import { provision } from './provision.ts';

/**
 * `/dpu reflash`: the steps of `provision` with the image that was named, which is written whatever is on the card, and all
 * that the profile wants of the new system. The image stands in the slice of the run (`imageAsked`).
 */
export const reflash: Recipe = { ...provision, name: 'reflash', version: recipeVersions.reflash };
