import type { BenchPoint, BenchTool, Repeat } from '../domain/bench.ts';
import type { HostReader } from '../domain/device-ports.ts';
import type { Tools } from '../domain/profile.ts';
import type { EndFacts } from './measure-ends.ts';

/** One end of a measurement, as a tool sees it. */
export interface ToolEnd {
  readonly facts: EndFacts;
  /** Near the card. */
  readonly cpus: readonly number[];
  readonly tools: Tools;
  /** Addresses of the host that flows may have; the first is the host's own. Without prefix length. */
  readonly addresses: readonly string[];
}

/** What is measured, from where to where. */
export interface ToolSetting {
  /** Short and of this run alone, for what the tool makes on the hosts. */
  readonly label: string;
  readonly point: BenchPoint;
  readonly warmUpS: number;
  readonly from: ToolEnd;
  readonly to: ToolEnd;
  /** The cards route between their hosts: flows need addresses that the tunnel knows. */
  readonly isRouted: boolean;
  /** MAC that frames are sent to: of the far host, or of the card where the cards route. */
  readonly nextMac: string;
  /** On the sending host: what `pacing` gave. */
  readonly commandsFile?: string;
}

/** Logs of both sides, complete, one for each program. */
export interface ToolLogs {
  readonly sent: readonly string[];
  readonly received: readonly string[];
}

export type ToolReading =
  | { readonly kind: 'measured'; readonly repeat: Repeat; readonly version: string | undefined }
  /** No figure: what the tool said. */
  | { readonly kind: 'failed'; readonly problem: string };

/** A program that measures: one side receives, the other sends; both run detached and write a log. */
export interface Tool {
  readonly name: BenchTool;
  /** As installed on a host. Errors: host-tool-missing. */
  version(host: HostReader, signal: AbortSignal): Promise<string>;
  /** Words of the commands of the receiving side, one a program; each ends by itself after `limitS`. */
  receive(setting: ToolSetting, limitS: number): readonly (readonly string[])[];
  send(setting: ToolSetting, limitS: number): readonly (readonly string[])[];
  /** May the senders be started? `logs`: what the receivers have written so far. */
  isReady(setting: ToolSetting, host: HostReader, logs: readonly string[], signal: AbortSignal): Promise<boolean>;
  /**
   * Only of a tool that sends until it is told to end: does it send yet? Its time counts from then on, because starting may
   * take seconds. `logs`: of the senders.
   */
  hasBegun?(logs: readonly string[]): boolean;
  /** Content of a file with which the sender keeps a rate; undefined, or no such method: it cannot. */
  pacing?(setting: ToolSetting, gbps: number): string | undefined;
  read(logs: ToolLogs, setting: ToolSetting): ToolReading;
  /** Gb/s of the last second, from the ends of the receivers' logs; undefined where they say nothing before their end. */
  rateGbps(logs: readonly string[]): number | undefined;
}
