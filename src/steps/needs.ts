import { knownBmc } from '../domain/credential-key.ts';
import type { Need, NeedCheck, Unmet } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readDpuMode } from '../facts/dpu-mode.ts';
import { readDrivers } from '../facts/drivers.ts';
import { readRshimService } from '../facts/rshim.ts';
import { isSecureBootOff, readSecureBoot, secureBootText } from '../facts/secure-boot.ts';
import { bmcReader } from './bmc-session.ts';
import { armFailure, armLogin } from './arm-session.ts';
import { isErasedByRun } from './flash-under-way.ts';

const hostSsh: NeedCheck = () => Promise.resolve({ met: true });

const bmcPinned: NeedCheck = async (context) => {
  const pin = context.dpu.bmc.certSha256 ?? (await context.pins.get('bmc-certificate', context.dpu.name));
  return pin === undefined
    ? { met: false, failure: errors.bmcUnpinned({ target: context.dpu.name }).failure }
    : { met: true };
};

/** A BMC session with full rights: logged in, and not with a password that must be changed first. */
const bmcSession: NeedCheck = async (context) => {
  const target = context.dpu.name;
  const login = await context.bmc.login(context.card, { timeoutMs: 60_000, signal: context.signal });
  switch (login.state) {
    case 'in':
      if (!login.mustChange) return { met: true };
      return {
        met: false,
        failure: errors.needMissing({
          step: 'this step',
          target,
          need: 'a BMC password that is not the factory one',
          remedy: `Let the profile of ${target} set \`bmcPassword: generated\`.`,
        }).failure,
      };
    case 'unpinned':
      return { met: false, failure: errors.bmcUnpinned({ target }).failure };
    case 'locked':
      return {
        met: false,
        failure: errors.bmcLocked({ target, untilIso: new Date(login.untilMs).toISOString() }).failure,
        untilMs: login.untilMs,
      };
    case 'refused':
      return { met: false, failure: errors.bmcLoginRefused({ target, tried: login.tried }).failure };
  }
};

/** A key login on the Arm, to the pinned host key. Where this run is just flashing it, who needs it knows what it needs. */
const armSsh: NeedCheck = async (context) => {
  if (isErasedByRun(context)) return { met: true };
  const login = await armLogin(context);
  return login.state === 'in' ? { met: true } : { met: false, failure: armFailure(context, login) };
};

/** The driver is installed on the host; who owns the card's rshim is the business of the step that needs it. */
const rshim: NeedCheck = async ({ host, dpu, signal }) => {
  if ((await readRshimService(host, signal)) !== 'missing') return { met: true };
  const why = 'The rshim driver is not installed there; it comes with DOCA.';
  return { met: false, failure: errors.rshimNotFound({ target: dpu.name, host: host.name, why }).failure };
};

/**
 * Proven in this run by the step that provides it, or else the card or unit would not have come so far. Looking again costs
 * what that step costs (a hash of the image, a login that comes later); it is a need so that a plan waits for it.
 */
const provenBefore: NeedCheck = () => Promise.resolve({ met: true });

const drivers: NeedCheck = async (context) => {
  const login = await armLogin(context);
  if (login.state !== 'in') return { met: false, failure: armFailure(context, login) };
  const { loaded, installed } = await readDrivers(login.session, context.signal);
  if (loaded === installed && loaded !== 'none') return { met: true };
  return unmet(
    context.dpu.name,
    `mlx5 driver ${installed} loaded`,
    `It has ${loaded}. Let "Load the drivers" run first.`,
  );
};

const secureBootOff: NeedCheck = async (context) => {
  const state = await readSecureBoot(await bmcReader(context), context.signal);
  if (isSecureBootOff(state)) return { met: true };
  return unmet(
    context.dpu.name,
    'Secure Boot off',
    `It is ${secureBootText(state)}. Let the profile set \`secureBoot: off\`.`,
  );
};

/** The address of the inventory, or the one that was found over the Arm. */
const bmcAddress: NeedCheck = async (context) => {
  const found = await knownBmc(context.card, context.records);
  const { failure } = errors.bmcAddressAuto({ target: context.dpu.name });
  return found === undefined ? { met: false, failure } : { met: true };
};

const dpuMode: NeedCheck = async (context) =>
  (await readDpuMode(await bmcReader(context), context.signal)) === 'dpu'
    ? { met: true }
    : { met: false, failure: errors.nicMode({ target: context.dpu.name }).failure };

function unmet(target: string, need: string, remedy: string): Unmet {
  return { met: false, failure: errors.needMissing({ step: 'this step', target, need, remedy }).failure };
}

/** How each need is looked at, for recipes to pick from. `host-ssh` is proven by `preflight-host` itself. */
export const needChecks = {
  'host-ssh': hostSsh,
  'bmc-pinned': bmcPinned,
  'bmc-session': bmcSession,
  'bmc-address': bmcAddress,
  'dpu-mode': dpuMode,
  'secure-boot-off': secureBootOff,
  rshim,
  'staged-bfb': provenBefore,
  'staged-mode': provenBefore,
  'staged-firmware': provenBefore,
  'active-image': provenBefore,
  representors: provenBefore,
  'bench-path': provenBefore,
  'arm-ssh': armSsh,
  drivers,
} as const satisfies Record<Need, NeedCheck>;
