import type { Need, Recipe, RecipeStep, RecipeTarget, Step } from '../src/domain/step.ts';
import { asStep } from '../src/domain/step.ts';
import { dataPathSteps, hugepagesStep } from './data-path.ts';
import { ProvisionParams, recipeVersions } from './payloads.ts';
import type { Skip } from './skip.ts';
import { unless } from './skip.ts';
import { activateFirmware, withoutFirmware } from '../src/steps/activate-firmware.ts';
import { activateMode } from '../src/steps/activate-mode.ts';
import { checkCredentials } from '../src/steps/check-credentials.ts';
import { checkCardUse } from '../src/steps/check-card-use.ts';
import { checkDpuMode } from '../src/steps/check-dpu-mode.ts';
import { checkVersions } from '../src/steps/check-versions.ts';
import type { FlashWay } from '../src/steps/choose-flash-way.ts';
import { chooseFlashWay } from '../src/steps/choose-flash-way.ts';
import { disableSecureBoot, lookAtSecureBootAgain } from '../src/steps/disable-secure-boot.ts';
import { enrolArmLogin } from '../src/steps/enrol-arm-login.ts';
import { findBmcAddress } from '../src/steps/find-bmc-address.ts';
import { identifyCard } from '../src/steps/identify-card.ts';
import { installBfb } from '../src/steps/install-bfb.ts';
import { installDoca } from '../src/steps/install-doca.ts';
import { installTailscaleDpu, installTailscaleHost } from '../src/steps/install-tailscale.ts';
import { loadDrivers } from '../src/steps/load-drivers.ts';
import { needChecks } from '../src/steps/needs.ts';
import { hasCycled } from '../src/steps/power-cycle.ts';
import { openAfterPowerCycle } from '../src/steps/power-rescue.ts';
import { pinBmcCertificate } from '../src/steps/pin-bmc-certificate.ts';
import { preflightHost } from '../src/steps/preflight-host.ts';
import { setBmcPassword } from '../src/steps/set-bmc-password.ts';
import { setDpuMode } from '../src/steps/set-dpu-mode.ts';
import { setHostname } from '../src/steps/set-hostname.ts';
import { setNtp } from '../src/steps/set-ntp.ts';
import { stageBfb } from '../src/steps/stage-bfb.ts';
import { updateBfb } from '../src/steps/update-bfb.ts';

const nothing = (): object => ({});
const options = (target: RecipeTarget): ProvisionParams => ProvisionParams.parse(target.options);

// ------------------------------------------------------------------------------------------ who is left out of what

const isAuto = ({ dpu }: RecipeTarget): boolean => dpu.bmc.address === 'auto';
const unlessAuto: Skip = (target) =>
  isAuto(target) ? 'the address of the BMC is found after DOCA and the login on the Arm' : undefined;
const onlyAuto: Skip = (target) => (isAuto(target) ? undefined : 'the BMC was reached before DOCA');
const ifImage: Skip = ({ profile }) => (profile.image === undefined ? 'the profile names no image' : undefined);
const ifArm: Skip = (target) => {
  if (target.profile.arm === undefined) return 'the profile has no login on the Arm';
  return learntOf(target)['rshim'] === 'missing'
    ? 'its host has no rshim, over which the host key of the new system is learnt'
    : undefined;
};
const ifOver =
  (way: FlashWay): Skip =>
  (target) => {
    // Before the choice can be made, as on a card whose BMC has its factory password, what was asked for counts.
    const { via } = options(target);
    const chosen = learntOf(target)['flash-way'] ?? (via === 'redfish' ? 'redfish' : 'rshim');
    return chosen === way ? undefined : `the image goes over ${chosen}`;
  };
const ifChoice: Skip = (target) => (options(target).via === 'rshim' ? 'the image goes over rshim' : undefined);
const ifModeAsked: Skip = (target) => (options(target).setMode ? undefined : 'the mode is left as it is');
const ifPassword: Skip = ({ profile }) =>
  profile.bmcPassword === 'leave' ? 'the profile leaves the BMC password alone' : undefined;
const ifSecureBoot: Skip = ({ profile }) =>
  profile.secureBoot === 'leave' ? 'the profile leaves Secure Boot alone' : undefined;
/** Secure Boot waits for the BMC's address and for DPU mode, where those come later. */
const isLate = (target: RecipeTarget): boolean => isAuto(target) || options(target).setMode;

/** The same step, put off in a plan until that is there too. */
function after(step: Step, ...needs: readonly Need[]): Step {
  return { ...step, needs: [...step.needs, ...needs] };
}

// ------------------------------------------------------------------------------------------ parameters

function imageOf({ slice, profile }: RecipeTarget): object | undefined {
  const image = profile.image === undefined ? undefined : slice.images[profile.image];
  return image && { name: profile.image, ...image };
}

/** What one card has been found to be, by `choose-flash-way`. Nothing yet where it was not asked. */
function learntOf({ cards, dpu }: RecipeTarget): Readonly<Record<string, string>> {
  return cards.find((card) => card.dpu.name === dpu.name)?.learnt ?? {};
}

/** Images that the host has to hold: not those that a BMC fetches by itself. */
function imagesOf({ slice, cards, options }: RecipeTarget): readonly object[] {
  const unknown = ProvisionParams.parse(options).via === 'redfish' ? 'redfish' : 'rshim';
  const overRshim = cards.filter(({ learnt }) => (learnt?.['flash-way'] ?? unknown) === 'rshim');
  const names = new Set(overRshim.flatMap(({ dpu }) => slice.profiles[dpu.name]?.image ?? []));
  return [...names].flatMap((name) => {
    const image = slice.images[name];
    return image ? [{ name, image }] : [];
  });
}

/** Names of the credentials that the steps for this card and its host will ask for. */
function credentialsOf({ slice, profile }: RecipeTarget): readonly string[] {
  const { hostProfile, entry } = slice;
  return [
    ...(profile.arm ? [profile.arm.key] : []),
    ...(profile.tailscale?.on.includes('dpu') ? [profile.tailscale.authKey] : []),
    ...(hostProfile.tailscale?.on.includes('host') ? [hostProfile.tailscale.authKey] : []),
    ...(hostProfile.activation === 'host-bmc' && entry.bmc ? [entry.bmc.password] : []),
  ].filter((ref, index, all) => all.indexOf(ref) === index);
}

function serialOf({ cards, dpu }: RecipeTarget): string | undefined {
  return cards.find((card) => card.dpu.name === dpu.name)?.serial;
}

function stageParams(target: RecipeTarget): object {
  const { adopt, reflash } = options(target);
  return { images: imagesOf(target), proxy: target.profile.doca?.proxy, adopt, reflash };
}

function flashParams(target: RecipeTarget): object {
  const { profile } = target;
  const { adopt, reflash, force } = options(target);
  const image = profile.image === undefined ? undefined : target.slice.images[profile.image];
  return {
    image: imageOf(target),
    bmcComponents: profile.bmcComponents,
    user: profile.arm?.user ?? 'ubuntu',
    hostname: profile.hostname === 'serial' ? serialOf(target) : undefined,
    adopt,
    reflash,
    force,
    secureBootMustBeOff: image?.signed === false,
  };
}

// ------------------------------------------------------------------------------------------ the recipe

/** BMC steps of cards whose address is known from the inventory; `late`: found over the Arm. */
function bmcSteps(late: boolean): readonly RecipeStep[] {
  const who = late ? onlyAuto : unlessAuto;
  const named = (step: Step): Step =>
    late ? after(asStep(step, `${step.name}-found`, step.title), 'bmc-address') : step;
  return [
    { step: named(pinBmcCertificate), params: nothing, skip: who },
    { step: named(setBmcPassword), params: nothing, skip: unless(who, ifPassword) },
    { step: named(checkDpuMode), params: (target) => ({ setMode: options(target).setMode }), skip: who },
  ];
}

/**
 * `/dpu provision`: from a card as it is to a card as its profile wants it. Forward only: what was done stays, and the
 * next run goes on from what it sees.
 */
export const provision: Recipe = {
  name: 'provision',
  version: recipeVersions.provision,
  onFailure: 'stop',
  looksAfter: 'status',
  needs: needChecks,
  rescue: { steps: [activateMode.name, activateFirmware.name], isDue: hasCycled, open: openAfterPowerCycle },
  steps: [
    { step: preflightHost, params: nothing },
    { step: identifyCard, params: ({ profile }) => ({ minPcieLink: profile.minPcieLink }) },
    { step: checkCredentials, params: (target) => ({ refs: credentialsOf(target) }) },
    { step: checkCardUse, params: (target) => ({ viaCard: options(target).viaCard }) },
    ...bmcSteps(false),
    {
      step: disableSecureBoot,
      params: nothing,
      skip: unless(ifSecureBoot, (target) =>
        isLate(target) ? 'Secure Boot is switched off after BMC and mode are there' : undefined,
      ),
    },
    {
      step: installDoca,
      params: ({ profile }) => profile.doca,
      skip: ({ profile }) =>
        profile.doca === undefined ? 'the profile leaves the packages of the host alone' : undefined,
    },
    { step: setDpuMode, params: nothing, skip: ifModeAsked },
    {
      step: after(activateMode, 'staged-mode'),
      params: ({ profile }) => ({ activation: profile.activation }),
      skip: ifModeAsked,
    },
    // Cards whose BMC has to be found: the login on the Arm comes first, and the Arm runs in DPU mode only.
    {
      step: asStep(enrolArmLogin, 'enrol-arm-login-first', 'Log in to the card to find its BMC'),
      params: (target) => ({ adopt: options(target).adopt, image: imageOf(target) }),
      skip: unless(onlyAuto, ifArm),
    },
    { step: findBmcAddress, params: nothing, skip: onlyAuto },
    ...bmcSteps(true),
    {
      step: after(asStep(disableSecureBoot, 'disable-secure-boot-late', 'Switch Secure Boot off'), 'dpu-mode'),
      params: nothing,
      skip: unless(ifSecureBoot, (target) => (isLate(target) ? undefined : 'it was looked at before DOCA')),
    },
    {
      step: chooseFlashWay,
      params: (target) => ({
        via: options(target).via,
        image: target.slice.images[target.profile.image ?? ''],
        bringsRshim: target.profile.doca !== undefined,
      }),
      skip: unless(ifImage, ifChoice),
    },
    { step: stageBfb, params: stageParams },
    { step: installBfb, params: flashParams, skip: unless(ifImage, ifOver('rshim')) },
    { step: updateBfb, params: flashParams, skip: unless(ifImage, ifOver('redfish')) },
    {
      step: after(lookAtSecureBootAgain, 'active-image'),
      params: nothing,
      skip: unless(ifImage, ifSecureBoot),
      waitsFor: ['secure-boot-off'],
    },
    {
      step: after(enrolArmLogin, 'active-image'),
      params: (target) => ({ adopt: options(target).adopt, image: imageOf(target) }),
      skip: ifArm,
      waitsFor: ['arm-ssh'],
    },
    {
      step: loadDrivers,
      params: ({ slice, profile }) => ({ driver: driverOf(slice.images, profile.image) }),
      skip: ifArm,
    },
    {
      step: setHostname,
      params: nothing,
      skip: unless(ifArm, ({ profile }) =>
        profile.hostname === 'leave' ? 'the profile leaves the name of the Arm alone' : undefined,
      ),
    },
    {
      step: setNtp,
      params: ({ profile }) => profile.ntp,
      skip: unless(ifArm, ({ profile }) => (profile.ntp ? undefined : 'the profile names no time servers')),
    },
    ...dataPathSteps(ifArm),
    hugepagesStep(() => undefined),
    {
      step: installTailscaleDpu,
      params: ({ profile }) => profile.tailscale,
      skip: unless(ifArm, ifTailscaleOn('dpu')),
    },
    { step: installTailscaleHost, params: ({ profile }) => profile.tailscale, skip: ifTailscaleOn('host') },
    {
      // An image brings firmware along that nobody has seen when the plan is made.
      step: after(activateFirmware, 'active-image'),
      params: ({ profile }) => ({ activation: profile.activation }),
      skip: withoutFirmware,
      waitsFor: ['dpu-mode'],
    },
    // A cold boot of the host takes the way over tmfifo away, where there is no other.
    {
      step: after(
        asStep(enrolArmLogin, 'enrol-arm-login-again', 'Log in to the card again'),
        'active-image',
        'staged-firmware',
      ),
      params: () => ({ adopt: false }),
      skip: unless(ifImage, ifArm),
      waitsFor: ['arm-ssh'],
    },
    {
      step: after(checkVersions, 'active-image', 'staged-firmware'),
      params: (target) => ({ image: imageOf(target) }),
      skip: unless(ifImage, ifArm),
      // It refuses what is not as wanted: in a plan only once the steps that set it right have run.
      waitsFor: ['secure-boot-off', 'drivers'],
    },
  ],
};

function ifTailscaleOn(place: 'host' | 'dpu'): Skip {
  return ({ profile }) =>
    profile.tailscale?.on.includes(place) === true ? undefined : `the profile wants no Tailscale on the ${place}`;
}

function driverOf(
  images: Readonly<Record<string, { readonly driver?: string | undefined }>>,
  name: string | undefined,
): string | undefined {
  return name === undefined ? undefined : images[name]?.driver;
}
