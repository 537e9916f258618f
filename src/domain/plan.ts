import { canonicalHash } from './canonical.ts';
import type { Change, Failure, Risk } from './outcome.ts';
import { needsApproval, worseRisk } from './outcome.ts';

/** What a step would do to one target, as seen when the plan was made. */
export type PlannedState = 'satisfied' | 'change' | 'deferred' | 'refused' | 'skipped';

/** Something that goes away for a while: shown to people and part of the hash. */
export interface Reboot {
  /** `arm` = the DPU's Arm complex, `bmc` = the DPU's BMC, `host` = the server with all its cards. */
  readonly what: 'arm' | 'bmc' | 'host';
  readonly target: string;
  readonly times: number;
  /** `planned`: expected when the step has work to do. `at-most`: happens only if the device needs it. */
  readonly certainty: 'planned' | 'at-most';
  /** Of `at-most`: what has to happen for it, as in "when Secure Boot comes back". A reason, so no part of the hash. */
  readonly when?: string;
}

export interface PlannedStep {
  readonly step: string;
  readonly title: string;
  readonly target: string;
  readonly serial?: string;
  readonly state: PlannedState;
  /** A sentence: why nothing is to do, what it waits for, or why it is refused. */
  readonly reason: string;
  readonly changes: readonly Change[];
  readonly params: unknown;
  readonly wanted: unknown;
  /** Present value; set only where the step declares that it matters to the approval. */
  readonly present?: unknown;
  readonly risk: Risk;
  readonly reboots: readonly Reboot[];
  /** Worth a person's eye; whoever approves has seen it. */
  readonly warning?: string;
  /** Staged and not yet active. */
  readonly pending?: true;
  readonly failure?: Failure;
}

/** A pin that will be enrolled when the plan is approved. */
export interface PlannedPin {
  readonly target: string;
  readonly kind: 'bmc-certificate' | 'ssh-host-key';
  readonly sha256: string;
}

export interface UnitPlan {
  readonly runId: number;
  readonly unit: string;
  readonly site: string;
  readonly simulated: boolean;
  readonly recipe: { readonly name: string; readonly version: number };
  readonly profileHash: string;
  readonly steps: readonly PlannedStep[];
  readonly pins: readonly PlannedPin[];
  readonly imageHash?: string;
  /** It is carried out also while the maintenance windows of its hosts are closed. */
  readonly outsideWindow?: true;
  /** Targets that were refused and are left out, each with its reason. */
  readonly refused: readonly { readonly target: string; readonly failure: Failure }[];
  readonly risk: Risk;
  readonly hash: string;
  readonly madeAtMs: number;
}

/**
 * The part of a plan that an approval binds: see the house rule on plan hashes. Times, reasons, addresses of the moment
 * and percentages are never in it. Of a target that is left out it names only that: why a card could not be looked at
 * may differ from one look to the next.
 */
export function planHash(plan: Omit<UnitPlan, 'hash' | 'runId' | 'madeAtMs' | 'risk'>): string {
  const leftOut = plan.refused.map((entry) => entry.target);
  return canonicalHash({
    recipe: plan.recipe,
    unit: plan.unit,
    profile: plan.profileHash,
    image: plan.imageHash ?? null,
    pins: plan.pins,
    refused: leftOut,
    // Only where it is so: the hashes of other plans stay what they were.
    ...(plan.outsideWindow && { outsideWindow: true }),
    steps: plan.steps
      .filter((step) => !leftOut.includes(step.target))
      .map((step) => ({
        step: step.step,
        target: step.target,
        serial: step.serial ?? null,
        params: step.params ?? null,
        wanted: step.wanted ?? null,
        present: step.present ?? null,
        state: step.state,
        risk: step.state === 'satisfied' ? 'read' : step.risk,
        reboots: step.state === 'satisfied' ? [] : step.reboots.map(bound),
        warning: step.warning ?? null,
      })),
  });
}

/** What of a reboot an approval binds. */
function bound({ what, target, times, certainty }: Reboot): Reboot {
  return { what, target, times, certainty };
}

/** The worst risk of what the plan may change. */
export function planRisk(steps: readonly PlannedStep[]): Risk {
  return steps
    .filter((step) => step.state === 'change' || step.state === 'deferred')
    .reduce<Risk>((worst, step) => worseRisk(worst, step.risk), 'read');
}

/** How many steps will or may change something. */
export function plannedChanges(plan: UnitPlan): number {
  return plan.steps.filter((step) => (step.state === 'change' || step.state === 'deferred') && step.risk !== 'read')
    .length;
}

/**
 * The risk by which an approval is judged. Trusting a certificate or a key is a decision for two people, also where
 * nothing else is to be done: a password will be sent there. So is work at a time that was not agreed on.
 */
export function approvalRisk(plan: UnitPlan): Risk {
  const isOutside = plan.outsideWindow === true && plannedChanges(plan) > 0;
  return plan.pins.length === 0 && !isOutside ? plan.risk : worseRisk(plan.risk, 'disruptive');
}

export function planNeedsApproval(plan: UnitPlan): boolean {
  return needsApproval(approvalRisk(plan));
}

/** What a step is about to do to a target, as seen right now. */
export interface IntendedAct {
  readonly step: string;
  readonly target: string;
  readonly serial?: string | undefined;
  readonly present?: unknown;
  readonly reboots?: readonly Reboot[] | undefined;
  readonly pins?: readonly PlannedPin[] | undefined;
}

/**
 * Why a step may not be carried out under the approval, as a sentence; undefined when it may: it was planned as a change or
 * as deferred, on the same card, with the same pins, and with at least as many reboots. What was satisfied in the approved
 * plan and is a change now lies outside (`plan-outdated`).
 */
export function outsideEnvelope(approved: UnitPlan, act: IntendedAct): string | undefined {
  const planned = approved.steps.find((entry) => entry.step === act.step && entry.target === act.target);
  const where = `${act.step} on ${act.target}`;
  if (planned === undefined) return `${where} is not in the approved plan`;
  if (planned.state !== 'change' && planned.state !== 'deferred')
    return `${where} was ${planned.state} in the approved plan and would change something now`;
  if (planned.serial !== undefined && act.serial !== undefined && planned.serial !== act.serial)
    return `${act.target} was serial ${planned.serial}, is now ${act.serial}`;
  // What a deferred step would find was not known when it was approved.
  const presentNow = canonicalHash(act.present ?? null);
  if (planned.state === 'change' && canonicalHash(planned.present ?? null) !== presentNow)
    return `${where} has another value to change than in the approved plan`;
  const pin = act.pins?.find((one) => !isPinApproved(approved, one));
  if (pin) return `${where} would pin SHA-256 ${pin.sha256.slice(0, 16)}..., which is not in the approved plan`;
  const more = act.reboots?.find((one) => rebootTimes(act.reboots ?? [], one) > rebootTimes(planned.reboots, one));
  return more && `${where} may need more resets of ${more.target} (${more.what}) than were approved`;
}

function isPinApproved(approved: UnitPlan, pin: PlannedPin): boolean {
  return approved.pins.some(
    (known) => known.target === pin.target && known.kind === pin.kind && known.sha256 === pin.sha256,
  );
}

/** How often at most the thing that `like` names goes away. */
function rebootTimes(reboots: readonly Reboot[], like: Reboot): number {
  const same = reboots.filter((one) => one.what === like.what && one.target === like.target);
  return same.reduce((sum, one) => sum + one.times, 0);
}

/** Sentences that say how two plans of the same unit differ; empty when an approval of one covers the other. */
export function planDifferences(approved: UnitPlan, now: UnitPlan): string[] {
  if (approved.hash === now.hash) return [];
  const key = ({ step, target }: PlannedStep): string => stepKey(step, target);
  const before = new Map(approved.steps.map((step) => [key(step), step]));
  const after = new Map(now.steps.map((step) => [key(step), step]));
  const texts: string[] = [];
  for (const [id, step] of after) {
    const old = before.get(id);
    if (!old) texts.push(`${step.step} on ${step.target} is new in the plan`);
    else if (old.state !== step.state)
      texts.push(`${step.step} on ${step.target} was ${old.state}, is now ${step.state} (${step.reason})`);
    else if (old.serial !== step.serial)
      texts.push(`${step.target} was serial ${old.serial ?? 'unknown'}, is now ${step.serial ?? 'unknown'}`);
    else if (
      canonicalHash([old.wanted ?? null, old.present ?? null]) !==
      canonicalHash([step.wanted ?? null, step.present ?? null])
    )
      texts.push(`${step.step} on ${step.target} has other values now (${step.reason})`);
    else if (old.warning !== step.warning)
      texts.push(`${step.step} on ${step.target} ${warningChange(old.warning, step.warning)}`);
    else if (canonicalHash(old.reboots.map(bound)) !== canonicalHash(step.reboots.map(bound)))
      texts.push(`${step.step} on ${step.target} needs other resets now`);
  }
  for (const [id, step] of before)
    if (!after.has(id)) texts.push(`${step.step} on ${step.target} is gone from the plan`);
  return texts.length > 0 ? texts : ['profile, pins or recipe changed since the plan was made'];
}

function warningChange(before: string | undefined, now: string | undefined): string {
  const was = before === undefined ? '' : `, and not any more: ${before}`;
  return now === undefined ? `does not warn any more: ${before ?? ''}` : `warns now: ${now}${was}`;
}

/**
 * True when an approval of one plan also covers a later plan of the same unit (resume): the same recipe, profile, cards
 * and pins, and nothing risky that was not planned as a change or as deferred.
 */
export function coversPlan(approved: UnitPlan, later: UnitPlan): boolean {
  const sameFrame =
    canonicalHash([approved.recipe, approved.profileHash, approved.imageHash ?? null]) ===
      canonicalHash([later.recipe, later.profileHash, later.imageHash ?? null]) &&
    (later.outsideWindow !== true || approved.outsideWindow === true);
  const pinsKnown = later.pins.every((pin) => isPinApproved(approved, pin));
  const stepsInside = later.steps.every((step) => {
    const planned = approved.steps.find((entry) => entry.step === step.step && entry.target === step.target);
    if (step.serial !== undefined && planned?.serial !== undefined && planned.serial !== step.serial) return false;
    return (step.state !== 'change' && step.state !== 'deferred') || outsideEnvelope(approved, step) === undefined;
  });
  return sameFrame && pinsKnown && stepsInside;
}

/** Key of a step within a unit. */
export function stepKey(step: string, target: string): string {
  return `${step} ${target}`;
}
