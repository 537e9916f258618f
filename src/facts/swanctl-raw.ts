import { errors } from '../errors.ts';

/** A section of what `swanctl ... --raw` prints: its own values as text, and the sections in it. */
export interface RawSection {
  readonly name: string;
  readonly values: string;
  readonly sections: readonly RawSection[];
}

/** What is asked for: `list-sa event {...}` a line, and `list-sas reply {...}` at the end. */
export interface RawQuery {
  readonly source: string;
  readonly event: string;
  readonly reply: string;
}

/**
 * Parses the dump of a vici answer. The reply is its last line: without it the output is not complete, and no associations
 * would look like none. Errors: output-unreadable. Source: strongSwan src/libcharon/plugins/vici, vici_dump.
 */
export function parseRaw(target: string, { source, event, reply }: RawQuery, text: string): readonly RawSection[] {
  const fail = (problem: string): never => {
    throw errors.outputUnreadable({ target, source, problem, evidence: text.slice(0, 400) });
  };
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const last = lines.pop();
  if (last === undefined || !last.startsWith(`${reply} reply {`) || !last.endsWith('}'))
    return fail('it does not end with the reply');
  return lines.flatMap((line) => {
    const begin = `${event} event {`;
    if (!line.startsWith(begin) || !line.endsWith('}')) return fail(`a line that is no ${event}`);
    return sectionsOf(line.slice(begin.length, -1)) ?? fail('a section that does not end');
  });
}

/** The value of a key: one word, or a list without its brackets. Undefined: it is not there. */
export function rawValue({ values }: RawSection, key: string): string | undefined {
  const found = new RegExp(String.raw`(?:^|\s)${key}=(?:\[([^\]]*)\]|(\S*))`).exec(values);
  return found?.[1] ?? found?.[2];
}

interface Open {
  name: string;
  values: string;
  sections: RawSection[];
}

/** Undefined: braces that do not belong together. */
function sectionsOf(text: string): readonly RawSection[] | undefined {
  const root: Open = { name: '', values: '', sections: [] };
  const stack: Open[] = [root];
  for (const [piece] of text.matchAll(/[{}]|[^{}]+/g)) {
    const top = stack.at(-1);
    if (top === undefined) return undefined;
    if (piece === '{') {
      const [, before = '', name = ''] = /^([\s\S]*?)(\S*)\s*$/.exec(top.values) ?? [];
      top.values = before;
      stack.push({ name, values: '', sections: [] });
    } else if (piece === '}') {
      stack.pop();
      stack.at(-1)?.sections.push({ ...top, values: top.values.trim() });
    } else top.values += piece;
  }
  return stack.length === 1 && stack[0] === root ? root.sections : undefined;
}
