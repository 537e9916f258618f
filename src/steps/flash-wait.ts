import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { DpuSystem } from '../facts/dpu-system.ts';
import { notReported, readDpuSystem } from '../facts/dpu-system.ts';
import type { InstallerLog } from '../facts/installer-log.ts';
import { closeInstallerLog, emptyInstallerLog, feedInstallerLog } from '../facts/installer-log.ts';
import { bmcSession } from './bmc-session.ts';
import type { Pushed } from './flash-attempts.ts';
import { flashActs } from './flash-attempts.ts';
import { giveUp } from './flash-judge.ts';
import { giveRshimBackAfter, takeRshim } from './flash-ownership.ts';
import { leaveSecureBoot } from './flash-secure-boot.ts';
import { bestEffort, findCardRshim, quietRshim, speakUp, tolerant } from './flash-rshim.ts';

const pollMs = 5_000;
/** First boot of a fresh system: file systems grow, cloud-init runs. */
const bootLimitMs = 15 * 60_000;
/** A card in the UEFI shell is `Paused`, and stays so. */
const pausedLooks = 3;
/** Older images never say that the DPU is ready, which is the last word of cloud-init. */
const readyLimitMs = 3 * 60_000;

/** What was seen of a card on its way up. */
interface Look {
  readonly system: DpuSystem | undefined;
  readonly log: InstallerLog | undefined;
}

/**
 * Waits for the new system: bfb-install ends when the card restarts into it. It is up when the card has said so over rshim
 * (`DPU is ready`) and its BMC reports OsIsRunning of a boot after the push. Errors: uefi-shell, installer-failed,
 * flash-timeout. Source: Mellanox bf-release, cloud-init seed (runcmd); NVIDIA BlueField BMC docs.
 */
export async function awaitBoot(context: ApplyContext, pushed: Pushed): Promise<void> {
  const name = flashActs.boot(pushed.attempt);
  if (context.actions.some((act) => act.action === name && act.done)) return;
  const target = context.dpu.name;
  if (pushed.log.bmcRebooting) context.bmc.noteReset(context.card);
  // After a restart of the host the BMC may have the rshim again; without it the card cannot be heard.
  await bestEffort(async () => void (await takeRshim(context)));
  try {
    await context.act({ name, text: `wait for the new system of ${target}` }, async () => {
      await tolerant(async () => speakUp(context));
      try {
        return { evidence: await bootAtLast(context, pushed), value: undefined };
      } finally {
        await tolerant(async () => quietRshim(context));
      }
    });
  } catch (error) {
    await giveRshimBackAfter(context, error);
    throw error;
  }
}

/** The card may have to be freed from Secure Boot before its system can start. */
async function bootAtLast(context: ApplyContext, pushed: Pushed): Promise<string> {
  for (;;)
    try {
      return await pollBoot(context, pushed);
    } catch (error) {
      if (!(error instanceof OpsError) || error.code !== 'uefi-shell') throw error;
      if (!(await leaveSecureBoot(context, pushed))) throw error;
    }
}

async function pollBoot(context: ApplyContext, pushed: Pushed): Promise<string> {
  const { clock } = context;
  const startMs = clock.nowMs();
  const limitMs = clock.deadlineMs(bootLimitMs);
  let last: Look = { system: undefined, log: undefined };
  let paused = 0;
  let isReady = pushed.log.ready;
  let upAtMs = pushed.log.up ? startMs : undefined;
  while (clock.nowMs() - startMs < limitMs) {
    const now = await look(context);
    last = { system: now.system ?? last.system, log: now.log ?? last.log };
    await failOnInstaller(context, pushed, now);
    isReady ||= now.log?.ready ?? false;
    if (now.log?.up) upAtMs ??= clock.nowMs();
    const isUp = isReady || (upAtMs !== undefined && clock.nowMs() - upAtMs >= clock.wallMs(readyLimitMs));
    if (isUp && now.system !== undefined && isNewBoot(now.system, pushed))
      return `the card says it is ${isReady ? 'ready' : 'up'}; BMC: ${now.system.bootState}, stamp ${pushed.before.bootStateTime} -> ${now.system.bootStateTime}`;
    paused = now.system?.powerState === 'Paused' ? paused + 1 : 0;
    if (paused >= pausedLooks) throw inUefi(context, 'Its BMC reports PowerState Paused: it is in the UEFI shell.');
    const text = `waiting for the new system of ${context.dpu.name}: ${stateText(last)}`;
    await context.progress({ text, sinceMs: startMs, limitMs });
    await clock.poll(pollMs, context.signal);
  }
  throw tooLate(context, last, isReady || upAtMs !== undefined);
}

/** OsIsRunning from before the push is no evidence: the BMC lags behind by about 30 s. */
function isNewBoot(system: DpuSystem, pushed: Pushed): boolean {
  const { bootStateTime } = pushed.before;
  const isOldStamp = bootStateTime !== notReported && system.bootStateTime === bootStateTime;
  return system.bootState === 'OsIsRunning' && !isOldStamp;
}

/** The BMC and rshim, each as far as it answers: both may be away for a while during a boot. */
async function look(context: ApplyContext): Promise<Look> {
  const system = await tolerant(async () => readDpuSystem(await bmcSession(context), context.signal));
  const log = await tolerant(async () => readBootLog(context));
  return { system, log };
}

/** The device is looked for anew each time: the driver may have numbered it again. */
async function readBootLog(context: ApplyContext): Promise<InstallerLog | undefined> {
  const rshim = await findCardRshim(context);
  if (rshim === undefined) return undefined;
  if (rshim.misc.displayLevel !== 2) await speakUp(context);
  return closeInstallerLog(feedInstallerLog(emptyInstallerLog, rshim.misc.log.join('\n')));
}

/** Older versions of bfb-install end too early: then the error of the installer is seen only here. */
async function failOnInstaller(context: ApplyContext, pushed: Pushed, { log }: Look): Promise<void> {
  if (log?.installError === undefined) return;
  const { name: target } = context.dpu;
  const error = errors.installerFailed({ target, line: log.installError, run: context.runId });
  throw await giveUp(context, pushed, log, error);
}

function tooLate(context: ApplyContext, last: Look, isUp: boolean): OpsError {
  const target = context.dpu.name;
  const state = last.system?.bootState ?? 'nothing';
  if (!isUp && state === 'UEFI') return inUefi(context, 'Its boot progress stands at UEFI.');
  const lastLine = last.log?.tail.at(-1)?.trim();
  if (!isUp && lastLine?.includes('[UEFI]') === true)
    return inUefi(context, `The last word of its boot log is "${lastLine}".`);
  const said = isUp ? 'the card says it is up' : `the boot log ends with "${lastLine ?? 'nothing'}"`;
  const doing = `waiting for the new system; ${said}, its BMC reports ${state}`;
  return errors.flashTimeout({ target, doing, limit: '15 min after the installation', run: context.runId });
}

function inUefi(context: ApplyContext, seen: string): OpsError {
  return errors.uefiShell({ target: context.dpu.name, seen, run: context.runId });
}

function stateText({ system, log }: Look): string {
  const line = log?.tail.at(-1)?.trim();
  return `${system?.bootState ?? 'BMC does not answer'}${line === undefined ? '' : `, ${line}`}`;
}
