/** What the card of a run shows that only looks: no plan, no steps, but what was seen. */
import type { KnownBlock } from '@slack/types';
import type { Bullet } from './blocks.ts';
import { bulletList, sections } from './blocks.ts';
import { currentBullets } from './current-bullets.ts';
import type { FoldedPiece } from './journal-fold.ts';
import type { RunView, UnitView } from './run-view.ts';
import { count, cutPlain } from './text.ts';
import { unitStateWords } from './words.ts';

const SUMMARY = 300;
const SHOWN_BUSY = 8;
const SHOWN_PIECES = 8;

/** What was seen of each card; with `isLong`, of many cards only how many, and those with warnings by name. */
export function lookBlocks(view: RunView, isLong: boolean, nowMs: number): KnownBlock[] {
  return isLong ? collapsed(view, nowMs) : view.units.map((unit) => unitBlock(unit, unit.pieces, nowMs));
}

/** Values of a piece that look wrong, and what else it warns of. */
export function warningCount({ rows = [], warnings = [] }: FoldedPiece): number {
  return rows.filter((row) => row.warning !== undefined).length + warnings.length;
}

function unitBlock(unit: UnitView, pieces: readonly FoldedPiece[], nowMs: number): KnownBlock {
  const current = unit.current === undefined ? [] : currentBullets(unit.current, nowMs);
  return bulletList([{ bold: unit.unit }, `: ${unitStateWords[unit.state]}`], [...current, ...pieceBullets(pieces)]);
}

function pieceBullets(pieces: readonly FoldedPiece[]): Bullet[] {
  return pieces.flatMap((piece): Bullet[] => {
    const warnings = warningCount(piece);
    return [
      { spans: [{ bold: piece.target }, `: ${cutPlain(piece.summary, SUMMARY)}`] },
      { indent: 1, spans: warnings === 0 ? [] : [`${count(warnings, 'warning')}, shown in the thread`] },
    ];
  });
}

function collapsed(view: RunView, nowMs: number): KnownBlock[] {
  const pieces = view.units.flatMap((unit) => unit.pieces);
  const warned = pieces.filter((piece) => warningCount(piece) > 0);
  const cards = view.units.reduce((sum, unit) => sum + unit.targets.length, 0);
  const seen = new Set(pieces.map((piece) => piece.target)).size;
  const wrong = new Set(warned.map((piece) => piece.target)).size;
  const counts = `${seen} looked at, ${wrong} with warnings`;
  const busy = view.units.filter((unit) => unit.current !== undefined);
  const more = busy.length > SHOWN_BUSY ? [`and ${busy.length - SHOWN_BUSY} more at work`] : [];
  const rest = warned.length > SHOWN_PIECES ? [`and ${warned.length - SHOWN_PIECES} more with warnings`] : [];
  return [
    ...sections([`*${count(cards, 'card')} on ${count(view.units.length, 'host')}*: ${counts}`]),
    ...busy.slice(0, SHOWN_BUSY).map((unit) => unitBlock(unit, [], nowMs)),
    ...sections(more),
    ...(warned.length === 0 ? [] : [bulletList([], pieceBullets(warned.slice(0, SHOWN_PIECES)))]),
    ...sections(rest),
  ];
}
