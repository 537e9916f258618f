import { limitText } from '../domain/limit-text.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readDpuOs } from '../facts/card-image.ts';
import { notReported, readDpuSystem } from '../facts/dpu-system.ts';
import { bmcSession } from './bmc-session.ts';
import type { FlashParams } from './flash-params.ts';
import { tolerant } from './flash-rshim.ts';
import { leaveSecureBoot } from './flash-secure-boot.ts';
import type { Update } from './update-transfer.ts';
import { updateActs } from './update-attempts.ts';

const pollMs = 10_000;
/** The installer takes 10 to 15 minutes, with the parts of the BMC up to 40. */
const installLimitMs = 45 * 60_000;
/** So long no installation takes less: the release of before counts as that of after only then. */
const shortestInstallMs = 4 * 60_000;
const pausedLooks = 3;
/** The image is installed, and a card that was freed from Secure Boot only boots. */
const bootLimitMs = 15 * 60_000;

/**
 * Waits until the card has installed the image and runs it: the task of the BMC ends with the transfer. Over when the BMC
 * reports OsIsRunning of a boot after it, and the release of the image. Errors: uefi-shell, flash-timeout.
 * Source: DPF installing.go; NVIDIA BlueField BMC docs (OemLastState; the BMC lags behind by about 30 s).
 */
export async function awaitInstalled(context: ApplyContext, params: FlashParams, update: Update): Promise<void> {
  const name = updateActs.boot(update.attempt);
  if (context.actions.some((act) => act.action === name && act.done)) return;
  const text = `wait for the new system of ${context.dpu.name}`;
  await context.act({ name, text }, async () => ({
    evidence: await bootAtLast(context, params, update),
    value: undefined,
  }));
}

/** The card may have to be freed from Secure Boot before its system can start. */
async function bootAtLast(context: ApplyContext, params: FlashParams, update: Update): Promise<string> {
  let limitMs = installLimitMs;
  for (;;)
    try {
      return await poll(context, params, update, limitMs);
    } catch (error) {
      if (!(error instanceof OpsError) || error.code !== 'uefi-shell') throw error;
      if (!(await leaveSecureBoot(context, { params, attempt: update.attempt }))) throw error;
      limitMs = bootLimitMs;
    }
}

async function poll(
  context: ApplyContext,
  { image }: FlashParams,
  { before }: Update,
  waitMs: number,
): Promise<string> {
  const { clock, signal, runId: run } = context;
  const target = context.dpu.name;
  const startMs = clock.nowMs();
  const limitMs = clock.deadlineMs(waitMs);
  let [paused, wasAway, last, state] = [0, false, 'the BMC does not answer', ''];
  while (clock.nowMs() - startMs < limitMs) {
    const system = await tolerant(async () => readDpuSystem(await bmcSession(context), signal));
    const release = await tolerant(async () => readDpuOs(await bmcSession(context), signal));
    if (system !== undefined)
      [state, last] = [system.bootState, `${system.bootState}, ${release ?? 'no release named'}`];
    wasAway ||= state !== '' && state !== 'OsIsRunning';
    const stamps = [before.bootStateTime, system?.bootStateTime ?? notReported];
    const isNewStamp = stamps.includes(notReported) ? wasAway : stamps[0] !== stamps[1];
    const isLongEnough = before.dpuOs !== image.version || clock.nowMs() - startMs >= clock.wallMs(shortestInstallMs);
    if (system?.bootState === 'OsIsRunning' && isNewStamp && isLongEnough && release === image.version)
      return `${last}; stamp ${before.bootStateTime} -> ${system.bootStateTime}`;
    paused = system?.powerState === 'Paused' ? paused + 1 : 0;
    if (paused >= pausedLooks)
      throw errors.uefiShell({ target, seen: 'Its BMC reports PowerState Paused: it is in the UEFI shell.', run });
    await context.progress({ text: `waiting for the new system of ${target}: ${last}`, sinceMs: startMs, limitMs });
    await clock.poll(pollMs, signal);
  }
  const limit = limitText(waitMs);
  if (state === 'UEFI')
    throw errors.uefiShell({ target, seen: `After ${limit} its boot progress stands at UEFI.`, run });
  throw errors.flashTimeout({ target, doing: `installing; its BMC reports ${last}`, limit, run });
}
