import type { ApplyContext, ObserveContext } from '../domain/step.ts';
import { errors, OpsError } from '../errors.ts';

const pollMs = 5_000;
/** Away for one to two minutes as a rule; its user database comes up to three minutes after its web server. */
const limitMs = 10 * 60_000;

/**
 * What the BMC makes of dpubot now. `in`: with full rights. `factory`: its factory password, which has to be changed.
 * `other-certificate`: it shows another one than the pinned one, as after a factory reset, and nothing was sent to it.
 */
export interface Standing {
  readonly state: 'in' | 'factory' | 'other-certificate' | 'refused' | 'locked' | 'away';
  /** For people. */
  readonly text: string;
  /** `locked`: until when (wall). */
  readonly untilMs?: number;
}

/** Looks once. Errors: those that are neither a BMC that is away nor one that refuses. */
export async function standingOf({ bmc, card, signal }: ObserveContext): Promise<Standing> {
  try {
    const login = await bmc.login(card, { timeoutMs: 60_000, signal, fresh: true });
    switch (login.state) {
      case 'in':
        return login.mustChange
          ? { state: 'factory', text: 'its factory password works' }
          : { state: 'in', text: `the ${login.slot} password works` };
      case 'locked':
        return { state: 'locked', text: 'no login may be tried now', untilMs: login.untilMs };
      case 'refused':
        return { state: 'refused', text: 'every password that dpubot has is refused' };
      case 'unpinned':
        return { state: 'refused', text: 'its factory password is refused' };
    }
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    if (error.code === 'bmc-cert-changed') return { state: 'other-certificate', text: 'it shows another certificate' };
    if (error.failure.kind === 'transient' && error.code !== 'lease-lost')
      return { state: 'away', text: error.failure.what };
    throw error;
  }
}

/** Has it forgotten its settings? */
export function isFactory({ state }: { readonly state: string }): boolean {
  return state === 'factory' || state === 'other-certificate';
}

/** The first answer of a BMC that may be restarting. Errors: bmc-not-back. */
export async function firstAnswer(context: ApplyContext): Promise<Standing> {
  return waitUntil(context, ({ state }) => state !== 'away');
}

/**
 * Waits until it has come back without its settings; returns the evidence as a sentence. Without `seenAway` it has to be seen
 * away first. Errors: bmc-not-back.
 */
export async function waitForFactory(context: ApplyContext, { seenAway }: { seenAway: boolean }): Promise<string> {
  let wasAway = seenAway;
  const { text } = await waitUntil(context, (now) => {
    wasAway ||= now.state === 'away';
    return wasAway && isFactory(now);
  });
  return text;
}

async function waitUntil(context: ApplyContext, isOver: (now: Standing) => boolean): Promise<Standing> {
  const { clock, dpu, runId: run, signal } = context;
  const { name: target } = dpu;
  const sinceMs = clock.nowMs();
  const wallLimitMs = clock.deadlineMs(limitMs);
  for (;;) {
    const now = await standingOf(context);
    if (isOver(now)) return now;
    if (clock.nowMs() - sinceMs >= wallLimitMs)
      throw errors.bmcNotBack({ target, last: `${now.text}; it may have another address now`, limit: '10 min', run });
    await context.progress({ text: `waiting for the BMC of ${target}: ${now.text}`, sinceMs, limitMs: wallLimitMs });
    await clock.poll(pollMs, signal);
  }
}
