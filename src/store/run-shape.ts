import { z } from 'zod';
import type { UnitPlan } from '../domain/plan.ts';
import { risks } from '../domain/outcome.ts';
import type { Run, RunState, UnitState } from '../domain/run.ts';
import { runEndStates, unitEndStates } from '../domain/run.ts';

/** Every state a run can have. */
export const runStates: readonly RunState[] = ['planning', 'awaiting-approval', 'running', 'paused', ...runEndStates];
const unitStates: readonly UnitState[] = ['planning', 'planned', 'queued', 'running', 'waiting', ...unitEndStates];

const Person = z.looseObject({ userId: z.string(), teamId: z.string(), displayName: z.string() });
const Time = z.number().nonnegative();

/** The fields that code relies on; others pass through untouched, so that a newer process may add some. */
const RunShape = z.looseObject({
  id: z.int().positive(),
  version: z.int().positive(),
  recipe: z.string(),
  recipeVersion: z.int(),
  params: z.record(z.string(), z.unknown()),
  text: z.string(),
  requester: Person,
  channel: z.string(),
  createdAtMs: Time,
  endedAtMs: Time.optional(),
  state: z.enum(runStates),
  planOnly: z.boolean(),
  simulated: z.boolean(),
  slices: z.record(z.string(), z.looseObject({ name: z.string(), site: z.string() })),
  sliceHashes: z.record(z.string(), z.string()),
  units: z.record(
    z.string(),
    z.looseObject({
      unit: z.string(),
      site: z.string(),
      targets: z.array(z.string()),
      state: z.enum(unitStates),
      generation: z.int().nonnegative(),
    }),
  ),
  waves: z.array(z.array(z.string())),
  waveIndex: z.int(),
  maxFailures: z.int(),
  approval: z
    .looseObject({
      generation: z.int(),
      state: z.enum(['open', 'approved', 'rejected', 'expired']),
      hashes: z.record(z.string(), z.string()),
      risk: z.enum(risks),
      requestedAtMs: Time,
      expiresAtMs: Time,
      askers: z.array(Person),
      votes: z.array(z.looseObject({ by: Person, vote: z.enum(['approve', 'reject']), atMs: Time })),
    })
    .optional(),
  approvalMinutes: z.number(),
  startByMinutes: z.number(),
  waveSpec: z.union([z.literal('all'), z.array(z.string())]),
  cancel: z.looseObject({ by: Person, atMs: Time }).optional(),
});

const PlanShape = z.looseObject({
  runId: z.int().positive(),
  unit: z.string(),
  site: z.string(),
  recipe: z.looseObject({ name: z.string(), version: z.int() }),
  profileHash: z.string(),
  steps: z.array(
    z.looseObject({
      step: z.string(),
      title: z.string(),
      target: z.string(),
      state: z.enum(['satisfied', 'change', 'deferred', 'refused', 'skipped']),
      reason: z.string(),
      changes: z.array(z.unknown()),
      risk: z.enum(risks),
      reboots: z.array(z.unknown()),
    }),
  ),
  pins: z.array(z.unknown()),
  refused: z.array(z.unknown()),
  risk: z.enum(risks),
  hash: z.string(),
  madeAtMs: Time,
});

/** True when a value read back has the fields of a run. */
export function isRun(value: unknown): value is Run {
  return RunShape.safeParse(value).success;
}

/** True when a value read back has the fields of a plan. */
export function isPlan(value: unknown): value is UnitPlan {
  return PlanShape.safeParse(value).success;
}
