/**
 * `sed`: s, d, p, q, a, i, c, y, = with addresses; -n, -e, -E/-r, -i, -s.
 *
 * Source: POSIX.1-2017 XCU sed; GNU sed 4.8 messages.
 */
import { complain, out } from '../shell/descriptors.ts';
import type { Frame, Program } from '../shell/types.ts';
import { at, attempt } from './file-tools.ts';
import { parseOptions } from './options.ts';
import { posixRegExp } from './regex.ts';
import { inputs, linesOf } from './text-tools.ts';

type Address = { kind: 'line'; line: number } | { kind: 'last' } | { kind: 'match'; pattern: RegExp };

interface Edit {
  from: Address | null;
  to: Address | null;
  negated: boolean;
  name: string;
  pattern: RegExp | null;
  text: string;
  flags: string;
  active: boolean;
}

class BadScript extends Error {}

function delimited(script: string, start: number): { text: string; end: number } {
  const mark = script[start] ?? '';
  let text = '';
  let at = start + 1;
  for (; at < script.length && script[at] !== mark; at += 1) {
    if (script[at] === '\\' && script[at + 1] === mark && mark !== '\\') at += 1;
    else if (script[at] === '\\') {
      text += script[at] ?? '';
      at += 1;
    }
    text += script[at] ?? '';
  }
  if (at >= script.length) throw new BadScript("unterminated `s' command");
  return { text, end: at };
}

function compile(pattern: string, extended: boolean, flags = ''): RegExp {
  const expression = posixRegExp(pattern, extended, flags);
  if (expression === null) throw new BadScript('Invalid regular expression');
  return expression;
}

function readAddress(script: string, start: number, extended: boolean): { address: Address | null; end: number } {
  const number = /^\d+/.exec(script.slice(start))?.[0];
  if (number !== undefined) return { address: { kind: 'line', line: Number(number) }, end: start + number.length };
  if (script[start] === '$') return { address: { kind: 'last' }, end: start + 1 };
  if (script[start] !== '/') return { address: null, end: start };
  const { text, end } = delimited(script, start);
  return { address: { kind: 'match', pattern: compile(text, extended) }, end: end + 1 };
}

function parseScript(script: string, extended: boolean): Edit[] {
  const edits: Edit[] = [];
  let at = 0;
  for (;;) {
    at += /^[\s;}]*/.exec(script.slice(at))?.[0].length ?? 0;
    if (at >= script.length) return edits;
    const first = readAddress(script, at, extended);
    at = first.end;
    let to: Address | null = null;
    if (script[at] === ',') ({ address: to, end: at } = readAddress(script, at + 1, extended));
    at += /^\s*/.exec(script.slice(at))?.[0].length ?? 0;
    const negated = script[at] === '!';
    if (negated) at += 1;
    const edit: Edit = {
      from: first.address,
      to,
      negated,
      name: script[at] ?? '',
      pattern: null,
      text: '',
      flags: '',
      active: false,
    };
    at += 1;
    if (edit.name === 's' || edit.name === 'y') {
      const pattern = delimited(script, at);
      const replacement = delimited(script, pattern.end);
      edit.flags = /^[gpIi\d]*/.exec(script.slice(replacement.end + 1))?.[0] ?? '';
      edit.pattern = edit.name === 's' ? compile(pattern.text, extended, /[iI]/.test(edit.flags) ? 'gi' : 'g') : null;
      edit.text = edit.name === 's' ? replacement.text : `${pattern.text}\u0000${replacement.text}`;
      at = replacement.end + 1 + edit.flags.length;
    } else if ('aic'.includes(edit.name)) {
      const end = script.indexOf('\n', at);
      edit.text = script.slice(at, end === -1 ? script.length : end).replace(/^\s*\\?\s*/, '');
      at = end === -1 ? script.length : end;
    } else if (!'dpqD='.includes(edit.name)) throw new BadScript(`unknown command: \`${edit.name}'`);
    edits.push(edit);
  }
}

function replaceText(edit: Edit, line: string): { line: string; hit: boolean } {
  const nth = Number(/\d+/.exec(edit.flags)?.[0] ?? '1');
  const all = edit.flags.includes('g');
  let count = 0;
  let hit = false;
  const result = line.replaceAll(edit.pattern ?? /$^/g, (whole: string, ...groups: unknown[]) => {
    count += 1;
    if (count < nth || (!all && count > nth)) return whole;
    hit = true;
    return edit.text.replaceAll(
      /\\([0-9n&\\tr])|\\(.)|&/g,
      (part, code: string | undefined, other: string | undefined) => {
        if (part === '&' || code === '0') return whole;
        if (other !== undefined) return other;
        if (code === 'n') return '\n';
        if (code === 't') return '\t';
        if (code === '&' || code === '\\' || code === 'r') return code === 'r' ? '\r' : code;
        const group = groups[Number(code) - 1];
        return typeof group === 'string' ? group : '';
      },
    );
  });
  return { line: result, hit };
}

function addressed(address: Address, line: string, number: number, last: boolean): boolean {
  if (address.kind === 'line') return address.line === number;
  return address.kind === 'last' ? last : address.pattern.test(line);
}

function applies(edit: Edit, line: string, number: number, last: boolean): boolean {
  if (edit.from === null) return true;
  if (edit.to === null) return addressed(edit.from, line, number, last);
  if (edit.active) {
    if (addressed(edit.to, line, number, last) || (edit.to.kind === 'line' && number >= edit.to.line))
      edit.active = false;
    return true;
  }
  if (!addressed(edit.from, line, number, last)) return false;
  edit.active = !(edit.to.kind === 'line' && edit.to.line <= number);
  return true;
}

function run(edits: Edit[], text: string, quiet: boolean): string {
  let result = '';
  const lines = linesOf(text);
  for (const [index, original] of lines.entries()) {
    let line: string | null = original;
    let after = '';
    let quit = false;
    for (const edit of edits) {
      if (line === null || applies(edit, line, index + 1, index === lines.length - 1) === edit.negated) continue;
      if (edit.name === 'd') line = null;
      else if (edit.name === 'p') result += `${line}\n`;
      else if (edit.name === '=') result += `${index + 1}\n`;
      else if (edit.name === 'a') after += `${edit.text}\n`;
      else if (edit.name === 'i') result += `${edit.text}\n`;
      else if (edit.name === 'c') {
        result += `${edit.text}\n`;
        line = null;
      } else if (edit.name === 'q') {
        quit = true;
        break;
      } else if (edit.name === 'y') {
        const [from = '', to = ''] = edit.text.split('\u0000');
        line = line
          .split('')
          .map((char) => (from.includes(char) ? (to[from.indexOf(char)] ?? char) : char))
          .join('');
      } else {
        const replaced = replaceText(edit, line);
        ({ line } = replaced);
        if (replaced.hit && edit.flags.includes('p')) result += `${line}\n`;
      }
    }
    if (line !== null && !quiet) result += line + (index < lines.length - 1 || text.endsWith('\n') ? '\n' : '');
    result += after;
    if (quit) break;
  }
  return result;
}

function edits(frame: Frame, script: string, extended: boolean): Edit[] | null {
  try {
    return parseScript(script, extended);
  } catch (error) {
    if (!(error instanceof BadScript)) throw error;
    complain(frame, `sed: -e expression #1, char ${script.length}: ${error.message}\n`);
    return null;
  }
}

/** The program. */
export const sed: Program = function* program(frame, args) {
  const inPlace = args.some((arg) => /^-[nEr]*i/.test(arg) || arg.startsWith('--in-place'));
  const plain = args
    .filter((arg) => !arg.startsWith('-i') && !arg.startsWith('--in-place'))
    .map((arg) => arg.replace(/^-([nEr]+)i$/, '-$1'));
  const options = parseOptions(frame, 'sed', plain, {
    flags: 'n quiet=n E r=E regexp-extended=E s u',
    values: 'e expression=e f',
  });
  if (options === null) return 1;
  const several = plain.flatMap((arg, index) => (arg === '-e' ? [plain[index + 1] ?? ''] : []));
  const script = several.length > 0 ? several.join('\n') : (options.values['e'] ?? options.rest.shift() ?? '');
  const parsed = edits(frame, script, options.flags.has('E'));
  if (parsed === null) return 1;
  let status = 0;
  const files = yield* inputs(frame, "sed: can't read", options.rest);
  if (!inPlace) {
    if (files.some(({ text }) => text === null)) status = 2;
    out(frame, run(parsed, files.map(({ text }) => text ?? '').join(''), options.flags.has('n')));
    return status;
  }
  for (const { name, text } of files) {
    const written =
      text !== null &&
      attempt(frame, `sed: couldn't open file ${name}`, () =>
        frame.machine.files.write(at(frame, name), run(parsed, text, options.flags.has('n')), frame),
      );
    if (!written) status = 4;
  }
  return status;
};
