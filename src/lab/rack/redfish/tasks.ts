/**
 * Update tasks: what a SimpleUpdate leaves behind and how it looks while the image is transferred.
 *
 * Source: Task schema 1.4.3; Update and TaskEvent registries of BF-24.10; NICo field notes on failed transfers.
 */
import type { TaskRecord } from '../bmc-state.ts';
import type { CardState, Rack } from '../state.ts';
import { pathOf } from './fetch-image.ts';
import { fail, message } from './messages.ts';
import { redfishTime } from './times.ts';
import type { Json, JsonObject, RouteReply } from './types.ts';

const tasksPath = '/redfish/v1/TaskService/Tasks';

/** Paths of the tasks there are. */
export function taskPaths(card: CardState): string[] {
  return card.bmc.tasks.map((task) => `${tasksPath}/${task.id}`);
}

function percent(rack: Rack, task: TaskRecord): number {
  if (task.outcome === 'completed') return 100;
  const share = (rack.nowMs() - task.startedAtMs) / Math.max(1, task.endsAtMs - task.startedAtMs);
  return Math.max(0, Math.min(99, Math.floor(share * 100)));
}

function failureMessages(task: TaskRecord): JsonObject[] {
  const messages: JsonObject[] = [];
  if (task.failure !== 'bad-package') {
    const [host = ''] = task.image.split('/');
    // Of the other causes nobody has published the advice; the registry has none.
    const advice =
      task.failure === 'unknown-host'
        ? `Unknown Host: ${host} Check and restart server's web service (for HTTP/HTTPS download)`
        : undefined;
    messages.push(message('Update', 'TransferFailed', [pathOf(task.image), '/dev/rshim0/boot'], advice));
  }
  messages.push(
    message(
      'ResourceEvent',
      'ResourceErrorsDetected',
      ['Firmware Update Service', 'Invalid FW Package'],
      'Retry firmware update operation with valid FW package.',
    ),
    message('TaskEvent', 'TaskAborted', [task.id]),
  );
  return messages;
}

function taskMessages(task: TaskRecord): JsonObject[] {
  const started = [
    message('TaskEvent', 'TaskStarted', [task.id]),
    message('Update', 'TargetDetermined', [task.target, task.image]),
    message('Update', 'TransferringToComponent', [task.image, task.target]),
  ];
  if (task.outcome === 'running') return started;
  if (task.outcome === 'exception') return [...started, ...failureMessages(task)];
  return [
    ...started,
    message('Update', 'UpdateSuccessful', [task.target, task.image]),
    message('TaskEvent', 'TaskCompletedOK', [task.id]),
  ];
}

const taskStates = { running: 'Running', completed: 'Completed', exception: 'Exception' } as const;

/** A task as GET shows it, or null when there is none of that id. */
export function taskResource(rack: Rack, card: CardState, id: string): JsonObject | null {
  const task = card.bmc.tasks.find((each) => each.id === id);
  if (task === undefined) return null;
  const headers: Json[] = task.payload.headers;
  const body: JsonObject = {
    '@odata.id': `${tasksPath}/${id}`,
    '@odata.type': '#Task.v1_4_3.Task',
    Id: id,
    Messages: taskMessages(task),
    Name: `Task ${id}`,
    Payload: {
      HttpHeaders: headers,
      HttpOperation: 'POST',
      JsonBody: task.payload.body,
      TargetUri: task.payload.uri,
    },
    PercentComplete: percent(rack, task),
    StartTime: redfishTime(task.startedAtMs),
    TaskMonitor: `${tasksPath}/${id}/Monitor`,
    TaskState: taskStates[task.outcome],
    TaskStatus: task.outcome === 'exception' ? 'Critical' : 'OK',
  };
  if (task.outcome !== 'running') body['EndTime'] = redfishTime(task.endsAtMs);
  return body;
}

/** Id of the task whose monitor a path is, or null. */
export function monitoredTask(path: string): string | null {
  return /^\/redfish\/v1\/TaskService\/Tasks\/(\d+)\/Monitor$/.exec(path)?.[1] ?? null;
}

/** GET on a task monitor: 202 while it runs, then 204. */
export function readMonitor(rack: Rack, card: CardState, id: string): RouteReply {
  const task = card.bmc.tasks.find((each) => each.id === id);
  if (task === undefined) return fail(404, 'ResourceNotFound', ['Monitor', id]);
  if (task.outcome !== 'running') return { status: 204, json: null };
  return {
    status: 202,
    json: taskResource(rack, card, id),
    headers: { Location: `${tasksPath}/${id}/Monitor`, 'Retry-After': '30' },
  };
}

/** The short body of a 202. */
export function taskAccepted(task: TaskRecord): JsonObject {
  return {
    '@odata.id': `${tasksPath}/${task.id}`,
    '@odata.type': '#Task.v1_4_3.Task',
    Id: task.id,
    Name: `Task ${task.id}`,
    TaskState: 'Running',
    TaskStatus: 'OK',
  };
}
