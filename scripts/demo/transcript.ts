import type { VisibleMessage } from '../../src/lab/chat/types.ts';
import { clockText, messageLines, type Names } from './block-text.ts';

const widthColumns = 118;
const nameColumns = 7;

/** Where the lines go; standard output in the demo. */
export type Write = (line: string) => void;

/**
 * Prints what happens in a channel as text that a stranger can read: time, who, what; answers in a thread are indented.
 * A message that is edited in place is printed again only as far as its first lines say something new.
 */
export class Transcript {
  readonly #names: Names;
  readonly #write: Write;
  readonly #shown = new Map<string, string>();

  constructor(names: Names, write: Write) {
    this.#names = names;
    this.#write = write;
  }

  /** Something the demo itself has done or found. */
  note(text: string): void {
    this.#print(new Date(), 'demo', [text], 0);
  }

  /** A line typed by a person; the chat does not post slash commands. */
  typed(person: string, line: string): void {
    this.#print(new Date(), person, [line], 0);
  }

  /** A new message. */
  posted(message: VisibleMessage): void {
    const lines = this.#linesOf(message);
    this.#shown.set(message.ts, headOf(lines));
    const seenByOne = message.is_ephemeral
      ? [`(only visible to one person) ${lines[0] ?? ''}`, ...lines.slice(1)]
      : lines;
    this.#print(dateOf(message), this.#nameOf(message.user), seenByOne, depthOf(message));
  }

  /** A message that was edited in place. */
  edited(message: VisibleMessage): void {
    const head = headOf(this.#linesOf(message));
    if (this.#shown.get(message.ts) === head) return;
    this.#shown.set(message.ts, head);
    this.#print(new Date(), this.#nameOf(message.user), [`(edited) ${head}`], depthOf(message));
  }

  #linesOf(message: VisibleMessage): string[] {
    const files = (message.files ?? []).map((file) => `(file: ${file.title})`);
    return [...messageLines(message, this.#names), ...files];
  }

  #nameOf(userId: string): string {
    return this.#names.users.get(userId) ?? userId;
  }

  #print(date: Date, name: string, lines: readonly string[], depth: number): void {
    const margin = '  '.repeat(depth);
    const first = `${clockText(date)}  ${margin}${name.padEnd(nameColumns)} `;
    const rest = ' '.repeat(first.length);
    const wrapped = lines.flatMap((line) => wrap(line, widthColumns - first.length));
    for (const [index, line] of wrapped.entries()) this.#write(`${index === 0 ? first : rest}${line}`.trimEnd());
  }
}

/** The first two lines: the heading, and the line that says in what state the thing is. */
function headOf(lines: readonly string[]): string {
  return lines.slice(0, 2).join(': ');
}

function dateOf(message: VisibleMessage): Date {
  return new Date(Number(message.ts) * 1000);
}

function depthOf(message: VisibleMessage): number {
  return message.thread_ts !== undefined && message.thread_ts !== message.ts ? 1 : 0;
}

/** Breaks a line at spaces; the following lines keep its indentation and two columns more. */
export function wrap(line: string, columns: number): string[] {
  const indent = `${leadingBlanks(line)}  `;
  const lines: string[] = [];
  let rest = line;
  while (rest.length > columns) {
    const cut = rest.lastIndexOf(' ', columns);
    // A word longer than the line (a fingerprint) stands over the edge rather than being broken: it may be copied.
    const at = cut > leadingBlanks(rest).length ? cut : rest.indexOf(' ', columns);
    if (at < 0) break;
    lines.push(rest.slice(0, at));
    rest = `${indent}${rest.slice(at + 1)}`;
  }
  return [...lines, rest];
}

function leadingBlanks(line: string): string {
  return /^ */.exec(line)?.[0] ?? '';
}
