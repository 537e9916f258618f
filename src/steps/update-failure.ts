import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readBmcManager } from '../facts/bmc-manager.ts';
import { bmcSession } from './bmc-session.ts';
import type { FlashParams } from './flash-params.ts';
import { restartBmc } from './reset-bmc.ts';
import { imageUri, updateActs } from './update-attempts.ts';

/** Why a BMC has to be restarted before it takes another update, as it is journaled with the end of an attempt. */
const failedBefore = 'update-failed';

/** Says what a failed update means and ends the attempt, where it is over; the BMC is restarted after a failed task. */
export async function explainUpdate(
  context: ApplyContext,
  params: FlashParams,
  attempt: number,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof OpsError) || context.signal.aborted) return error;
  const target = context.dpu.name;
  const { runId: run } = context;
  const { why } = error.failure;
  const { address } = imageUri(params.image);
  switch (error.code) {
    case 'redfish-error':
      if (!/UpdateInProgress|update is in progress/i.test(why)) return error;
      return errors.updateRunning({ target, why, run });
    case 'flash-interrupted':
      await endAttempt(context, attempt, error.code);
      return error;
    case 'redfish-task-lost': {
      await endAttempt(context, attempt, error.code);
      const lost = `${error.failure.what} ${error.failure.why}`.replace(/\.$/, '');
      return errors.flashInterrupted({ target, why: lost, run });
    }
    case 'redfish-task-failed': {
      // The end of the attempt first: should the worker die in the restart, the next one knows that it is due.
      await endAttempt(context, attempt, error.code, failedBefore);
      await clearFailedUpdate(context, attempt);
      return /transfer|unknown host/i.test(why)
        ? errors.updateTransferFailed({ target, address, why, run })
        : errors.imageRefusedByBmc({ target, image: params.image.name, why, run });
    }
    default:
      return error;
  }
}

/** A resume begins a new attempt after that. */
export async function endAttempt(
  context: ApplyContext,
  attempt: number,
  code: string,
  before?: typeof failedBefore,
): Promise<void> {
  const text = `end attempt ${attempt} at ${context.dpu.name}`;
  await context.act({ name: updateActs.giveUp(attempt), text, ...(before && { before }) }, async () =>
    Promise.resolve({ evidence: code, value: undefined }),
  );
}

/** Restarts the BMC after an attempt that failed in it, unless this run has: it keeps the failed state and refuses the next. */
export async function clearFailedUpdate(context: ApplyContext, attempt: number): Promise<void> {
  const name = `reset-bmc-after-update-${attempt}`;
  const isDue = context.actions.some((act) => act.action === updateActs.giveUp(attempt) && act.before === failedBefore);
  if (!isDue || context.actions.some((act) => act.action === name && act.done)) return;
  await restartBmc(context, name, await readBmcManager(await bmcSession(context), context.signal));
}
