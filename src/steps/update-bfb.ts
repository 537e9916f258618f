import { byteText } from '../domain/byte-text.ts';
import type { Reboot } from '../domain/plan.ts';
import type { ApplyContext, Diff } from '../domain/step.ts';
import { defineStep } from '../domain/step.ts';
import { OpsError } from '../errors.ts';
import { isSecureBootOff, readSecureBoot, secureBootText } from '../facts/secure-boot.ts';
import type { SecureBoot } from '../facts/secure-boot.ts';
import { readDpuOs } from '../facts/card-image.ts';
import { bmcReader } from './bmc-session.ts';
import { serialOf } from './arm-session.ts';
import { FlashParams } from './flash-params.ts';
import { bestEffort } from './flash-rshim.ts';
import { freeingResets } from './flash-secure-boot.ts';
import { pollDpuOs } from './flash-state.ts';
import { awaitInstalled } from './update-boot.ts';
import { giveRshimToBmc, takeRshimBack } from './update-rshim.ts';
import { imageUri, updateActs, updateOf, updateStep } from './update-attempts.ts';
import { transferImage } from './update-transfer.ts';

const unhashed = 'its release was checked, its SHA-256 was not';

interface Observed {
  readonly dpuOs: string | undefined;
  /** This run has brought it to its end. */
  readonly isRecorded: boolean;
  readonly underWay: boolean;
  readonly secureBoot: SecureBoot | undefined;
}

/**
 * Flash the Arm of a card through its BMC, which fetches the image from a web server, and see the new system come up.
 *
 * Why      The way to a card whose host has no rshim, or cannot be used.
 * Reads    FirmwareInventory/DPU_OS, SecureBoot, TaskService/Tasks, BootProgress.
 * Changes  BmcRShimEnabled, UpdateService.SimpleUpdate: erases the Arm's disk. No bf.cfg goes along: the system comes up
 *          with the login of the image. Where a transfer has failed the BMC is restarted: it keeps the failed state. Where
 *          Secure Boot comes back and the image is not signed: SecureBootEnable, and more resets of the Arm.
 * Errors   update-running, update-transfer-failed, image-refused-by-bmc, flash-interrupted, flash-timeout, bmc-not-back,
 *          rshim-owned-by-host, verify-mismatch.
 * Source   NVIDIA BlueField docs, "Deploying BlueField Software Using BFB from BMC"; DPF (the task is the transfer only).
 */
export const updateBfb = defineStep<FlashParams, Observed>({
  name: updateStep,
  title: 'Flash the image through the BMC',
  scope: 'dpu',
  risk: 'destructive',
  params: FlashParams,
  timeoutMs: 90 * 60_000,
  usualMs: 20 * 60_000,
  needs: ['bmc-pinned', 'bmc-session', 'dpu-mode'],
  provides: ['active-image', 'arm-ssh', 'drivers'],
  worstReboots: (dpu, _slice, params) => rebootsOf(dpu.name, params),
  aim: ({ image }) => `${image.name} on the Arm; all files on the Arm are erased`,
  wanted: ({ image }) => ({ image: image.name, sha256: image.sha256, via: 'redfish' }),
  observe: async (context, { secureBootMustBeOff, image }) => {
    const { underWay, isRecorded } = updateOf(context.actions);
    if (underWay) return { underWay, isRecorded, dpuOs: undefined, secureBoot: undefined };
    const bmc = await bmcReader(context);
    const secureBoot = secureBootMustBeOff ? await readSecureBoot(bmc, context.signal) : undefined;
    // A BMC that has just started names no release for a while: that is no reason to erase the card a second time.
    const dpuOs = isRecorded ? await pollDpuOs(context, image.version) : await readDpuOs(bmc, context.signal);
    return { underWay, isRecorded, dpuOs, secureBoot };
  },
  diff: judge,
  apply: async (context, _changes, params) => {
    await flash(context, params);
    await takeRshimBack(context);
    context.arm.forget(context.card);
    const { name, sha256 } = params.image;
    const serial = serialOf(context);
    const text = `record ${name} as the image that the BMC of ${serial} was told to fetch`;
    await context.act({ name: updateActs.record(updateOf(context.actions).attempt), text }, async () => {
      const known = await context.records.get(serial);
      // What the BMC has fetched nobody has hashed.
      const image = { name, sha256, checked: 'release' } as const;
      const record = { ...known, origin: 'flashed', image, runId: context.runId } as const;
      await context.records.put(serial, { ...record, atMs: context.clock.nowMs() });
      const { address } = imageUri(params.image);
      return { evidence: `the release of ${name}, fetched by the BMC from ${address}; ${unhashed}`, value: undefined };
    });
    return { kind: 'done' };
  },
  verify: async (context, { image }) => {
    const actual = (await pollDpuOs(context, image.version)) ?? 'nothing';
    const pass = actual === image.version;
    return [{ check: 'image that the BMC reports', pass, expected: image.version, actual }];
  },
});

/**
 * A run that stops at an error leaves the rshim as it was; a resume gives it to the BMC again where it needs to. While the
 * BMC may still be writing over it nothing is touched: that would cut the image off.
 */
async function flash(context: ApplyContext, params: FlashParams): Promise<void> {
  const installed = updateActs.boot(updateOf(context.actions).attempt);
  if (context.actions.some((act) => act.action === installed && act.done)) return;
  try {
    const update = await transferImage(context, params, await giveRshimToBmc(context));
    await awaitInstalled(context, params, update);
  } catch (error) {
    if (!(error instanceof OpsError) || context.signal.aborted) throw error;
    const { begun } = updateOf(context.actions);
    if (begun === undefined || begun.done) {
      await bestEffort(async () => takeRshimBack(context));
      throw error;
    }
    const { failure } = error;
    const left = `The BMC of ${context.dpu.name} may still be writing the image: its host drives no rshim until then; \`/dpu resume ${context.runId}\` follows it.`;
    throw new OpsError({ ...failure, next: `${failure.next} ${left}`, deviceState: 'unknown' });
  }
}

function judge(
  { dpuOs, isRecorded, underWay, secureBoot }: Observed,
  params: FlashParams,
  dpu: { name: string },
): Diff {
  const { image } = params;
  const { name: target } = dpu;
  if (isRecorded && (dpuOs === undefined || dpuOs === image.version)) {
    const named = dpuOs ?? 'its BMC names no release just now';
    return { kind: 'satisfied', reason: `${named}: this run had its BMC fetch ${image.name}; ${unhashed}` };
  }
  if (secureBoot !== undefined && !isSecureBootOff(secureBoot)) {
    const reason = `${image.name} is not signed and Secure Boot is ${secureBootText(secureBoot)}`;
    return { kind: 'deferred', awaits: 'secure-boot-off', reason };
  }
  const from = dpuOs ?? 'what is there';
  const text = underWay
    ? `${target}: the update with ${image.name} that this run began is brought to its end`
    : `${target}: all files on its Arm are erased, its BMC fetches ${image.name} (${byteText(image.bytes)}) from ${imageUri(image).host} and writes it over ${from}; about 20 min; the first login is that of the image; afterwards only its release can be checked, not its SHA-256`;
  const to = `${image.name} (${image.version})`;
  return { kind: 'change', changes: [{ target, from, to, text }], reboots: rebootsOf(target, params) };
}

/**
 * The Arm is reset for the image and once more into the new system, and more often where Secure Boot comes back and the
 * image is not signed; a failed transfer costs a restart of the BMC.
 */
function rebootsOf(target: string, { secureBootMustBeOff }: FlashParams): readonly Reboot[] {
  const arm: Reboot = { what: 'arm', target, times: 2, certainty: 'planned' };
  const when = 'when the BMC fails to fetch the image';
  const bmc: Reboot = { what: 'bmc', target, times: 1, certainty: 'at-most', when };
  return secureBootMustBeOff ? [arm, freeingResets(target), bmc] : [arm, bmc];
}
