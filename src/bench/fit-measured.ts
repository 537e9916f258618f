import { Buffer } from 'node:buffer';
import type { Measured } from '../domain/bench.ts';
import { JOURNAL_ENTRY_MAX_BYTES } from '../domain/journal.ts';

/** Leaves room for what the journal writes around it: its type, and the names of both hosts. */
const mostBytes = JOURNAL_ENTRY_MAX_BYTES - 256;
const lineChars = 800;
const altChars = 400;
const warningChars = 500;
const warningsBytes = 900;
/** Rows that a thread shows of a table; a file has all of them. */
export const rowsInThread = 16;

/**
 * A result as it fits into one entry of the journal: the line whole, descriptions of pictures short, the first warnings, and
 * as many rows as there is room for. What is left out is counted; the files have it. Without this, the journal would cut every
 * text to the same few characters.
 */
export function fitMeasured(measured: Measured): Measured {
  const files = measured.files.map((file) =>
    file.altText === undefined ? file : { ...file, altText: cut(file.altText, altChars) },
  );
  const told: Measured = {
    ...measured,
    line: cut(measured.line, lineChars),
    warnings: fittingWarnings(measured.warnings),
    files,
  };
  for (let rows = Math.min(rowsInThread, told.table.rows.length); rows > 0; rows -= 1) {
    const shorter = { ...told, table: firstRows(told.table, rows) };
    if (bytesOf(shorter) <= mostBytes) return shorter;
  }
  return { ...told, table: { columns: [], rows: [] } };
}

function fittingWarnings(warnings: readonly string[]): readonly string[] {
  const shown: string[] = [];
  let bytes = 0;
  for (const warning of warnings) {
    const text = cut(warning, warningChars);
    bytes += bytesOf(text);
    if (bytes > warningsBytes && shown.length > 0) break;
    shown.push(text);
  }
  const left = warnings.length - shown.length;
  return left === 0
    ? shown
    : [...shown, `${left} more ${left === 1 ? 'warning stands' : 'warnings stand'} in the JSON file.`];
}

function firstRows({ columns, rows }: Measured['table'], count: number): Measured['table'] {
  const left = rows.length - count;
  if (left === 0) return { columns, rows };
  const note = columns.map((_column, index) => (index === 0 ? `and ${left} more, in the files` : ''));
  return { columns, rows: [...rows.slice(0, count), note] };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/** Whole words, where there are any. */
function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  const head = text.slice(0, most - 4);
  return `${head.replace(/(?<=\s)\S*$/, '').trimEnd()} ...`;
}
