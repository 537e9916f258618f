/** Looks: work that only reads, and whose answer is what it saw. */
import type { ArmAccess } from './arm-ports.ts';
import type { ArtefactRef } from './artefacts.ts';
import type { CardFactsStore } from './card-facts.ts';
import type { CardRef, DeviceClock } from './device-ports.ts';
import type { HostSlice } from './inventory.ts';
import type { ObserveContext } from './step.ts';

/** Recipes that are looks: their runs have no plan, no approval, no lease and no hold. */
export const lookNames = ['status', 'console', 'diag'] as const;
export type LookName = (typeof lookNames)[number];

export function isLookName(recipe: string): recipe is LookName {
  return (lookNames as readonly string[]).includes(recipe);
}

/** One value as a person reads it; with a warning where it looks wrong. */
export interface LookRow {
  readonly label: string;
  readonly value: string;
  readonly warning?: string;
}

/** What was seen of one target: one message of the thread. Every text is plain, foreign and already redacted. */
export interface LookPiece {
  readonly target: string;
  readonly title: string;
  /** One sentence, also shown on the card of the run. */
  readonly summary: string;
  readonly rows?: readonly LookRow[];
  /** The last lines of a log or console, at most 40. */
  readonly lines?: readonly string[];
  readonly warnings?: readonly string[];
  /** The whole text, where the lines are only its end. */
  readonly file?: ArtefactRef;
}

/** What a look gets. Nothing here can change a device, and sessions are opened when they are first used. */
export interface LookContext {
  readonly runId: number;
  readonly slice: HostSlice;
  /** The cards that the command named. */
  readonly cards: readonly CardRef[];
  /** What the command said besides its target, as the bot has checked it. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly facts: CardFactsStore;
  /** The serial console; held alone by `alone`. */
  readonly console: ArmAccess['console'];
  readonly clock: DeviceClock;
  readonly signal: AbortSignal;
  /**
   * All that facts need for one card. Its `host` is opened by the first read, and a host that cannot be opened is an error
   * of that read: what does not need it still works.
   */
  of(card: CardRef): ObserveContext;
  /** The number of the run that holds the unit now, if any. */
  heldBy(): Promise<number | undefined>;
  progress(sign: { readonly text: string; readonly lastLine?: string; readonly limitMs?: number }): Promise<void>;
  /**
   * One message of the thread. A longer `text` goes into a file, and its end becomes `lines`; `inFile`: then no lines are
   * shown, because the values say what it means.
   */
  report(piece: Omit<LookPiece, 'file'> & { readonly text?: string; readonly inFile?: boolean }): Promise<void>;
  /** Runs `work` as the only reader of that thing in all workers. Errors: reader-busy. */
  alone<T>(thing: string, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
}

/** A recipe that only looks: one unit (a host with the named cards) at a time. */
export interface Look {
  readonly name: LookName;
  /** As with recipes: a worker with another version refuses the run. */
  readonly version: number;
  readonly title: string;
  /** For the whole unit, device milliseconds. */
  readonly timeoutMs: number;
  /** Throws when it saw nothing at all; what could be seen is reported first. Returns the sentence that ends the unit. */
  run(context: LookContext): Promise<string>;
}
