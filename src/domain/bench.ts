/** What a bench asks for, measures and keeps. Rates are Gb/s (10^9 bits), times seconds unless the name says otherwise. */
import type { ArtefactRef } from './artefacts.ts';

export const benchKinds = ['raw', 'ipsec'] as const;
export type BenchKind = (typeof benchKinds)[number];
export const benchTools = ['testpmd', 'iperf3'] as const;
export type BenchTool = (typeof benchTools)[number];
/** From the first end of the pair to the second, or back. */
export const directions = ['a-to-b', 'b-to-a'] as const;
export type Direction = (typeof directions)[number];
/** What a figure may not be taken for. */
export type Stamp = 'SIMULATED' | 'TESTBED';

/** One setting that is measured: a bench has one a frame and direction, a sweep many. */
export interface BenchPoint {
  readonly kind: BenchKind;
  readonly tool: BenchTool;
  readonly direction: Direction;
  /** Ethernet frame without FCS, of testpmd; iperf3 fills its packets itself. */
  readonly frameBytes?: number;
  /** IP MTU of the hosts during the measurement. */
  readonly mtuBytes: number;
  /** Security associations per direction; 0 for `raw`. */
  readonly sas: number;
  /** Flows: processes of iperf3, or flows that testpmd spreads over its queues. */
  readonly streams: number;
  readonly durationS: number;
}

/** One second at one moment after the warm-up. */
export interface RateSample {
  readonly atS: number;
  /** At the far end. testpmd: layer 2 without FCS (as it counts); iperf3: payload of TCP. */
  readonly receivedGbps: number;
  readonly sentGbps?: number;
  readonly receivedMpps?: number;
}

/** One measurement of the chosen duration. */
export interface Repeat {
  readonly samples: readonly RateSample[];
  /** Mean of the whole measured time, as the far end counted it. */
  readonly receivedGbps: number;
  readonly sentGbps?: number;
  readonly receivedMpps?: number;
  readonly lossPercent?: number;
  readonly retransmits?: number;
  /** What the tool said that a reader has to know (RX-nombuf, a server that was busy). */
  readonly warnings: readonly string[];
}

/** Repeats of one point. `low` to `high` holds the median with `confidencePercent`, 95 where the repeats are enough. */
export interface RateSummary {
  readonly repeats: number;
  readonly medianGbps: number;
  readonly lowGbps: number;
  readonly highGbps: number;
  readonly confidencePercent: number;
  /** (max - min) / median. */
  readonly spreadPercent: number;
  /** testpmd: on the wire with preamble, FCS and gap. */
  readonly layer1Gbps?: number;
  readonly layer2Gbps?: number;
  readonly mpps?: number;
  /** Of the speed of the port; absent where the port does not say its speed. */
  readonly lineRatePercent?: number;
}

/** The verdict against a baseline, and the test behind it. */
export interface BaselineVerdict {
  readonly kind: 'better' | 'same' | 'worse' | 'too-few-repeats' | 'no-baseline';
  /** One sentence: which test, its p value, the difference in percent, the run of the baseline. */
  readonly text: string;
  readonly baselineRun?: number;
  readonly changePercent?: number;
  readonly pValue?: number;
}

export interface Series {
  readonly point: BenchPoint;
  readonly repeats: readonly Repeat[];
  readonly summary: RateSummary;
  readonly verdict: BaselineVerdict;
  /** Of this series. */
  readonly proof: Proof;
  /** A first measurement that was worse than the baseline, where a second one, which counts, did not confirm it. */
  readonly unconfirmed?: readonly Repeat[];
  /** Highest rate without loss, when it was asked for. */
  readonly zeroLoss?: { readonly gbps: number; readonly mpps: number; readonly tries: number };
}

/** A fact that stood when it was measured. */
export interface Condition {
  readonly end: 'a' | 'b' | 'pair';
  /** Stable, for comparison: `nic-firmware`, `image`, `kernel`, `mtu`, `pcie-link`, `numa-node`, `iommu`, `governor`, `tool` ... */
  readonly name: string;
  readonly label: string;
  readonly value: string;
  /** What this costs, where it looks wrong. */
  readonly warning?: string;
}

/** Did the hardware do it? `unknown` is no success. */
export interface Proof {
  readonly verdict: 'offloaded' | 'not-offloaded' | 'not-wanted' | 'unknown';
  readonly checks: readonly {
    readonly label: string;
    /** Absent: could not be seen. */
    readonly pass?: boolean;
    readonly saw: string;
  }[];
  /** Likely cause, from observed facts. */
  readonly cause?: string;
}

/** Everything that was measured in one run; the raw JSON of the thread. */
export interface BenchResult {
  readonly version: 1;
  readonly run: number;
  readonly pair: string;
  readonly cards: readonly [string, string];
  readonly kind: BenchKind;
  readonly tool: BenchTool;
  readonly toolVersion: string;
  readonly stamp?: Stamp;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly conditions: readonly Condition[];
  readonly series: readonly Series[];
  readonly warnings: readonly string[];
}

/** Under which figures may be compared: equal keys, comparable figures. */
export type BaselineKey = string & { readonly baselineKey: never };

/** The short form that the store keeps for history, compare and baseline: one a series. */
export interface ResultRecord {
  readonly run: number;
  readonly pair: string;
  readonly atMs: number;
  readonly key: BaselineKey;
  readonly point: BenchPoint;
  readonly stamp?: Stamp;
  /** receivedGbps of each repeat. */
  readonly repeatsGbps: readonly number[];
  readonly medianGbps: number;
  readonly offload: Proof['verdict'];
  readonly firmware: string;
  readonly image: string;
}

/** Results of benches; kept when their runs are gone. Written by workers, read by both. */
export interface ResultStore {
  /** The same run and point again replaces the older one. */
  add(records: readonly ResultRecord[]): Promise<void>;
  /** Newest first. */
  history(pair: string, kind: BenchKind, limit: number): Promise<readonly ResultRecord[]>;
  ofRun(run: number): Promise<readonly ResultRecord[]>;
  /** Makes the series of a run the baseline of their keys. */
  setBaseline(run: number): Promise<readonly ResultRecord[]>;
  baseline(key: BaselineKey): Promise<ResultRecord | undefined>;
}

/** What the thread gets of a result. */
export interface Measured {
  /** Posted once per id. */
  readonly id: string;
  readonly title: string;
  /** "390.2 Gb/s raw (97.6 % of line rate), better than the baseline of run 12 ..." */
  readonly line: string;
  readonly stamp?: Stamp;
  readonly table: { readonly columns: readonly string[]; readonly rows: readonly (readonly string[])[] };
  readonly warnings: readonly string[];
  /** Worse than the baseline, and a second measurement has confirmed it: only then anybody is mentioned. */
  readonly regression?: true;
  /** Charts (PNG with alt text), table, raw JSON. */
  readonly files: readonly ArtefactRef[];
}

/** One figure of the past, in words. */
export interface HistoryRow {
  readonly run: number;
  readonly atMs: number;
  readonly setting: string;
  readonly rate: string;
  /** To the figure before it that was measured under the same conditions. */
  readonly change: string;
  readonly baseline: string;
  readonly remarks: string;
}
