import { pointText } from '../bench/point-text.ts';
import type { Repeat } from '../domain/bench.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import type { KeptLog, PointWork, RunFrame } from './measure-frame.ts';
import type { RepeatEnd } from './measure-repeat.ts';
import { measureRepeat } from './measure-repeat.ts';
import type { ToolLogs } from './measure-tool.ts';

const tries = 2;
/** Of each log, for the file in the thread. */
const keptLogChars = 24 * 1024;

/** What the repeats of a point leave besides their figures. */
export class Collected {
  version: string | undefined;
  readonly notes: string[] = [];
  readonly logs: KeptLog[] = [];

  /** What an earlier life, or an earlier measurement, has collected. */
  take(other: {
    readonly version?: string | undefined;
    readonly notes: readonly string[];
    readonly logs: readonly KeptLog[];
  }): void {
    this.version ??= other.version;
    this.notes.push(...other.notes);
    this.logs.push(...other.logs);
  }

  add(name: string, logs: ToolLogs): void {
    for (const [role, texts] of Object.entries({ send: logs.sent, receive: logs.received }))
      for (const [index, text] of texts.entries())
        this.logs.push({ name: `${name}, ${role} ${index + 1}`, text: clipLog(text) });
  }
}

/** A tool that fails gets a second try: a server may have been busy, a first packet lost. */
export async function measureOnce(
  context: ApplyContext,
  frame: RunFrame,
  work: PointWork,
  repeat: {
    /** Part of the names of its job folders. */
    readonly number: number;
    /** Place among the repeats, for the percentage. */
    readonly index: number;
    readonly label: string;
    readonly onTraffic?: () => Promise<void>;
  },
  collected: Collected,
): Promise<Repeat> {
  const { tool, hosts, params } = frame;
  const isBack = work.point.direction === 'b-to-a';
  const share = 1 / (work.count * params.repeats);
  const problems: string[] = [];
  let end: RepeatEnd;
  do {
    end = await measureRepeat(context, {
      tool,
      setting: work.setting,
      from: hosts[isBack ? 1 : 0],
      to: hosts[isBack ? 0 : 1],
      point: work.id,
      repeat: repeat.number,
      label: repeat.label,
      begins: work.index / work.count + share * repeat.index,
      share,
      ...(repeat.onTraffic && { onTraffic: repeat.onTraffic }),
    });
    collected.add(`${work.id} ${repeat.label}${problems.length > 0 ? ', second try' : ''}`, end.logs);
    if (end.kind === 'measured') {
      collected.version ??= end.version;
      const again = problems.map((problem) => `${repeat.label} was measured a second time: ${problem}`);
      return { ...end.repeat, warnings: [...end.repeat.warnings, ...again] };
    }
    problems.push(end.problem);
  } while (problems.length < tries);
  const evidence = [...end.logs.sent, ...end.logs.received].map((log) => lastLines(log)).join('\n---\n');
  await context.snippet(`${tool.name}: ${repeat.label}`, evidence);
  throw errors.benchToolFailed({
    pair: frame.pair,
    tool: tool.name,
    point: pointText(work.point),
    problem: end.problem.replace(/\.$/, ''),
    run: context.runId,
    evidence: evidence.slice(-900),
  });
}

function clipLog(text: string): string {
  if (text.length <= keptLogChars) return text;
  const half = keptLogChars / 2;
  return `${text.slice(0, half)}\n... ${text.length - keptLogChars} characters left out ...\n${text.slice(-half)}`;
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-12).join('\n').slice(-1_200);
}
