import type { Secret } from '../domain/secret.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';
import type { CardRshim } from '../facts/rshim.ts';
import { isSecureBootOff, readSecureBoot, secureBootText } from '../facts/secure-boot.ts';
import { bmcSession } from './bmc-session.ts';
import { fileArmPassword } from './flash-arm-password.ts';
import type { PushBefore } from './flash-attempts.ts';
import { removeBfCfg, writeBfCfg } from './flash-config.ts';
import { giveRshimBackAfter, takeRshim } from './flash-ownership.ts';
import type { FlashParams } from './flash-params.ts';
import { bestEffort, refuseWhilePushing } from './flash-rshim.ts';

/** What is journaled with the push, and the device it goes to: that is valid for now only. */
type Begun = PushBefore & { readonly rshim: CardRshim };

/**
 * Everything before the first byte: nobody else is pushing, Secure Boot allows it, the rshim is ours, bf.cfg is there.
 * What fails here leaves nothing behind. Errors: flash-running, need-missing, bmc-update-failed, those of taking the rshim.
 */
export async function begin(context: ApplyContext, params: FlashParams, serial: string): Promise<Begun> {
  await refuseWhilePushing(context);
  if (params.secureBootMustBeOff) await refuseSecureBoot(context);
  const password = await fileArmPassword(context, serial);
  try {
    return await makeReady(context, params, serial, password);
  } catch (error) {
    if (error instanceof OpsError && !context.signal.aborted) {
      await bestEffort(async () => clearConfig(context, serial));
      await giveRshimBackAfter(context, error);
    }
    throw error;
  }
}

async function makeReady(context: ApplyContext, params: FlashParams, serial: string, password: Secret): Promise<Begun> {
  const rshim = await takeRshim(context);
  const record = await context.records.get(serial);
  const { bootState, bootStateTime } = await readDpuSystem(await bmcSession(context), context.signal);
  await writeBfCfg(context, params, serial, password);
  return { rshim, bootState, bootStateTime, sinceMs: context.clock.nowMs(), ...(record && { record }) };
}

async function refuseSecureBoot(context: ApplyContext): Promise<void> {
  const secureBoot = await readSecureBoot(await bmcSession(context), context.signal);
  if (isSecureBootOff(secureBoot)) return;
  throw errors.needMissing({
    step: 'install-bfb',
    target: context.dpu.name,
    need: `Secure Boot off for an unsigned image (it is ${secureBootText(secureBoot)})`,
    remedy: 'Let the profile of the card set `secureBoot: off`, and run the command again.',
  });
}

async function clearConfig(context: ApplyContext, serial: string): Promise<void> {
  const name = 'write-bf-cfg';
  if (!context.actions.some((act) => act.action === name)) return;
  await context.act({ name: 'remove-bf-cfg', text: 'remove the bf.cfg from the host' }, async () => {
    await removeBfCfg(context, serial);
    return { evidence: 'removed: the flash was not begun', value: undefined };
  });
}
