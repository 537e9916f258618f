import type { Series, Stamp } from '../domain/bench.ts';
import type { HostSession } from '../domain/device-ports.ts';
import type { MeasureParams, PlannedPoint } from './measure-points.ts';
import type { Tool, ToolSetting } from './measure-tool.ts';
import type { MeasureParts } from './measure-wiring.ts';

/** What is the same for all points of a run. */
export interface RunFrame {
  readonly parts: MeasureParts;
  readonly params: MeasureParams;
  readonly tool: Tool;
  readonly pair: string;
  readonly hosts: readonly [HostSession, HostSession];
  readonly lineRateGbps: number | undefined;
  /** Of both cards, for comparison. */
  readonly firmware: string;
  readonly image: string;
  readonly stamp: Stamp | undefined;
}

/** A point in its place among all of them. */
export interface PointWork extends PlannedPoint {
  readonly setting: ToolSetting;
  readonly index: number;
  readonly count: number;
}

/** What a tool wrote in one repeat. */
export interface KeptLog {
  readonly name: string;
  readonly text: string;
}

export interface MeasuredPoint {
  readonly series: Series;
  readonly toolVersion: string | undefined;
  /** What a reader has to know besides the warnings of the repeats. */
  readonly notes: readonly string[];
  readonly logs: readonly KeptLog[];
}
