import { z } from 'zod';
import type { Run } from '../src/domain/run.ts';
import { errors } from '../src/errors.ts';
import type { CommandContext, Flag, Positional } from './define.ts';

/** A run number as people write it: `418` or `#418`. */
export const RunNumber = z
  .string()
  .regex(/^#?[1-9]\d{0,8}$/, 'is the number of a run, as in 418')
  .transform((text) => Number(text.replace('#', '')));

/** Name of one rack, host or DPU; whether it exists is asked of the inventory. */
export const TargetName = z.string().regex(/^[A-Za-z0-9.-]{1,63}$/, 'is the name of a rack, host or DPU');

/** A sentence for the record. */
export const Reason = z
  .string()
  .transform((text) => text.trim())
  .pipe(z.string().min(3, 'is a text of at least 3 characters').max(300, 'is a text of at most 300 characters'));

/** Counter of the approval, or of the resumes, that a button was drawn for. */
export const Generation = z
  .string()
  .regex(/^\d{1,9}$/, 'is a whole number')
  .transform(Number);

/** Buttons send it along, so that a press on an old card never counts for something newer. */
export const generationFlag: Flag = { name: 'generation', kind: 'text', about: 'sent by buttons', hidden: true };

export const Switch = z.boolean().default(false);

export const runPositional: Positional = { name: 'run', about: 'the number of a run, as `/dpu runs` shows it' };

export const planFlag: Flag = { name: 'plan', kind: 'switch', about: 'only look and show what would change' };

export const viaCardFlag: Flag = {
  name: 'via-card',
  kind: 'switch',
  about: "go on also where the worker's own way to the host may be cut",
};

export const canaryFlag: Flag = {
  name: 'canary',
  kind: 'text',
  value: 'HOST',
  about: 'this host first and alone, the others when it is done',
};

/** For ways out of a card on which an earlier run has stopped. */
export const cancelFlag: Flag = {
  name: 'cancel',
  kind: 'text',
  value: 'RUN',
  about: 'give up this stopped run, which holds the host, and go on',
};

/** What `--cancel` and `--plan` have against each other. */
export const cancelWithPlan = {
  path: ['cancel'],
  message: 'and --plan exclude each other: --plan changes nothing, --cancel gives up a run',
};

/** Errors: run-unknown. */
export async function runOf(context: CommandContext, id: number): Promise<Run> {
  const run = await context.runs.get(id);
  if (!run) throw errors.runUnknown({ run: id });
  return run;
}

/** All DPUs of a run. */
export function targetsOfRun(run: Run): string[] {
  return Object.values(run.units).flatMap((unit) => unit.targets);
}

/** Errors: run-not-in-state when the button belongs to an older plan or attempt of the run. */
export function refuseOldButton(run: Run, action: string, generation: number | undefined): void {
  const attempts = Object.values(run.units).map((unit) => unit.generation);
  const now = run.approval?.generation ?? Math.max(0, ...attempts);
  if (generation === undefined || generation === now) return;
  throw errors.runNotInState({
    run: run.id,
    action,
    state: `${run.state}, and this button belongs to an older plan of it`,
    next: `Use the newest card; \`/dpu run ${run.id}\` shows it. Nothing was changed.`,
  });
}
