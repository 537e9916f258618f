import type {
  BaselineVerdict,
  BenchKind,
  BenchPoint,
  BenchResult,
  BenchTool,
  Condition,
  Measured,
  Proof,
  RateSummary,
  Repeat,
  ResultRecord,
} from '../domain/bench.ts';
import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import type { Tool } from './measure-tool.ts';

/** A picture of a result. */
export interface Picture {
  readonly name: string;
  readonly png: Uint8Array;
  readonly altText: string;
}

/** All that measuring takes from elsewhere: tools, arithmetic, pictures, the proof. Tests put others in. */
export interface MeasureParts {
  /** What can be set up and proven; nothing else is measured under its name. */
  readonly kinds: readonly BenchKind[];
  readonly tools: Readonly<Record<BenchTool, Tool>>;
  readConditions(context: ObserveContext): Promise<readonly Condition[]>;
  /** What the hardware has counted so far; a plain value, because a worker that takes over may read it back. */
  beginProof(context: ObserveContext, point: BenchPoint): Promise<unknown>;
  /** The same with what only shows while packets are under way. */
  watchProof(context: ObserveContext, start: unknown, point: BenchPoint): Promise<unknown>;
  endProof(context: ObserveContext, start: unknown, point: BenchPoint, bytesCarried: number): Promise<Proof>;
  /** Gives the path the MTU that was asked for, by acts that `undoMtu` takes back, and proves it. */
  setMtu(context: ApplyContext, mtuBytes: number, kind: BenchKind): Promise<void>;
  undoMtu(context: ApplyContext): Promise<void>;
  summarise(repeats: readonly Repeat[], point: BenchPoint, lineRateGbps: number | undefined): RateSummary;
  judge(baseline: ResultRecord | undefined, repeatsGbps: readonly number[], random: () => number): BaselineVerdict;
  /** `past`: earlier results of the same key as the first series, newest first, and its baseline. */
  pictures(
    result: BenchResult,
    past: readonly ResultRecord[],
    baseline: ResultRecord | undefined,
  ): Promise<readonly Picture[]>;
  /** The one line, and the table. */
  say(result: BenchResult): Pick<Measured, 'title' | 'line' | 'table'>;
}

/** What a plan and the work itself lean on. */
export interface MeasureState {
  readonly pair: string;
  /** Of the hosts: the smaller one. */
  readonly mtuBytes: number;
  /** The tool on both hosts, one text where they agree. */
  readonly toolVersion: string;
  /** This run has measured and told it already. */
  readonly isTold: boolean;
}
