import type { Recipe, RecipeTarget } from '../src/domain/step.ts';
import { asStep } from '../src/domain/step.ts';
import { findCard } from '../src/steps/find-card.ts';
import { needChecks } from '../src/steps/needs.ts';
import { preflightHost } from '../src/steps/preflight-host.ts';
import { rotateArmPassword } from '../src/steps/rotate-arm-password.ts';
import { setBmcPassword } from '../src/steps/set-bmc-password.ts';
import { recipeVersions, RotateParams } from './payloads.ts';

const nothing = (): object => ({});
const unlessAsked =
  (what: RotateParams['what']) =>
  ({ options }: RecipeTarget): string | undefined =>
    RotateParams.parse(options).what === what ? undefined : 'not asked for';

/** `/dpu rotate`: a new generated password, filed and in the escrow before it is sent. */
export const rotate: Recipe = {
  name: 'rotate',
  version: recipeVersions.rotate,
  onFailure: 'stop',
  needs: needChecks,
  steps: [
    { step: preflightHost, params: nothing },
    { step: findCard, params: nothing },
    {
      step: {
        ...asStep(setBmcPassword, 'rotate-bmc-password', 'Replace the BMC password'),
        needs: ['host-ssh', 'bmc-pinned'],
      },
      params: () => ({ rotate: true }),
      skip: unlessAsked('bmc'),
    },
    { step: rotateArmPassword, params: nothing, skip: unlessAsked('arm') },
  ],
};
