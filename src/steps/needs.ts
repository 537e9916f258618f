import type { Need, NeedCheck } from '../domain/step.ts';
import { errors } from '../errors.ts';

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

/** How each need is looked at, for recipes to pick from. `host-ssh` is proven by `preflight-host` itself. */
export const needChecks = {
  'host-ssh': hostSsh,
  'bmc-pinned': bmcPinned,
  'bmc-session': bmcSession,
} as const satisfies Partial<Record<Need, NeedCheck>>;
