import type { ArtefactRef, ArtefactStore } from '../domain/artefacts.ts';
import type { JournalEvent } from '../domain/journal.ts';
import { JOURNAL_ENTRY_MAX_BYTES } from '../domain/journal.ts';
import type { LookContext } from '../domain/look.ts';

/** What a look reports. */
export type ReportedPiece = Parameters<LookContext['report']>[0];

type Looked = Extract<JournalEvent, { readonly type: 'looked' }>;

/** A piece as the journal takes it. */
export interface FittedPiece {
  readonly event: Looked;
  readonly hasAllValues: boolean;
  readonly hasAllLines: boolean;
}

const shownLines = 40;
/** So many are not worth a file, also where the values say what they mean. */
const smallLines = 30;
const shownCharacters = 2_600;
const lineCharacters = 200;
/** What values may take where lines follow, so that there is room for some of these. */
const valuesBesideLinesBytes = 2_700;
const fileLines = 2_000;
const fileBytes = 256 * 1024;
const fileLineCharacters = 16_000;

/** From what is read at ease to what fits whatever stands in it: texts of at most `max` characters, so many rows and warnings. */
const cuts: readonly { readonly max: number; readonly rows: number }[] = [
  { max: 400, rows: 40 },
  { max: 160, rows: 40 },
  { max: 80, rows: 40 },
  { max: 60, rows: 20 },
  { max: 40, rows: 8 },
  { max: 60, rows: 0 },
];

/**
 * Cuts a piece to what one entry of the journal holds: its values first, then as many of the last lines as there is room
 * for, at most 40 lines and 2,600 characters.
 */
export function fitPiece(piece: ReportedPiece, file?: ArtefactRef): FittedPiece {
  const lines = linesIn(piece);
  const isForFile = piece.inFile === true && lines.length > smallLines;
  const limit = lines.length > 0 && !isForFile ? valuesBesideLinesBytes : JOURNAL_ENTRY_MAX_BYTES;
  const whole = valuesOf(piece, { max: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY }, file);
  let values = whole;
  for (const cut of cuts) {
    values = valuesOf(piece, cut, file);
    if (bytesOf(values) <= limit) break;
  }
  const room = JOURNAL_ENTRY_MAX_BYTES - bytesOf(values) - bytesOf({ lines: [] });
  const last = isForFile ? [] : lastLines(lines, room);
  const hasAllLines = isSame(last, lines);
  const shown = piece.inFile === true && !hasAllLines ? [] : last;
  return {
    event: { ...values, ...(shown.length > 0 && { lines: shown }) },
    hasAllValues: bytesOf(values) === bytesOf(whole),
    hasAllLines,
  };
}

/** The whole of a piece as a file: its text, and before it the values where the journal has not all of them. */
export function fileOf(piece: ReportedPiece, hasAllValues: boolean): Parameters<ArtefactStore['put']>[1] {
  const { target, title } = piece;
  const all = [...(hasAllValues ? [] : valueLines(piece)), ...linesIn(piece)];
  const kept: string[] = [];
  let bytes = 0;
  for (const line of all.slice(-fileLines).toReversed()) {
    const short = cutText(line, fileLineCharacters);
    bytes += Buffer.byteLength(short) + 1;
    if (bytes > fileBytes - 100) break;
    kept.unshift(short);
  }
  const head = kept.length < all.length ? [`(the last ${kept.length} of ${all.length} lines)`] : [];
  return {
    name: fileName(target, title),
    mimeType: 'text/plain',
    content: Buffer.from(`${[...head, ...kept].join('\n')}\n`),
  };
}

/** "dpu-07-console.txt"; the target is not said twice. */
function fileName(target: string, title: string): string {
  const about = title
    .replaceAll(` of ${target}`, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replaceAll(/^-+|-+$/g, '');
  return `${target}-${about === '' ? 'look' : about}.txt`;
}

function valuesOf(
  { target, title, summary, rows = [], warnings = [] }: Omit<ReportedPiece, 'text'>,
  { max, rows: most }: { readonly max: number; readonly rows: number },
  file: ArtefactRef | undefined,
): Looked {
  const shownRows = rows.slice(0, most).map(({ label, value, warning }) => ({
    label: cutText(label, max),
    value: cutText(value, max),
    ...(warning !== undefined && { warning: cutText(warning, max) }),
  }));
  const shownWarnings = warnings.slice(0, most).map((warning) => cutText(warning, max));
  return {
    type: 'looked',
    target,
    title: cutText(title, Math.min(max, 150)),
    summary: cutText(summary, max),
    ...(shownRows.length > 0 && { rows: shownRows }),
    ...(shownWarnings.length > 0 && { warnings: shownWarnings }),
    ...(file && { file }),
  };
}

function valueLines({ title, summary, rows = [], warnings = [] }: ReportedPiece): string[] {
  const marked = (warning: string | undefined): string => (warning === undefined ? '' : ` (warning: ${warning})`);
  return [
    title,
    summary,
    ...rows.map(({ label, value, warning }) => `${label}: ${value}${marked(warning)}`),
    ...warnings.map((warning) => `Warning: ${warning}`),
    '',
  ];
}

function linesIn({ text, lines }: ReportedPiece): readonly string[] {
  if (text === undefined) return lines ?? [];
  const kept = text.trimEnd();
  return kept === '' ? [] : kept.split(/\r?\n/);
}

/** As many of the last lines as fit into so many bytes of JSON. */
function lastLines(lines: readonly string[], bytes: number): readonly string[] {
  const shown: string[] = [];
  let characters = 0;
  let left = bytes;
  for (const line of lines.slice(-shownLines).toReversed()) {
    const short = cutText(line, lineCharacters);
    characters += short.length + 1;
    left -= bytesOf(short) + 1;
    if (characters > shownCharacters || left < 0) break;
    shown.unshift(short);
  }
  return shown;
}

/** Plain text, without half a surrogate pair at the end: a chat refuses it. */
export function cutText(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 3).replace(/[\uD800-\uDBFF]$/, '')}...`;
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one, index) => one === others[index]);
}
