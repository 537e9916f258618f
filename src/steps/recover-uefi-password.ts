import { z } from 'zod';
import type { Failure, Verdict } from '../domain/outcome.ts';
import type { Reboot } from '../domain/plan.ts';
import type { ApplyContext, Diff, ObserveContext } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';
import { readRunningInstallers } from '../facts/rshim.ts';
import { readSecureBoot, secureBootText } from '../facts/secure-boot.ts';
import { hasKeysCapsule } from '../facts/uefi-capsule.ts';
import { resetArm } from './arm-reset.ts';
import { bmcReader } from './bmc-session.ts';
import { hasRun } from './reboot-once.ts';
import { armNeeded, lookForArm } from './recover-arm.ts';
import {
  bootWithCapsule,
  fileUefiPassword,
  keepUefiPassword,
  sendUefiPassword,
  uefiActs,
} from './recover-uefi-acts.ts';
import { lookForUpdate } from './update-elsewhere.ts';

interface Observed {
  readonly isDone: boolean;
  readonly refusal: Failure | undefined;
  /** Secure Boot goes off again with the same resets. */
  readonly wantsSecureBootOff: boolean;
}

/**
 * Bring the password of the UEFI menu back to the factory one with a capsule, and give it a generated one over Redfish.
 *
 * Why      Nobody gets into the UEFI menu without it. The capsule enrols the Secure Boot keys too, so Secure Boot may come
 *          up on: where the profile wants it off, it is switched off in the same resets.
 * Reads    a login on the Arm, the capsule there; Systems/Bluefield (serial, BootProgress), SecureBoot; running bfb-install.
 * Changes  bfrec --capsule EnrollKeysCap and one Arm reset; PATCH Bios/Settings (CurrentUefiPassword, UefiPassword) and two
 *          more, because UEFI fetches a setting in the first boot and runs with it in the second; credential store, escrow.
 * Errors   arm-login-needed, uefi-capsule-missing, uefi-capsule-refused, wrong-card, dpu-not-ready, reboot-while-flashing.
 * Source   seed blog, appendix (UEFI password); Mellanox bfscripts (bfrec); NVIDIA BlueField BMC docs (UEFI password).
 */
export const recoverUefiPassword = defineStep<Record<string, never>, Observed>({
  name: 'recover-uefi-password',
  title: 'Set the UEFI password anew',
  scope: 'dpu',
  risk: 'disruptive',
  params: z.strictObject({}),
  timeoutMs: 2_000_000,
  needs: ['bmc-pinned', 'bmc-session'],
  provides: [],
  worstReboots: (dpu) => reboots(dpu.name),
  aim: () => 'a generated password for the UEFI menu, with three Arm resets',
  wanted: () => 'a UEFI password that this run has generated',
  observe: async (context) => ({
    isDone: hasRun(context.actions, uefiActs.keep),
    refusal: await refusalOf(context),
    wantsSecureBootOff: context.profile.secureBoot === 'off',
  }),
  diff: (observed, _params, dpu) => judge(observed, dpu.name),
  apply: async (context) => {
    // A worker that died in filing it may have filed it: there is no pending one then, and a new one was never sent.
    const isSent = context.actions.some(({ action }) => action === uefiActs.keep);
    if (!isSent) await bringIntoForce(context);
    await keepUefiPassword(context);
    return { kind: 'done' };
  },
  verify,
});

async function bringIntoForce(context: ApplyContext): Promise<void> {
  const password = await fileUefiPassword(context);
  await bootWithCapsule(context);
  await sendUefiPassword(context, password);
  for (const [name, ordinal] of [
    [uefiActs.firstReset, 'second'],
    [uefiActs.secondReset, 'third'],
  ] as const)
    if (!hasRun(context.actions, name)) await resetArm(context, name, ordinal);
}

async function refusalOf(context: ObserveContext): Promise<Failure | undefined> {
  const { dpu, card, host, signal, runId: run } = context;
  const { name: target } = dpu;
  const { serial: bmcSerial } = await readDpuSystem(await bmcReader(context), signal);
  const vpdSerial = card.serial ?? 'unknown';
  if (bmcSerial !== card.serial) return errors.wrongCard({ target, vpdSerial, bmcSerial, run }).failure;
  const [seen] = await readRunningInstallers(host, signal);
  if (seen !== undefined) return errors.rebootWhileFlashing({ target, host: host.name, seen }).failure;
  const { running } = await lookForUpdate(context);
  if (running) return errors.rebootWhileFlashing({ target, ...running }).failure;
  // Once the capsule has been taken, the rest goes over the BMC alone.
  if (hasRun(context.actions, uefiActs.capsule)) return undefined;
  const arm = await lookForArm(context);
  if (arm.state !== 'in') return armNeeded(context, 'UEFI password', arm);
  return (await hasKeysCapsule(arm.session, signal)) ? undefined : errors.uefiCapsuleMissing({ target }).failure;
}

function judge({ isDone, refusal, wantsSecureBootOff }: Observed, target: string): Diff {
  if (isDone) return { kind: 'satisfied', reason: 'this run has done it' };
  if (refusal !== undefined) return { kind: 'refused', failure: refusal };
  const text = `UEFI password of ${target}: back to the factory one with the capsule EnrollKeysCap, then generated, 16 bytes, copy in the escrow; three Arm resets, files on the Arm stay`;
  const after = wantsSecureBootOff
    ? 'if that switches it on, it is switched off with the same resets'
    : 'it may be on afterwards, and an image that is not signed does not start then';
  return {
    kind: 'change',
    changes: [{ target, from: 'unknown', to: 'generated', text }],
    warning: `the capsule enrols the Secure Boot keys of ${target} anew: ${after}`,
    reboots: reboots(target),
  };
}

function reboots(target: string): readonly Reboot[] {
  return [{ what: 'arm', target, times: 3, certainty: 'planned' }];
}

async function verify(context: ObserveContext): Promise<readonly Verdict[]> {
  const bmc = await bmcReader(context);
  const { bootState } = await readDpuSystem(bmc, context.signal);
  const secureBoot = await readSecureBoot(bmc, context.signal);
  const mayBeOn = context.profile.secureBoot !== 'off';
  return [
    { check: 'boot progress', pass: bootState === 'OsIsRunning', expected: 'OsIsRunning', actual: bootState },
    {
      check: 'Secure Boot',
      pass: mayBeOn || secureBoot.enable !== true,
      expected: mayBeOn ? 'on or off' : 'off',
      actual: secureBootText(secureBoot),
    },
    {
      check: 'UEFI password',
      pass: true,
      expected: 'taken',
      actual:
        'cannot be read back; bfrec took the capsule and the BMC the change, the next login at the UEFI menu shows it',
    },
  ];
}
