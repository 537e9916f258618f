/**
 * Splits a command line into words as a POSIX shell does: quotes, backslashes, variables. Everything that would need
 * a real shell (pipes, lists, redirections, command substitution) is a syntax error here.
 *
 * Source: POSIX.1-2017 XCU 2.2 and 2.3; wording of errors from dash.
 */

export interface Word {
  text: string;
  /** Contains an unquoted *, ? or [: a pattern for file names. */
  pattern: boolean;
}

type SplitResult = { words: Word[] } | { error: string };

interface Scanner {
  line: string;
  at: number;
  env: Record<string, string>;
  word: Word | null;
  words: Word[];
}

const operators = new Set(['|', '&', ';', '(', ')', '\n']);

function add(scanner: Scanner, text: string): void {
  scanner.word ??= { text: '', pattern: false };
  scanner.word.text += text;
}

function endWord(scanner: Scanner): void {
  if (scanner.word !== null) scanner.words.push(scanner.word);
  scanner.word = null;
}

/** At a `$`: puts the value in and moves past the name. Gives an error text or null. */
function readVariable(scanner: Scanner, quoted: boolean): string | null {
  const rest = scanner.line.slice(scanner.at);
  if (rest.startsWith('$(')) return 'Syntax error: "(" unexpected';
  const match = /^\$(?:\{(\w+)\}|(\w+)|\?)/.exec(rest);
  if (match === null) {
    if (rest.startsWith('${')) return 'Bad substitution';
    add(scanner, '$');
    scanner.at += 1;
    return null;
  }
  const value = match[0] === '$?' ? '0' : (scanner.env[match[1] ?? match[2] ?? ''] ?? '');
  if (quoted || value !== '') add(scanner, value);
  scanner.at += match[0].length;
  return null;
}

function readSingleQuotes(scanner: Scanner): string | null {
  const end = scanner.line.indexOf("'", scanner.at + 1);
  if (end === -1) return 'Syntax error: Unterminated quoted string';
  add(scanner, scanner.line.slice(scanner.at + 1, end));
  scanner.at = end + 1;
  return null;
}

function readDoubleQuotes(scanner: Scanner): string | null {
  add(scanner, '');
  scanner.at += 1;
  while (scanner.at < scanner.line.length) {
    const char = scanner.line[scanner.at] ?? '';
    if (char === '"') {
      scanner.at += 1;
      return null;
    }
    if (char === '`') return 'Syntax error: EOF in backquote substitution';
    if (char === '$') {
      const problem = readVariable(scanner, true);
      if (problem !== null) return problem;
    } else if (char === '\\' && '$`"\\\n'.includes(scanner.line[scanner.at + 1] ?? ' ')) {
      if (scanner.line[scanner.at + 1] !== '\n') add(scanner, scanner.line[scanner.at + 1] ?? '');
      scanner.at += 2;
    } else {
      add(scanner, char);
      scanner.at += 1;
    }
  }
  return 'Syntax error: Unterminated quoted string';
}

function readPlain(scanner: Scanner, char: string): string | null {
  if (char === '\\') {
    add(scanner, scanner.line[scanner.at + 1] ?? '\\');
    scanner.at += 2;
    return null;
  }
  if (operators.has(char)) return `Syntax error: "${char === '\n' ? 'newline' : char}" unexpected`;
  if (char === '<' || char === '>') return 'Syntax error: redirection unexpected';
  if (char === '`') return 'Syntax error: EOF in backquote substitution';
  add(scanner, char);
  if (scanner.word !== null && '*?['.includes(char)) scanner.word.pattern = true;
  scanner.at += 1;
  return null;
}

function step(scanner: Scanner): string | null {
  const char = scanner.line[scanner.at] ?? '';
  if (char === ' ' || char === '\t' || (char === '\n' && scanner.line.slice(scanner.at).trim() === '')) {
    endWord(scanner);
    scanner.at += 1;
    return null;
  }
  if (char === '#' && scanner.word === null) {
    scanner.at = scanner.line.length;
    return null;
  }
  if (char === "'") return readSingleQuotes(scanner);
  if (char === '"') return readDoubleQuotes(scanner);
  if (char === '$') return readVariable(scanner, false);
  return readPlain(scanner, char);
}

/** Split a command line; `env` gives the values of variables. */
export function splitWords(line: string, env: Record<string, string>): SplitResult {
  const scanner: Scanner = { line, at: 0, env, word: null, words: [] };
  while (scanner.at < line.length) {
    const problem = step(scanner);
    if (problem !== null) return { error: problem };
  }
  endWord(scanner);
  return { words: scanner.words };
}

/** A shell pattern as a regular expression; `*` and `?` do not match a slash. */
export function patternToRegExp(pattern: string): RegExp {
  const body = pattern.replaceAll(/[.+^${}()|\\]|\*|\?/g, (char) => {
    if (char === '*') return '[^/]*';
    return char === '?' ? '[^/]' : `\\${char}`;
  });
  return new RegExp(`^${body.replaceAll('[!', '[^')}$`);
}
