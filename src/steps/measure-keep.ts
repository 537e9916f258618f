import { Buffer } from 'node:buffer';
import type { ActionRecord, ApplyContext } from '../domain/step.ts';

/** Name of the act with which a clean-up begins. What was kept before it belongs to machines that are set up no more. */
export const cleanUpAct = 'clean-up';

/** What this run did since its last clean-up. */
export function actionsNow(actions: readonly ActionRecord[]): readonly ActionRecord[] {
  return actions.slice(actions.findLastIndex(({ action }) => action === cleanUpAct) + 1);
}

/** Puts something aside for a worker that takes over: as a file of the run, whose id stands in the journal. */
export async function keep(context: ApplyContext, name: string, what: string, value: unknown): Promise<void> {
  const content = Buffer.from(JSON.stringify(value));
  const file = await context.artefact({ name: `${name}.json`, mimeType: 'application/json', content });
  const act = { name: keepAct(name), text: `keep ${what}`, before: { file: file.id } };
  await context.act(act, async () => Promise.resolve({ evidence: `${file.bytes} bytes`, value: undefined }));
}

/** What an earlier life of this step has put aside; undefined where it has not come so far. */
export async function kept(context: ApplyContext, name: string): Promise<unknown> {
  const act = actionsNow(context.actions).findLast(({ action, done }) => done && action === keepAct(name));
  const id = fileOf(act?.before);
  const content = id === undefined ? undefined : await context.readArtefact(id);
  return content === undefined ? undefined : JSON.parse(Buffer.from(content).toString('utf8'));
}

function keepAct(name: string): string {
  return `keep-${name}`;
}

function fileOf(before: unknown): string | undefined {
  if (typeof before !== 'object' || before === null || !('file' in before)) return undefined;
  return typeof before.file === 'string' ? before.file : undefined;
}
