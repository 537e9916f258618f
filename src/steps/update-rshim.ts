import type { ActionRecord, ApplyContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readDpuOs } from '../facts/card-image.ts';
import type { RshimSettings } from '../facts/rshim-owner.ts';
import { readRshimSettings } from '../facts/rshim-owner.ts';
import { readRshimService } from '../facts/rshim.ts';
import { bmcSession } from './bmc-session.ts';
import { findCardRshim, refuseWhilePushing } from './flash-rshim.ts';
import { runOk } from './remote.ts';
import { setBmcRshim, setHostRshim } from './rshim-switches.ts';
import { updateStep } from './update-attempts.ts';

const giveName = 'give-rshim-to-bmc';
const backName = 'take-rshim-back';
const pollMs = 5_000;
/** The switches work asynchronously; OobUpdate waits 10 s, looks again, and switches off and on where it stays off. */
const limitMs = 60_000;
const looksPerTry = 3;

/** Who had it before, as it is journaled with the intent. */
interface Before extends RshimSettings {
  readonly service: 'running' | 'stopped' | 'missing';
}

/**
 * Lets the BMC drive the card, which writes the image over its own rshim: the driver of the host is stopped (for all its
 * cards: a switch alone does not end one that runs), and the switch of the BMC is on. Returns the release that runs now, ''
 * for none named. Errors: flash-running, rshim-owned-by-host. Source: Mellanox rshim-user-space; DPF, OobUpdate.
 */
export async function giveRshimToBmc(context: ApplyContext): Promise<string> {
  const { dpu, signal } = context;
  const session = await bmcSession(context);
  const release = (await readDpuOs(session, signal)) ?? '';
  const known = givenNow(context);
  if (known?.done === true) return release;
  await refuseWhilePushing(context);
  const seen = await readRshimService(context.host, signal);
  // Where an earlier card of this run has stopped it, that is not how it was.
  const service = givenOthers(context).some(({ before }) => before.service === 'running') ? 'running' : seen;
  const now = { ...(await readRshimSettings(session, signal)), service };
  const before = isBefore(known?.before) ? known.before : now;
  await context.act({ name: giveName, text: `give the rshim of ${dpu.name} to its BMC`, before }, async () => {
    await letGo(context);
    if (now.host === 'Enabled') await setHostRshim(context, 'Disabled');
    await setBmcRshim(context, true);
    await waitForBmc(context);
    return { evidence: 'BmcRShimEnabled true; the driver of the host is stopped', value: undefined };
  });
  return release;
}

/**
 * Puts it back as it was: where the host drove the card it does so again, which later steps need. The driver serves all
 * cards of the host: while the BMC of another one may still be writing it stays stopped, and the last one starts it.
 */
export async function takeRshimBack(context: ApplyContext): Promise<void> {
  const before = givenNow(context)?.before;
  if (!isBefore(before)) return;
  const text = `put the rshim switches of ${context.dpu.name} back`;
  await context.act({ name: backName, text, before }, async () => {
    if (!before.bmcEnabled) await setBmcRshim(context, false);
    if (before.host === 'Enabled') await setHostRshim(context, 'Enabled');
    const others = givenOthers(context).map(({ card }) => card);
    if (before.service === 'running' && others.length === 0) await driveAgain(context, before);
    const stays = others.length === 0 ? '' : `; the driver of the host stays stopped for ${others.join(', ')}`;
    return { evidence: `BmcRShimEnabled ${before.bmcEnabled}, HostRshim ${before.host}${stays}`, value: undefined };
  });
}

/** What this run gave to the BMC and has not taken back: with the state of before it, done where it came to its end. */
export function givenNow({ actions }: Pick<ApplyContext, 'actions'>): ActionRecord | undefined {
  const back = actions.findLastIndex((act) => act.action === backName && act.done);
  const since = actions.slice(back + 1).filter((act) => act.action === giveName);
  const [first] = since;
  return first && { ...first, done: since.some((act) => act.done) };
}

/** Cards of the host beside this one that this run gave to their BMCs and has not taken back. */
function givenOthers({
  slice,
  dpu,
  actionsIn,
}: Pick<ApplyContext, 'slice' | 'dpu' | 'actionsIn'>): readonly { readonly card: string; readonly before: Before }[] {
  return slice.entry.dpus.flatMap(({ name }) => {
    const before = name === dpu.name ? undefined : givenNow({ actions: actionsIn?.(updateStep, name) ?? [] })?.before;
    return isBefore(before) ? [{ card: name, before }] : [];
  });
}

/** The driver finds no device that another one still has, so it is started when the BMC has let go. */
async function driveAgain(context: ApplyContext, before: RshimSettings): Promise<void> {
  const { clock, signal, dpu } = context;
  const sinceMs = clock.nowMs();
  const wallLimitMs = clock.deadlineMs(limitMs);
  const text = `waiting for ${context.host.name} to drive ${dpu.name} again`;
  let isStarted = false;
  while (clock.nowMs() - sinceMs < wallLimitMs) {
    await clock.poll(pollMs, signal);
    const now = await readRshimSettings(await bmcSession(context), signal);
    if (!isStarted && now.bmcEnabled === before.bmcEnabled) {
      await systemctl(context, 'restart');
      isStarted = true;
    }
    if (isStarted && (await findCardRshim(context)) !== undefined) return;
    await context.progress({ text, sinceMs, limitMs: wallLimitMs });
  }
}

async function letGo(context: ApplyContext): Promise<void> {
  if ((await readRshimService(context.host, context.signal)) === 'running') await systemctl(context, 'stop');
}

async function systemctl({ host, signal }: ApplyContext, verb: 'restart' | 'stop'): Promise<void> {
  await runOk(host, ['sudo', '-n', 'systemctl', verb, 'rshim'], { timeoutMs: 60_000, signal });
}

async function waitForBmc(context: ApplyContext): Promise<void> {
  const { clock, signal, dpu } = context;
  const sinceMs = clock.nowMs();
  const wallLimitMs = clock.deadlineMs(limitMs);
  for (let looks = 1; ; looks += 1) {
    // The switch is set at once, and takes effect some seconds later.
    await clock.poll(pollMs, signal);
    const now = await readRshimSettings(await bmcSession(context), signal);
    const isFree = (await readRshimService(context.host, signal)) !== 'running';
    if (now.bmcEnabled && isFree && clock.nowMs() - sinceMs >= clock.wallMs(2 * pollMs)) return;
    if (clock.nowMs() - sinceMs >= wallLimitMs) {
      const why = `BmcRShimEnabled is ${now.bmcEnabled}; ${isFree ? 'the driver of the host is stopped' : 'the driver of the host runs'}.`;
      throw errors.rshimOwnedByHost({ target: dpu.name, host: context.host.name, why, run: context.runId });
    }
    if (!now.bmcEnabled && looks % looksPerTry === 0) {
      await setBmcRshim(context, false);
      await setBmcRshim(context, true);
    }
    await context.progress({
      text: `waiting for the BMC of ${dpu.name} to get its rshim`,
      sinceMs,
      limitMs: wallLimitMs,
    });
  }
}

function isBefore(value: unknown): value is Before {
  return typeof value === 'object' && value !== null && 'bmcEnabled' in value && 'service' in value;
}
