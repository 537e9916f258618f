import type { HostSession } from '../domain/device-ports.ts';
import type { ApplyContext } from '../domain/step.ts';
import type { RepeatJob } from './measure-follow.ts';
import { awaitReady, follow, readyMs, slackS } from './measure-follow.ts';
import type { SideJob } from './measure-jobs.ts';
import { clearJob, inParts, readLog, sideFolder, startJob, stopJob } from './measure-jobs.ts';
import type { ToolLogs, ToolReading } from './measure-tool.ts';

export type RepeatEnd = ToolReading & { readonly logs: ToolLogs };

/**
 * Measures once: receivers, then senders, follows them to their end, stops both sides and reads what they say. What an
 * earlier try or life has left in the folders is stopped and removed first. Errors: cancelled, halted, bench-left-behind,
 * bench-log-too-long, and those of the transport; what a tool complains of is a result.
 */
export async function measureRepeat(context: ApplyContext, job: RepeatJob): Promise<RepeatEnd> {
  const { tool, setting, from, to } = job;
  const seconds = setting.point.durationS + setting.warmUpS;
  const sideOf = (role: 'receive' | 'send', host: HostSession, argvs: readonly (readonly string[])[]): SideJob[] =>
    argvs.map((argv, index) => {
      const place = { point: job.point, repeat: job.repeat, role, number: index + 1 };
      return { host, folder: sideFolder(context.runId, place), argv };
    });
  // They are stopped; the limits are for the case that nobody is there to do it.
  const receivers = sideOf('receive', to, tool.receive(setting, seconds + readyMs / 1_000 + 2 * slackS));
  const senders = sideOf('send', from, tool.send(setting, seconds + slackS));
  for (const { host, folder } of [...senders, ...receivers]) await clearJob(host, folder, context.signal);
  await inParts(receivers, async (side) => startJob(side, context.signal));
  const trouble =
    (await awaitReady(context, job, receivers)) ??
    (await inParts(senders, async (side) => startJob(side, context.signal)).then(async () =>
      follow(context, job, { senders, receivers }),
    ));
  const logs = { sent: await endAll(context, senders), received: await endAll(context, receivers) };
  if (trouble === undefined) return { ...tool.read(logs, setting), logs };
  const reading = tool.read(logs, setting);
  // What the tool itself says is nearer to the cause than that it ended.
  const problem = reading.kind === 'failed' ? `${trouble}: ${reading.problem}` : trouble;
  return { kind: 'failed', problem, logs };
}

/** Ends what still runs and reads all logs; one that was never started has written nothing. */
async function endAll(context: ApplyContext, sides: readonly SideJob[]): Promise<readonly string[]> {
  const states = await inParts(sides, async (side) => stopJob(side, context.signal));
  return inParts(sides, async (side, index) => (states[index]?.kind === 'absent' ? '' : readLog(side, context.signal)));
}
