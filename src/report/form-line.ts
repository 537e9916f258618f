/** The line that a form stands for: what a person would have typed after `/dpu`. */

/** One thing that was given in a form; a flag without a value is a switch. */
export type FormWord =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'flag'; readonly name: string; readonly value?: string };

/**
 * Writes what was given as one line that the validator of typed lines splits into exactly these words. Blanks in a row
 * count as one, and curly quotes are written as straight ones: the validator reads them so in every line.
 */
export function formLine(start: string, words: readonly FormWord[]): string {
  return [start, ...words.map(wordText)].join(' ').trim();
}

function wordText(word: FormWord): string {
  if (word.kind === 'word') return quoted(word.text);
  if (word.value === undefined) return `--${word.name}`;
  // A value that looks like a flag would be taken for one where it stands alone.
  const looksLikeFlag = /^\p{Dash}/u.test(word.value.trim());
  return looksLikeFlag ? quoted(`--${word.name}=${word.value}`) : `--${word.name} ${quoted(word.value)}`;
}

/** In single quotes unless it is plain; nothing is special between them. */
function quoted(word: string): string {
  const text = word
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\u201C\u201D\u201E\u201F\u2033\uFF02]/g, '"')
    .replaceAll(/[\u2018\u2019\u201A\u201B]/g, "'")
    .trim();
  if (/^[\w#:@%+=,./-]+$/.test(text)) return text;
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}
