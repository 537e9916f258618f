import { parse } from 'shell-quote';
import { errors } from '../src/errors.ts';

/** Slack cuts slash text at 4,000 characters; nothing a person types here needs half of that. */
const MAX_LINE_CHARS = 2000;

/**
 * Splits what a person typed into words as a shell would, with what chat clients do to text undone: curly quotes, dashes
 * joined to one long dash before a flag, exotic blanks. Nothing is expanded: operators and variables are refused
 * (command-invalid), because a person who types them expects something that does not happen here.
 */
export function splitWords(text: string): string[] {
  const line = straighten(text);
  if (line.length > MAX_LINE_CHARS)
    throw errors.commandInvalid({
      what: `The line has ${line.length} characters.`,
      why: `At most ${MAX_LINE_CHARS} are read.`,
      next: 'Shorten it. Nothing was started.',
    });
  const { open, escaped } = scanQuotes(line);
  if (open !== undefined)
    throw errors.commandInvalid({
      what: `A quote is opened and not closed: ${open}`,
      why: 'So it is not clear where the text ends.',
      next: 'Close it; a text with an apostrophe goes into double quotes: --reason "ana\'s card". Nothing was started.',
    });
  return plainWords(escaped).map(unjoinDash);
}

/** Writes words as one line that splits into the same words again. */
export function joinWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w#:@%+=,./*?[\]-]+$/.test(word) && !word.endsWith(',') ? word : quoteWord(word)))
    .join(' ');
}

function quoteWord(word: string): string {
  if (!/["$`\\]/.test(word)) return `"${word}"`;
  return `'${word.replaceAll("'", `'"'"'`)}'`;
}

function straighten(text: string): string {
  return (
    text
      // Zero-width characters, soft hyphens and direction marks come with copied text and are invisible in an error.
      .replaceAll(/[\u00AD\u200B-\u200F\u202A-\u202E\u2060\uFEFF]/g, '')
      .replaceAll(/[\s\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]+/g, ' ')
      .replaceAll(/[\u201C\u201D\u201E\u201F\u2033\uFF02]/g, '"')
      // Between two letters it is an apostrophe ("ana's"), elsewhere a quote.
      .replaceAll(/(?<![\p{L}\p{N}])[\u2018\u2019\u201A\u201B]|[\u2018\u2019\u201A\u201B](?![\p{L}\p{N}])/gu, "'")
      .trim()
  );
}

/**
 * Walks over quotes as a shell does. Returns the quote that is still open at the end, which shell-quote would drop
 * silently, and the line with every bare `#` escaped, which shell-quote would take for a comment, also inside a word:
 * people write run numbers as #418. The blank after a bare comma goes: a list is one word, as in `rack1, as9`.
 */
function scanQuotes(line: string): { readonly open: string | undefined; readonly escaped: string } {
  let open: string | undefined;
  let escaped = '';
  for (let index = 0; index < line.length; index++) {
    const char = line.charAt(index);
    if (open === undefined && char === ' ' && line[index - 1] === ',' && line[index + 1] !== '-') continue;
    escaped += open === undefined && char === '#' ? '\\#' : char;
    if (char === '\\' && open !== "'") escaped += line.charAt(++index);
    else if (open === undefined && (char === '"' || char === "'")) open = char;
    else if (char === open) open = undefined;
  }
  return { open, escaped };
}

function plainWords(line: string): string[] {
  let entries;
  try {
    entries = parse<{ readonly variable: string }>(line, (name) => ({ variable: name }));
  } catch {
    throw refused('${', 'A variable');
  }
  return entries.flatMap((entry): string[] => {
    if (typeof entry === 'string') return [entry];
    if ('comment' in entry) throw refused('#', 'A comment');
    if ('variable' in entry) throw refused(`$${entry.variable}`, 'A variable');
    // Targets may be patterns; which names they fit is asked of the inventory, never of a file system.
    if (entry.op === 'glob') return 'pattern' in entry ? [entry.pattern] : [];
    throw refused(entry.op, 'An operator');
  });
}

function unjoinDash(word: string): string {
  return /^[\u2012-\u2015\u2212]{1,2}[A-Za-z][A-Za-z-]*(=|$)/.test(word)
    ? word.replace(/^[\u2012-\u2015\u2212]+/, '--')
    : word;
}

function refused(shown: string, kind: string): Error {
  return errors.commandInvalid({
    what: `${kind} is in the line: ${shown}`,
    why: 'dpubot does not expand or combine commands.',
    next: `Put text with special characters into single quotes: --reason 'why?'. Nothing was started.`,
  });
}
