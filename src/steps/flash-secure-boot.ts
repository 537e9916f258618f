import type { Reboot } from '../domain/plan.ts';
import type { ApplyContext } from '../domain/step.ts';
import { isSecureBootOff, readSecureBoot, secureBootText } from '../facts/secure-boot.ts';
import { restartArm } from './arm-reset.ts';
import { bmcSession } from './bmc-session.ts';
import type { Pushed } from './flash-attempts.ts';
import { flashActs } from './flash-attempts.ts';
import { patchSecureBootOff } from './secure-boot-off.ts';

/** UEFI fetches the setting in the first boot and runs with it in the second; as often once more. */
const freeingResetsAtMost = 4;

/** What the way out of that may cost. */
export function freeingResets(target: string): Reboot {
  const when = 'when Secure Boot comes back with the new system';
  return { what: 'arm', target, times: freeingResetsAtMost, certainty: 'at-most', when };
}

/**
 * A new system that is not signed does not start when Secure Boot has come back with the installation: the card stays in
 * UEFI. Takes one measure against that (switches it off where it is on, resets the Arm once) and returns true; the boot has
 * to be watched anew then. False: Secure Boot is not the reason, or nothing has helped.
 * Source: seed blog step 4; field guide of UEFI texts (`EFI stub: UEFI Secure Boot is enabled.`).
 */
export async function leaveSecureBoot(
  context: ApplyContext,
  { params, attempt }: Pick<Pushed, 'params' | 'attempt'>,
): Promise<boolean> {
  if (!params.secureBootMustBeOff) return false;
  const state = await readSecureBoot(await bmcSession(context), context.signal);
  if (isSecureBootOff(state)) return false;
  const name = flashActs.freeingReset(attempt);
  const resets = context.actions.filter((act) => act.action === name && act.done).length;
  if (resets >= freeingResetsAtMost) return false;
  const { name: target } = context.dpu;
  if (state.enable !== false) {
    const text = `switch Secure Boot of ${target} off again: it is ${secureBootText(state)}, and the image is not signed`;
    await context.act({ name: flashActs.secureBootOff(attempt), text, before: state }, async () => ({
      evidence: await patchSecureBootOff(context),
      value: undefined,
    }));
  }
  await restartArm(context, name, `${resets + 1}. freeing`);
  return true;
}
