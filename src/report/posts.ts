import type { ArtefactRef } from '../domain/artefacts.ts';
import type { JournalEntry, JournalEvent } from '../domain/journal.ts';
import { isLookName } from '../domain/look.ts';
import type { Failure } from '../domain/outcome.ts';
import type { UnitPlan } from '../domain/plan.ts';
import { stepKey } from '../domain/plan.ts';
import type { Run } from '../domain/run.ts';
import { unitName } from '../domain/unit-name.ts';
import { sections } from './blocks.ts';
import { approvalMessage } from './approval-message.ts';
import { approvalStanding, voteText } from './approval-standing.ts';
import type { RunEvent, UnitEvent } from './journal-events.ts';
import { byId, isRunEvent } from './journal-events.ts';
import type { JournalFold } from './journal-fold.ts';
import { emptyFold, foldMore, isUnitWait } from './journal-fold.ts';
import { plannedOf, titleOf } from './known-steps.ts';
import { fitMessage } from './limits.ts';
import { lookMessage } from './look-message.ts';
import { Milestones } from './milestones.ts';
import { measuredMessages } from './measured-message.ts';
import { callingEntries, withoutMention } from './mentions.ts';
import type { ChatMessage } from './message.ts';
import { planMessages } from './plan-message.ts';
import { runEndMessage, unitEndMessage } from './end-messages.ts';
import { failureMessage, snippetMessage, waitingText, warningMessage } from './step-messages.ts';
import { escapeMrkdwn, mention, prose } from './text.ts';
import { waveText } from './wave-text.ts';

export type PostKind =
  | 'plan'
  | 'approval'
  | 'vote'
  | 'wave'
  | 'milestone'
  | 'waiting'
  | 'failure'
  | 'needs-human'
  | 'snippet'
  | 'look'
  | 'result'
  | 'note'
  | 'unit-end'
  | 'run-end';

/** One message of a run's thread. */
export interface Post {
  /** Stable: the same journal gives the same keys. `run418/<unit>/<entry id>`, with `/2` and so on for further parts. */
  readonly key: string;
  readonly kind: PostKind;
  readonly threadOf: 'root';
  readonly message: ChatMessage;
  /** True when the message changes afterwards (an approval request loses its buttons): it is edited then. */
  readonly live: boolean;
  /** True while it waits for a person's answer: until then it is put back when somebody deletes it. */
  readonly asks: boolean;
  /** Attached below the message. */
  readonly file?: ArtefactRef;
}

/** What is remembered while walking through the journal. */
interface Walk {
  readonly run: Run;
  readonly plans: readonly UnitPlan[];
  readonly entries: readonly JournalEntry[];
  /** What people call a unit. */
  readonly nameOf: (unit: string) => string;
  fold: JournalFold;
  /** Plans that are ready and not shown yet, by unit. */
  readonly pendingPlans: Map<string, string>;
  readonly waiting: Map<string, string>;
  /** Failures shown already, by unit: the end of a unit does not repeat them. */
  readonly told: Map<string, Set<string>>;
  /** Warnings shown already: a resumed run meets them again. */
  readonly warned: Set<string>;
  readonly milestones: Milestones;
  /** Results shown already, by id: a worker that takes over may tell one again. */
  readonly results: Set<string>;
}

type Draft = {
  readonly kind: PostKind;
  readonly message: ChatMessage;
  readonly live?: boolean;
  readonly asks?: boolean;
  readonly file?: ArtefactRef;
};

/**
 * The thread of a run: which entries of its journal become messages, in order. Entries may come in any interleaving of the
 * streams. More entries add messages and never change keys or earlier messages, except those marked `live`. A step that
 * found everything as wanted makes no message of its own: the end of its unit lists all of them in one.
 */
export function postsOf(run: Run, plans: readonly UnitPlan[], entries: readonly JournalEntry[]): Post[] {
  const ordered = [...entries].sort(byId);
  const walk: Walk = {
    run,
    plans,
    entries: ordered,
    nameOf: (unit) => unitName(run, unit),
    fold: emptyFold(),
    pendingPlans: new Map(),
    waiting: new Map(),
    told: new Map(),
    warned: new Set(),
    milestones: new Milestones(),
    results: new Set(),
  };
  const calling = callingEntries(ordered);
  return ordered.flatMap((entry, index) => {
    walk.fold = foldMore(walk.fold, [entry]);
    const { event } = entry;
    const drafts: readonly Draft[] = isRunEvent(event)
      ? runDrafts(walk, event, index)
      : [...walk.milestones.after(walk, entry.unit, event), ...unitDrafts(walk, entry.unit, event)];
    return drafts.map(({ kind, message, live, asks, file }, part) => ({
      key: postKey(run.id, entry.unit, part === 0 ? entry.id : `${entry.id}/${part + 1}`),
      kind,
      threadOf: 'root' as const,
      message: fitMessage(calling.has(entry) ? message : withoutMention(message, run.requester)),
      live: live ?? false,
      asks: asks ?? false,
      ...(file && { file }),
    }));
  });
}

/** Key of a message; `id` is the journal entry's. */
export function postKey(runId: number, unit: string, id: string): string {
  return `run${runId}/${unit}/${id}`;
}

/** Key of a run's card. */
export function cardKey(runId: number): string {
  return `run${runId}/card`;
}

function runDrafts(walk: Walk, event: RunEvent, index: number): Draft[] {
  switch (event.type) {
    case 'approval-requested': {
      const standing = approvalStanding(walk.run, event, walk.entries.slice(index + 1));
      const message = approvalMessage(walk.run, shownPlans(walk), event, standing);
      return [...planDrafts(walk), { kind: 'approval', live: true, asks: standing.outcome === undefined, message }];
    }
    case 'wave-started': {
      const text = waveText(walk.run, event, walk.entries[index]?.atMs ?? 0, walk.nameOf);
      return [...planDrafts(walk), { kind: 'wave', message: lines([text]) }];
    }
    case 'run-ended':
      return [
        ...walk.milestones.atEnd(walk),
        ...planDrafts(walk),
        { kind: 'run-end', message: runEndMessage(walk.run, walk.fold, event) },
      ];
    case 'vote':
      return [{ kind: 'vote', message: lines([voteText(event)]) }];
    case 'approval-expired':
      return [
        note(
          `The plan expired without approval; \`/dpu resume ${walk.run.id}\` makes a fresh one. Nothing was changed.`,
        ),
      ];
    case 'paused':
      return [note(`Paused: ${prose(event.reason, 900)}`)];
    case 'halted':
      return [note(`Halted by ${escapeMrkdwn(event.by)}: ${escapeMrkdwn(event.reason)}`)];
    case 'cancel-requested':
      return [note(`${mention(event.by.userId)} asked to cancel: ${escapeMrkdwn(event.note)}.`)];
    case 'resumed':
      return [note(`Resumed by ${mention(event.by.userId)}.`)];
    case 'swept':
      return [
        note(`${escapeMrkdwn(walk.nameOf(event.unit))} goes on after an interruption: ${prose(event.reason, 900)}`),
      ];
    case 'run-created':
    case 'approved':
      return [];
  }
}

function unitDrafts(walk: Walk, unit: string, event: UnitEvent): Draft[] {
  switch (event.type) {
    case 'plan-ready':
      walk.pendingPlans.set(unit, event.hash);
      return [];
    case 'plan-failed':
      return [failureDraft(walk, unit, planFailureTitle(walk.nameOf(unit), event.failure), event.failure)];
    case 'step-applied':
      if (event.warning !== undefined) walk.warned.add(warningKey(unit, event.step, event.target, event.warning));
      return [];
    case 'step-satisfied':
      return warningDrafts(walk, unit, event);
    case 'step-waiting': {
      const key = `${unit} ${stepKey(event.step, event.target)}`;
      if (walk.waiting.get(key) === event.reason) return [];
      walk.waiting.set(key, event.reason);
      const title = titleOf(walk, unit, event.step, event.target);
      const name = walk.nameOf(isUnitWait(event) ? unit : event.target);
      return [{ kind: 'waiting', message: lines([waitingText(name, isUnitWait(event) ? undefined : title, event)]) }];
    }
    case 'step-failed': {
      const title = titleOf(walk, unit, event.step, event.target);
      const verb = event.outcome === 'needs-human' ? 'needs a person' : event.outcome;
      return [failureDraft(walk, unit, `${title} on ${walk.nameOf(event.target)}: ${verb}`, event.failure)];
    }
    case 'snippet':
      return event.file === undefined ? [] : [{ kind: 'snippet', message: snippetMessage(event), file: event.file }];
    case 'looked':
      return [
        { kind: 'look', message: lookMessage(event, walk.run.simulated), ...(event.file && { file: event.file }) },
      ];
    case 'measured':
      return resultDrafts(walk, event);
    case 'unit-ended': {
      if (isToldByPieces(walk, unit, event)) return [];
      const folded = walk.fold.units[unit];
      const repeat = event.failure !== undefined && (walk.told.get(unit)?.has(tellKey(event.failure)) ?? false);
      const name = walk.nameOf(unit);
      return [{ kind: 'unit-end', message: unitEndMessage(name, folded, event, !repeat, plannedOf(walk, unit)) }];
    }
    case 'plan-started':
    case 'unit-started':
    case 'step-started':
    case 'intent':
    case 'done':
      return [];
  }
}

/** A result with its files, once. */
function resultDrafts(walk: Walk, event: Extract<UnitEvent, { readonly type: 'measured' }>): Draft[] {
  if (walk.results.has(event.id)) return [];
  walk.results.add(event.id);
  return measuredMessages(event, walk.run.requester.userId).map((one): Draft => ({ kind: 'result', ...one }));
}

/** A look that has said what it saw ends without a further message. */
function isToldByPieces(walk: Walk, unit: string, event: Extract<UnitEvent, { readonly type: 'unit-ended' }>): boolean {
  return isLookName(walk.run.recipe) && event.state === 'done' && (walk.fold.units[unit]?.pieces ?? []).length > 0;
}

/** Plans that became ready since the last time, merged into as few messages as they fit into. */
function planDrafts(walk: Walk): Draft[] {
  const plans = shownPlans(walk);
  walk.pendingPlans.clear();
  return planMessages(plans, walk.run.id, walk.nameOf, walk.run.startAtMs).map((message) => ({
    kind: 'plan',
    message,
  }));
}

function shownPlans(walk: Walk): UnitPlan[] {
  return [...walk.pendingPlans].flatMap(([unit, hash]) => {
    const plan = walk.plans.find((entry) => entry.unit === unit && entry.hash === hash);
    return plan === undefined ? [] : [plan];
  });
}

/** A step that changed nothing is no message of its own, unless it says something worth a person's eye. */
function warningDrafts(
  walk: Walk,
  unit: string,
  event: Extract<JournalEvent, { readonly type: 'step-satisfied' }>,
): Draft[] {
  const { step, target, warning } = event;
  if (warning === undefined) return [];
  const key = warningKey(unit, step, target, warning);
  if (walk.warned.has(key)) return [];
  walk.warned.add(key);
  const message = warningMessage(walk.nameOf(target), titleOf(walk, unit, step, target), warning);
  return [{ kind: 'milestone', message }];
}

function warningKey(unit: string, step: string, target: string, warning: string): string {
  return `${unit} ${stepKey(step, target)} ${warning}`;
}

function failureDraft(walk: Walk, unit: string, title: string, failure: Failure): Draft {
  const told = walk.told.get(unit) ?? new Set<string>();
  told.add(tellKey(failure));
  walk.told.set(unit, told);
  const kind = failure.kind === 'needs-human' ? 'needs-human' : 'failure';
  return { kind, message: failureMessage(title, failure, walk.run.requester.userId) };
}

function planFailureTitle(unit: string, { code }: Failure): string {
  return code === 'host-held' ? `${unit} is left out` : `${unit} could not be looked at`;
}

function tellKey(failure: Failure): string {
  return `${failure.code} ${failure.what}`;
}

function note(text: string): Draft {
  return { kind: 'note', message: lines([text]) };
}

function lines(texts: readonly string[]): ChatMessage {
  return { text: texts[0] ?? '', blocks: sections(texts) };
}
