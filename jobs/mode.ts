import type { Recipe, RecipeTarget } from '../src/domain/step.ts';
import { activateMode } from '../src/steps/activate-mode.ts';
import { checkCardUse } from '../src/steps/check-card-use.ts';
import { findCard } from '../src/steps/find-card.ts';
import { needChecks } from '../src/steps/needs.ts';
import { hasCycled } from '../src/steps/power-cycle.ts';
import { openAfterPowerCycle } from '../src/steps/power-rescue.ts';
import { preflightHost } from '../src/steps/preflight-host.ts';
import { setDpuMode } from '../src/steps/set-dpu-mode.ts';
import { ModeParams, recipeVersions } from './payloads.ts';

const nothing = (): object => ({});
const options = (target: RecipeTarget): ModeParams => ModeParams.parse(target.options);

/** `/dpu mode`: stores the mode in the cards and brings it into force with one cold power cycle of each host. */
export const mode: Recipe = {
  name: 'mode',
  version: recipeVersions.mode,
  onFailure: 'stop',
  looksAfter: 'status',
  needs: needChecks,
  rescue: { steps: [activateMode.name], isDue: hasCycled, open: openAfterPowerCycle },
  steps: [
    { step: preflightHost, params: nothing },
    { step: findCard, params: nothing },
    { step: checkCardUse, params: (target) => ({ viaCard: options(target).viaCard }) },
    { step: setDpuMode, params: (target) => ({ mode: options(target).mode }) },
    {
      step: { ...activateMode, needs: [...activateMode.needs, 'staged-mode'] },
      params: (target) => ({ activation: target.profile.activation, asked: options(target).mode }),
    },
  ],
};
