import type { Run, TargetNote } from '../../src/domain/run.ts';
import { noteLines } from '../../src/report/target-notes.ts';
import { outcomeWords } from '../../src/report/words.ts';

function cardNotes(run: Run): readonly TargetNote[] {
  return Object.values(run.units).flatMap((unit) =>
    (unit.targetNotes ?? []).filter((note) => unit.targets.includes(note.target)),
  );
}

/** Cards that are used as a pair have one end together. */
function isPair(run: Run): boolean {
  return Object.values(run.units).some((unit) => unit.hosts !== undefined && unit.hosts.length > 1);
}

/** " (cards: 2 done, 3 refused)": what became of the cards, counted; nothing where there is no more to say than the state. */
export function cardsText(run: Run): string {
  const counts = new Map<string, number>();
  for (const note of cardNotes(run)) counts.set(note.outcome, (counts.get(note.outcome) ?? 0) + 1);
  if (counts.size < 2) return '';
  const texts = [...counts].map(([outcome, number]) => `${number} ${outcome}`);
  return ` (cards: ${texts.join(', ')})`;
}

/** One line a card, with reason and remedy where it was not done and with its warnings, in the order of their names. */
export function cardLines(run: Run): readonly string[] {
  const told = cardNotes(run).filter((note) => !isPair(run) || note.failure !== undefined);
  const notes = told.toSorted((a, b) => a.target.localeCompare(b.target));
  return notes.map((note) => {
    const lines = noteLines(note);
    const word = note.failure === undefined ? [outcomeWords[note.outcome]] : [];
    return `  ${note.target}: ${[...word, ...lines].join('; ')}`;
  });
}
