/**
 * SimpleUpdate: checks as the BMC makes them, then a task that ends with the transfer; the installer runs after it.
 *
 * Source: BlueField BMC manual ("Deploying BlueField Software Using BFB from BMC": the BMC has to own rshim), NICo field
 * notes (state of a failed update stays in RAM until a BMC reset; tasks are gone after one).
 */
import type { TaskFailure, TaskRecord } from '../bmc-state.ts';
import { schedule } from '../card-clock.ts';
import { beginPush } from '../install/flash.ts';
import { imageBySha256 } from '../install/images.ts';
import { useCardFault } from '../state.ts';
import type { CardState, FetchedFile, Rack } from '../state.ts';
import type { ActionContext } from './actions.ts';
import { fetchImage } from './fetch-image.ts';
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

/** What is wrong before a byte is fetched, or null. */
function failureBefore(rack: Rack, card: CardState): TaskFailure | null {
  if (useCardFault(rack, card, 'transfer-unknown-host')) return 'unknown-host';
  if (useCardFault(rack, card, 'invalid-fw-package')) return 'bad-package';
  // The state of a failed update stays in memory: nothing goes through until the BMC restarts.
  if (card.bmc.updateServiceDirty) return 'bad-package';
  return card.rshim.owner !== 'bmc' || card.mode.current === 'nic' ? 'no-rshim' : null;
}

function failureOf(result: FetchedFile): TaskFailure | null {
  if (result === 'unreachable') return 'unknown-host';
  if (result === 'no-file') return 'no-file';
  return imageBySha256(result.sha256)?.platform === 'bf3' ? null : 'bad-package';
}

function endAt(card: CardState, task: TaskRecord, atMs: number): void {
  task.endsAtMs = Math.round(atMs);
  card.events = card.events.filter((event) => event.kind !== 'task-end' || event.taskId !== task.id);
  schedule(card, { atMs: task.endsAtMs, kind: 'task-end', taskId: task.id });
}

/** The server has answered, or nothing could be asked: from here on the task runs to its end. */
function settle(rack: Rack, card: CardState, task: TaskRecord, result: FetchedFile | TaskFailure): void {
  // A BMC that has restarted meanwhile knows nothing of it; a server answers once.
  if (!card.bmc.tasks.includes(task) || task.failure !== null || task.sha256 !== null) return;
  const { transferMs } = rack.state.delays;
  const given = typeof result === 'object' || result === 'unreachable' || result === 'no-file';
  task.failure = given ? failureOf(result) : result;
  if (task.failure !== null) {
    endAt(card, task, rack.nowMs() + transferMs * failedShare);
    return;
  }
  if (typeof result === 'object') task.sha256 = result.sha256;
  beginPush(rack, card);
  endAt(card, task, Math.max(task.endsAtMs, rack.nowMs()));
  if (useCardFault(rack, card, 'bmc-restarts-in-transfer'))
    schedule(card, { atMs: Math.round((rack.nowMs() + task.endsAtMs) / 2), kind: 'bmc-restart' });
  if (useCardFault(rack, card, 'task-gone')) schedule(card, { atMs: task.endsAtMs + 1, kind: 'bmc-restart' });
}

function startTask(rack: Rack, card: CardState, image: string, protocol: string, context: ActionContext): TaskRecord {
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
    endsAtMs: startedAtMs + rack.state.delays.transferMs,
    outcome: 'running',
    failure: null,
    sha256: null,
  };
  card.bmc.nextTaskId += 1;
  card.bmc.tasks.push(task);
  const failure = failureBefore(rack, card);
  if (failure !== null) settle(rack, card, task, failure);
  else fetchImage(rack, card, protocol, image, (result) => settle(rack, card, task, result));
  return task;
}

/** POST UpdateService.SimpleUpdate. */
export function simpleUpdate(context: ActionContext, body: JsonObject): RouteReply {
  const { rack, card } = context;
  const problem = problemWith(body);
  if (problem !== null) return problem;
  const running = card.bmc.tasks.some((task) => task.outcome === 'running');
  if (running || useCardFault(rack, card, 'update-in-progress')) {
    return { status: 400, json: errorBody([message('Update', 'UpdateInProgress')]) };
  }
  const image = typeof body['ImageURI'] === 'string' ? body['ImageURI'] : '';
  const protocol = typeof body['TransferProtocol'] === 'string' ? body['TransferProtocol'] : '';
  const task = startTask(rack, card, image, protocol, context);
  return {
    status: 202,
    json: taskAccepted(task),
    headers: { Location: `/redfish/v1/TaskService/Tasks/${task.id}/Monitor`, 'Retry-After': '30' },
  };
}
