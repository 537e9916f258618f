/**
 * SimpleUpdate: checks as the BMC makes them, then a timed transfer task.
 *
 * Source: BlueField BMC manual ("Deploying BlueField Software Using BFB from BMC"), NICo field notes (scheme in
 * ImageURI loses the host; state of a failed update stays in RAM until a BMC reset).
 */
import type { TaskRecord } from '../bmc-state.ts';
import { schedule } from '../card-clock.ts';
import { beginPush } from '../install/flash.ts';
import { labImages } from '../install/images.ts';
import { useCardFault } from '../state.ts';
import type { CardState, Rack } from '../state.ts';
import type { ActionContext } from './actions.ts';
import { errorBody, fail, failProperty, message } from './messages.ts';
import { taskAccepted } from './tasks.ts';
import type { JsonObject, RouteReply } from './types.ts';

const action = 'UpdateService.SimpleUpdate';
const targetPattern = /^\/?redfish\/v1\/UpdateService\/FirmwareInventory\/DPU_OS$/;
const known = new Set([
  'TransferProtocol',
  'ImageURI',
  'Targets',
  'Username',
  'Password',
  '@Redfish.OperationApplyTime',
]);
/** A transfer that finds no server gives up after this share of a full one. */
const failedShare = 0.1;

function problemWith(body: JsonObject): RouteReply | null {
  for (const name of Object.keys(body)) {
    if (!known.has(name)) return fail(400, 'ActionParameterUnknown', [action, name]);
  }
  const { ImageURI: image, TransferProtocol: protocol, Targets: targets } = body;
  if (image === undefined) return fail(400, 'ActionParameterMissing', [action, 'ImageURI']);
  if (typeof image !== 'string')
    return failProperty('ImageURI', 'PropertyValueTypeError', [JSON.stringify(image), 'ImageURI']);
  if (protocol === undefined) return fail(400, 'ActionParameterMissing', [action, 'TransferProtocol']);
  if (protocol !== 'HTTP' && protocol !== 'HTTPS' && protocol !== 'SCP') {
    return fail(400, 'ActionParameterNotSupported', ['TransferProtocol', action]);
  }
  if (protocol === 'SCP' && typeof body['Username'] !== 'string') {
    return fail(400, 'ActionParameterMissing', [action, 'Username']);
  }
  if (targets === undefined) return fail(400, 'ActionParameterMissing', [action, 'Targets']);
  const [target] = Array.isArray(targets) ? targets : [];
  const right =
    Array.isArray(targets) && targets.length === 1 && typeof target === 'string' && targetPattern.test(target);
  return right ? null : fail(400, 'ActionParameterNotSupported', ['Targets', action]);
}

/** The lab's image that a URI names, if it names one. */
function imageOf(uri: string): (typeof labImages)[string] | undefined {
  return Object.values(labImages).find(({ fileName }) => uri.endsWith(`/${fileName}`));
}

/** `host//path` is the only form the BMC parses; a scheme makes it lose the host. */
function failureOf(rack: Rack, card: CardState, image: string): TaskRecord['failure'] {
  if (!/^[\w.:[\]-]+\/\/?\S+$/.test(image) || image.includes('://')) return 'unknown-host';
  if (useCardFault(rack, card, 'invalid-fw-package')) return 'bad-package';
  if (imageOf(image)?.platform === 'bf2') return 'bad-package';
  if (card.bmc.updateServiceDirty || card.rshim.owner !== 'bmc' || card.mode.current === 'nic') return 'bad-package';
  return null;
}

function startTask(rack: Rack, card: CardState, image: string, context: ActionContext): TaskRecord {
  const failure = failureOf(rack, card, image);
  if (failure === null && imageOf(image) !== undefined) beginPush(rack, card);
  const { transferMs } = rack.state.delays;
  const startedAtMs = rack.nowMs();
  const task: TaskRecord = {
    id: String(card.bmc.nextTaskId),
    target: 'DPU',
    image,
    payload: {
      uri: `/redfish/v1/UpdateService/Actions/${action}`,
      body: context.request.body,
      headers: [`Host: ${context.request.headers['host'] ?? ''}`],
    },
    startedAtMs,
    endsAtMs: startedAtMs + Math.round(failure === null ? transferMs : transferMs * failedShare),
    outcome: 'running',
    failure,
  };
  card.bmc.nextTaskId += 1;
  card.bmc.tasks.push(task);
  schedule(card, { atMs: task.endsAtMs, kind: 'task-end', taskId: task.id });
  return task;
}

/** POST UpdateService.SimpleUpdate. */
export function simpleUpdate(context: ActionContext, body: JsonObject): RouteReply {
  const { rack, card } = context;
  const problem = problemWith(body);
  if (problem !== null) return problem;
  if (card.bmc.tasks.some((task) => task.outcome === 'running')) {
    return { status: 400, json: errorBody([message('Update', 'UpdateInProgress')]) };
  }
  const image = typeof body['ImageURI'] === 'string' ? body['ImageURI'] : '';
  const task = startTask(rack, card, image, context);
  return {
    status: 202,
    json: taskAccepted(task),
    headers: { Location: `/redfish/v1/TaskService/Tasks/${task.id}/Monitor`, 'Retry-After': '30' },
  };
}
