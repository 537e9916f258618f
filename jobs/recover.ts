import type { Recipe, RecipeStep, RecipeTarget, Step } from '../src/domain/step.ts';
import { asStep } from '../src/domain/step.ts';
import { activateMode } from '../src/steps/activate-mode.ts';
import { checkCardUse } from '../src/steps/check-card-use.ts';
import { findBmcAddress } from '../src/steps/find-bmc-address.ts';
import { findCard } from '../src/steps/find-card.ts';
import { needChecks } from '../src/steps/needs.ts';
import { pinBmcCertificate } from '../src/steps/pin-bmc-certificate.ts';
import { hasCycled } from '../src/steps/power-cycle.ts';
import { openAfterPowerCycle } from '../src/steps/power-rescue.ts';
import { preflightHost } from '../src/steps/preflight-host.ts';
import { recoverArmPassword } from '../src/steps/recover-arm-password.ts';
import { recoverArmRunning } from '../src/steps/recover-arm-running.ts';
import { recoverBmcCertificate } from '../src/steps/recover-bmc-certificate.ts';
import { recoverBmcFactory } from '../src/steps/recover-bmc-factory.ts';
import { recoverBmcPassword } from '../src/steps/recover-bmc-password.ts';
import { recoverRshim } from '../src/steps/recover-rshim.ts';
import { recoverUefiPassword } from '../src/steps/recover-uefi-password.ts';
import { setBmcPassword } from '../src/steps/set-bmc-password.ts';
import { setDpuMode } from '../src/steps/set-dpu-mode.ts';
import { RecoverParams, recipeVersions } from './payloads.ts';

type Kind = RecoverParams['what'];

const nothing = (): object => ({});
const options = (target: RecipeTarget): RecoverParams => RecoverParams.parse(target.options);

/** Steps of these kinds of recovery; a run is of one kind, and leaves out the steps of the others. */
function only(kinds: readonly Kind[], ...steps: readonly RecipeStep[]): readonly RecipeStep[] {
  return steps.map((entry) => ({
    ...entry,
    skip: (target) => {
      const { what } = options(target);
      return kinds.includes(what) ? entry.skip?.(target) : `not part of ${what}`;
    },
  }));
}

/** The new password is kept, or, where the factory one is in force, made and sent. */
const keepBmcPassword: Step = {
  ...asStep(setBmcPassword, 'keep-bmc-password', 'Keep the BMC password'),
  needs: ['host-ssh', 'bmc-pinned'],
};

/**
 * `/dpu recover`: from a card that locks people out back to one that dpubot can enter. Each kind ends in a login, or in
 * something read back, and names the next command where this one cannot help.
 */
export const recover: Recipe = {
  name: 'recover',
  version: recipeVersions.recover,
  onFailure: 'stop',
  looksAfter: 'status',
  needs: needChecks,
  rescue: { steps: [activateMode.name], isDue: hasCycled, open: openAfterPowerCycle },
  steps: [
    { step: preflightHost, params: nothing },
    { step: findCard, params: nothing },
    ...only(['uefi-password', 'dpu-mode'], {
      step: checkCardUse,
      params: (target) => ({ viaCard: options(target).viaCard }),
    }),

    ...only(['arm-password'], { step: recoverArmPassword, params: nothing }),

    ...only(['bmc-password', 'factory-bmc'], {
      step: findBmcAddress,
      params: nothing,
      skip: ({ dpu }) => (dpu.bmc.address === 'auto' ? undefined : 'the inventory has the address of the BMC'),
    }),
    ...only(
      ['bmc-password'],
      { step: pinBmcCertificate, params: nothing },
      { step: recoverBmcPassword, params: nothing },
    ),
    ...only(
      ['factory-bmc'],
      { step: recoverBmcFactory, params: nothing },
      { step: recoverBmcCertificate, params: nothing },
    ),
    ...only(['bmc-password', 'factory-bmc'], {
      step: keepBmcPassword,
      params: () => ({ isReset: true }),
      waitsFor: ['bmc-session'],
    }),

    ...only(['uefi-password'], { step: recoverUefiPassword, params: nothing }),

    ...only(
      ['dpu-mode'],
      { step: setDpuMode, params: () => ({ mode: 'dpu' }) },
      {
        step: { ...activateMode, needs: [...activateMode.needs, 'staged-mode'] },
        params: ({ profile }) => ({ activation: profile.activation, asked: 'dpu' }),
      },
      { step: recoverArmRunning, params: nothing },
    ),

    ...only(['stuck-rshim'], { step: recoverRshim, params: nothing }),
  ],
};
