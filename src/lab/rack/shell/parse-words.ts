/**
 * Words of a shell program: quoting, parameters, command substitution, arithmetic, here-document bodies.
 *
 * Source: POSIX.1-2017 XCU 2.2, 2.6; wording of errors from dash 0.5.11.
 */
import { syntaxError } from './syntax.ts';
import type { Scanner, Word } from './syntax.ts';

const metacharacters = new Set([' ', '\t', '\n', ';', '&', '|', '<', '>', '(', ')']);

function text(word: Word, value: string, quoted: boolean): void {
  const last = word.at(-1);
  if (last?.kind === 'text' && last.quoted === quoted) last.text += value;
  else word.push({ kind: 'text', text: value, quoted });
}

function readSingleQuotes(scanner: Scanner, word: Word): void {
  const end = scanner.text.indexOf("'", scanner.at + 1);
  if (end === -1) syntaxError(scanner, 'Unterminated quoted string');
  text(word, scanner.text.slice(scanner.at + 1, end), true);
  scanner.at = end + 1;
}

function readBackquotes(scanner: Scanner, word: Word, quoted: boolean): void {
  let body = '';
  for (scanner.at += 1; scanner.text[scanner.at] !== '`'; scanner.at += 1) {
    const char = scanner.text[scanner.at];
    if (char === undefined) syntaxError(scanner, 'EOF in backquote substitution');
    const next = scanner.text[scanner.at + 1] ?? '';
    if (char === '\\' && '$`\\'.includes(next)) scanner.at += 1;
    body += scanner.text[scanner.at] ?? '';
  }
  scanner.at += 1;
  const inner: Scanner = { ...scanner, text: `${body})`, at: 0, pending: [] };
  word.push({ kind: 'command', body: scanner.readCommands(inner), quoted });
}

function readArithmetic(scanner: Scanner, word: Word, quoted: boolean): void {
  const startAt = scanner.at + 3;
  let depth = 0;
  let at = startAt;
  for (; at < scanner.text.length; at += 1) {
    const char = scanner.text[at];
    if (char === '(') depth += 1;
    if (char === ')' && depth === 0 && scanner.text[at + 1] === ')') break;
    if (char === ')') depth -= 1;
  }
  if (at >= scanner.text.length) syntaxError(scanner, "Missing '))'");
  const inner: Scanner = { ...scanner, text: scanner.text.slice(startAt, at), at: 0, pending: [] };
  word.push({ kind: 'arithmetic', expression: readExpandable(inner, null), quoted });
  scanner.at = at + 2;
}

function readBraces(scanner: Scanner, word: Word, quoted: boolean): void {
  const head = /^\$\{(#?)(\w+|[@*#?$!-])(:?[-=?+]|%%?|##?)?/.exec(scanner.text.slice(scanner.at));
  if (head === null) syntaxError(scanner, 'Bad substitution');
  const [whole, length = '', name = '', operator = ''] = head;
  scanner.at += whole.length;
  // The pattern of `"${name%/*}"` stays one inside double quotes (POSIX, 2.6.2).
  const inner = operator === '' ? [] : readUntilBrace(scanner, quoted && !/^[%#]/.test(operator));
  if (scanner.text[scanner.at] !== '}') syntaxError(scanner, 'Bad substitution');
  scanner.at += 1;
  word.push({ kind: 'parameter', name, operator: length === '' ? operator : 'length', word: inner, quoted });
}

function readUntilBrace(scanner: Scanner, quoted: boolean): Word {
  const word: Word = [];
  while (scanner.text[scanner.at] !== '}') {
    if (scanner.at >= scanner.text.length) syntaxError(scanner, "Missing '}'");
    readPart(scanner, word, quoted);
  }
  return word;
}

function readDollar(scanner: Scanner, word: Word, quoted: boolean): void {
  const rest = scanner.text.slice(scanner.at, scanner.at + 64);
  if (rest.startsWith('$((')) {
    readArithmetic(scanner, word, quoted);
  } else if (rest.startsWith('$(')) {
    scanner.at += 2;
    word.push({ kind: 'command', body: scanner.readCommands(scanner), quoted });
  } else if (rest.startsWith('${')) {
    readBraces(scanner, word, quoted);
  } else {
    const name = /^\$([A-Za-z_]\w*|[0-9@*#?$!-])/.exec(scanner.text.slice(scanner.at))?.[1];
    scanner.at += 1 + (name?.length ?? 0);
    if (name === undefined) text(word, '$', quoted);
    else word.push({ kind: 'parameter', name, operator: '', word: [], quoted });
  }
}

function readDoubleQuotes(scanner: Scanner, word: Word): void {
  text(word, '', true);
  scanner.at += 1;
  while (scanner.text[scanner.at] !== '"') {
    const char = scanner.text[scanner.at];
    if (char === undefined) syntaxError(scanner, 'Unterminated quoted string');
    readExpandablePart(scanner, word, true, '$`"\\\n');
  }
  scanner.at += 1;
}

/** One piece of text in which only `$`, backquotes and some backslashes mean something. */
function readExpandablePart(scanner: Scanner, word: Word, quoted: boolean, escapable: string): void {
  const char = scanner.text[scanner.at] ?? '';
  const next = scanner.text[scanner.at + 1] ?? '';
  if (char === '$') readDollar(scanner, word, quoted);
  else if (char === '`') readBackquotes(scanner, word, quoted);
  else if (char === '\\' && next !== '' && escapable.includes(next)) {
    if (next !== '\n') text(word, next, quoted);
    scanner.at += 2;
  } else {
    text(word, char, quoted);
    scanner.at += 1;
  }
}

/** Text up to `end` (or the end of the text) as the inside of double quotes. */
export function readExpandable(scanner: Scanner, end: string | null): Word {
  const word: Word = [];
  text(word, '', true);
  while (scanner.at < scanner.text.length && scanner.text[scanner.at] !== end) {
    readExpandablePart(scanner, word, true, '$`\\\n');
  }
  return word;
}

/** One part of an unquoted word. */
function readPart(scanner: Scanner, word: Word, quoted: boolean): void {
  const char = scanner.text[scanner.at] ?? '';
  if (quoted) {
    readExpandablePart(scanner, word, true, '$`"\\}\n');
  } else if (char === "'") {
    readSingleQuotes(scanner, word);
  } else if (char === '"') {
    readDoubleQuotes(scanner, word);
  } else if (char === '\\') {
    const next = scanner.text[scanner.at + 1];
    if (next !== '\n') text(word, next ?? '\\', true);
    scanner.at += 2;
  } else if (char === '$') {
    readDollar(scanner, word, false);
  } else if (char === '`') {
    readBackquotes(scanner, word, false);
  } else {
    text(word, char, false);
    scanner.at += 1;
  }
}

/** Is there the beginning of a word here? */
export function atWord(scanner: Scanner): boolean {
  const char = scanner.text[scanner.at];
  return char !== undefined && !metacharacters.has(char);
}

/** A word, which must begin here. */
export function readWord(scanner: Scanner): Word {
  const word: Word = [];
  while (atWord(scanner)) readPart(scanner, word, false);
  return word;
}

/** A word without any expansion as plain text, or null. */
export function plainText(word: Word): string | null {
  if (word.some((part) => part.kind !== 'text')) return null;
  return word.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}
