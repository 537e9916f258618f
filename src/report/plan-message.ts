import type { KnownBlock } from '@slack/types';
import { needsApproval } from '../domain/outcome.ts';
import type { PlannedStep, UnitPlan } from '../domain/plan.ts';
import { plannedChanges } from '../domain/plan.ts';
import type { Bullet, Span } from './blocks.ts';
import { bulletList, header, note, sections } from './blocks.ts';
import { blockLimits, blockSize, fitMessage } from './limits.ts';
import type { ChatMessage } from './message.ts';
import { rebootTexts } from './reboot-texts.ts';
import { count, escapeMrkdwn, inlineCode, prose, shortHashes, slackDate } from './text.ts';
import { erasesFiles, failureLines, riskWords } from './words.ts';

/** Characters of a plan hash shown to people. */
const SHORT_HASH = 12;
/** Leaves room in a message for heading and note. */
const PLAN_TEXT = blockLimits.totalText - 1000;

/**
 * What the plans would do, for the thread. Several messages when the plans do not fit into one; a card is never
 * split over two. `nameOf`: what people call a unit. `startAtMs`: when it was asked to start, if not at once.
 */
export function planMessages(
  plans: readonly UnitPlan[],
  runId: number,
  nameOf: (unit: string) => string = (unit) => unit,
  startAtMs?: number,
): ChatMessage[] {
  const portions: KnownBlock[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const block of plans.flatMap((plan) => planBlocks(plan, nameOf(plan.unit)))) {
    const length = blockSize(block);
    const last = portions.at(-1);
    if (last === undefined || size + length > PLAN_TEXT || last.length > blockLimits.blocks - 3) {
      portions.push([block]);
      size = length;
    } else {
      last.push(block);
      size += length;
    }
  }
  const later =
    startAtMs === undefined ? '' : ` Starts ${slackDate(startAtMs, 'day-and-time')} at the earliest, as asked.`;
  return portions.map((blocks, index) => planMessage(plans, blocks, runId, later, index, portions.length));
}

function planMessage(
  plans: readonly UnitPlan[],
  blocks: readonly KnownBlock[],
  runId: number,
  later: string,
  index: number,
  of: number,
): ChatMessage {
  const changes = plans.reduce((sum, plan) => sum + plannedChanges(plan), 0);
  const stamp = plans.some((plan) => plan.simulated) ? ' (SIMULATED)' : '';
  const part = of > 1 ? `, part ${index + 1} of ${of}` : '';
  const isDrift = plans.some(isInspection);
  const summary = isDrift ? driftText(plans) : changes > 0 ? count(changes, 'change') : 'nothing to change';
  const title = `${isDrift ? 'Drift seen by' : 'Plan of'} run ${runId}${part}${stamp}: ${summary}`;
  const madeAtMs = Math.max(...plans.map((plan) => plan.madeAtMs));
  return fitMessage({
    text: title,
    blocks: [
      header(title),
      ...blocks,
      note(`Looked at ${slackDate(madeAtMs)}. Nothing has been changed by looking.${later}`),
    ],
  });
}

/** One unit's plan: what it amounts to, a list for each target, then what reboots, is pinned or is left out. */
function planBlocks(plan: UnitPlan, name: string): KnownBlock[] {
  const targets = [...new Set(plan.steps.map((step) => step.target))];
  // What is done on both ends of a pair together comes last, behind what is done on each.
  const ownFirst = targets.includes(plan.unit) && !isPair(plan) ? [] : [bulletList(unitSpans(plan, name), [])];
  return [
    ...ownFirst,
    ...targets.map((target) => targetList(target, plan, name)),
    ...sections([
      ...(isInspection(plan) ? [] : rebootLines(plan.steps)),
      ...boundLines(plan),
      ...(plan.outsideWindow ? ['Does not wait for the maintenance window: asked for with `--outside-window`'] : []),
      ...plan.refused.flatMap(({ target, failure }) => [
        `*${escapeMrkdwn(target)} is left out:*`,
        ...failureLines(failure, 400),
      ]),
    ]),
  ];
}

/** What else an approval of the plan binds: whom it trusts, and the image. */
function boundLines(plan: UnitPlan): string[] {
  return [
    ...(isInspection(plan) ? [] : plan.pins).map(
      (pin) =>
        `Will be pinned: ${pin.kind === 'bmc-certificate' ? 'BMC certificate' : 'SSH host key'} of ${escapeMrkdwn(pin.target)}, SHA-256 ${inlineCode(pin.sha256)}`,
    ),
    ...(plan.imageHash === undefined ? [] : [`Image: SHA-256 ${inlineCode(plan.imageHash)}`]),
  ];
}

/** What a plan changes, a list for each target, without what is right already; what it trusts, and what it leaves out. */
export function changeLists(plan: UnitPlan, name: string): KnownBlock[] {
  const work = plan.steps.filter(isWork);
  const lists = [...new Set(work.map((step) => step.target))].map((target) => {
    const bullets = work.filter((step) => step.target === target).flatMap((step) => stepBullets(step, plan));
    return bulletList([{ bold: target === plan.unit ? name : target }], bullets);
  });
  const leftOut = plan.refused.map(
    ({ target, failure }) => `*${escapeMrkdwn(target)} is left out:* ${prose(failure.what, 200)}`,
  );
  return [...lists, ...sections([...boundLines(plan), ...leftOut])];
}

/** Names of hosts have no plus sign. */
function isPair({ unit }: UnitPlan): boolean {
  return unit.includes('+');
}

/** Its plan is never carried out: it says how the cards differ from their profiles. */
function isInspection(plan: UnitPlan): boolean {
  return plan.recipe.name === 'inspect';
}

/** What cannot be seen before something else is put right is no difference yet. */
function driftText(plans: readonly UnitPlan[]): string {
  const steps = plans.flatMap((plan) => plan.steps);
  const differing = steps.filter((step) => step.state === 'change').length;
  const unseen = steps.filter((step) => step.state === 'deferred').length;
  return `${differing === 0 ? 'no difference' : count(differing, 'difference')}${unseen === 0 ? '' : `, ${unseen} not seen yet`}`;
}

function unitSpans(plan: UnitPlan, name: string): Span[] {
  const changes = plannedChanges(plan);
  if (isInspection(plan)) {
    const left = plan.refused.length === 0 ? '' : `, ${count(plan.refused.length, 'card')} not compared`;
    return [{ bold: name }, `: ${changes === 0 && left === '' ? 'as wanted' : driftText([plan])}${left}`];
  }
  const what = changes === 0 ? 'nothing to change' : `${count(changes, 'change')}, ${riskWords[plan.risk]}`;
  return [{ bold: name }, `: ${what}. Plan `, { code: plan.hash.slice(0, SHORT_HASH) }];
}

/** Steps in their order. The host's own steps stand below the line that sums up the unit. */
function targetList(target: string, plan: UnitPlan, name: string): KnownBlock {
  const steps = plan.steps.filter((step) => step.target === target);
  const serial = steps.find((step) => step.serial !== undefined)?.serial;
  const named: Span[] = [{ bold: target }, ...(serial === undefined ? [] : [' (serial ', { code: serial }, ')'])];
  const shown = steps.filter((step) => step.state !== 'skipped');
  const bullets = [...shown.flatMap((step) => stepBullets(step, plan)), ...skippedBullets(steps)];
  if (target !== plan.unit) return bulletList(named, bullets);
  return bulletList(isPair(plan) ? [{ bold: name }, ' together'] : unitSpans(plan, name), bullets);
}

const STATE: Readonly<Record<PlannedStep['state'], string>> = {
  satisfied: 'Right already',
  change: 'Will change',
  deferred: 'Later',
  refused: 'Refused',
  skipped: 'Skipped',
};

const DRIFT: Readonly<Record<PlannedStep['state'], string>> = {
  ...STATE,
  satisfied: 'As wanted',
  change: 'Differs',
  deferred: 'Not seen yet',
};

/** "Will change: Set the BMC password (disruptive): factory password -> generated". */
function stepBullets(step: PlannedStep, plan: UnitPlan): Bullet[] {
  const changes = step.changes.map((change) => change.text);
  const text = (step.state === 'change' && changes.length > 0 ? changes : [step.reason]).join('; ');
  // The host's own steps stand between those of its cards: say that it is the host that they touch.
  const isSaid = text.split(/[^A-Za-z0-9.-]+/).includes(plan.unit);
  const where = step.target === plan.unit && !isPair(plan) && isWork(step) && !isSaid ? ` on host ${plan.unit}` : '';
  const loud = isWork(step) && needsApproval(step.risk) ? ` (${step.risk})` : '';
  const state = isInspection(plan) ? DRIFT[step.state] : STATE[step.state];
  const head: Span[] = [`${state}: `, { bold: step.title }, `${where}${isInspection(plan) ? '' : loud}`];
  const first: Bullet = { spans: text === '' ? head : [...head, `: ${shortHashes(text)}`] };
  return [first, ...stepRemarks(step, isInspection(plan)), ...(step.state === 'refused' ? remedy(step, plan) : [])];
}

/** What is not done, and why: one line a reason, at the end. */
function skippedBullets(steps: readonly PlannedStep[]): Bullet[] {
  const byReason = new Map<string, string[]>();
  for (const { state, reason, title } of steps)
    if (state === 'skipped') byReason.set(reason, [...(byReason.get(reason) ?? []), title]);
  return [...byReason].map(([reason, titles]): Bullet => ({
    spans: [`${STATE.skipped} (${reason}): ${titles.join(', ')}`],
  }));
}

function isWork(step: PlannedStep): boolean {
  return step.state === 'change' || step.state === 'deferred';
}

/** What whoever approves must not overlook; who inspects approves nothing. */
function stepRemarks(step: PlannedStep, isInspected: boolean): Bullet[] {
  const texts = [
    ...(erasesFiles(step) && !isInspected ? [`All files on ${step.target} are erased.`] : []),
    ...(step.warning === undefined ? [] : [`Warning: ${step.warning}`]),
    ...(step.pending === true ? ['Activation pending: it waits for a cold power cycle of the host.'] : []),
  ];
  return texts.map((text): Bullet => ({ indent: 1, spans: [text] }));
}

/** The remedy is told once: under "left out" when the plan names the target there as well. */
function remedy(step: PlannedStep, plan: UnitPlan): Bullet[] {
  const again = plan.refused.some((entry) => entry.target === step.target);
  if (step.failure === undefined || again) return [];
  return [{ indent: 1, spans: [`Next: ${step.failure.next}`] }];
}

/** Every reboot of the plan: what is expected and what is possible. */
function rebootLines(steps: readonly PlannedStep[]): string[] {
  const { each, when } = rebootTexts(steps);
  if (each.length === 0) return [];
  return [
    `Reboots: ${each.join('; ')}`,
    ...(when.length === 0 ? [] : [`More than expected only ${when.join(', or ')}.`]),
  ];
}
