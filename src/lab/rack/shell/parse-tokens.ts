/**
 * The small pieces of a shell program between its words: blanks, reserved words, redirections, here-documents.
 *
 * Source: POSIX.1-2017 XCU 2.3, 2.4, 2.7; wording of errors from dash 0.5.11.
 */
import { atWord, plainText, readExpandable, readWord } from './parse-words.ts';
import { syntaxError } from './syntax.ts';
import type { Redirect, Scanner } from './syntax.ts';

const reservedPattern = /^(if|then|else|elif|fi|while|until|do|done|for|case|esac|in|\{|\}|!)(?=[\s;&|()<>]|$)/;

/** Skip blanks and a comment. */
export function skipBlanks(scanner: Scanner): void {
  for (;;) {
    const rest = /^(?:[ \t]|\\\n)+/.exec(scanner.text.slice(scanner.at, scanner.at + 256));
    if (rest === null) break;
    scanner.at += rest[0].length;
  }
  if (scanner.text[scanner.at] !== '#') return;
  const end = scanner.text.indexOf('\n', scanner.at);
  scanner.at = end === -1 ? scanner.text.length : end;
}

/** Read the bodies of the here-documents that are open. */
export function readHereDocuments(scanner: Scanner): void {
  for (const { redirect, end, literal, tabs } of scanner.pending.splice(0)) {
    let body = '';
    for (;;) {
      if (scanner.at >= scanner.text.length) break;
      const lineEnd = scanner.text.indexOf('\n', scanner.at);
      const stop = lineEnd === -1 ? scanner.text.length : lineEnd;
      let line = scanner.text.slice(scanner.at, stop);
      scanner.at = stop + 1;
      if (tabs) line = line.replace(/^\t+/, '');
      if (line === end) break;
      body += `${line}\n`;
    }
    scanner.at = Math.min(scanner.at, scanner.text.length);
    redirect.target = literal
      ? [{ kind: 'text', text: body, quoted: true }]
      : readExpandable({ ...scanner, text: body, at: 0, pending: [] }, null);
  }
}

/** Skip blanks, comments and newlines. */
export function skipNewlines(scanner: Scanner): void {
  for (;;) {
    skipBlanks(scanner);
    if (scanner.text[scanner.at] !== '\n') return;
    scanner.at += 1;
    readHereDocuments(scanner);
  }
}

/** The reserved word that comes next, if one does. */
export function peekReserved(scanner: Scanner): string | null {
  skipBlanks(scanner);
  if (scanner.text.startsWith(';;', scanner.at)) return ';;';
  return reservedPattern.exec(scanner.text.slice(scanner.at, scanner.at + 16))?.[1] ?? null;
}

/** Take this reserved word or complain. */
export function expect(scanner: Scanner, word: string): void {
  skipNewlines(scanner);
  if (peekReserved(scanner) !== word) unexpected(scanner, word);
  scanner.at += word.length;
}

/** Complain about what comes next, with dash's wording. */
export function unexpected(scanner: Scanner, expecting?: string): never {
  const rest = scanner.text.slice(scanner.at);
  const token = rest === '' ? 'end of file' : (/^(\n|;;|&&|\|\||[;&|()<>]|[^\s;&|()<>]+)/.exec(rest)?.[0] ?? rest);
  const name = rest === '' ? token : token === '\n' ? 'newline' : `"${token}"`;
  return syntaxError(scanner, `${name} unexpected${expecting === undefined ? '' : ` (expecting "${expecting}")`}`);
}

/** A redirection, if one comes next. */
export function readRedirect(scanner: Scanner): Redirect | null {
  const match = /^(\d*)(<<-?|<>|<&|>&|>>|>\||<|>)/.exec(scanner.text.slice(scanner.at, scanner.at + 12));
  if (match === null) return null;
  const [whole, digits = '', sign = ''] = match;
  scanner.at += whole.length;
  skipBlanks(scanner);
  if (!atWord(scanner)) unexpected(scanner);
  const target = readWord(scanner);
  const fd = digits === '' ? (sign.startsWith('<') ? 0 : 1) : Number(digits);
  if (sign === '<<' || sign === '<<-') {
    const redirect: Redirect = { fd, operator: '<<', target: [] };
    const literal = target.some((part) => part.kind === 'text' && part.quoted);
    scanner.pending.push({ redirect, end: plainText(target) ?? '', literal, tabs: sign === '<<-' });
    return redirect;
  }
  const operator = sign === '>|' ? '>' : sign;
  if (
    operator === '<' ||
    operator === '>' ||
    operator === '>>' ||
    operator === '<>' ||
    operator === '<&' ||
    operator === '>&'
  )
    return { fd, operator, target };
  return unexpected(scanner);
}

/** All redirections that follow. */
export function readRedirects(scanner: Scanner): Redirect[] {
  const redirects: Redirect[] = [];
  for (;;) {
    skipBlanks(scanner);
    const redirect = readRedirect(scanner);
    if (redirect === null) return redirects;
    redirects.push(redirect);
  }
}
