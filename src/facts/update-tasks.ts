import { z } from 'zod';
import { defineMember, defineResource } from '../domain/commands.ts';
import type { BmcReader } from '../domain/device-ports.ts';
import { parseResource } from './read-helpers.ts';

/** A task of the BMC that was started by an update. */
export interface UpdateTask {
  readonly path: string;
  readonly state: string;
  /** What the BMC was told, as it keeps it: the address of the image stands in it. */
  readonly request: string;
}

/** Source: DMTF Task 1.4 (Payload.JsonBody); NVIDIA BlueField BMC docs. The BMC forgets its tasks when it restarts. */
export const tasksResource = defineResource({ name: 'Tasks', path: '/redfish/v1/TaskService/Tasks' });
export const taskResource = defineMember({ name: 'Task', path: '/redfish/v1/TaskService/Tasks/{id}' });

const Collection = z.object({ Members: z.array(z.object({ '@odata.id': z.string() })) });
const Task = z.object({
  TaskState: z.string(),
  Payload: z.object({ JsonBody: z.string().optional(), TargetUri: z.string().optional() }).optional(),
});
/** More than any BMC keeps. */
const looksAtMost = 30;

/** Tasks whose request names the image, the newest last. Errors: redfish-unexpected and those of the transport. */
export async function readUpdateTasks(
  bmc: BmcReader,
  imageUri: string,
  signal: AbortSignal,
): Promise<readonly UpdateTask[]> {
  const options = { timeoutMs: 30_000, signal };
  const ids = parseTaskIds(bmc.target, await bmc.get(tasksResource, options));
  const tasks: UpdateTask[] = [];
  for (const id of ids.slice(-looksAtMost)) {
    const resource = taskResource.bind(id);
    const task = parseUpdateTask(bmc.target, resource.path, await bmc.get(resource, options));
    if (task.request.includes(imageUri)) tasks.push(task);
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
  const { TaskState, Payload } = parseResource(Task, target, `GET ${path}`, body);
  return { path, state: TaskState, request: Payload?.JsonBody ?? '' };
}
