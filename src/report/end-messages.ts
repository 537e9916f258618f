import type { KnownBlock } from '@slack/types';
import type { JournalEvent } from '../domain/journal.ts';
import type { Run } from '../domain/run.ts';
import type { Bullet } from './blocks.ts';
import { bulletList, sections, table } from './blocks.ts';
import type { FoldedStep, FoldedUnit, JournalFold } from './journal-fold.ts';
import type { ChatMessage } from './message.ts';
import { count, duration, escapeMrkdwn, mention, oneLine, prose, shortHashes } from './text.ts';
import { failureLines, runStateWords, unitStateWords } from './words.ts';

type UnitEnded = Extract<JournalEvent, { readonly type: 'unit-ended' }>;
type RunEnded = Extract<JournalEvent, { readonly type: 'run-ended' }>;

/** End of a unit: outcome, and each step that turned out to be right only now; those of the plan stand there. */
export function unitEndMessage(
  unit: string,
  folded: FoldedUnit | undefined,
  event: UnitEnded,
  tellFailure: boolean,
  planned: (step: string, target: string) => { readonly title: string; readonly wasRight: boolean },
): ChatMessage {
  const satisfied = Object.values(folded?.steps ?? {}).filter((step) => step.state === 'satisfied');
  const took =
    folded?.startedAtMs !== undefined && folded.ended !== undefined
      ? ` after ${duration(folded.ended.atMs - folded.startedAtMs)}`
      : '';
  const head = `*${escapeMrkdwn(unit)}: ${unitStateWords[event.state]}*${took}. ${prose(event.summary)}`;
  const bullets = satisfied.flatMap(({ step, target, reason }): Bullet[] => {
    const { title, wasRight } = planned(step, target);
    const why = reason === '' ? '' : `: ${shortHashes(reason)}`;
    return wasRight ? [] : [{ spans: ['Right already: ', { bold: title }, ` (${target})${why}`] }];
  });
  const blocks = [...sections([head]), ...(bullets.length === 0 ? [] : [bulletList([], bullets)])];
  if (tellFailure && event.failure !== undefined) blocks.push(...sections(failureLines(event.failure)));
  return { text: head, blocks };
}

/** End of a run: outcome with its summary, a table of the targets, and the requester is mentioned. */
export function runEndMessage(run: Run, fold: JournalFold, event: RunEnded): ChatMessage {
  const stamp = run.simulated ? ' (SIMULATED)' : '';
  const head = `${mention(run.requester.userId)} *Run ${run.id}${stamp}: ${runStateWords[event.state]}*`;
  const told = Object.values(fold.units).some(
    (unit) => unit.ended?.failure !== undefined || unit.planFailure !== undefined,
  );
  const lines = [head, prose(event.summary)];
  if (event.failure !== undefined && !told) lines.push(...failureLines(event.failure));
  const rows = Object.entries(fold.units).flatMap(([name, unit]) => targetRows(name, unit));
  const shown = rows.slice(0, 99);
  const text = `Run ${run.id}${stamp}: ${runStateWords[event.state]}. ${oneLine(event.summary)}`;
  const blocks = sections(lines);
  if (shown.length > 0) blocks.push(targetTable(shown));
  if (rows.length > shown.length)
    blocks.push(...sections([`${count(rows.length - shown.length, 'more target')} not listed here.`]));
  return { text, blocks };
}

/** The column of the hosts is there when the names of the cards do not say it already: phones are narrow. */
function targetTable(rows: readonly (readonly string[])[]): KnownBlock {
  const isNamed = rows.every(([card = '', host = '']) => card.startsWith(host));
  const head = ['Card', 'Host', 'Result', 'Changed', 'Right', 'Took'];
  const [shownHead = head, ...shown] = isNamed
    ? [head, ...rows].map((row) => row.filter((_, column) => column !== 1))
    : [head, ...rows];
  return table(shownHead, shown);
}

/**
 * A row for each card that the unit worked on. The host itself has one only where something of its own was changed or
 * went wrong: that it could be reached is in every other row. A unit that never started has none.
 */
function targetRows(name: string, unit: FoldedUnit): string[][] {
  const steps = Object.values(unit.steps);
  return [...new Set(steps.map((step) => step.target))].flatMap((target) => {
    const own = steps.filter((step) => step.target === target);
    const number = (state: FoldedStep['state']): number => own.filter((step) => step.state === state).length;
    if (target === name && number('satisfied') === own.length) return [];
    const bad = own.find((step) => ['failed', 'needs-human', 'refused', 'cancelled'].includes(step.state));
    const result =
      bad === undefined ? unitStateWords[unit.ended?.state ?? 'running'] : `${bad.state}: ${bad.title ?? bad.step}`;
    const took = own.reduce((sum, step) => sum + (step.tookMs ?? 0), 0);
    return [[target, name, result, String(number('applied')), String(number('satisfied')), duration(took)]];
  });
}
