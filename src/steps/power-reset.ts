import type { BmcSession } from '../domain/device-ports.ts';
import { limitText } from '../domain/limit-text.ts';
import type { ApplyContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';
import type { HostPower } from '../facts/host-power.ts';
import { readHostPower } from '../facts/host-power.ts';

const pollMs = 5_000;
/** An operating system that does not shut down within this is switched off hard. */
const gracefulLimitMs = 180_000;
const switchLimitMs = 60_000;

/** What switching needs; no SSH to the host. */
export type PowerContext = Pick<ApplyContext, 'hostBmc' | 'slice' | 'signal' | 'clock' | 'progress' | 'runId'>;

/** How a host is told to go off and on; the first entry that its BMC offers is used. */
export interface PowerWords {
  readonly off: readonly string[];
  readonly on: string;
}

/**
 * The reset types for a real cold cycle. Off and On are two requests where the BMC offers them: some trays do only a warm
 * reset on `PowerCycle`. Undefined: only `PowerCycle` is there. Errors: host-power-unsupported.
 */
export function powerWords(host: string, { resetTypes }: HostPower): PowerWords | undefined {
  const off = ['GracefulShutdown', 'ForceOff'].filter((type) => resetTypes.includes(type));
  const on = ['On', 'ForceOn'].find((type) => resetTypes.includes(type));
  if (off.length > 0 && on !== undefined) return { off, on };
  if (resetTypes.includes('PowerCycle')) return undefined;
  throw errors.hostPowerUnsupported({ host, offered: resetTypes });
}

/** The BMC of the host. Errors: those of opening it (a missing credential among them), before anything is switched. */
export async function openHostBmc(context: Pick<PowerContext, 'hostBmc' | 'slice' | 'signal'>): Promise<BmcSession> {
  const session = await context.hostBmc.open(context.slice, { timeoutMs: 60_000, signal: context.signal });
  if (session === undefined) throw errors.bug({ detail: `${context.slice.name} has no BMC in the inventory` });
  return session;
}

/** Switches the host off: asks its operating system first, then hard. Returns what was done. Errors: host-power-stuck. */
export async function switchOff(context: PowerContext, words: PowerWords): Promise<string> {
  const said: string[] = [];
  for (const type of words.off) {
    said.push(await sendReset(context, type));
    const limitMs = type === 'GracefulShutdown' ? gracefulLimitMs : switchLimitMs;
    const seen = await waitForPower(context, 'Off', limitMs, `${type} of ${context.slice.name}`);
    if (seen === 'Off') return `${said.join(', ')}, PowerState Off`;
    said.push(`still ${seen} after ${limitText(limitMs)}`);
  }
  throw stuck(context, 'Off', said, '4 min');
}

/** Switches the host on. Returns what was done. Errors: host-power-stuck. */
export async function switchOn(context: PowerContext, words: PowerWords): Promise<string> {
  const said = await sendReset(context, words.on);
  const seen = await waitForPower(context, 'On', switchLimitMs, `${words.on} of ${context.slice.name}`);
  if (seen === 'On') return `${said}, PowerState On`;
  throw stuck(context, 'On', [said, `still ${seen}`], '60 s');
}

function stuck(context: PowerContext, wanted: 'Off' | 'On', said: readonly string[], limit: string): OpsError {
  return errors.hostPowerStuck({ host: context.slice.name, wanted, said, limit, run: context.runId });
}

/**
 * Posts one reset. What the BMC refuses or does not answer is no error here: the power state that is waited for decides
 * (a host that went off by itself meanwhile is answered with 409).
 */
export async function sendReset(context: PowerContext, type: string): Promise<string> {
  const session = await openHostBmc(context);
  const { resetPath } = await readHostPower(session, context.signal);
  try {
    const options = { timeoutMs: 60_000, signal: context.signal };
    const reply = await session.post(resetPath, { ResetType: type }, options);
    return `${type} -> ${reply.status}`;
  } catch (error) {
    const isAnswered = error instanceof OpsError && error.code === 'redfish-error';
    const isLost = error instanceof OpsError && ['bmc-reply-lost', 'bmc-timeout', 'redfish-busy'].includes(error.code);
    if (!isAnswered && !isLost) throw error;
    return `${type} -> ${error.failure.why}`.slice(0, 200);
  }
}

/** Polls until the power state is there or the limit is over; returns the last state seen. */
async function waitForPower(context: PowerContext, wanted: string, deviceMs: number, what: string): Promise<string> {
  const sinceMs = context.clock.nowMs();
  const limitMs = context.clock.deadlineMs(deviceMs);
  for (;;) {
    const seen = await powerState(context);
    const isOver = context.clock.nowMs() - sinceMs >= limitMs;
    if (seen === wanted || isOver) return seen;
    await context.progress({ text: `waiting for ${what}: ${seen}`, sinceMs, limitMs });
    await context.clock.poll(pollMs, context.signal);
  }
}

/** The power state now; a BMC that does not answer for a moment is part of every wait. */
export async function powerState(context: PowerContext): Promise<string> {
  try {
    return (await readHostPower(await openHostBmc(context), context.signal)).powerState;
  } catch (error) {
    if (error instanceof OpsError && error.failure.kind === 'transient') return 'unknown (no answer)';
    throw error;
  }
}
