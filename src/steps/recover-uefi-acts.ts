import { generateBmcPassword } from '../domain/password.ts';
import { Secret } from '../domain/secret.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readSecureBoot } from '../facts/secure-boot.ts';
import { keysCapsule } from '../facts/uefi-capsule.ts';
import { restartArm, settleArm } from './arm-reset.ts';
import { armSession, expectArm, serialOf } from './arm-session.ts';
import { bmcSession } from './bmc-session.ts';
import { escrowLabel } from './escrow-label.ts';
import { hasRun } from './reboot-once.ts';
import { runOk } from './remote.ts';
import { patchSecureBootOff } from './secure-boot-off.ts';

/** The acts of `recover-uefi-password`, in their order. What has been done is not done again. */
export const uefiActs = {
  save: 'save-uefi-password',
  capsule: 'take-capsule',
  capsuleReset: 'reset-with-capsule',
  secureBootOff: 'switch-secure-boot-off',
  send: 'send-uefi-password',
  firstReset: 'reset-to-fetch',
  secondReset: 'reset-to-run',
  keep: 'keep-uefi-password',
} as const;

/** What the capsule leaves behind, as NVIDIA's manuals print it. */
const factoryPassword = 'bluefield';
const settingsPath = '/redfish/v1/Systems/Bluefield/Bios/Settings';
/** The last thing that bfrec says when UEFI will find the capsule. */
const isTaken = /Reboot the system to process the platform firmware updates/;

/** Files a new UEFI password as pending and in the escrow; one that is pending already is used again. */
export async function fileUefiPassword(context: ApplyContext): Promise<Secret> {
  const key = { uefiSerial: serialOf(context) };
  const { recipient } = context.slice;
  const text = 'file a new UEFI password as pending and write it to the escrow';
  return context.act({ name: uefiActs.save, text }, async () => {
    const known = (await context.credentials.bmc(key)).find((entry) => entry.slot === 'pending');
    const secret = known?.secret ?? new Secret(generateBmcPassword(context.random));
    if (!known) await context.credentials.savePending(key, secret, recipient);
    await context.escrow.write({ label: escrowLabel(context, 'uefi'), recipient, secret, runId: context.runId });
    return { evidence: known ? 'the pending one is used again' : 'pending saved, escrow written', value: secret };
  });
}

/**
 * Puts the capsule where UEFI finds it, boots once, and waits for the end of that boot. Taking the capsule twice before the
 * boot is the same as once. Errors: uefi-capsule-refused, dpu-not-ready, command-failed.
 */
export async function bootWithCapsule(context: ApplyContext): Promise<void> {
  const { actions, dpu, signal, runId: run } = context;
  const { name: target } = dpu;
  if (!hasRun(actions, uefiActs.capsule)) await takeCapsule(context);
  if (!hasRun(actions, uefiActs.capsuleReset)) await restartArm(context, uefiActs.capsuleReset, 'first');
  const { bootState } = await settleArm(context);
  if (bootState === 'OsIsRunning' || hasRun(actions, uefiActs.send)) return;
  const { enable } = await readSecureBoot(await bmcSession(context), signal);
  // With the keys Secure Boot may have come back, and an unsigned system does not start: it is switched off below.
  if (enable === true && context.profile.secureBoot === 'off') return;
  throw errors.armNotReady({ target, state: bootState, limit: '5 min', run });
}

async function takeCapsule(context: ApplyContext): Promise<void> {
  const { signal } = context;
  const arm = await armSession(context);
  await expectArm(context, arm, 'SSH');
  await context.act({ name: uefiActs.capsule, text: 'have UEFI take the capsule EnrollKeysCap' }, async () => {
    const argv = ['sudo', '-n', 'bfrec', '--capsule', keysCapsule];
    const { stdout, stderr } = await runOk(arm, argv, { timeoutMs: 120_000, signal });
    const said = `${stdout}\n${stderr}`;
    if (!isTaken.test(said))
      throw errors.uefiCapsuleRefused({ target: context.dpu.name, said: said.trim().slice(0, 400) });
    return { evidence: 'bfrec: reboot the system to process the platform firmware updates', value: undefined };
  });
}

/** Sends the new password to the BMC, for UEFI to fetch, and with it Secure Boot off where the profile wants that. */
export async function sendUefiPassword(context: ApplyContext, password: Secret): Promise<void> {
  const { actions, signal } = context;
  if (hasRun(actions, uefiActs.send)) return;
  const secureBoot = await readSecureBoot(await bmcSession(context), signal);
  if (context.profile.secureBoot === 'off' && secureBoot.enable === true) {
    const text = `switch Secure Boot of ${context.dpu.name} off again`;
    await context.act({ name: uefiActs.secureBootOff, text, before: secureBoot }, async () => ({
      evidence: await patchSecureBootOff(context),
      value: undefined,
    }));
  }
  await context.act({ name: uefiActs.send, text: 'send the new UEFI password to the BMC' }, async () => {
    const session = await bmcSession(context);
    const body = { Attributes: { CurrentUefiPassword: factoryPassword, UefiPassword: password } };
    const reply = await session.patchSecret(settingsPath, body, { timeoutMs: 30_000, signal });
    return { evidence: `PATCH ${settingsPath} -> ${reply.status}`, value: undefined };
  });
}

/** The card has booted twice since the password was sent. */
export async function keepUefiPassword(context: ApplyContext): Promise<void> {
  await context.act({ name: uefiActs.keep, text: 'file the new UEFI password as current' }, async () => {
    await context.credentials.promote({ uefiSerial: serialOf(context) });
    return { evidence: 'sent, and booted twice since; UEFI does not let it be read back', value: undefined };
  });
}
