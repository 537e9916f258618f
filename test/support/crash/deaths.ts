import type { World } from '../engine-world.ts';
import type { EndState } from './end-state.ts';
import { differences, endStateOf } from './end-state.ts';
import type { Saved } from './fork.ts';
import { fork } from './fork.ts';
import type { Death, Segment, Stretch } from './segment.ts';
import { prepare, recipeOf, resumeAfter, runThrough, stepsOf } from './segment.ts';

/** Until a new process is there. */
const soonMs = 12_000;
/** Meanwhile a push has ended, and a host that was told to go off is off. */
const lateMs = 20 * 60_000;

/** What became of a run whose worker died at one point. */
export interface Outcome {
  readonly step: string;
  readonly point: string;
  readonly late: boolean;
  /** Code of the failure with which it stopped until a person resumed it. */
  readonly person: string | undefined;
  /** What is at the end otherwise than after the undisturbed run. */
  readonly differs: readonly string[];
  readonly moreArmBoots: number;
  readonly moreHostBoots: number;
}

/** The undisturbed run of a segment. */
interface Calm {
  readonly world: World;
  readonly end: EndState;
}

/** Lets the worker die once at each crash point of a segment. Throws when the undisturbed run does not end well. */
export async function allDeaths(segment: Segment): Promise<readonly Outcome[]> {
  const saved = await prepare(segment);
  const calm = await undisturbed(saved, segment);
  const points = pointsOf(segment, calm.world);
  const outcomes: Outcome[] = [];
  for (const at of points) outcomes.push(await outcomeOf(saved, segment, calm, { at, awayMs: soonMs }));
  if (segment.late !== undefined)
    for (const at of within(segment.late, calm.world, points))
      outcomes.push(await outcomeOf(saved, segment, calm, { at, awayMs: lateMs }));
  return outcomes;
}

async function undisturbed(saved: Saved, segment: Segment): Promise<Calm> {
  const world = await fork(saved);
  const run = await runThrough(world, recipeOf(segment), segment.resumes);
  if (run.state !== 'done') throw new Error(`undisturbed, it ends as ${run.state}: ${run.failure?.why}`);
  return { world, end: await endStateOf(world, run) };
}

async function outcomeOf(saved: Saved, segment: Segment, calm: Calm, death: Death): Promise<Outcome> {
  const world = await fork(saved);
  const recipe = recipeOf(segment);
  let run = await runThrough(world, recipe, segment.resumes, death);
  if (world.lives !== 2) throw new Error(`the worker did not die at ${death.at}: ${calm.world.points[death.at]}`);
  const person = run.state === 'done' ? undefined : (run.failure?.code ?? run.state);
  if (person !== undefined) run = await resumeAfter(world, recipe, run.id, lateMs);
  const end = await endStateOf(world, run);
  return {
    step: calm.world.during[death.at] ?? '',
    point: calm.world.points[death.at] ?? '',
    late: death.awayMs === lateMs,
    person,
    differs: differences(calm.end.left, end.left),
    moreArmBoots: end.armBoots - calm.end.armBoots,
    moreHostBoots: end.hostBoots - calm.end.hostBoots,
  };
}

/** Why an outcome is not as it has to be; empty when all is well. A reset of the Arm too many is allowed, a push is not. */
export function complaints({ person: known = {} }: Segment, outcome: Outcome): readonly string[] {
  const { step, point, late, person, differs, moreArmBoots, moreHostBoots } = outcome;
  const allowed = step.startsWith('disable-secure-boot') ? [0, 1] : [0];
  const found = [
    ...(person === undefined || person in known ? [] : [`it needs a person: ${person}`]),
    ...differs,
    ...(allowed.includes(moreArmBoots) ? [] : [`boots of the Arm: ${moreArmBoots} more`]),
    ...(moreHostBoots === 0 ? [] : [`boots of the host: ${moreHostBoots} more`]),
  ];
  return found.slice(0, 8).map((text) => `${step}, ${point}${late ? ', late' : ''}: ${text}`);
}

/** Indices of the crash points that lie in the steps of a segment. The end of the run belongs to no step. */
function pointsOf(segment: Segment, world: World): readonly number[] {
  const { points, during } = world;
  const all = [...points.keys()];
  if (segment.withRun === true) return all;
  const steps = stepsOf(segment);
  const end = points.findLastIndex((point) => point.startsWith('after journal step-'));
  const own = all.filter((index) => index <= end && steps.includes(during[index] ?? ''));
  return segment.only === undefined ? own : within(segment.only, world, own);
}

function within(stretch: Stretch, { points }: World, own: readonly number[]): readonly number[] {
  const first = own.find((index) => points[index] === stretch.first);
  const last = own.findLast((index) => points[index] === stretch.last);
  if (first === undefined || last === undefined) throw new Error(`no point "${stretch.first}" or "${stretch.last}"`);
  return own.filter((index) => index >= first && index <= last);
}
