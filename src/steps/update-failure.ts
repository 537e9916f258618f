import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readBmcManager } from '../facts/bmc-manager.ts';
import { bmcSession } from './bmc-session.ts';
import type { FlashParams } from './flash-params.ts';
import { restartBmc } from './reset-bmc.ts';
import { imageUri, updateActs } from './update-attempts.ts';

/** Says what a failed update means, ends the attempt, and restarts the BMC, which otherwise refuses the next one. */
export async function explainUpdate(
  context: ApplyContext,
  params: FlashParams,
  attempt: number,
  error: unknown,
): Promise<unknown> {
  if (!(error instanceof OpsError) || context.signal.aborted) return error;
  const target = context.dpu.name;
  const { why } = error.failure;
  const { address } = imageUri(params.image);
  if (error.code === 'redfish-error' && /UpdateInProgress|update is in progress/i.test(why))
    return errors.updateRunning({ target, why, run: context.runId });
  if (error.code !== 'redfish-task-failed') return error;
  const told = /transfer|unknown host/i.test(why)
    ? errors.updateTransferFailed({ target, address, why, run: context.runId })
    : errors.imageRefusedByBmc({ target, image: params.image.name, why, run: context.runId });
  await restartBmc(
    context,
    `reset-bmc-after-update-${attempt}`,
    await readBmcManager(await bmcSession(context), context.signal),
  );
  await context.act({ name: updateActs.giveUp(attempt), text: `end attempt ${attempt} at ${target}` }, async () =>
    Promise.resolve({ evidence: told.code, value: undefined }),
  );
  return told;
}
