/**
 * The syntax tree of a POSIX shell program, as the parser builds it and the interpreter walks it.
 *
 * Source: POSIX.1-2017 XCU 2 (Shell Command Language); bash extensions that Ubuntu's dash lacks are not here.
 */

export type Word = WordPart[];

export type WordPart =
  | { kind: 'text'; text: string; quoted: boolean }
  | { kind: 'parameter'; name: string; operator: string; word: Word; quoted: boolean }
  | { kind: 'command'; body: Node; quoted: boolean }
  | { kind: 'arithmetic'; expression: Word; quoted: boolean };

export interface Redirect {
  fd: number;
  operator: '<' | '>' | '>>' | '<>' | '<&' | '>&' | '<<';
  target: Word;
}

export type Node =
  | { kind: 'simple'; assignments: { name: string; value: Word }[]; words: Word[]; redirects: Redirect[]; line: number }
  | { kind: 'pipeline'; stages: Node[]; negated: boolean }
  | { kind: 'and-or'; left: Node; operator: '&&' | '||'; right: Node }
  | { kind: 'list'; items: { node: Node; background: boolean }[] }
  | { kind: 'subshell' | 'group'; body: Node; redirects: Redirect[] }
  | { kind: 'if'; condition: Node; body: Node; otherwise: Node | null; redirects: Redirect[] }
  | { kind: 'loop'; condition: Node; until: boolean; body: Node; redirects: Redirect[] }
  | { kind: 'for'; name: string; words: Word[] | null; body: Node; redirects: Redirect[] }
  | { kind: 'case'; word: Word; branches: { patterns: Word[]; body: Node }[]; redirects: Redirect[] }
  | { kind: 'function'; name: string; body: Node };

/** A program that is no shell program. The message is dash's. */
export class SyntaxProblem extends Error {
  readonly line: number;
  constructor(message: string, line: number) {
    super(`Syntax error: ${message}`);
    this.line = line;
  }
}

/** Text that is being parsed. */
export interface Scanner {
  text: string;
  at: number;
  /** Here-documents whose bodies follow the next newline. */
  pending: { redirect: Redirect; end: string; literal: boolean; tabs: boolean }[];
  /** Parses the body of a command substitution up to its closing parenthesis. */
  readCommands: (scanner: Scanner) => Node;
}

/** Line number at the present place, from 1. */
export function lineOf(scanner: Scanner): number {
  let line = 1;
  for (let index = 0; index < scanner.at; index += 1) if (scanner.text[index] === '\n') line += 1;
  return line;
}

/** Give up with dash's wording. */
export function syntaxError(scanner: Scanner, message: string): never {
  throw new SyntaxProblem(message, lineOf(scanner));
}
