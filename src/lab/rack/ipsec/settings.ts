/**
 * Files of strongSwan's settings syntax as trees: sections in braces, `key = value` lines, comments, includes with globs.
 *
 * Source: strongswan.conf(5) "File format"; settings_parser.y (a section that comes twice is merged, a key that comes twice
 * has its last value).
 */
import type { Files } from '../files/files.ts';
import { parentOf, patternToRegExp } from '../files/paths.ts';

/** A section: values and sections in it, by name. */
export interface Section {
  values: Record<string, string>;
  sections: Record<string, Section>;
}

/** Text that is no settings file. */
export class SettingsError extends Error {}

const root = { user: 'root', root: true };

/** An empty section. */
export function emptySection(): Section {
  return { values: {}, sections: {} };
}

interface Token {
  kind: 'open' | 'close' | 'name' | 'value' | 'include';
  text: string;
  line: number;
}

function wrong(path: string, line: number, text: string): SettingsError {
  return new SettingsError(`${path}:${line}: syntax error, unexpected ${text}`);
}

/** Words of a file: braces, names, `=` with its value; newlines do not count outside of values. */
function* tokens(path: string, text: string): Generator<Token> {
  const pattern =
    /#[^\n]*|\s+|\{|\}|include[ \t]+("[^"]*"|[^\n#}]+)|=[ \t]*("(?:[^"\\]|\\.)*"|[^\n#}]*)|[^\s{}=#:.,"]+/gy;
  let line = 1;
  for (let at = 0; at < text.length;) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) throw wrong(path, line, text.charAt(at));
    at = pattern.lastIndex;
    const [whole, included, value] = match;
    const plain = (quoted: string): string =>
      quoted
        .trim()
        .replace(/^"(.*)"$/s, '$1')
        .replaceAll(/\\(.)/g, '$1');
    if (whole === '{') yield { kind: 'open', text: whole, line };
    else if (whole === '}') yield { kind: 'close', text: whole, line };
    else if (included !== undefined) yield { kind: 'include', text: plain(included), line };
    else if (value !== undefined) yield { kind: 'value', text: plain(value), line };
    else if (!/^[\s#]/.test(whole)) yield { kind: 'name', text: whole, line };
    line += whole.split('\n').length - 1;
  }
}

function included(files: Files, pattern: string, from: string, notes: string[]): string[] {
  const path = pattern.startsWith('/') ? pattern : `${parentOf(from)}/${pattern}`;
  const folder = parentOf(path);
  const fits = patternToRegExp(path.slice(folder.length + 1), true);
  const found = (files.find(folder) === null ? [] : files.list(folder))
    .filter((each) => fits.test(each) && !each.startsWith('.'))
    .sort()
    .map((each) => `${folder}/${each}`)
    .filter((each) => files.find(each)?.kind === 'file');
  if (found.length === 0) notes.push(`no files found matching '${path}'`);
  return found;
}

/** Read a file with everything it includes into a section; `notes` gets what the reader says of it. Throws SettingsError. */
export function readSettings(
  files: Files,
  path: string,
  into: Section = emptySection(),
  notes: string[] = [],
): Section {
  const stack: Section[] = [into];
  let name: string | null = null;
  for (const { kind, text, line } of tokens(path, files.read(path, root))) {
    const section = stack.at(-1);
    if (section === undefined) throw wrong(path, line, "'}'");
    if (kind === 'name') {
      if (name !== null) throw wrong(path, line, 'NAME');
      name = text;
    } else if (kind === 'include') {
      for (const each of included(files, text, path, notes)) readSettings(files, each, section, notes);
    } else if (kind === 'close') {
      stack.pop();
    } else {
      if (name === null) throw wrong(path, line, kind === 'value' ? "'='" : "'{'");
      if (kind === 'value') section.values[name] = text;
      else stack.push((section.sections[name] ??= emptySection()));
      name = null;
    }
  }
  if (stack.length !== 1 || name !== null)
    throw new SettingsError("syntax error, unexpected end of file, expecting NAME or NEWLINE or '}'");
  return into;
}
