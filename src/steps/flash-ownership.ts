import type { Failure } from '../domain/outcome.ts';
import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { CardRshim } from '../facts/rshim.ts';
import { readRshimService, silentRshim } from '../facts/rshim.ts';
import type { RshimSettings } from '../facts/rshim-owner.ts';
import { readRshimSettings } from '../facts/rshim-owner.ts';
import { bmcReader, bmcSession } from './bmc-session.ts';
import { bestEffort, findCardRshim, lookForRshim, refuseWhilePushing, writeMisc } from './flash-rshim.ts';
import { runOk } from './remote.ts';
import { setBmcRshim, setHostRshim } from './rshim-switches.ts';

/** Who has the rshim of a card. `bmc`: the BMC is allowed to, and the host has no working device. */
export type RshimAccess =
  | { readonly kind: 'host'; readonly rshim: CardRshim }
  | { readonly kind: 'bmc'; readonly drop: CardRshim | undefined; readonly settings: RshimSettings }
  | { readonly kind: 'missing'; readonly failure: Failure };

const takeName = 'take-rshim';
const giveName = 'give-rshim-back';
const pollMs = 5_000;
/** The switches work asynchronously; OobUpdate waits 10 s and looks again, a restart of the service takes as long. */
const takeLimitMs = 60_000;

/**
 * Finds the rshim of the card anew: serial -> PCI address -> DEV_NAME. Numbers of devices change with every restart of the
 * driver. Without a device of its own the host is asked for its service and the BMC for its switches.
 */
export async function observeRshim(context: ObserveContext): Promise<RshimAccess> {
  const { found, devices } = await lookForRshim(context);
  if (found !== undefined && !found.misc.dropMode) return { kind: 'host', rshim: found };
  const busy = devices.find((device) => device.busy);
  if (found === undefined && busy !== undefined) return { kind: 'missing', failure: inUse(context, busy.name) };
  const silent = found === undefined ? silentRshim(devices) : undefined;
  if (silent !== undefined) {
    const { failure } = errors.rshimStuck({ target: context.dpu.name, host: context.host.name, seen: silent });
    return { kind: 'missing', failure };
  }
  const settings = await readRshimSettings(await bmcReader(context), context.signal);
  if (settings.bmcEnabled || settings.host === 'Disabled' || found !== undefined)
    return { kind: 'bmc', drop: found, settings };
  const service = await readRshimService(context.host, context.signal);
  const why =
    service === 'running'
      ? 'Its rshim service runs, the BMC does not claim the card, and no device has its PCI address.'
      : `Its rshim service is ${service}.`;
  const { failure } = errors.rshimNotFound({ target: context.dpu.name, host: context.host.name, why });
  return { kind: 'missing', failure };
}

/** The log of a device that a bfb-install works on is its own, so nobody can look which card it is. */
function inUse(context: ObserveContext, device: string): Failure {
  const seen = `bfb-install works on /dev/${device}; which card that is cannot be read meanwhile.`;
  return errors.flashRunning({ target: context.dpu.name, host: context.host.name, seen }).failure;
}

/** The working rshim of the card, taken from the BMC where that has it. Errors: rshim-not-found, rshim-owned-by-bmc. */
export async function takeRshim(context: ApplyContext): Promise<CardRshim> {
  const access = await observeRshim(context);
  if (access.kind === 'host') return access.rshim;
  if (access.kind === 'missing') throw new OpsError(access.failure);
  const text = `take the rshim of ${context.dpu.name} from its BMC`;
  if (access.drop === undefined) await refuseWhilePushing(context);
  const before = takenBefore(context) ?? access.settings;
  return context.act({ name: takeName, text, before }, async () => {
    await switchOwner(context, access.drop, access.settings);
    const rshim = await waitForRshim(context);
    return { evidence: `${rshim.name} is ${rshim.misc.devName} and in normal mode`, value: rshim };
  });
}

async function switchOwner(context: ApplyContext, drop: CardRshim | undefined, settings: RshimSettings): Promise<void> {
  if (settings.bmcEnabled) await setBmcRshim(context, false);
  if (settings.host === 'Disabled') await setHostRshim(context, 'Enabled');
  if (drop === undefined) {
    const argv = ['sudo', '-n', 'systemctl', 'restart', 'rshim'];
    await runOk(context.host, argv, { timeoutMs: 60_000, signal: context.signal });
  } else await writeMisc(context, drop.name, 'FORCE_CMD 1');
}

async function waitForRshim(context: ApplyContext): Promise<CardRshim> {
  const startMs = context.clock.nowMs();
  const limitMs = context.clock.deadlineMs(takeLimitMs);
  for (;;) {
    const found = await findCardRshim(context);
    if (found !== undefined && !found.misc.dropMode) return found;
    if (context.clock.nowMs() - startMs >= limitMs) throw await notGiven(context, found);
    const text = `waiting for the BMC of ${context.dpu.name} to give up its rshim`;
    await context.progress({ text, sinceMs: startMs, limitMs });
    await context.clock.poll(pollMs, context.signal);
  }
}

async function notGiven(context: ApplyContext, found: CardRshim | undefined): Promise<OpsError> {
  const now = await readRshimSettings(await bmcSession(context), context.signal);
  const device =
    found === undefined ? 'the host has no device of the card' : `${found.name} of the host stays in drop mode`;
  const why = `A minute after it was asked to, ${device}; BmcRShimEnabled is ${now.bmcEnabled}, HostRshim is ${now.host}.`;
  const target = context.dpu.name;
  return errors.rshimOwnedByBmc({ target, host: context.host.name, why, run: context.runId });
}

/**
 * Puts the switches of the BMC back as they were before this run took the rshim. The driver of the host keeps the device for
 * the steps that follow; until it lets go the BMC may refuse its own (OobUpdate, exit 16), which the evidence says.
 */
export async function giveRshimBack(context: ApplyContext): Promise<void> {
  const before = takenBefore(context);
  if (before === undefined) return;
  await context.act(
    { name: giveName, text: `put the rshim switches of ${context.dpu.name} back`, before },
    async () => {
      const session = await bmcSession(context);
      const now = await readRshimSettings(session, context.signal);
      if (before.bmcEnabled && !now.bmcEnabled) await setBmcRshim(context, true);
      if (before.host === 'Disabled' && now.host === 'Enabled') await setHostRshim(context, 'Disabled');
      await context.clock.poll(2 * pollMs, context.signal);
      const after = await readRshimSettings(session, context.signal);
      const shown = after.bmcEnabled === before.bmcEnabled ? '' : `, and reads back as ${after.bmcEnabled}`;
      const evidence = `asked for BmcRShimEnabled ${before.bmcEnabled}${shown}; HostRshim ${after.host}`;
      return { evidence, value: undefined };
    },
  );
}

/** What a run that stops at an error leaves behind for others: a resume takes the rshim again where it needs to. */
export async function giveRshimBackAfter(context: ApplyContext, error: unknown): Promise<void> {
  if (error instanceof OpsError && !context.signal.aborted) await bestEffort(async () => giveRshimBack(context));
}

/**
 * Settings before this run took it, undefined when it has nothing to give back. After a crash the first look counts: later
 * ones see what the run itself has changed.
 */
function takenBefore(context: ApplyContext): RshimSettings | undefined {
  const given = context.actions.findLastIndex((act) => act.action === giveName && act.done);
  const before = context.actions.slice(given + 1).find((act) => act.action === takeName)?.before;
  return isSettings(before) ? before : undefined;
}

function isSettings(value: unknown): value is RshimSettings {
  return typeof value === 'object' && value !== null && 'bmcEnabled' in value && 'host' in value;
}
