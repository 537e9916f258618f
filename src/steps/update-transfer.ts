import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';
import { readUpdateTasks } from '../facts/update-tasks.ts';
import { bmcSession } from './bmc-session.ts';
import type { FlashParams } from './flash-params.ts';
import { explainUpdate } from './update-failure.ts';
import { imageUri, updateActs, updateOf } from './update-attempts.ts';

const updatePath = '/redfish/v1/UpdateService/Actions/UpdateService.SimpleUpdate';
const updateTarget = 'redfish/v1/UpdateService/FirmwareInventory/DPU_OS';
/** 1.4 GiB through a 1 Gb/s port and the BMC; OobUpdate gives a bundle 20 minutes. */
const transferLimitMs = 40 * 60_000;

/** The card before the update, as it is journaled with the intent. */
interface Before {
  readonly bootState: string;
  readonly bootStateTime: string;
  readonly dpuOs: string;
}

export interface Update {
  readonly attempt: number;
  readonly before: Before;
}

/**
 * Has the BMC fetch the image; returns when it has all of it. An update whose worker died is looked for among the tasks of
 * the BMC and followed; where it has no trace of it nothing is sent again.
 * Errors: update-running, update-transfer-failed, image-refused-by-bmc, flash-interrupted.
 */
export async function transferImage(context: ApplyContext, params: FlashParams, dpuOs: string): Promise<Update> {
  const { attempt, begun } = updateOf(context.actions);
  const name = updateActs.transfer(attempt);
  const text = `have the BMC of ${context.dpu.name} fetch ${params.image.name}`;
  const before = isBefore(begun?.before) ? begun.before : await beforeOf(context, dpuOs);
  if (begun?.done === true) return { attempt, before };
  const known = begun === undefined ? undefined : await traceOf(context, params);
  try {
    await context.act({ name, text, before }, async () => {
      const path = known ?? (await startUpdate(context, params));
      await follow(context, path);
      return { evidence: `${path}: transferred`, value: undefined };
    });
  } catch (error) {
    throw await explainUpdate(context, params, attempt, error);
  }
  return { attempt, before };
}

async function beforeOf(context: ApplyContext, dpuOs: string): Promise<Before> {
  const { bootState, bootStateTime } = await readDpuSystem(await bmcSession(context), context.signal);
  return { bootState, bootStateTime, dpuOs };
}

/** The task of an update that was sent before the worker died. Errors: flash-interrupted, when the BMC knows none. */
async function traceOf(context: ApplyContext, params: FlashParams): Promise<string> {
  const session = await bmcSession(context);
  const tasks = await readUpdateTasks(session, imageUri(params.image).address, context.signal);
  const newest = tasks.at(-1);
  if (newest !== undefined) return newest.path;
  const why = 'The update was about to be sent when its worker ended, and the BMC has no task of it';
  throw errors.flashInterrupted({ target: context.dpu.name, why, run: context.runId });
}

async function startUpdate(context: ApplyContext, params: FlashParams): Promise<string> {
  const session = await bmcSession(context);
  const { address, protocol } = imageUri(params.image);
  const body = { TransferProtocol: protocol, ImageURI: address, Targets: [updateTarget] };
  try {
    const reply = await session.post(updatePath, body, { timeoutMs: 60_000, signal: context.signal });
    const path = taskOf(reply.body);
    if (path !== undefined) return path;
  } catch (error) {
    if (!(error instanceof OpsError) || !['bmc-reply-lost', 'bmc-timeout'].includes(error.code)) throw error;
  }
  // The reply is lost, or names no task: the list of the BMC tells whether it took the request.
  return traceOf(context, params);
}

function taskOf(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null || !('@odata.id' in body)) return undefined;
  const path = body['@odata.id'];
  return typeof path === 'string' && path.startsWith('/redfish/v1/TaskService/Tasks/') ? path : undefined;
}

async function follow(context: ApplyContext, path: string): Promise<void> {
  const { clock, signal, dpu } = context;
  const sinceMs = clock.nowMs();
  const limitMs = clock.deadlineMs(transferLimitMs);
  const text = `the BMC of ${dpu.name} fetches the image`;
  await context.progress({ text, sinceMs, limitMs });
  await (
    await bmcSession(context)
  ).waitTask(path, {
    timeoutMs: limitMs,
    signal,
    onProgress: (percent, state) => void context.progress({ text: `${text}: ${state}`, percent, sinceMs, limitMs }),
  });
}

function isBefore(value: unknown): value is Before {
  return typeof value === 'object' && value !== null && 'bootState' in value && 'dpuOs' in value;
}
