import type { HostEntry } from '../domain/inventory.ts';
import type { Verdict } from '../domain/outcome.ts';
import type { Reboot } from '../domain/plan.ts';
import type { Diff, ObserveContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { isModePending, modeOf } from '../facts/mlxconfig.ts';
import { hasCycled } from './power-cycle.ts';
import type { AlsoActivated } from './power-others.ts';
import { alsoText, seeOtherCards } from './power-others.ts';
import type { ActivationParams, ActivationSeen, Barrier } from './power-pending.ts';
import { pendingOf, readPending, seeActivation } from './power-pending.ts';

export interface BarrierSeen extends ActivationSeen {
  /** What waits in cards that the run does not name. */
  readonly others: AlsoActivated;
}

/** Looks at the cards of the run and, where the host would be switched, at the others that this hits. */
export async function seeBarrier(
  context: ObserveContext,
  params: ActivationParams,
  barrier: Barrier,
): Promise<BarrierSeen> {
  const seen = await seeActivation(context, params, barrier);
  const isDue = params.activation === 'host-bmc' && seen.cards.some((card) => pendingOf(card).length > 0);
  return { ...seen, others: isDue ? await seeOtherCards(context) : { pending: [], unread: [] } };
}

/** Pure: what the barrier does about what it saw. */
export function judgeActivation(seen: BarrierSeen, params: ActivationParams, barrier: Barrier): Diff {
  const { activation, asked } = params;
  const { host, runId: run } = seen;
  const toNic = seen.cards.filter(({ mode }) => modeOf(mode, 'current') === 'dpu' && modeOf(mode, 'next') === 'nic');
  if (toNic.length > 0 && asked !== 'nic') {
    const cards = toNic.map((card) => card.target);
    return { kind: 'refused', failure: errors.nicModePending({ host, cards }).failure };
  }
  const waiting = seen.cards.flatMap((card) => pendingOf(card).map((one) => ({ card, ...one })));
  const pending = waiting.map((one) => one.text).join(', ');
  if (waiting.length === 0) return { kind: 'satisfied', reason: settledText(barrier) };
  if (activation === 'host-bmc' && seen.hasHostBmc) {
    const hit = `every card of the host loses power: ${seen.dpus.join(', ')}${alsoText(seen.others)}`;
    return {
      kind: 'change',
      changes: waiting.map(({ card, from, to, text }) => ({ target: card.target, from, to, text: `${text} (${hit})` })),
      reboots: rebootsOf(host, seen.dpus, 'planned'),
    };
  }
  if (activation === 'later' && (barrier === 'firmware' || asked !== undefined)) {
    const since = seen.cards.flatMap((card) => card.sinceMs ?? []);
    const stamp = since.length === 0 ? '' : ` since ${new Date(Math.min(...since)).toISOString()}`;
    return { kind: 'satisfied', pending: true, reason: `activation pending${stamp}: ${pending}` };
  }
  const why = {
    'host-bmc': `The profile says \`activation: host-bmc\`, and the inventory names no BMC for ${host}.`,
    'by-hand': 'This becomes active only when the slots lose their power; the profile says `activation: by-hand`.',
    later: 'The rest of the run needs the mode, so the `activation: later` of the profile cannot wait for it.',
  }[activation];
  return { kind: 'refused', failure: errors.activationByHand({ host, pending, why, run }).failure };
}

function settledText(barrier: Barrier): string {
  return barrier === 'firmware'
    ? 'every card runs the firmware and the mode that it holds'
    : 'no card has a mode that waits for a cold boot';
}

/** A power cycle of the host takes the Arm of every card along. */
function rebootsOf(host: string, dpus: readonly string[], certainty: Reboot['certainty']): readonly Reboot[] {
  const when = certainty === 'at-most' ? { when: 'when firmware or mode wait for a power cycle' } : {};
  const arms = dpus.map((target): Reboot => ({ what: 'arm', target, times: 1, certainty, ...when }));
  return [{ what: 'host', target: host, times: 1, certainty, ...when }, ...arms];
}

/** The most that a barrier may cost: nothing unless it switches the host itself. */
export function worstReboots(name: string, entry: HostEntry, { activation }: ActivationParams): readonly Reboot[] {
  if (activation !== 'host-bmc' || entry.bmc === undefined) return [];
  return rebootsOf(
    name,
    entry.dpus.map((dpu) => dpu.name),
    'at-most',
  );
}

/**
 * Reads the cards again after the cycle. What still waits although the host has booted anew means that the slots kept their
 * power. Errors: cold-boot-missing.
 */
export async function verifyActivation(context: ObserveContext, barrier: Barrier): Promise<readonly Verdict[]> {
  const cards = await readPending(context, barrier);
  const left = cards.flatMap((card) => pendingOf(card).map((one) => one.text));
  if (left.length > 0 && hasCycled(context.actions))
    throw errors.coldBootMissing({ host: context.slice.name, pending: left.join(', '), run: context.runId });
  return cards.flatMap(({ target, firmware, mode }) => [
    ...(firmware === undefined
      ? []
      : [
          {
            check: `firmware of ${target}`,
            pass: firmware.running === firmware.staged,
            expected: firmware.staged,
            actual: firmware.running,
          },
        ]),
    {
      check: `mode of ${target}`,
      pass: !isModePending(mode),
      expected: modeOf(mode, 'next'),
      actual: modeOf(mode, 'current'),
    },
  ]);
}
