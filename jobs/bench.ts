import type { Recipe, RecipeStep, RecipeTarget, Step } from '../src/domain/step.ts';
import { checkCardUse } from '../src/steps/check-card-use.ts';
import { checkCredentials } from '../src/steps/check-credentials.ts';
import { checkPath } from '../src/steps/check-path.ts';
import { findCard } from '../src/steps/find-card.ts';
import { measure } from '../src/steps/measure.ts';
import { needChecks } from '../src/steps/needs.ts';
import { preflightHost } from '../src/steps/preflight-host.ts';
import { setBenchAddresses } from '../src/steps/set-bench-addresses.ts';
import { setIpsecMode } from '../src/steps/set-ipsec-mode.ts';
import { setUpIpsec } from '../src/steps/set-up-ipsec.ts';
import { isRouted } from '../src/steps/bench-topology.ts';
import { unlessMeasuring } from '../src/steps/ipsec-held.ts';
import { dataPathSteps, hugepagesStep } from './data-path.ts';
import { BenchParams, recipeVersions } from './payloads.ts';
import type { Skip } from './skip.ts';
import { unless } from './skip.ts';

const nothing = (): object => ({});
const options = (target: RecipeTarget): BenchParams => BenchParams.parse(target.options);
const routed = (target: RecipeTarget): boolean => isRouted(options(target).kind, target.profile);

const ifArm: Skip = ({ profile }) => (profile.arm === undefined ? 'the profile has no login on the Arm' : undefined);

const ifIpsec: Skip = (target) =>
  options(target).kind === 'ipsec' ? undefined : 'only a bench of ipsec encrypts anything';
const ifFullOffload: Skip = ({ profile }) =>
  profile.ipsec?.fullOffload ? undefined : 'the profile asks for no full offload by the boot service';

/** Credentials that the run needs on its cards. */
function refsOf(target: RecipeTarget): readonly string[] {
  const { arm, ipsec } = target.profile;
  const auth = ipsec === undefined || options(target).kind === 'raw' ? undefined : ipsec.auth;
  const authRefs = auth === undefined ? [] : auth.kind === 'psk' ? [auth.secret] : [auth.ca, auth.bundle];
  return [...(arm ? [arm.key] : []), ...authRefs];
}

/** The uplink of the card that is measured. */
function portOf({ slice, dpu }: RecipeTarget): 'p0' | 'p1' {
  return slice.pair?.ends.find(({ card }) => card === dpu.name)?.port ?? 'p0';
}

/** A step that changes the path: in a plan, looking whether packets get through has to wait for it. */
function shaping(entry: RecipeStep): RecipeStep {
  const step: Step = { ...entry.step, provides: [...entry.step.provides, 'bench-path'] };
  return { ...entry, step };
}

/**
 * `/dpu bench`: prepares the path between two cards, looks whether packets get through, and measures. What the profile wants
 * stays; addresses, sweeps of the MTU and all that runs for the measurement are taken away, however it ends.
 */
export const bench: Recipe = {
  name: 'bench',
  version: recipeVersions.bench,
  onFailure: 'cleanup',
  needs: needChecks,
  steps: [
    { step: preflightHost, params: nothing },
    // A slow slot is no reason not to measure: it stands among the conditions.
    { step: findCard, params: nothing },
    { step: checkCredentials, params: (target) => ({ refs: refsOf(target) }) },
    { step: checkCardUse, params: (target) => ({ viaCard: options(target).viaCard }) },
    hugepagesStep((target) => (options(target).tool === 'testpmd' ? undefined : 'only testpmd takes hugepages')),
    ...dataPathSteps(ifArm).map((entry) => shaping({ ...entry, step: unlessMeasuring(entry.step) })),
    shaping({
      step: setIpsecMode,
      params: (target) => ({ uplinks: [portOf(target)] }),
      skip: unless(ifIpsec, ifFullOffload),
    }),
    shaping({
      step: setUpIpsec,
      params: (target) => ({ sas: Math.max(...options(target).sas) }),
      skip: ifIpsec,
    }),
    shaping({
      step: setBenchAddresses,
      params: (target) => ({ routed: routed(target), sas: Math.max(...options(target).sas) }),
    }),
    {
      step: { ...checkPath, needs: [...checkPath.needs, 'bench-path'] },
      params: (target) => ({ routed: routed(target), ipsec: options(target).kind === 'ipsec' }),
    },
    { step: measure, params: measureParams },
  ],
};

function measureParams(target: RecipeTarget): unknown {
  const { viaCard: _viaCard, ...params } = options(target);
  return params;
}
