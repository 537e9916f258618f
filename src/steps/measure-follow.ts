import type { DetachedState, HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import type { SideJob } from './measure-jobs.ts';
import { inParts, lookAt, peek } from './measure-jobs.ts';
import type { Tool, ToolSetting } from './measure-tool.ts';

/** One repeat of a point. */
export interface RepeatJob {
  readonly tool: Tool;
  readonly setting: ToolSetting;
  readonly from: HostSession;
  readonly to: HostSession;
  readonly point: string;
  readonly repeat: number;
  /** "a-to-b, repeat 2 of 3". */
  readonly label: string;
  /** Of all that is measured in this run, from 0 to 1: where this repeat begins, and its share. */
  readonly begins: number;
  readonly share: number;
  /** Called once, as soon as the warm-up is over: packets are under way then. */
  readonly onTraffic?: () => Promise<void>;
}

const pollMs = 1_000;
/** So long a receiver may take until it listens: DPDK fills its memory first. */
export const readyMs = 60_000;
/** Senders start later than they are told, and end later. */
export const slackS = 60;
/** A sender that is told to end gets so much more: the first and the last second are not whole. */
const roundS = 2;
/** Enough for the last second of any tool. */
const tailBytes = 4_096;

/** Waits until all receivers listen. A sentence: why they never will. */
export async function awaitReady(
  context: ApplyContext,
  { tool, setting, to, label }: RepeatJob,
  receivers: readonly SideJob[],
): Promise<string | undefined> {
  const { clock, signal } = context;
  const sinceMs = clock.nowMs();
  const limitMs = clock.deadlineMs(readyMs);
  for (;;) {
    await context.checkpoint();
    const states = await inParts(receivers, async (side) => lookAt(side, signal));
    const logs = await inParts(receivers, async (side) => peek(side, 0, signal));
    const ended = states.find((state) => state !== undefined && state.kind !== 'running');
    if (ended !== undefined) return `${tool.name} on ${to.name} ended before it received anything (${endText(ended)})`;
    if (await tool.isReady(setting, to, logs, signal)) return undefined;
    if (clock.nowMs() - sinceMs > limitMs)
      return `${tool.name} on ${to.name} did not get ready to receive within ${readyMs / 1_000} s`;
    await context.progress({ text: `${label}: waiting for ${to.name} to listen`, sinceMs, limitMs });
    await clock.poll(pollMs, signal);
  }
}

/** Follows the senders to their end. A sentence: why there can be no figure. */
export async function follow(
  context: ApplyContext,
  job: RepeatJob,
  { senders, receivers }: { readonly senders: readonly SideJob[]; readonly receivers: readonly SideJob[] },
): Promise<string | undefined> {
  const { clock, signal } = context;
  const { tool, setting, from, to } = job;
  const { durationS } = setting.point;
  const sinceMs = clock.nowMs();
  const seconds = durationS + setting.warmUpS;
  const limitMs = clock.deadlineMs((seconds + slackS) * 1_000);
  let begunMs = tool.hasBegun === undefined ? sinceMs : undefined;
  let isWatched = false;
  for (;;) {
    await context.checkpoint();
    const sent = await inParts(senders, async (side) => lookAt(side, signal));
    const received = await inParts(receivers, async (side) => lookAt(side, signal));
    if (sent.every((state) => state !== undefined && state.kind !== 'running'))
      return troubleOf(sent, `${tool.name} on ${from.name}`);
    const lost = received.find((state) => state !== undefined && isBroken(state));
    if (lost !== undefined) return `${tool.name} on ${to.name} did not stay till the end (${endText(lost)})`;
    if (begunMs === undefined && tool.hasBegun?.(await inParts(senders, async (side) => peek(side, 0, signal))))
      begunMs = clock.nowMs();
    const ranS = begunMs === undefined ? 0 : (clock.nowMs() - begunMs) / clock.wallMs(1_000);
    if (!isWatched && begunMs !== undefined && ranS >= setting.warmUpS) {
      isWatched = true;
      await job.onTraffic?.();
    }
    if (tool.hasBegun !== undefined && ranS >= seconds + roundS) return undefined;
    if (clock.nowMs() - sinceMs > limitMs)
      return `${tool.name} on ${from.name} did not ${begunMs === undefined ? 'begin to send' : 'end'} in time`;
    const tails = await inParts(receivers, async (side, index) => {
      const state = received[index];
      return state?.kind === 'running' ? peek(side, state.logBytes - tailBytes, signal) : '';
    });
    const rate = tool.rateGbps(tails);
    await context.progress({
      text: progressText(job.label, { ranS, warmUpS: setting.warmUpS, durationS, rate }),
      percent: Math.floor((job.begins + job.share * Math.min(1, ranS / seconds)) * 100),
      sinceMs,
      limitMs,
    });
    await clock.poll(pollMs, signal);
  }
}

/** "a-to-b, repeat 2 of 3, 12 of 30 s, 388 Gb/s". */
export function progressText(
  label: string,
  at: {
    readonly ranS: number;
    readonly warmUpS: number;
    readonly durationS: number;
    readonly rate: number | undefined;
  },
): string {
  const measuredS = Math.floor(at.ranS - at.warmUpS);
  const time = measuredS < 0 ? 'warming up' : `${Math.min(measuredS, at.durationS)} of ${at.durationS} s`;
  const rate = at.rate === undefined ? [] : [`${at.rate.toFixed(at.rate < 10 ? 2 : 0)} Gb/s`];
  return [label, time, ...rate].join(', ');
}

/** A receiver that has ended before its senders: only a server of one test may, and with exit 0. */
function isBroken(state: DetachedState): boolean {
  return state.kind === 'unknown' || state.kind === 'absent' || (state.kind === 'exited' && state.exitCode !== 0);
}

/** Exit codes say little: iperf3 ends with 0 after a failure, and testpmd without a device. Only a lost process is certain. */
function troubleOf(states: readonly (DetachedState | undefined)[], who: string): string | undefined {
  const lost = states.find((state) => state?.kind === 'unknown' || state?.kind === 'absent');
  return lost === undefined ? undefined : `${who} was lost (${endText(lost)})`;
}

function endText(state: DetachedState): string {
  switch (state.kind) {
    case 'absent':
      return 'its job folder is gone';
    case 'unknown':
      return state.reason;
    case 'exited':
      return `exit ${state.exitCode}`;
    case 'running':
      return 'it still runs';
  }
}
