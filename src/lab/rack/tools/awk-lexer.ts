/** Tokens of the small `awk`. Source: POSIX.1-2017 XCU awk, Lexical Conventions. */
import { posixRegExp } from './regex.ts';

/** Something this awk does not know. */
export class Unsupported extends Error {}

const tokenPattern =
  /\s*(?:#[^\n]*)?(\d+(?:\.\d+)?|"(?:\\.|[^"\\])*"|[A-Za-z_]\w*|&&|\|\||[=!<>]=|!~|\+=|-=|\+\+|--|[-+*/%<>!~=?:;,(){}$\n])/y;

/** Reads a program token by token. */
export class AwkLexer {
  readonly #source: string;
  #at = 0;
  /** The present token; '' at the end. */
  token = '';
  constructor(source: string) {
    this.#source = source;
    this.next();
  }

  /** Go on to the next token. */
  next(): void {
    tokenPattern.lastIndex = this.#at;
    const match = tokenPattern.exec(this.#source);
    if (match === null) {
      if (this.#source.slice(this.#at).trim() !== '')
        throw new Unsupported(`syntax error near ${this.#source.slice(this.#at, this.#at + 10)}`);
      this.token = '';
      return;
    }
    this.token = match[1] ?? '';
    this.#at = tokenPattern.lastIndex;
  }

  /** Go past this token if it is the present one. */
  take(token: string): boolean {
    if (this.token !== token) return false;
    this.next();
    return true;
  }

  /** Go past this token or complain. */
  need(token: string): void {
    if (!this.take(token)) throw new Unsupported(`syntax error near ${this.token === '' ? 'end of file' : this.token}`);
  }

  /** Does a regular expression come after the present token? */
  regexFollows(): boolean {
    return this.#source.slice(this.#at).trimStart().startsWith('/');
  }

  /** The rest of a regular expression whose `/` is the present token. */
  regex(): RegExp {
    let end = this.#at;
    while (end < this.#source.length && this.#source[end] !== '/') end += this.#source[end] === '\\' ? 2 : 1;
    const pattern = posixRegExp(this.#source.slice(this.#at, end).replaceAll('\\/', '/'), true);
    if (pattern === null) throw new Unsupported('bad regular expression');
    this.#at = end + 1;
    this.next();
    return pattern;
  }
}
