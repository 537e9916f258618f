import type { Recipe, RecipeTarget } from '../src/domain/step.ts';
import { checkCardUse } from '../src/steps/check-card-use.ts';
import { findCard } from '../src/steps/find-card.ts';
import { needChecks } from '../src/steps/needs.ts';
import { hasCycled } from '../src/steps/power-cycle.ts';
import { openAfterPowerCycle, openAfterReboot } from '../src/steps/power-rescue.ts';
import { preflightHost } from '../src/steps/preflight-host.ts';
import { rebootArm } from '../src/steps/reboot-arm.ts';
import { isRebooting, rebootHost } from '../src/steps/reboot-host.ts';
import { resetBmc } from '../src/steps/reset-bmc.ts';
import { RebootParams, recipeVersions } from './payloads.ts';

const nothing = (): object => ({});
const options = (target: RecipeTarget): RebootParams => RebootParams.parse(target.options);
const unlessAsked =
  (what: RebootParams['what']) =>
  (target: RecipeTarget): string | undefined =>
    options(target).what === what ? undefined : `not asked for: this run restarts the ${options(target).what}`;

/** `/dpu reboot`: restarts one thing once, and sees it up again. */
export const reboot: Recipe = {
  name: 'reboot',
  version: recipeVersions.reboot,
  onFailure: 'stop',
  looksAfter: 'status',
  needs: needChecks,
  rescue: {
    steps: [rebootHost.name],
    isDue: (actions) => hasCycled(actions) || isRebooting(actions),
    open: async (context, open) =>
      hasCycled(context.actions) ? openAfterPowerCycle(context, open) : openAfterReboot(context, open),
  },
  steps: [
    { step: preflightHost, params: nothing },
    { step: findCard, params: nothing },
    {
      step: checkCardUse,
      params: (target) => ({ viaCard: options(target).viaCard }),
      skip: (target) =>
        options(target).what === 'bmc' ? 'a restart of the BMC leaves Arm and network alone' : undefined,
    },
    { step: rebootArm, params: nothing, skip: unlessAsked('arm') },
    { step: resetBmc, params: nothing, skip: unlessAsked('bmc') },
    { step: rebootHost, params: (target) => ({ cold: options(target).cold }), skip: unlessAsked('host') },
  ],
};
