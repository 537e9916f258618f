import type { CardRecord } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import { readDpuSystem } from '../facts/dpu-system.ts';
import { readUpdateTasks } from '../facts/update-tasks.ts';
import { serialOf } from './arm-session.ts';
import { bmcSession } from './bmc-session.ts';
import type { FlashParams } from './flash-params.ts';
import { clearFailedUpdate, endAttempt, explainUpdate } from './update-failure.ts';
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
  /** Tasks of earlier updates with the same image that the BMC still remembers: none of them is this one. */
  readonly tasks?: readonly string[];
  /** What was known of the card; put back when the BMC did not take the request. */
  readonly record?: CardRecord;
}

export interface Update {
  readonly attempt: number;
  readonly before: Before;
}

/** One update on its way to the BMC. */
interface Sending extends Update {
  readonly context: ApplyContext;
  readonly params: FlashParams;
}

/**
 * Has the BMC fetch the image; returns when it has all of it. An update whose worker died is looked for among the tasks of
 * the BMC and followed; where it has no trace of it nothing is sent before a person has resumed the run.
 * Errors: update-running, update-transfer-failed, image-refused-by-bmc, flash-interrupted.
 */
export async function transferImage(context: ApplyContext, params: FlashParams, dpuOs: string): Promise<Update> {
  const { attempt, begun } = updateOf(context.actions);
  if (begun === undefined) await clearFailedUpdate(context, attempt - 1);
  const name = updateActs.transfer(attempt);
  const text = `have the BMC of ${context.dpu.name} fetch ${params.image.name}`;
  const before = isBefore(begun?.before) ? begun.before : await beforeOf(context, params, dpuOs);
  if (begun?.done === true) return { attempt, before };
  const sending = { context, params, attempt, before };
  try {
    const known = begun === undefined ? undefined : await traceOf(sending);
    await context.act({ name, text, before }, async () => {
      const path = known ?? (await startUpdate(sending));
      await follow(context, path);
      return { evidence: `${path}: transferred`, value: undefined };
    });
  } catch (error) {
    throw await explainUpdate(context, params, attempt, error);
  }
  return { attempt, before };
}

async function beforeOf(context: ApplyContext, params: FlashParams, dpuOs: string): Promise<Before> {
  const session = await bmcSession(context);
  const { bootState, bootStateTime } = await readDpuSystem(session, context.signal);
  const tasks = await readUpdateTasks(session, imageUri(params.image).address, context.signal);
  const record = await context.records.get(serialOf(context));
  return { bootState, bootStateTime, dpuOs, tasks: tasks.map(({ path }) => path), ...(record && { record }) };
}

/** The task of an update that was sent. Errors: flash-interrupted, when the BMC knows none. */
async function traceOf({ context, params, before }: Sending): Promise<string> {
  const session = await bmcSession(context);
  const tasks = await readUpdateTasks(session, imageUri(params.image).address, context.signal);
  const newest = tasks.findLast(({ path }) => before.tasks?.includes(path) !== true);
  if (newest !== undefined) return newest.path;
  const why =
    'The update was about to be sent when its worker ended or its reply was lost, and the BMC has no task of it';
  throw errors.flashInterrupted({ target: context.dpu.name, why, run: context.runId });
}

/** Sends the request. One that the BMC has not taken ends the attempt: it leaves nothing that could be looked for. */
async function startUpdate(sending: Sending): Promise<string> {
  const { context, params, attempt, before } = sending;
  const session = await bmcSession(context);
  const { address, protocol } = imageUri(params.image);
  const body = { TransferProtocol: protocol, ImageURI: address, Targets: [updateTarget] };
  await forgetImage(context, before);
  try {
    const reply = await session.post(updatePath, body, { timeoutMs: 60_000, signal: context.signal });
    const path = taskOf(reply.body);
    if (path !== undefined) return path;
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof OpsError)) throw error;
    if (error.failure.deviceState === 'unchanged') {
      if (before.record) await context.records.put(serialOf(context), before.record);
      await endAttempt(context, attempt, error.code);
      throw error;
    }
  }
  // The reply is lost, or names no task: the list of the BMC tells whether it took the request.
  return traceOf(sending);
}

/** From here on the image of before is not what runs on the card: also a run that never gets further leaves that behind. */
async function forgetImage(context: ApplyContext, { record }: Before): Promise<void> {
  const { image: _erased, ...kept } = record ?? {};
  const atMs = context.clock.nowMs();
  await context.records.put(serialOf(context), { ...kept, origin: 'flashed', runId: context.runId, atMs });
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
