import type { Run } from '../../src/domain/run.ts';
import { goodEndStates, isEnded } from '../../src/domain/run.ts';
import type { ChatEvent, VisibleMessage } from '../../src/lab/chat/types.ts';
import type { SayAction } from '../lib/demo-arguments.mjs';
import { messageLines, type Names } from './block-text.ts';
import type { ChatClient } from './chat-client.ts';
import { cardLines, cardsText } from './card-lines.ts';
import type { Story } from './story.ts';

const pollMs = 150;
/** The card is redrawn at most once a second, and the stream of events is a little behind. */
const lastRedrawMs = 1_200;
/** How long the request in the thread may come after the card that already has its buttons. */
const threadLimitMs = 5_000;
const recentRuns = 50;
const noNames: Names = { users: new Map(), channels: new Map() };

/** How a typed line ended, seen as a script sees it. */
export type LineEnd =
  | { readonly kind: 'answered' }
  | { readonly kind: 'stopped'; readonly runs: readonly Run[] }
  | { readonly kind: 'refused'; readonly by: string }
  | { readonly kind: 'unanswered'; readonly run: Run }
  | { readonly kind: 'timeout' };

export interface People {
  readonly requester: string;
  readonly approver: string;
  readonly channel: string;
}

/** What the chat has shown since the line was typed; filled by the followers of both people. */
export class Watch {
  /** Messages that ask for a decision and have not been pressed. */
  readonly #asking = new Map<string, VisibleMessage>();
  readonly #pressed = new Set<string>();
  #askedSinceMs: number | undefined;
  refusedBy: string | undefined;
  answered = false;

  /** Takes an event as `person` sees it. */
  see(person: string, event: ChatEvent): void {
    if (event.type !== 'message/new' && event.type !== 'message/changed' && event.type !== 'ephemeral/new') return;
    if (event.type === 'ephemeral/new') {
      this.answered = true;
      // Every refusal names its permanent code; help, lists and confirmations have none.
      if (messageLines(event.message, noNames).some((line) => /^Code `[a-z][a-z0-9-]*`/.test(line)))
        this.refusedBy = person;
      return;
    }
    const { message } = event;
    if (actionIdOf(message, 'Approve') !== undefined) this.#asking.set(message.ts, message);
    else this.#asking.delete(message.ts);
  }

  /**
   * A message that asks for a decision and has not been pressed. The request in the thread is preferred, because the plan
   * stands above it; the card, which has the same buttons, will do when no request comes.
   */
  takeAsking(): VisibleMessage | undefined {
    const open = [...this.#asking.values()].filter((message) => !this.#pressed.has(message.ts));
    if (open.length === 0) return undefined;
    this.#askedSinceMs ??= Date.now();
    const inThread = open.findLast((message) => message.thread_ts !== undefined && message.thread_ts !== message.ts);
    if (inThread === undefined && Date.now() - this.#askedSinceMs < threadLimitMs) return undefined;
    this.#askedSinceMs = undefined;
    // One press is enough for all that ask now.
    for (const ts of this.#asking.keys()) this.#pressed.add(ts);
    return inThread ?? open.at(-1);
  }
}

/** The action id behind a button's label, as a person finds it. */
function actionIdOf(message: VisibleMessage, label: string): string | undefined {
  for (const block of message.blocks ?? []) {
    if (!('elements' in block) || !Array.isArray(block.elements)) continue;
    for (const element of block.elements as readonly unknown[]) {
      if (typeof element !== 'object' || element === null || !('action_id' in element) || !('text' in element))
        continue;
      const text: unknown = element.text;
      const shown = typeof text === 'object' && text !== null && 'text' in text ? text.text : undefined;
      if (shown === label && typeof element.action_id === 'string') return element.action_id;
    }
  }
  return undefined;
}

/**
 * Types a line and waits until everything it set off has stopped. The truth about runs is read from the store, not
 * guessed from messages; the buttons are pressed in the chat, as a person would.
 */
export async function followLine(
  action: SayAction,
  parts: {
    readonly chat: ChatClient;
    readonly story: Story;
    readonly people: People;
    readonly watch: Watch;
    readonly onPress: (label: string) => void;
    readonly deadlineMs: number;
  },
): Promise<LineEnd> {
  const { chat, people } = parts;
  const { runs } = parts.story;
  const before = new Map((await runs.recent(recentRuns)).map((run) => [run.id, run.version]));
  const said = await chat.say(people.requester, people.channel, action.line);
  if (said.kind === 'refused' || (said.kind === 'slash' && said.status === 'failed'))
    return { kind: 'refused', by: people.requester };
  if (said.kind === 'message' || said.kind === 'invited') return { kind: 'answered' };

  while (Date.now() < parts.deadlineMs) {
    const touched = (await runs.recent(recentRuns)).filter((run) => run.version !== before.get(run.id));
    const end = await lookAt(touched, action, parts);
    if (end !== undefined) {
      await published(touched, parts.story);
      return end;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return { kind: 'timeout' };
}

async function lookAt(
  touched: readonly Run[],
  action: SayAction,
  parts: Parameters<typeof followLine>[1],
): Promise<LineEnd | undefined> {
  const { chat, people, watch } = parts;
  if (watch.refusedBy !== undefined) return { kind: 'refused', by: watch.refusedBy };
  const waiting = touched.find((run) => run.state === 'awaiting-approval');
  if (waiting !== undefined) {
    const asking = watch.takeAsking();
    if (asking === undefined) return undefined;
    if (action.press === undefined) return { kind: 'unanswered', run: waiting };
    const label = action.press === 'approve' ? 'Approve' : 'Reject';
    const actionId = actionIdOf(asking, label);
    if (actionId === undefined) return undefined;
    parts.onPress(label);
    await chat.press(people.approver, people.channel, asking.ts, actionId);
    // A rejection asks for its reason.
    if (action.press === 'reject') await chat.submitForm(people.approver);
    return undefined;
  }
  if (touched.length > 0)
    return touched.every((run) => isEnded(run.state) || run.state === 'paused')
      ? { kind: 'stopped', runs: touched }
      : undefined;
  return watch.answered ? { kind: 'answered' } : undefined;
}

/** Waits until everything about the runs has been posted, so that the end of the story is in the transcript. */
async function published(runs: readonly Run[], story: Story): Promise<void> {
  if (runs.length === 0) return;
  for (const run of runs) await story.published(run);
  await new Promise((resolve) => setTimeout(resolve, lastRedrawMs));
}

/** Exit code 0 of the script: every run did what was asked, or found it done. */
export function isGood(end: LineEnd): boolean {
  if (end.kind === 'answered') return true;
  return end.kind === 'stopped' && end.runs.every((run) => goodEndStates.includes(run.state));
}

/** Did dpubot itself have trouble, so that its logs are of interest? A refusal or a missing approval explains itself. */
export function isTrouble(end: LineEnd): boolean {
  if (end.kind === 'timeout') return true;
  return end.kind === 'stopped' && end.runs.some((run) => run.state === 'failed' || run.state === 'needs-human');
}

/** What became of each card, for runs of more than one. */
export function endLines(end: LineEnd): readonly string[] {
  if (end.kind !== 'stopped') return [];
  return end.runs.flatMap((run) => {
    const lines = cardLines(run);
    return lines.length < 2 ? [] : [`Cards of run ${run.id}:`, ...lines];
  });
}

/** The end of a line in a few words. */
export function endText(end: LineEnd): string {
  switch (end.kind) {
    case 'answered':
      return 'answered';
    case 'stopped':
      return end.runs.map((run) => `run ${run.id} ${run.state}${cardsText(run)}`).join(', ');
    case 'refused':
      return end.by === '' ? 'refused' : `refused (${end.by})`;
    case 'unanswered':
      return `run ${end.run.id} waits for an approval that nobody gives`;
    case 'timeout':
      return 'the time was up';
  }
}
