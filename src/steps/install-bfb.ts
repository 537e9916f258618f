import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { Pushed } from './flash-attempts.ts';
import { flashActs } from './flash-attempts.ts';
import { keepArmPassword } from './flash-arm-password.ts';
import { removeBfCfg } from './flash-config.ts';
import { giveRshimBack } from './flash-ownership.ts';
import { FlashParams } from './flash-params.ts';
import { flashReboots, judgeFlash } from './flash-plan.ts';
import { pushImage } from './flash-push.ts';
import type { FlashState } from './flash-state.ts';
import { observeFlash, pollDpuOs } from './flash-state.ts';
import { awaitBoot } from './flash-wait.ts';

/**
 * Flash the Arm of a card over rshim, and see its new system come up.
 *
 * Why      Everything that comes later rests on a known system on the Arm.
 * Reads    record of the card, FirmwareInventory/DPU_OS, marker and release on the Arm, rshim misc, log of bfb-install.
 * Changes  bf.cfg on the host (removed again), `bfb-install` detached: erases the Arm's disk; rshim switches of the BMC.
 * Errors   unknown-image, rshim-not-found, rshim-owned-by-bmc, flash-running, push-failed, installer-failed, flash-timeout,
 *          flash-interrupted, flash-link-lost, uefi-shell, bmc-update-failed, verify-mismatch.
 * Source   Mellanox rshim-user-space (bfb-install, rshim), bfb-build (installer), NVIDIA BlueField docs (bf.cfg).
 */
export const installBfb = defineStep<FlashParams, FlashState>({
  name: 'install-bfb',
  title: 'Flash the image',
  scope: 'dpu',
  risk: 'destructive',
  params: FlashParams,
  timeoutMs: 90 * 60_000,
  // About 2 min for the push of 1.4 GiB, 8 to 13 for the installer; more with components of the BMC.
  usualMs: 15 * 60_000,
  needs: ['rshim', 'staged-bfb', 'bmc-session'],
  provides: ['active-image', 'arm-ssh', 'drivers'],
  worstReboots: (dpu, _slice, params) => flashReboots(params, dpu.name),
  aim: ({ image, force }) =>
    `${image.name} on the Arm; ${force ? 'whatever is there' : 'unless it is there already'}, all files on the Arm are erased`,
  wanted: ({ image, bmcComponents }) => ({ image: image.name, sha256: image.sha256, bmcComponents }),
  observe: observeFlash,
  diff: (observed, params, dpu) => judgeFlash(observed, params, dpu.name),
  apply: async (context, _changes, params) => {
    const serial = serialOf(context);
    const pushed = await pushImage(context, params, serial);
    await afterPush(context, pushed);
    await awaitBoot(context, pushed);
    await keepArmPassword(context, serial);
    await giveRshimBack(context);
    context.arm.forget(context.card);
    await record(context, pushed);
    return { kind: 'done' };
  },
  verify: async (context, params) => {
    const running = (await pollDpuOs(context, params.image.version)) ?? 'nothing';
    const known = (await context.records.get(serialOf(context)))?.image?.sha256 ?? 'nothing';
    const { version, sha256 } = params.image;
    return [
      { check: 'image that the BMC reports', pass: running === version, expected: version, actual: running },
      { check: 'image that is on record', pass: known === sha256, expected: sha256, actual: known },
    ];
  },
});

function serialOf(context: ObserveContext): string {
  const { serial } = context.card;
  if (serial === undefined) throw errors.bug({ detail: 'the serial of the card was not read before its flash' });
  return serial;
}

/** The secrets leave the host as soon as nobody reads them any more; what the log says is shown once. */
async function afterPush(context: ApplyContext, { attempt, serial, log, warnings }: Pushed): Promise<void> {
  const name = flashActs.clear(attempt);
  if (context.actions.some((act) => act.action === name && act.done)) return;
  const target = context.dpu.name;
  await context.snippet(`Installer on ${target} has finished`, [...log.notes, ...log.tail.slice(-8)].join('\n'));
  if (warnings.length > 0)
    await context.snippet(`BMC parts were left out on ${target}, as the profile wants`, warnings.join('\n'));
  await context.act({ name, text: 'remove the bf.cfg from the host' }, async () => {
    await removeBfCfg(context, serial);
    return { evidence: 'removed', value: undefined };
  });
}

/** Last of all: with it the flash counts as brought to its end. */
async function record(context: ApplyContext, { attempt, serial, params }: Pushed): Promise<void> {
  const { name, sha256 } = params.image;
  const text = `record ${name} as the image of ${serial}`;
  await context.act({ name: flashActs.record(attempt), text }, async () => {
    const known = await context.records.get(serial);
    const atMs = context.clock.nowMs();
    await context.records.put(serial, {
      ...known,
      origin: 'flashed',
      image: { name, sha256 },
      runId: context.runId,
      atMs,
    });
    return { evidence: `${name}, SHA-256 ${sha256}`, value: undefined };
  });
}
