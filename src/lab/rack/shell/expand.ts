/**
 * Word expansion: parameters, command substitution, arithmetic, field splitting, file name patterns, quote removal.
 *
 * Source: POSIX.1-2017 XCU 2.6.
 */
import { patternToRegExp, normalize } from '../files/paths.ts';
import { calculate } from './arithmetic.ts';
import { assign, fatal } from './shell-state.ts';
import type { Shell } from './shell-state.ts';
import type { Node, Word, WordPart } from './syntax.ts';
import type { Steps } from './types.ts';

/** Text of an expansion with what is known about it. */
interface Piece {
  text: string;
  quoted: boolean;
  /** Came out of an expansion, so unquoted it is split into fields. */
  expanded: boolean;
  /** Begins a new field whatever the separators say: "$@". */
  separate?: boolean;
}

/** Runs a command substitution and gives what it printed. */
export type Substitute = (shell: Shell, body: Node) => Steps<string>;

function special(shell: Shell, name: string): string | undefined {
  switch (name) {
    case '?':
      return String(shell.status);
    case '$':
      return String(shell.frame.process.pid);
    case '!':
      return shell.lastBackground === null ? '' : String(shell.lastBackground.pid);
    case '#':
      return String(shell.arguments.length);
    case '-':
      return [...shell.options].sort().join('');
    case '0':
      return shell.name;
    case '*':
    case '@':
      return shell.arguments.length === 0 ? undefined : shell.arguments.join(' ');
    default:
      return /^\d+$/.test(name) ? shell.arguments[Number(name) - 1] : shell.variables[name];
  }
}

function trim(value: string, operator: string, pattern: string): string {
  const expression = patternToRegExp(pattern, true);
  const lengths = Array.from({ length: value.length + 1 }, (_unused, index) => index);
  if (operator === '%%' || operator === '##') lengths.reverse();
  for (const length of lengths) {
    const fromEnd = operator.startsWith('%');
    const part = fromEnd ? value.slice(value.length - length) : value.slice(0, length);
    if (expression.test(part)) return fromEnd ? value.slice(0, value.length - length) : value.slice(length);
  }
  return value;
}

function* parameter(shell: Shell, part: WordPart & { kind: 'parameter' }, run: Substitute): Steps<Piece[]> {
  const { name, operator, quoted } = part;
  if (operator === '' && (name === '@' || (name === '*' && !quoted))) {
    if (shell.arguments.length === 0)
      return quoted && name === '@' ? [] : [{ text: '', quoted: false, expanded: true }];
    return shell.arguments.map((text, index) => ({ text, quoted, expanded: true, separate: index > 0 }));
  }
  const value = special(shell, name);
  const piece = (text: string): Piece[] => [{ text, quoted, expanded: true }];
  const missing = value === undefined || (operator.startsWith(':') && value === '');
  switch (operator.replace(':', '')) {
    case 'length':
      return piece(String((value ?? '').length));
    case '-':
      return missing ? yield* pieces(shell, part.word, run, quoted) : piece(value ?? '');
    case '+':
      return missing ? piece('') : yield* pieces(shell, part.word, run, quoted);
    case '=': {
      if (!missing) return piece(value ?? '');
      const text = yield* expandText(shell, part.word, run);
      assign(shell, name, text);
      return piece(text);
    }
    case '?':
      if (!missing) return piece(value ?? '');
      return fatal(shell, `${name}: ${(yield* expandText(shell, part.word, run)) || 'parameter not set'}`);
    case '%':
    case '%%':
    case '#':
    case '##':
      return piece(trim(value ?? '', operator, yield* expandPattern(shell, part.word, run)));
    default:
      if (value === undefined && shell.options.has('u') && !'@*'.includes(name))
        fatal(shell, `${name}: parameter not set`);
      return piece(value ?? '');
  }
}

function* pieces(shell: Shell, word: Word, run: Substitute, quoted = false): Steps<Piece[]> {
  const found: Piece[] = [];
  for (const part of word) {
    switch (part.kind) {
      case 'text':
        found.push({ text: part.text, quoted: part.quoted || quoted, expanded: false });
        break;
      case 'parameter':
        found.push(...(yield* parameter(shell, part, run)));
        break;
      case 'command':
        found.push({ text: (yield* run(shell, part.body)).replace(/\n+$/, ''), quoted: part.quoted, expanded: true });
        break;
      case 'arithmetic': {
        const text = yield* expandText(shell, part.expression, run);
        const result = calculate(
          text,
          (name) => special(shell, name) ?? '',
          (name, value) => assign(shell, name, value),
        );
        if (typeof result === 'string') fatal(shell, `arithmetic expression: ${result}: "${text}"`);
        found.push({ text: String(result), quoted: part.quoted, expanded: true });
      }
    }
  }
  return found;
}

/** Expand to one string without splitting: assignments, redirections, here-documents. */
export function* expandText(shell: Shell, word: Word, run: Substitute): Steps<string> {
  const found = yield* pieces(shell, withTilde(shell, word), run);
  return found.map((piece) => (piece.separate === true ? ' ' : '') + piece.text).join('');
}

/** Expand to a pattern in which quoted characters mean themselves. */
export function* expandPattern(shell: Shell, word: Word, run: Substitute): Steps<string> {
  const found = yield* pieces(shell, word, run);
  return found.map(({ text, quoted }) => (quoted ? text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`) : text)).join('');
}

function withTilde(shell: Shell, word: Word): Word {
  const [first, ...rest] = word;
  if (first?.kind !== 'text' || first.quoted || !/^~(\/|$)/.test(first.text)) return word;
  return [
    { kind: 'text', text: shell.variables['HOME'] ?? '~', quoted: true },
    { ...first, text: first.text.slice(1) },
    ...rest,
  ];
}

interface Field {
  text: string;
  /** The same with quoted pattern characters escaped. */
  pattern: string;
  wild: boolean;
  quoted: boolean;
}

const emptyField = (): Field => ({ text: '', pattern: '', wild: false, quoted: false });

class FieldSplitter {
  readonly fields: Field[] = [];
  #field: Field | null = null;
  readonly #separators: string;
  constructor(separators: string) {
    this.#separators = separators;
  }

  end(): void {
    if (this.#field !== null) this.fields.push(this.#field);
    this.#field = null;
  }

  #add(text: string, quoted: boolean): void {
    this.#field ??= emptyField();
    this.#field.text += text;
    this.#field.quoted ||= quoted;
    this.#field.pattern += quoted ? text.replaceAll(/[*?[\]\\]/g, String.raw`\$&`) : text;
    this.#field.wild ||= !quoted && /[*?[]/.test(text);
  }

  take(piece: Piece): void {
    if (piece.separate === true) this.end();
    if (piece.quoted || !piece.expanded || this.#separators === '') {
      if (piece.quoted || piece.text !== '') this.#add(piece.text, piece.quoted);
      return;
    }
    for (const char of piece.text) {
      if (!this.#separators.includes(char)) this.#add(char, false);
      else if (/\s/.test(char)) this.end();
      else {
        this.#field ??= emptyField();
        this.end();
      }
    }
  }
}

/** Expand words to the fields of a command line. */
export function* expandFields(shell: Shell, words: Word[], run: Substitute): Steps<string[]> {
  const result: string[] = [];
  for (const word of words) {
    const splitter = new FieldSplitter(shell.variables['IFS'] ?? ' \t\n');
    for (const piece of yield* pieces(shell, withTilde(shell, word), run)) splitter.take(piece);
    splitter.end();
    for (const field of splitter.fields) result.push(...glob(shell, field));
  }
  return result;
}

function glob(shell: Shell, field: Field): string[] {
  if (!field.wild || shell.options.has('f')) return [field.text];
  const { machine, directory } = shell.frame;
  const absolute = field.pattern.startsWith('/');
  const found = machine.files.glob(
    absolute ? field.pattern : `${normalize(directory)}/${field.pattern}`.replace(/^\/\//, '/'),
  );
  if (found.length === 0) return [field.text];
  const base = directory === '/' ? '/' : `${directory}/`;
  return absolute ? found : found.map((path) => path.slice(base.length));
}
