/** What is told of benches of the past. Only the person who asks sees it; texts of figures come from who compared them. */
import type { HistoryRow } from '../domain/bench.ts';
import { header, note, sections, table } from './blocks.ts';
import { fitMessage } from './limits.ts';
import type { ChatMessage } from './message.ts';
import { count, dateFallback, escapeMrkdwn, nameList, oneLine } from './text.ts';

/** More than a message can hold is counted. */
const shownRows = 60;
const shownConditions = 20;
const shownAlone = 6;

export interface History {
  /** "raw benches of wire1". */
  readonly what: string;
  /** The command that measures once more. */
  readonly again: string;
  /** The cards at both ends, a and b. */
  readonly ends: readonly string[];
  readonly rows: readonly HistoryRow[];
  readonly trends: readonly string[];
}

/** Figures of the past, newest first, and how they went. */
export function historyAnswer({ what, again, ends, rows, trends }: History): ChatMessage {
  const title = `History of ${what}: ${rows.length === 0 ? 'nothing measured yet' : count(rows.length, 'figure')}`;
  if (rows.length === 0)
    return fitMessage({ text: escapeMrkdwn(title), blocks: [header(title), note(`\`${again}\` measures.`)] });
  const shown = rows.slice(0, shownRows);
  const left = rows.length - shown.length;
  const head = ['run', 'setting', 'median', 'change', 'baseline', 'when', 'remarks'];
  const cells = shown.map(({ run, atMs, setting, rate, change, baseline, remarks }) => [
    `${run}`,
    setting,
    rate,
    change,
    baseline,
    dateFallback(atMs),
    remarks,
  ]);
  const legend = ends.length === 2 ? `a is ${ends[0]}, b is ${ends[1]}. ` : '';
  return fitMessage({
    text: escapeMrkdwn(title),
    blocks: [
      header(title),
      table(head, cells),
      ...(left > 0 ? [note(`${count(left, 'older figure')} not shown.`)] : []),
      ...sections(trends.map((trend) => oneLine(trend))),
      note(
        `${escapeMrkdwn(legend)}Changes are told between figures of equal conditions only. \`/dpu bench compare RUN RUN\` holds two runs against each other, \`/dpu bench baseline RUN\` makes one the measure.`,
      ),
    ],
  });
}

export interface ComparedRuns {
  readonly before: number;
  readonly after: number;
  readonly settings: readonly {
    readonly setting: string;
    readonly before: string;
    readonly after: string;
    readonly change: string;
    readonly verdict: string;
  }[];
  readonly alone: readonly { readonly run: number; readonly setting: string }[];
  /** Undefined where they are not known of both runs. */
  readonly conditions: readonly string[] | undefined;
  /** Runs whose raw figures are not kept any more. */
  readonly gone: readonly number[];
}

/** Two runs side by side: figures with verdicts, then what else was different. */
export function comparisonAnswer(runs: ComparedRuns): ChatMessage {
  const { before, after, settings, alone } = runs;
  const title = `Run ${after} against run ${before}`;
  const rows = settings.map((one) => [one.setting, one.before, one.after, one.change, one.verdict]);
  const summary = settings.length === 0 ? 'they have no setting in common' : count(settings.length, 'setting');
  return fitMessage({
    text: `${title}: ${summary}`,
    blocks: [
      header(`${title}: ${summary}`),
      ...(rows.length === 0
        ? []
        : [table(['setting', `run ${before}`, `run ${after}`, 'change', 'verdict'], rows.slice(0, shownRows))]),
      ...(rows.length > shownRows ? [note(`${count(rows.length - shownRows, 'more setting')} not shown.`)] : []),
      ...sections([...aloneLines(alone), ...conditionLines(runs)]),
    ],
  });
}

function aloneLines(alone: ComparedRuns['alone']): readonly string[] {
  const runs = [...new Set(alone.map(({ run }) => run))];
  return runs.map((run) => {
    const settings = alone.filter((one) => one.run === run).map(({ setting }) => setting);
    const more = settings.length > shownAlone ? `; and ${settings.length - shownAlone} more` : '';
    return `Only run ${run} has measured: ${escapeMrkdwn(settings.slice(0, shownAlone).join('; '))}${more}.`;
  });
}

function conditionLines({ conditions, gone }: ComparedRuns): readonly string[] {
  if (conditions === undefined)
    return [
      `The conditions cannot be held against each other: the raw figures of run ${nameList(gone.map(String))} are not kept any more.`,
    ];
  if (conditions.length === 0) return ['Conditions: the same in both runs, as far as they were read.'];
  const left = conditions.length - shownConditions;
  return [
    '*Conditions that differ:*',
    ...conditions.slice(0, shownConditions).map((line) => oneLine(line)),
    ...(left > 0 ? [`and ${left} more; the JSON files of the runs have all of them`] : []),
  ];
}

export interface NewBaseline {
  readonly run: number;
  readonly stamp: string | undefined;
  readonly settings: readonly { readonly setting: string; readonly rate: string; readonly replaced: string }[];
  readonly remark: string | undefined;
}

/** Which figures count from now on, and what they replace. */
export function baselineAnswer({ run, stamp, settings, remark }: NewBaseline): ChatMessage {
  const stamped = stamp === undefined ? '' : ` (${stamp})`;
  const title = `Run ${run}${stamped} is the baseline of ${count(settings.length, 'setting')}`;
  const rows = settings.slice(0, shownRows).map(({ setting, rate, replaced }) => [setting, rate, replaced]);
  const only = stamp === undefined ? '' : ` Figures that are ${stamp} are held against such ones only.`;
  return fitMessage({
    text: title,
    blocks: [
      header(title),
      table(['setting', 'median', 'baseline'], rows),
      ...sections(remark === undefined ? [] : [escapeMrkdwn(remark)]),
      note(
        `It counts where pair, kind, direction, tool, frame, MTU, SAs, streams, duration, offload, firmware and image are the same.${only}`,
      ),
    ],
  });
}
