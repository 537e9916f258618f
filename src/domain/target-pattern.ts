/** Numbers of a bracket; `digits`: they are written with so many at least, as in `[07-12]`. */
interface NumberRange {
  readonly from: number;
  readonly to: number;
  readonly digits: number;
}

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'one' }
  | { readonly kind: 'any' }
  | { readonly kind: 'numbers'; readonly ranges: readonly NumberRange[] };

/** A pattern of names: text, `?` for one character, `*` for any, `[1-4]`, `[07-12]` or `[1,3,5-7]` for numbers. */
export type TargetPattern = readonly Piece[];

const MAX_DIGITS = 6;

/** The pattern, or a sentence that says what is wrong with it. */
export function parsePattern(text: string): TargetPattern | string {
  const found = text.match(/\*|\?|\[[^\]]*\]|[^*?[\]]+/g) ?? [];
  if (found.join('') !== text) return 'A bracket is not closed.';
  const pieces: Piece[] = [];
  for (const piece of found) {
    if (piece === '*') pieces.push({ kind: 'any' });
    else if (piece === '?') pieces.push({ kind: 'one' });
    else if (piece.startsWith('[')) {
      const ranges = rangesOf(piece.slice(1, -1));
      if (typeof ranges === 'string') return ranges;
      pieces.push({ kind: 'numbers', ranges });
    } else pieces.push({ kind: 'text', text: piece });
  }
  return pieces;
}

function rangesOf(list: string): NumberRange[] | string {
  const ranges: NumberRange[] = [];
  for (const item of list.split(',')) {
    const [, from = '', to = from] = /^\s*(\d{1,6})(?:-(\d{1,6}))?\s*$/.exec(item) ?? [];
    if (from === '') return 'Between brackets stand numbers of up to six digits: [1-4], [07-12] or [1,3,5-7].';
    const [first, last] = [Number(from), Number(to)];
    if (last < first) return `The range ${from}-${to} runs backwards.`;
    ranges.push({ from: first, to: last, digits: from.startsWith('0') ? from.length : 1 });
  }
  return ranges;
}

/**
 * Whether the whole name fits. Piece by piece it keeps the places that can have been reached, so the work is bounded by pieces
 * times characters: a regular expression with several stars could keep the bot busy for minutes.
 */
export function matchesPattern(pattern: TargetPattern, name: string): boolean {
  let reached: ReadonlySet<number> = new Set([0]);
  for (const piece of pattern) {
    const next = new Set<number>();
    if (piece.kind === 'any') {
      for (let at = Math.min(...reached); at <= name.length; at += 1) next.add(at);
    } else for (const at of reached) for (const length of lengthsAt(piece, name, at)) next.add(at + length);
    if (next.size === 0) return false;
    reached = next;
  }
  return reached.has(name.length);
}

/** How many characters from here the piece can stand for. */
function lengthsAt(piece: Exclude<Piece, { kind: 'any' }>, name: string, at: number): readonly number[] {
  if (piece.kind === 'one') return at < name.length ? [1] : [];
  if (piece.kind === 'text') return name.startsWith(piece.text, at) ? [piece.text.length] : [];
  const lengths: number[] = [];
  for (let length = 1; length <= MAX_DIGITS && isDigit(name[at + length - 1]); length += 1) {
    const written = name.slice(at, at + length);
    if (piece.ranges.some((range) => isIn(range, written))) lengths.push(length);
  }
  return lengths;
}

function isIn({ from, to, digits }: NumberRange, written: string): boolean {
  const number = Number(written);
  return number >= from && number <= to && String(number).padStart(digits, '0') === written;
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9';
}
