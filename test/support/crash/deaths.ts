import type { World } from '../engine-world.ts';
import type { EndState } from './end-state.ts';
import { differences, endStateOf } from './end-state.ts';
import type { Saved } from './fork.ts';
import { fork } from './fork.ts';
import type { Death, Segment, Stretch } from './segment.ts';
import { prepare, recipeOf, resumeAfter, runThrough, stepsOf } from './segment.ts';
import type { Watched } from './watch.ts';
import { watch } from './watch.ts';

/** Until a new process is there. */
const soonMs = 12_000;
/** Meanwhile a push has ended, and a host that was told to go off is off. */
const lateMs = 20 * 60_000;

/** What became of a run whose worker died. */
interface Aftermath {
  readonly late: boolean;
  /** Code of the failure with which it stopped until a person resumed it. */
  readonly person: string | undefined;
  /** What is at the end otherwise than after the undisturbed run. */
  readonly differs: readonly string[];
  readonly moreArmBoots: number;
  readonly moreHostBoots: number;
}

/** What became of a run whose worker died at one point. */
export interface Outcome extends Aftermath {
  readonly step: string;
  readonly point: string;
}

/** The undisturbed run of a segment. */
interface Calm extends Watched {
  readonly end: EndState;
}

/**
 * Lets the worker die at each crash point of a segment; one death stands for all points that have the same state. Throws
 * when the undisturbed run does not end well.
 */
export async function allDeaths(segment: Segment): Promise<readonly Outcome[]> {
  const saved = await prepare(segment);
  const calm = await undisturbed(saved, segment);
  const points = pointsOf(segment, calm.world);
  const latePoints = segment.late === undefined ? [] : within(segment.late, calm.world, points);
  return [
    ...(await outcomesOf(saved, segment, calm, points, soonMs)),
    ...(await outcomesOf(saved, segment, calm, latePoints, lateMs)),
  ];
}

async function undisturbed(saved: Saved, segment: Segment): Promise<Calm> {
  const { world, states } = watch(await fork(saved));
  const run = await runThrough(world, recipeOf(segment), segment.resumes);
  if (run.state !== 'done') throw new Error(`undisturbed, it ends as ${run.state}: ${run.failure?.why}`);
  return { world, states, end: await endStateOf(world, run) };
}

async function outcomesOf(
  saved: Saved,
  segment: Segment,
  calm: Calm,
  points: readonly number[],
  awayMs: number,
): Promise<readonly Outcome[]> {
  const { world, states } = calm;
  const byState = new Map<number | undefined, Aftermath>();
  const outcomes: Outcome[] = [];
  for (const at of points) {
    const aftermath = byState.get(states[at]) ?? (await aftermathOf(saved, segment, calm, { at, awayMs }));
    byState.set(states[at], aftermath);
    outcomes.push({ ...aftermath, step: world.during[at] ?? '', point: world.points[at] ?? '' });
  }
  return outcomes;
}

async function aftermathOf(saved: Saved, segment: Segment, calm: Calm, death: Death): Promise<Aftermath> {
  const world = await fork(saved);
  const recipe = recipeOf(segment);
  let run = await runThrough(world, recipe, segment.resumes, death);
  const [planned, passed] = [calm.world.points[death.at], world.points[death.at]];
  if (world.lives !== 2 || passed !== planned) throw new Error(`the worker did not die at ${planned}, but: ${passed}`);
  const person = run.state === 'done' ? undefined : (run.failure?.code ?? run.state);
  if (person !== undefined) run = await resumeAfter(world, recipe, run.id, lateMs);
  const end = await endStateOf(world, run);
  return {
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
