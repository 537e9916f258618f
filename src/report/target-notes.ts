/** What became of each card, as bullets for the card of a run and the message at its end. */
import type { Failure } from '../domain/outcome.ts';
import type { TargetNote } from '../domain/run.ts';
import type { Span } from './blocks.ts';
import { cutPlain } from './text.ts';
import { outcomeWords } from './words.ts';

const TEXT = 300;

/** Whether there is more to say of a card than that it is done. */
export function isWorthALine(note: TargetNote): boolean {
  return note.failure !== undefined || note.warnings.length > 0;
}

/**
 * The lines of one card: what went wrong with its remedy, then its warnings. `toldBelow`: this failure stands in full
 * elsewhere in the same message, so its remedy is not repeated.
 */
export function noteLines(note: TargetNote, toldBelow?: Failure): string[] {
  const { failure } = note;
  const isTold = failure !== undefined && toldBelow?.code === failure.code && toldBelow.what === failure.what;
  const remedy = failure === undefined || isTold ? '' : ` Next: ${cutPlain(failure.next, TEXT)}`;
  const word = outcomeWords[note.outcome];
  return [
    ...(failure === undefined
      ? []
      : [`${word}: ${cutPlain(failure.what, TEXT)} ${cutPlain(failure.why, TEXT)}${remedy}`]),
    ...warningLines(note.warnings),
  ];
}

/** One line for each warning of a card. */
export function warningLines(warnings: readonly string[]): string[] {
  return warnings.map((warning) => `warning: ${cutPlain(warning, TEXT)}`);
}

/** One bullet for a card: its name and its lines. */
export function noteSpans(note: TargetNote): Span[] {
  return [{ bold: note.target }, `: ${noteLines(note).join('; ')}`];
}
