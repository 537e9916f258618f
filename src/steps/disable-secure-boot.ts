import { z } from 'zod';
import type { Verdict } from '../domain/outcome.ts';
import type { Reboot } from '../domain/plan.ts';
import type { ApplyContext, Diff, Step } from '../domain/step.ts';
import { asStep, defineStep } from '../domain/step.ts';
import type { SecureBoot } from '../facts/secure-boot.ts';
import { isSecureBootOff, readSecureBoot, secureBootText } from '../facts/secure-boot.ts';
import { bmcReader, bmcSession } from './bmc-session.ts';
import { isFlashUnderWay } from './flash-under-way.ts';
import { patchSecureBootOff } from './secure-boot-off.ts';
import { resetsAtMost, resetsFor, resetsToReport, resetsToTakeEffect } from './secure-boot-resets.ts';
import { isUpdateUnderWay } from './update-attempts.ts';

type Observed = SecureBoot | 'flash-under-way';

const cameBack = 'when Secure Boot comes back with the new system';

/**
 * Switch UEFI Secure Boot off in the memory of the BMC, so that it stays off, and boot the Arm twice.
 *
 * Why      Unsigned images and kernel modules do not load with it; switching it off in the UEFI menu lasts one boot.
 * Reads    Systems/Bluefield/SecureBoot (SecureBootEnable, SecureBootCurrentBoot), Systems/Bluefield (BootProgress).
 * Changes  PATCH SecureBoot, two resets of the Arm complex (host and its network through the card's Arm are affected).
 * Errors   secure-boot-not-reported, dpu-not-ready, verify-mismatch, redfish-error.
 * Source   seed blog step 4; NVIDIA BlueField BMC docs; infra-controller handler.rs (fields missing until a reboot).
 */
export const disableSecureBoot = defineStep<Record<string, never>, Observed>({
  name: 'disable-secure-boot',
  title: 'Switch Secure Boot off',
  scope: 'dpu',
  risk: 'disruptive',
  params: z.strictObject({}),
  timeoutMs: 2_000_000,
  // Two boots of 1 to 3 min with a pause between them.
  usualMs: 5 * 60_000,
  needs: ['bmc-pinned', 'bmc-session'],
  provides: ['secure-boot-off'],
  worstReboots: (dpu) => reboots(dpu.name, true),
  aim: () => `Secure Boot off, with ${resetsToTakeEffect} Arm resets unless it is off already`,
  wanted: () => ({ SecureBootEnable: false, SecureBootCurrentBoot: 'Disabled' }),
  observe: async (context) => {
    // A reset in the middle of a flash would leave the card without a system; after it Secure Boot is looked at again.
    if (isUpdateUnderWay(context) || (await isFlashUnderWay(context))) return 'flash-under-way';
    return readSecureBoot(await bmcReader(context), context.signal);
  },
  diff: (observed, _params, dpu) => judge(observed, dpu.name),
  apply: async (context) => {
    const resets = await resetsFor(context);
    await resets.untilReported();
    const patched = await switchOff(context);
    await resets.untilOff(patched);
    return { kind: 'done' };
  },
  verify: async (context) => {
    const { enable, currentBoot } = await readSecureBoot(await bmcReader(context), context.signal);
    return [
      verdictOf('SecureBootEnable', 'false', String(enable)),
      verdictOf('SecureBootCurrentBoot', 'Disabled', currentBoot),
    ];
  },
});

/** The same after something that may have switched it on again: nothing is expected then, and as much is possible. */
export const lookAtSecureBootAgain: Step = {
  ...asStep(disableSecureBoot, 'disable-secure-boot-again', 'Look at Secure Boot again'),
  worstReboots: (dpu) => reboots(dpu.name, true).map((one) => ({ ...one, certainty: 'at-most', when: cameBack })),
  aim: () => 'it stays off; no reset is expected, and it is switched off once more where it came back',
};

function verdictOf(check: string, expected: string, actual: string): Verdict {
  return { check, pass: actual === expected, expected, actual };
}

function judge(observed: Observed, target: string): Diff {
  if (observed === 'flash-under-way')
    return { kind: 'satisfied', reason: `${target} is being flashed; Secure Boot is looked at again afterwards` };
  if (isSecureBootOff(observed)) return { kind: 'satisfied', reason: 'Secure Boot is off, also in the running boot' };
  const notReported = observed.enable === 'not-reported' || observed.currentBoot === 'not-reported';
  const text = notReported
    ? `Secure Boot of ${target} is not reported: up to ${resetsToReport} Arm resets to have it reported, then off with two more`
    : `Secure Boot of ${target}: ${secureBootText(observed)} -> off, with ${resetsToTakeEffect} Arm resets`;
  return {
    kind: 'change',
    changes: [{ target, from: secureBootText(observed), to: 'off (running boot: Disabled)', text }],
    reboots: reboots(target, notReported),
  };
}

function reboots(target: string, notReported: boolean): readonly Reboot[] {
  const needed: Reboot = { what: 'arm', target, times: resetsToTakeEffect, certainty: 'planned' };
  const extra = (times: number, when: string): Reboot => ({ what: 'arm', target, times, certainty: 'at-most', when });
  return [
    needed,
    extra(resetsAtMost - resetsToTakeEffect, 'when a boot does not take Secure Boot over'),
    ...(notReported ? [extra(resetsToReport, 'when the BMC does not report Secure Boot')] : []),
  ];
}

/** Returns whether this run switched it off (now or before a crash): then two resets are due, whatever is shown. */
async function switchOff(context: ApplyContext): Promise<boolean> {
  const state = await readSecureBoot(await bmcSession(context), context.signal);
  if (state.enable === false) return context.actions.some((action) => action.action === 'patch-secure-boot');
  await context.act(
    { name: 'patch-secure-boot', text: `switch Secure Boot of ${context.dpu.name} off`, before: state },
    async () => ({ evidence: await patchSecureBootOff(context), value: undefined }),
  );
  return true;
}
