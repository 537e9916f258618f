import { provision } from '../../../jobs/provision.ts';
import type { Inventory } from '../../../src/domain/inventory.ts';
import type { Run } from '../../../src/domain/run.ts';
import { requestResume } from '../../../src/domain/policy.ts';
import type { Recipe } from '../../../src/domain/step.ts';
import { rack1 } from '../../../src/lab/rack/layouts.ts';
import { ana } from '../make-run.ts';
import type { World } from '../engine-world.ts';
import { Crash, order, startEngine, workUntilStopped } from '../engine-world.ts';
import { wholeWorld } from '../whole-rack.ts';
import type { Saved } from './fork.ts';
import { save } from './fork.ts';

/** The host whose worker dies; it has one card. */
export const crashHost = 'as7';
/** So long that no lease ends while the clock of the pretend devices runs. */
const leaseMs = 36_000_000;

/** From the first crash point of one name to the last of another. */
export interface Stretch {
  readonly first: string;
  readonly last: string;
}

/**
 * A part of `/dpu provision`. All before it is carried out once, undisturbed; each worker that dies finds that done, looks
 * at it, and goes on.
 */
export interface Segment {
  readonly title: string;
  /** Names of its first and its last step. */
  readonly from: string;
  readonly to: string;
  readonly change?: (inventory: Inventory) => Inventory;
  /** How often a person has to resume even the undisturbed run: what no plan can know is approved later. */
  readonly resumes?: number;
  /** Planning, approval and the end of a run belong to it too. */
  readonly withRun?: boolean;
  /** Only these crash points; default: all. */
  readonly only?: Stretch;
  /** Where the next worker comes only after 20 minutes, once more. */
  readonly late?: Stretch;
  /** Codes of failures after which a person has to resume the run, and why that is so. */
  readonly person?: Readonly<Record<string, string>>;
}

/** The recipe up to the end of a segment. */
export function recipeOf({ to }: Segment): Recipe {
  return { ...provision, steps: provision.steps.slice(0, indexOf(to) + 1) };
}

/** Names of the steps of a segment. */
export function stepsOf({ from, to }: Segment): readonly string[] {
  return provision.steps.slice(indexOf(from), indexOf(to) + 1).map((entry) => entry.step.name);
}

function indexOf(name: string): number {
  const index = provision.steps.findIndex((entry) => entry.step.name === name);
  if (index === -1) throw new Error(`provision has no step ${name}`);
  return index;
}

/** A factory-fresh host on which all that comes before a segment is done. */
export async function prepare({ from, change, resumes }: Segment): Promise<Saved> {
  const layout = rack1({ factoryFresh: true });
  // The order of events is what counts here; fewer looks at a quiet installer save most of the time.
  layout.delays = { ...layout.delays, pushMs: 20_000, installMs: 60_000 };
  const world = wholeWorld(layout, [crashHost], change);
  const steps = provision.steps.slice(0, indexOf(from));
  if (steps.length > 0) {
    const { state, summary } = await runThrough(world, { ...provision, steps }, resumes);
    if (state !== 'done') throw new Error(`what comes before ${from} ended as ${state}: ${summary}`);
  }
  return save(world, crashHost);
}

/** Where a worker dies, and how long nobody is there. */
export interface Death {
  /** Index of the crash point. */
  readonly at: number;
  /** Device time until the next worker begins. */
  readonly awayMs: number;
}

/** Runs until the end. A worker that dies is followed by one that does not. */
export async function runThrough(world: World, recipe: Recipe, resumes = 0, death?: Death): Promise<Run> {
  let deps = startEngine(world, { recipe, leaseMs, ...(death && { crashAt: death.at }) });
  const { id } = await order(world);
  for (let resumed = 0; ;) {
    try {
      const run = await workUntilStopped(world, deps, id);
      if (run.failure?.code !== 'plan-outdated' || resumed >= resumes) return run;
      resumed += 1;
      await resume(world, id);
    } catch (error) {
      if (!(error instanceof Crash) || death === undefined || world.lives > 1) throw error;
      world.clock.advance(death.awayMs);
      deps = startEngine(world, { recipe, leaseMs });
    }
  }
}

/** What a person does about a run that stopped: some time later, `/dpu resume`. */
export async function resumeAfter(world: World, recipe: Recipe, id: number, ms: number): Promise<Run> {
  world.clock.advance(ms);
  await resume(world, id);
  return workUntilStopped(world, startEngine(world, { recipe, leaseMs }), id);
}

async function resume(world: World, id: number): Promise<void> {
  await world.stores.runs.update(id, (run) => requestResume(run, ana));
  await world.stores.queue.addAdvance({ runId: id });
}
