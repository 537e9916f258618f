import type { Environment } from '../config.ts';

/** What a subcommand sees of the world: tests give it other streams. */
export interface CliIo {
  readonly environment: Environment;
  out(line: string): void;
  err(line: string): void;
  /** All of standard input as text. */
  readStdin(): Promise<string>;
}

/** Exit codes of the command line. */
export const exitCodes = { good: 0, bad: 1, usage: 2 } as const;

/** Wrong words on the command line; the text is shown with the usage. */
export class UsageError extends Error {}

/** Columns padded to their widest cell, as plain text. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_cell, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
