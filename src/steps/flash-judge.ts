import type { ApplyContext } from '../domain/step.ts';
import type { OpsError } from '../errors.ts';
import { errors } from '../errors.ts';
import type { InstallerLog } from '../facts/installer-log.ts';
import { judgeInstallerLog } from '../facts/installer-log.ts';
import type { Flash } from './flash-attempts.ts';
import { flashActs } from './flash-attempts.ts';
import { removeBfCfg } from './flash-config.ts';
import { giveRshimBackAfter } from './flash-ownership.ts';
import { quietRshim } from './flash-rshim.ts';
import type { Watched } from './flash-watch.ts';
import { watchdogMinutes } from './flash-watch.ts';

/**
 * Holds what was seen against the log. What is wrong is told to a person; then the attempt is over. Returns the BMC parts
 * that went wrong and were not asked for.
 */
export async function judgePush(context: ApplyContext, flash: Flash, seen: Watched): Promise<readonly string[]> {
  const { log } = seen;
  const error = failureIn(context, flash, seen);
  if (error !== undefined) throw await giveUp(context, flash, log, error);
  return log.bmcProblems;
}

function failureIn(context: ApplyContext, flash: Flash, { state, log, stopped }: Watched): OpsError | undefined {
  const target = context.dpu.name;
  const run = context.runId;
  const verdict = judgeInstallerLog(log);
  switch (verdict.kind) {
    case 'not-begun':
      return notBegun(context, verdict.line);
    case 'push-failed':
      return errors.pushFailed({ target, line: verdict.line, run });
    case 'installer-failed':
      return errors.installerFailed({ target, line: verdict.line, run });
    case 'finished':
      return bmcPartsIn(context, flash, log);
    case 'open':
      break;
  }
  if (stopped) {
    const limit = `${watchdogMinutes(flash.params)} min`;
    return errors.flashTimeout({ target, doing: log.phase ?? 'pushing the image', limit, run });
  }
  if (state.kind !== 'exited') {
    const why = state.kind === 'unknown' ? capital(state.reason) : `Its job folder is ${state.kind}`;
    return errors.flashInterrupted({ target, why, run });
  }
  // Older versions of the tool also end at "Rebooting BMC...", after the system was installed, while the installer goes on.
  if (log.bmcRebooting) return bmcPartsIn(context, flash, log);
  const line = unfinished(log);
  return log.push === 'ended'
    ? errors.installerFailed({ target, line, run })
    : errors.pushFailed({ target, line, run });
}

/** Not a byte was sent: the host looked once more right before, and something was not as the worker had seen it. */
function notBegun(context: ApplyContext, line: string): OpsError {
  const [target, host] = [context.dpu.name, context.host.name];
  return line.startsWith('another push runs')
    ? errors.flashRunning({ target, host, seen: line.slice(0, 300) })
    : errors.rshimNotFound({ target, host, why: `Right before the push ${line}.` });
}

/** A system that came up proves nothing: it may be the old one, started because the new one never was. */
function unfinished(log: InstallerLog): string {
  if (log.up) return 'a system came up without "Installation finished" before: it may be the old one';
  return `bfb-install ended without "Installation finished"; its last line is "${log.tail.at(-1)?.trim() ?? ''}"`;
}

function bmcPartsIn(context: ApplyContext, { params }: Flash, { bmcProblems }: InstallerLog): OpsError | undefined {
  if (bmcProblems.length === 0 || params.bmcComponents === 'skip') return undefined;
  return errors.bmcUpdateFailed({ target: context.dpu.name, why: bmcProblems.join('; '), run: context.runId });
}

/** Shows the end of the log, clears up, and journals that this attempt is over: a resume begins a new one. */
export async function giveUp(
  context: ApplyContext,
  { attempt, serial, before }: Flash,
  log: InstallerLog,
  error: OpsError,
): Promise<OpsError> {
  await context.snippet(`End of the log of bfb-install on ${context.dpu.name}`, log.tail.slice(-15).join('\n'));
  const text = `end attempt ${attempt} at ${context.dpu.name}`;
  await context.act({ name: flashActs.giveUp(attempt), text }, async () => {
    await removeBfCfg(context, serial);
    await quietRshim(context);
    if (log.notBegun !== undefined && before.record !== undefined) await context.records.put(serial, before.record);
    await giveRshimBackAfter(context, error);
    return { evidence: `${error.code}: ${error.failure.why}`, value: undefined };
  });
  return error;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
