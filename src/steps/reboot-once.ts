import type { Change } from '../domain/outcome.ts';
import type { Reboot } from '../domain/plan.ts';
import type { ActionRecord, Diff, ObserveContext } from '../domain/step.ts';
import { errors } from '../errors.ts';
import { readRunningInstallers } from '../facts/rshim.ts';
import type { UpdatesSeen } from './update-elsewhere.ts';
import { lookForUpdate, lookForUpdates, unaskedWarning } from './update-elsewhere.ts';

/** What a step sees that restarts something because somebody asked for it, once per run. */
export interface RebootSeen {
  readonly host: string;
  /** A bfb-install that runs on the host, if any. */
  readonly installer: string | undefined;
  /** What the BMCs say that would not survive it either. */
  readonly updates: UpdatesSeen;
  /** This run has done it already. */
  readonly isDone: boolean;
  /** Of what is restarted, as a person reads it. */
  readonly state: string;
  /** Serials of the card and of what its BMC says, where the BMC is asked. */
  readonly serials: { readonly card: string | undefined; readonly bmc: string } | undefined;
  readonly runId: number;
}

/**
 * Adds what every such step has to know to the state that it has read. `bmcSerial`: what the BMC of the card says; without it
 * the whole host is restarted, and every card counts.
 */
export async function seeReboot(
  context: ObserveContext,
  act: string,
  state: string,
  bmcSerial?: string,
): Promise<RebootSeen> {
  const [installer] = await readRunningInstallers(context.host, context.signal);
  const serials = bmcSerial === undefined ? undefined : { card: context.card.serial, bmc: bmcSerial };
  const isDone = hasRun(context.actions, act);
  const updates = bmcSerial === undefined ? await lookForUpdates(context) : await lookForUpdate(context);
  return { host: context.slice.name, installer, updates, isDone, state, serials, runId: context.runId };
}

/** True when the act of this run has come to its end. */
export function hasRun(actions: readonly ActionRecord[], act: string): boolean {
  return actions.some((one) => one.action === act && one.done);
}

/** Pure: done once, to the right card, and never while an image is written to a card that it would hit. */
export function judgeReboot(
  { installer, updates, isDone, host, serials, runId: run }: RebootSeen,
  target: string,
  plan: { readonly change: Omit<Change, 'target'>; readonly reboots: readonly Reboot[] },
): Diff {
  if (serials !== undefined && serials.card !== serials.bmc) {
    const vpdSerial = serials.card ?? 'unknown';
    return { kind: 'refused', failure: errors.wrongCard({ target, vpdSerial, bmcSerial: serials.bmc, run }).failure };
  }
  if (isDone) return { kind: 'satisfied', reason: 'this run has done it' };
  if (installer !== undefined)
    return { kind: 'refused', failure: errors.rebootWhileFlashing({ target, host, seen: installer }).failure };
  if (updates.running !== undefined)
    return { kind: 'refused', failure: errors.rebootWhileFlashing({ target, ...updates.running }).failure };
  const warning = unaskedWarning(updates);
  const changes = [{ target, ...plan.change }];
  return { kind: 'change', changes, reboots: plan.reboots, ...(warning !== undefined && { warning }) };
}
