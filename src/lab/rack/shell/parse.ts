/**
 * Parses a shell program: lists, pipelines, compound commands, functions.
 *
 * Source: POSIX.1-2017 XCU 2.10 (Shell Grammar); wording of errors from dash 0.5.11.
 */
import { remember } from '../remember.ts';
import {
  expect,
  peekReserved,
  readHereDocuments,
  readRedirect,
  readRedirects,
  skipBlanks,
  skipNewlines,
  unexpected,
} from './parse-tokens.ts';
import { atWord, plainText, readWord } from './parse-words.ts';
import { lineOf, syntaxError } from './syntax.ts';
import type { Node, Redirect, Scanner, Word } from './syntax.ts';

const reserved = ['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}', ';;'];

/** `NAME=` at the start of a word: the name, and the rest of the word as the value. */
function splitAssignment(word: Word): { name: string; value: Word } | null {
  const [first, ...rest] = word;
  if (first?.kind !== 'text' || first.quoted) return null;
  const match = /^([A-Za-z_]\w*)=/.exec(first.text);
  if (match === null) return null;
  return { name: match[1] ?? '', value: [{ ...first, text: first.text.slice(match[0].length) }, ...rest] };
}

function readSimple(scanner: Scanner): Node {
  const node = {
    kind: 'simple' as const,
    assignments: [] as { name: string; value: Word }[],
    words: [] as Word[],
    redirects: [] as Redirect[],
    line: lineOf(scanner),
  };
  for (;;) {
    skipBlanks(scanner);
    const redirect = readRedirect(scanner);
    if (redirect !== null) {
      node.redirects.push(redirect);
      continue;
    }
    if (!atWord(scanner)) break;
    const word = readWord(scanner);
    const assignment = node.words.length === 0 ? splitAssignment(word) : null;
    if (assignment === null) node.words.push(word);
    else node.assignments.push(assignment);
  }
  if (node.words.length + node.assignments.length + node.redirects.length === 0) unexpected(scanner);
  return node;
}

function readIf(scanner: Scanner): Node {
  const condition = readList(scanner);
  expect(scanner, 'then');
  const body = readList(scanner);
  const next = peekReserved(scanner);
  if (next === 'elif') {
    scanner.at += 4;
    return { kind: 'if', condition, body, otherwise: readIf(scanner), redirects: [] };
  }
  let otherwise: Node | null = null;
  if (next === 'else') {
    scanner.at += 4;
    otherwise = readList(scanner);
  }
  expect(scanner, 'fi');
  return { kind: 'if', condition, body, otherwise, redirects: readRedirects(scanner) };
}

function readLoop(scanner: Scanner, until: boolean): Node {
  const condition = readList(scanner);
  expect(scanner, 'do');
  const body = readList(scanner);
  expect(scanner, 'done');
  return { kind: 'loop', condition, until, body, redirects: readRedirects(scanner) };
}

function readFor(scanner: Scanner): Node {
  skipBlanks(scanner);
  const name = plainText(readWord(scanner)) ?? '';
  if (!/^[A-Za-z_]\w*$/.test(name)) syntaxError(scanner, 'Bad for loop variable');
  skipNewlines(scanner);
  let words: Word[] | null = null;
  if (peekReserved(scanner) === 'in') {
    scanner.at += 2;
    words = [];
    for (skipBlanks(scanner); atWord(scanner); skipBlanks(scanner)) words.push(readWord(scanner));
  }
  skipBlanks(scanner);
  if (scanner.text[scanner.at] === ';') scanner.at += 1;
  expect(scanner, 'do');
  const body = readList(scanner);
  expect(scanner, 'done');
  return { kind: 'for', name, words, body, redirects: readRedirects(scanner) };
}

function readCase(scanner: Scanner): Node {
  skipBlanks(scanner);
  const word = readWord(scanner);
  expect(scanner, 'in');
  const branches: { patterns: Word[]; body: Node }[] = [];
  for (skipNewlines(scanner); peekReserved(scanner) !== 'esac'; skipNewlines(scanner)) {
    if (scanner.text[scanner.at] === '(') scanner.at += 1;
    const patterns: Word[] = [];
    for (;;) {
      skipBlanks(scanner);
      if (!atWord(scanner)) unexpected(scanner);
      patterns.push(readWord(scanner));
      skipBlanks(scanner);
      if (scanner.text[scanner.at] !== '|') break;
      scanner.at += 1;
    }
    if (scanner.text[scanner.at] !== ')') unexpected(scanner);
    scanner.at += 1;
    branches.push({ patterns, body: readList(scanner) });
    if (peekReserved(scanner) === ';;') scanner.at += 2;
  }
  scanner.at += 4;
  return { kind: 'case', word, branches, redirects: readRedirects(scanner) };
}

function readParenthesised(scanner: Scanner): Node {
  scanner.at += 1;
  const body = readList(scanner);
  skipNewlines(scanner);
  if (scanner.text[scanner.at] !== ')') unexpected(scanner, ')');
  scanner.at += 1;
  return { kind: 'subshell', body, redirects: readRedirects(scanner) };
}

function readCommand(scanner: Scanner): Node {
  skipBlanks(scanner);
  if (scanner.text[scanner.at] === '(') return readParenthesised(scanner);
  const definition = /^([A-Za-z_]\w*)[ \t]*\([ \t]*\)/.exec(scanner.text.slice(scanner.at, scanner.at + 128));
  if (definition !== null) {
    scanner.at += definition[0].length;
    skipNewlines(scanner);
    return { kind: 'function', name: definition[1] ?? '', body: readCommand(scanner) };
  }
  const word = peekReserved(scanner);
  if (word === null) return readSimple(scanner);
  if (reserved.includes(word)) unexpected(scanner);
  scanner.at += word.length;
  switch (word) {
    case 'if':
      return readIf(scanner);
    case 'while':
    case 'until':
      return readLoop(scanner, word === 'until');
    case 'for':
      return readFor(scanner);
    case 'case':
      return readCase(scanner);
    case '{': {
      const body = readList(scanner);
      expect(scanner, '}');
      return { kind: 'group', body, redirects: readRedirects(scanner) };
    }
    default:
      scanner.at -= word.length;
      return word === 'in' ? readSimple(scanner) : unexpected(scanner);
  }
}

function readPipeline(scanner: Scanner): Node {
  let negated = false;
  while (peekReserved(scanner) === '!') {
    scanner.at += 1;
    negated = !negated;
  }
  const stages = [readCommand(scanner)];
  for (;;) {
    skipBlanks(scanner);
    if (scanner.text[scanner.at] !== '|' || scanner.text[scanner.at + 1] === '|') break;
    scanner.at += 1;
    skipNewlines(scanner);
    stages.push(readCommand(scanner));
  }
  const [only] = stages;
  return stages.length === 1 && !negated && only !== undefined ? only : { kind: 'pipeline', stages, negated };
}

function readAndOr(scanner: Scanner): Node {
  let left = readPipeline(scanner);
  for (;;) {
    skipBlanks(scanner);
    const operator = scanner.text.slice(scanner.at, scanner.at + 2);
    if (operator !== '&&' && operator !== '||') return left;
    scanner.at += 2;
    skipNewlines(scanner);
    left = { kind: 'and-or', left, operator, right: readPipeline(scanner) };
  }
}

/** Commands up to something that ends them: a reserved word, `)`, or the end of the text. */
function readList(scanner: Scanner): Node {
  const items: { node: Node; background: boolean }[] = [];
  for (;;) {
    skipNewlines(scanner);
    const char = scanner.text[scanner.at];
    if (char === undefined || char === ')') break;
    const word = peekReserved(scanner);
    if (word !== null && reserved.includes(word)) break;
    const node = readAndOr(scanner);
    skipBlanks(scanner);
    const separator = scanner.text[scanner.at];
    items.push({ node, background: separator === '&' });
    if (separator === '&' || (separator === ';' && scanner.text[scanner.at + 1] !== ';')) scanner.at += 1;
    else if (separator !== '\n') break;
  }
  return { kind: 'list', items };
}

function readSubstitution(scanner: Scanner): Node {
  const body = readList(scanner);
  skipNewlines(scanner);
  if (scanner.text[scanner.at] !== ')') unexpected(scanner, ')');
  scanner.at += 1;
  return body;
}

/** Parse a whole program; throws a SyntaxProblem. Nobody may change what it returns: the same text gives the same nodes. */
export const parseProgram = remember(parseAnew);

function parseAnew(text: string): Node {
  const scanner: Scanner = { text, at: 0, pending: [], readCommands: readSubstitution };
  const program = readList(scanner);
  skipNewlines(scanner);
  readHereDocuments(scanner);
  if (scanner.at < scanner.text.length) unexpected(scanner);
  return program;
}
