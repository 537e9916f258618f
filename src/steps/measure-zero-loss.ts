import type { Try } from '../bench/zero-loss.ts';
import { searchStep } from '../bench/zero-loss.ts';
import type { Repeat, Series } from '../domain/bench.ts';
import type { ApplyContext } from '../domain/step.ts';
import { jobsFolder } from '../facts/job-folders.ts';
import type { PointWork, RunFrame } from './measure-frame.ts';
import { clearJob, folderPrefix } from './measure-jobs.ts';
import type { Collected } from './measure-tries.ts';
import { measureOnce } from './measure-tries.ts';
import { writeRootFile } from './remote.ts';

/** Shares of the rate that was sent without a limit. */
const lowestShare = 0.01;
const resolutionShare = 0.01;
const mostTries = 12;
/** Longer tries make a search of an hour; RFC 2544 wants 60 s for the last one, which the repeats have shown already. */
const tryS = 10;
/** Numbers of their job folders: behind those of all repeats. */
const firstNumber = 1_000;

/**
 * Looks for the highest rate that arrives without loss, from the rate of the repeats downwards. Undefined, with a note for
 * the reader, where the sender cannot keep a rate or every rate has loss. Errors: those of a repeat.
 */
export async function findZeroLoss(
  context: ApplyContext,
  frame: RunFrame,
  work: PointWork,
  repeats: readonly Repeat[],
  collected: Collected,
): Promise<Series['zeroLoss']> {
  const { frameBytes } = work.point;
  const highestGbps = Math.max(...repeats.map(({ sentGbps, receivedGbps }) => sentGbps ?? receivedGbps));
  const limits = {
    highestGbps,
    lowestGbps: highestGbps * lowestShare,
    resolutionGbps: highestGbps * resolutionShare,
    tolerancePercent: 0,
    mostTries,
  };
  const tries: Try[] = [];
  for (;;) {
    const step = searchStep(limits, tries);
    if (step.kind === 'none') return note(collected, work, step.text);
    if (step.kind === 'found') {
      if (!step.isExact) note(collected, work, `the search was ended after ${step.tries} tries`);
      const mpps = frameBytes === undefined ? 0 : (step.gbps * 1e3) / (frameBytes * 8);
      return { gbps: step.gbps, mpps, tries: step.tries };
    }
    const paced = await pace(context, frame, work, step.askedGbps);
    if (paced === undefined) return note(collected, work, `${frame.tool.name} cannot keep a rate on this device`);
    const label = `${work.point.direction}, without loss: try ${tries.length + 1} at ${step.askedGbps.toFixed(1)} Gb/s`;
    const place = { number: firstNumber + tries.length, index: frame.params.repeats - 1, label };
    const repeat = await measureOnce(context, frame, paced, place, collected);
    tries.push({
      askedGbps: step.askedGbps,
      sentGbps: repeat.sentGbps ?? repeat.receivedGbps,
      lossPercent: repeat.lossPercent ?? 100,
    });
  }
}

function note(collected: Collected, { point }: PointWork, text: string): undefined {
  collected.notes.push(`Rate without loss, ${point.direction}: ${text}.`);
}

/** The same point at a rate: its commands are put on the sending host, into a folder that is cleared away with the others. */
async function pace(
  context: ApplyContext,
  { tool, hosts }: RunFrame,
  work: PointWork,
  gbps: number,
): Promise<PointWork | undefined> {
  const commands = tool.pacing?.(work.setting, gbps);
  if (commands === undefined) return undefined;
  const host = hosts[work.point.direction === 'a-to-b' ? 0 : 1];
  const folder = `${jobsFolder}/${folderPrefix(context.runId)}${work.id}-pacing`;
  const commandsFile = `${folder}/commands`;
  await clearJob(host, folder, context.signal);
  await writeRootFile(host, { path: commandsFile, mode: '600', content: commands }, { signal: context.signal });
  const point = { ...work.point, durationS: Math.min(work.point.durationS, tryS) };
  return { ...work, point, setting: { ...work.setting, point, commandsFile } };
}
