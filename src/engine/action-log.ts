import type { JournalEntry, JournalEvent } from '../domain/journal.ts';
import { stepKey } from '../domain/plan.ts';
import type { ActionRecord } from '../domain/step.ts';

/** Under this name the journal has how a step was undone. */
export function undoName(step: string): string {
  return `undo-${step}`;
}

export function isUndoName(step: string): boolean {
  return step.startsWith(undoName(''));
}

/**
 * What a run did so far on one unit, by step and target, as its journal has it. A step that was undone has done nothing: what
 * stands there from then on is somebody else's.
 */
export class ActionLog {
  readonly #lists = new Map<string, ActionRecord[]>();

  constructor(past: readonly JournalEntry[]) {
    for (const { event, atMs } of past) this.note(event, atMs);
  }

  /** Newest last; grows while the step acts. */
  of(step: string, target: string): readonly ActionRecord[] {
    return this.#listOf(step, target);
  }

  /** True when the run has acted in any other step than this one. */
  hasOthers(step: string): boolean {
    return [...this.#lists].some(([key, list]) => !key.startsWith(`${step} `) && list.length > 0);
  }

  /** A `done` belongs to the newest intent of its name. */
  note(event: JournalEvent, atMs: number): void {
    if (event.type === 'intent')
      this.#listOf(event.step, event.target).push({
        action: event.action,
        ...(event.before === undefined ? {} : { before: event.before }),
        done: false,
        atMs,
      });
    if (event.type === 'done') {
      const list = this.#listOf(event.step, event.target);
      const index = list.findLastIndex((action) => action.action === event.action);
      const known = list[index];
      if (known) list[index] = { ...known, done: true };
    }
    if (event.type === 'step-applied' && isUndoName(event.step))
      this.#listOf(event.step.slice(undoName('').length), event.target).length = 0;
  }

  #listOf(step: string, target: string): ActionRecord[] {
    const key = stepKey(step, target);
    const list = this.#lists.get(key) ?? [];
    this.#lists.set(key, list);
    return list;
  }
}
