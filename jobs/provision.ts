import type { Recipe } from '../src/domain/step.ts';
import { recipeVersions } from './payloads.ts';
import { checkDpuMode } from '../src/steps/check-dpu-mode.ts';
import { disableSecureBoot } from '../src/steps/disable-secure-boot.ts';
import { identifyCard } from '../src/steps/identify-card.ts';
import { needChecks } from '../src/steps/needs.ts';
import { pinBmcCertificate } from '../src/steps/pin-bmc-certificate.ts';
import { preflightHost } from '../src/steps/preflight-host.ts';
import { setBmcPassword } from '../src/steps/set-bmc-password.ts';

/**
 * `/dpu provision`: from a card as it is to a card as its profile wants it. Forward only: what was done stays, and the
 * next run goes on from what it sees.
 */
export const provision: Recipe = {
  name: 'provision',
  version: recipeVersions.provision,
  onFailure: 'stop',
  needs: needChecks,
  steps: [
    { step: preflightHost, params: () => ({}) },
    { step: identifyCard, params: ({ profile }) => ({ minPcieLink: profile.minPcieLink }) },
    { step: pinBmcCertificate, params: () => ({}) },
    {
      step: setBmcPassword,
      params: () => ({}),
      skip: ({ profile }) =>
        profile.bmcPassword === 'leave' ? 'the profile leaves the BMC password alone' : undefined,
    },
    { step: checkDpuMode, params: () => ({}) },
    {
      step: disableSecureBoot,
      params: () => ({}),
      skip: ({ profile }) => (profile.secureBoot === 'leave' ? 'the profile leaves Secure Boot alone' : undefined),
    },
  ],
};
