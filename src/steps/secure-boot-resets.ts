import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { notReported } from '../facts/dpu-system.ts';
import type { SecureBoot } from '../facts/secure-boot.ts';
import { isSecureBootOff, readSecureBoot } from '../facts/secure-boot.ts';
import { resetArm, restartArm, settleArm } from './arm-reset.ts';
import { bmcSession } from './bmc-session.ts';

/** UEFI fetches the setting in the first boot and runs with it in the second. */
export const resetsToTakeEffect = 2;
/** One too many is allowed: a boot may have been under way. */
export const resetsAtMost = 3;
export const resetsToReport = 3;

/** The resets of one card until its Secure Boot is as it shall be. */
export interface SecureBootResets {
  /** Has UEFI tell the BMC about Secure Boot. Errors: secure-boot-not-reported, dpu-not-ready. */
  untilReported(): Promise<void>;
  /** `patched`: this run switched it off, so two resets are due, whatever is shown. Errors: dpu-not-ready. */
  untilOff(patched: boolean): Promise<void>;
}

/**
 * A card that stands in UEFI before the first of them gets no further in any boot with Secure Boot on: its system is not
 * signed. Then a reset counts as soon as it has begun, and what the boot comes to is waited out: in the last one it starts.
 */
export async function resetsFor(context: ApplyContext): Promise<SecureBootResets> {
  const { bootState } = await settleArm(context);
  const isStuck = bootState !== 'OsIsRunning' && bootState !== notReported;
  const reset = async (name: string, ordinal: string): Promise<void> => {
    if (!isStuck) return resetArm(context, name, ordinal);
    await restartArm(context, name, ordinal);
    await settleArm(context);
  };
  return {
    untilReported: async () => untilReported(context, reset),
    untilOff: async (patched) => {
      await untilOff(context, patched, reset);
      if (isStuck) await seeUp(context);
    },
  };
}

type Reset = (name: string, ordinal: string) => Promise<void>;

async function read(context: ApplyContext): Promise<SecureBoot> {
  return readSecureBoot(await bmcSession(context), context.signal);
}

async function untilReported(context: ApplyContext, reset: Reset): Promise<void> {
  const name = 'reset-arm-to-report';
  let done = doneSince(context, name, undefined);
  for (;;) {
    const state = await read(context);
    if (state.enable !== 'not-reported' && state.currentBoot !== 'not-reported') return;
    if (done >= resetsToReport)
      throw errors.secureBootNotReported({ target: context.dpu.name, resets: done, run: context.runId });
    done += 1;
    await reset(name, `${ordinalOf(done)} reporting`);
  }
}

async function untilOff(context: ApplyContext, patched: boolean, reset: Reset): Promise<void> {
  const name = 'reset-arm';
  const due = patched ? resetsToTakeEffect : 1;
  let done = doneSince(context, name, 'patch-secure-boot');
  for (;;) {
    if (done >= due && isSecureBootOff(await read(context))) return;
    if (done >= resetsAtMost) return; // verify says what is wrong
    done += 1;
    await reset(name, ordinalOf(done));
  }
}

async function seeUp(context: ApplyContext): Promise<void> {
  const { bootState: state } = await settleArm(context);
  if (state !== 'OsIsRunning')
    throw errors.armNotReady({ target: context.dpu.name, state, limit: '5 min', run: context.runId });
}

/** How many resets of this run are proven, counted from the last PATCH (also an unanswered one) where one is named. */
function doneSince(context: ApplyContext, name: string, patch: string | undefined): number {
  const from = patch === undefined ? -1 : context.actions.findLastIndex((action) => action.action === patch);
  return context.actions.slice(from + 1).filter((action) => action.action === name && action.done).length;
}

function ordinalOf(count: number): string {
  return ['first', 'second', 'third'][count - 1] ?? `${count}th`;
}
