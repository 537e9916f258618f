import { z } from 'zod';
import { defineMember, defineResource } from '../domain/commands.ts';
import type { BmcReader } from '../domain/device-ports.ts';
import { bmcManagerResource } from './bmc-manager.ts';
import { parseResource } from './read-helpers.ts';

/** A task of the BMC that was started by an update. */
export interface UpdateTask {
  readonly path: string;
  readonly state: string;
  /** What the BMC was told, as it keeps it: the address of the image stands in it. */
  readonly request: string;
  /** Where the BMC was told that; '' where it does not keep it. */
  readonly uri: string;
  /** By the clock of the BMC, which may be wrong. */
  readonly startTime?: string;
  readonly percent?: number;
}

/** Source: DMTF Task 1.4 (Payload.JsonBody); NVIDIA BlueField BMC docs. The BMC forgets its tasks when it restarts. */
export const tasksResource = defineResource({ name: 'Tasks', path: '/redfish/v1/TaskService/Tasks' });
export const taskResource = defineMember({ name: 'Task', path: '/redfish/v1/TaskService/Tasks/{id}' });

/** Source: DMTF Task 1.4 (TaskState): a task in one of these does nothing any more. */
const endedStates: ReadonlySet<string> = new Set(['Completed', 'Killed', 'Exception', 'Cancelled', 'Interrupted']);
/** No image takes so long to transfer: a task of that age hangs. */
const hungMs = 90 * 60_000;

const Collection = z.object({ Members: z.array(z.object({ '@odata.id': z.string() })) });
const Task = z.object({
  TaskState: z.string(),
  StartTime: z.string().optional(),
  PercentComplete: z.number().optional(),
  Payload: z.object({ JsonBody: z.string().optional(), TargetUri: z.string().optional() }).optional(),
});
const Clock = z.object({ DateTime: z.string().optional() });
/** More than any BMC keeps. */
const looksAtMost = 30;

/** Tasks whose request names the image, the newest last. Errors: redfish-unexpected and those of the transport. */
export async function readUpdateTasks(
  bmc: BmcReader,
  imageUri: string,
  signal: AbortSignal,
): Promise<readonly UpdateTask[]> {
  const tasks = await readTasks(bmc, signal);
  return tasks.filter((task) => task.request.includes(imageUri));
}

/**
 * The update that the BMC is carrying out, whoever ordered it. One that the BMC itself says began 90 minutes ago hangs, and
 * is none any more: only a restart of the BMC ends it. Errors: redfish-unexpected and those of the transport.
 */
export async function readRunningUpdate(bmc: BmcReader, signal: AbortSignal): Promise<UpdateTask | undefined> {
  const running = (await readTasks(bmc, signal)).findLast((task) => isRunningUpdate(task));
  if (running?.startTime === undefined) return running;
  const manager = parseResource(
    Clock,
    bmc.target,
    'GET the clock of the BMC',
    await bmc.get(bmcManagerResource, { timeoutMs: 30_000, signal }),
  );
  const ageMs = Date.parse(manager.DateTime ?? '') - Date.parse(running.startTime);
  return ageMs > hungMs ? undefined : running;
}

/** A task that keeps no request may be anything, also an update. */
function isRunningUpdate({ state, uri }: UpdateTask): boolean {
  return !endedStates.has(state) && (uri === '' || uri.includes('UpdateService'));
}

async function readTasks(bmc: BmcReader, signal: AbortSignal): Promise<readonly UpdateTask[]> {
  const options = { timeoutMs: 30_000, signal };
  const ids = parseTaskIds(bmc.target, await bmc.get(tasksResource, options));
  const tasks: UpdateTask[] = [];
  for (const id of ids.slice(-looksAtMost)) {
    const resource = taskResource.bind(id);
    tasks.push(parseUpdateTask(bmc.target, resource.path, await bmc.get(resource, options)));
  }
  return tasks;
}

/** Ids in the order in which they were given. */
export function parseTaskIds(target: string, body: unknown): readonly string[] {
  const { Members } = parseResource(Collection, target, `GET ${tasksResource.path}`, body);
  const ids = Members.map((member) => member['@odata.id'].replace(/\/$/, '').split('/').at(-1) ?? '');
  return ids.filter((id) => /^[A-Za-z0-9_-]{1,40}$/.test(id)).toSorted((a, b) => Number(a) - Number(b));
}

export function parseUpdateTask(target: string, path: string, body: unknown): UpdateTask {
  const { TaskState, StartTime, PercentComplete, Payload } = parseResource(Task, target, `GET ${path}`, body);
  return {
    path,
    state: TaskState,
    request: Payload?.JsonBody ?? '',
    uri: Payload?.TargetUri ?? '',
    ...(StartTime !== undefined && { startTime: StartTime }),
    ...(PercentComplete !== undefined && { percent: PercentComplete }),
  };
}
