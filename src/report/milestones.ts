/** What a unit has done becomes a message where something ends, not with every step: a thread is read, not watched. */
import type { KnownBlock } from '@slack/types';
import { duration } from '../domain/duration.ts';
import type { JournalEvent } from '../domain/journal.ts';
import type { Risk } from '../domain/outcome.ts';
import { needsApproval } from '../domain/outcome.ts';
import type { Bullet } from './blocks.ts';
import { bulletList, sections } from './blocks.ts';
import type { UnitEvent } from './journal-events.ts';
import type { KnownSteps } from './known-steps.ts';
import { titleOf } from './known-steps.ts';
import type { ChatMessage } from './message.ts';
import { appliedMessage, checkedLine, snippetBlocks, snippetMessage } from './step-messages.ts';
import { count, cutPlain, escapeMrkdwn, oneLine, plainList, shortHashes } from './text.ts';

const REASON_CHARACTERS = 600;
/** More in one message would not fit into it (`blockLimits.totalText`). */
const MAX_STEPS = 8;
const MAX_SNIPPETS = 3;

type Snippet = Extract<JournalEvent, { readonly type: 'snippet' }>;

/** A step that was carried out, with the words that people have for it. */
interface Applied {
  readonly target: string;
  readonly title: string;
  readonly event: Extract<JournalEvent, { readonly type: 'step-applied' }>;
}

interface Collected {
  readonly steps: readonly Applied[];
  readonly snippets: readonly Snippet[];
}

interface Known extends KnownSteps {
  readonly nameOf: (unit: string) => string;
}

/** Before these, what was collected is told: they say something about the unit themselves. */
const ends: ReadonlySet<UnitEvent['type']> = new Set<UnitEvent['type']>([
  'plan-ready',
  'plan-failed',
  'step-waiting',
  'step-failed',
  'measured',
  'unit-ended',
]);

type Milestone = { readonly kind: 'milestone' | 'snippet'; readonly message: ChatMessage };

/**
 * Steps that were carried out and what consoles showed are collected by unit, and told in one message: with the next step
 * risky enough to ask for, before anything else is said of the unit, when the run ends, or when there is no room for more. A
 * snippet with a file is a message of its own. What is done meanwhile stands on the card.
 */
export class Milestones {
  readonly #collected = new Map<string, Collected>();

  /** What there is to tell once this event is there. Events of a unit come in their order, each once. */
  after(known: Known, unit: string, event: UnitEvent): readonly Milestone[] {
    const { steps, snippets } = this.#collected.get(unit) ?? { steps: [], snippets: [] };
    const isFile = event.type === 'snippet' && event.file !== undefined;
    const isRisky = event.type === 'step-applied' && isTold(event.risk);
    const collected: Collected = {
      steps: event.type === 'step-applied' ? [...steps, named(known, unit, event)] : steps,
      snippets: event.type === 'snippet' && !isFile ? [...snippets, event] : snippets,
    };
    const isFull = collected.steps.length >= MAX_STEPS || collected.snippets.length >= MAX_SNIPPETS;
    this.#collected.set(unit, collected);
    return isRisky || isFile || isFull || ends.has(event.type) ? this.#tell(known, unit) : [];
  }

  /** What is left of all units when the run ends: one whose worker died before may end without a word of its own. */
  atEnd(known: Known): readonly Milestone[] {
    return [...this.#collected.keys()].toSorted().flatMap((unit) => this.#tell(known, unit));
  }

  #tell(known: Known, unit: string): readonly Milestone[] {
    const { steps, snippets } = this.#collected.get(unit) ?? { steps: [], snippets: [] };
    this.#collected.delete(unit);
    const message = milestoneMessage(known.nameOf(unit), steps, snippets);
    return message === undefined ? [] : [{ kind: steps.length === 0 ? 'snippet' : 'milestone', message }];
  }
}

function named(known: Known, unit: string, event: Applied['event']): Applied {
  return { target: known.nameOf(event.target), title: titleOf(known, unit, event.step, event.target), event };
}

/** From the entry alone, because the keys of messages hang on it; entries of before the risk was noted are told one by one. */
function isTold(risk: Risk | undefined): boolean {
  return risk === undefined || needsApproval(risk);
}

/** One message of steps that were carried out and of what a console or log showed meanwhile. Undefined: nothing to tell. */
function milestoneMessage(
  unit: string,
  steps: readonly Applied[],
  snippets: readonly Snippet[],
): ChatMessage | undefined {
  const [only] = steps;
  if (only === undefined) return snippetsAlone(snippets);
  const shown = snippets.flatMap(snippetBlocks);
  if (steps.length === 1) {
    const message = appliedMessage(only.target, only.title, only.event);
    return { ...message, blocks: [...message.blocks, ...shown] };
  }
  const tookMs = steps.reduce((sum, { event }) => sum + event.tookMs, 0);
  const head = `*${escapeMrkdwn(unit)}*: ${count(steps.length, 'step')} done in ${duration(tookMs)}`;
  const blocks: KnownBlock[] = [...sections([head]), bulletList([], steps.flatMap(stepBullets))];
  const titles = oneLine(
    plainList(
      steps.map(({ title }) => title),
      5,
    ),
  );
  return { text: `${head}: ${titles}`, blocks: [...blocks, ...shown] };
}

function snippetsAlone(snippets: readonly Snippet[]): ChatMessage | undefined {
  const [first, ...others] = snippets;
  if (first === undefined) return undefined;
  const message = snippetMessage(first);
  return { ...message, blocks: [...message.blocks, ...others.flatMap(snippetBlocks)] };
}

function stepBullets({ target, title, event }: Applied): Bullet[] {
  const reason = cutPlain(shortHashes(event.reason), REASON_CHARACTERS);
  const warning: Bullet[] =
    event.warning === undefined
      ? []
      : [{ indent: 1, spans: [{ bold: 'Warning:' }, ` ${cutPlain(event.warning, REASON_CHARACTERS)}`] }];
  const checked = checkedLine(event.verdicts);
  const checks: Bullet[] = checked === undefined ? [] : [{ indent: 1, spans: [checked] }];
  return [{ spans: [{ bold: title }, ` (${target}): ${reason}`] }, ...warning, ...checks];
}
