import type { ChatMessage } from '../../../src/report/message.ts';
import { cardKey } from '../../../src/report/posts.ts';
import { runCard } from '../../../src/report/run-card.ts';
import { runView } from '../../../src/report/run-view.ts';
import { RunFeed } from '../../../src/slack/run-feed.ts';
import { comparableText } from './published.ts';
import type { Stack } from './stack.ts';

/**
 * Compares the card of a run that people see with the card that its journal would give at the same moment. What only the
 * clock changes ("38 s so far", "1:20 of at most 5:00") is no difference.
 */
export class CardWatch {
  readonly id: number;
  /** How long what was shown had been out of date at each look, in ms; 0 = it was up to date. */
  readonly agesMs: number[] = [];
  readonly #stack: Stack;
  readonly #feed: RunFeed;
  #ts: string | undefined;
  #rightAtMs: number;
  #finalAtMs: number | undefined;
  #endedAtMs: number | undefined;

  /** @param createdAtMs Until the card is there, nothing is shown since then. */
  constructor(stack: Stack, id: number, createdAtMs: number) {
    this.id = id;
    this.#stack = stack;
    this.#feed = new RunFeed(stack.records.stores, id);
    this.#rightAtMs = createdAtMs;
  }

  /** Where the card is, once it was posted. */
  get ts(): string | undefined {
    return this.#ts;
  }

  /** From the end of the run until its card said so, in ms; undefined while it does not. */
  get lateMs(): number | undefined {
    return this.#finalAtMs === undefined ? undefined : this.#finalAtMs - (this.#endedAtMs ?? this.#finalAtMs);
  }

  /** Looks once. The journal is read first, so a card that was edited in between counts as newer, never as older. */
  async look(): Promise<void> {
    const snapshot = await this.#feed.read();
    if (snapshot === undefined) throw new Error(`run ${this.id} is gone`);
    const nowMs = Date.now();
    this.#ts ??= (await this.#stack.records.sentPosts(this.id)).get(cardKey(this.id));
    const { run, plans, fold, progress } = snapshot;
    this.#endedAtMs = run.endedAtMs;
    const wanted = this.#words(runCard(runView(run, plans, fold, progress), nowMs));
    const shown = this.#ts === undefined ? undefined : this.#stack.people.shown(this.#ts);
    // What an edit brought was right a moment before it came.
    const changedAtMs = Number(shown?.edited?.ts ?? shown?.ts ?? 0) * 1000;
    this.#rightAtMs = Math.max(this.#rightAtMs, changedAtMs);
    const isRight = shown !== undefined && this.#words({ ...shown, blocks: shown.blocks ?? [] }) === wanted;
    if (isRight) this.#rightAtMs = nowMs;
    this.agesMs.push(Math.max(0, nowMs - this.#rightAtMs));
    this.#finalAtMs = isRight && run.endedAtMs !== undefined ? (this.#finalAtMs ?? changedAtMs) : undefined;
  }

  #words(message: Parameters<Stack['people']['textOf']>[0] | ChatMessage): string {
    return comparableText(this.#stack.people.textOf(message)).replaceAll(/\b\d+:\d\d(:\d\d)?\b/g, 'CLOCK');
  }
}
