import type { Secret } from '../domain/secret.ts';
import { quoteWord } from './ssh/quote.ts';

/** Takes secrets out of text. Everything that leaves transport as an error, evidence or log line passes `redact`. */
export interface Redactor {
  /** From now on this value, and each of its usual encodings, is removed. */
  add(secret: Secret): void;
  /** Removes known secrets and whatever looks like one (headers, password fields, crypt hashes, private keys). */
  redact(text: string): string;
  /** Removes known secrets only: for output that a parser reads, where a pattern could hit something harmless. */
  redactKnown(text: string): string;
}

/** What stands in the place of a secret. */
const mark = '[redacted]';

/** Published factory logins: removing them would hide ordinary words and protect nothing. */
const publicKnowledge: ReadonlySet<string> = new Set(['0penBmc', 'ubuntu', 'bluefield', 'root']);
/** Shorter values would be found everywhere in ordinary text. */
const shortestSecret = 6;
const shortestFragment = 8;

const fields = String.raw`(?:[\w-]*(?:password|passphrase|secret|token)|authorization|cookie)`;

/** A string may be cut off at the end of an excerpt: then everything up to there goes. */
const patterns: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, mark],
  [/AGE-SECRET-KEY-1[0-9A-Z]{20,}/gi, mark],
  [/\bx(?:ox[a-z]|app)-[A-Za-z0-9-]{10,}/g, mark],
  [/\$(?:1|2[abxy]?|5|6|7|y|gy|sha1|argon2\w*)\$[./A-Za-z0-9$=,+-]{8,}/g, mark],
  // A JSON field, and the same inside of a JSON string.
  [new RegExp(String.raw`("${fields}"\s*:\s*)"(?:[^"\\]|\\.)*(?:"|\\?$)`, 'gis'), `$1"${mark}"`],
  [
    new RegExp(String.raw`(\\"${fields}\\"\s*:\s*)\\"(?:[^"\\]|\\\\(?:\\[\\"]|[^"\\]))*(?:\\"|\\*$)`, 'gis'),
    `$1\\"${mark}\\"`,
  ],
  [/\b((?:proxy-)?authorization|x-auth-token|(?:set-)?cookie)(\s*[:=]\s*)(?!["[])[^\r\n"']+/gi, `$1$2${mark}`],
  [/\b(pass(?:word|wd|phrase))(\s*[:=]\s*)(?!["[])\S+/gi, `$1$2${mark}`],
];

/** A redactor that knows nothing yet but the general patterns. */
export function createRedactor(): Redactor {
  const forms = new Set<string>();
  let known: RegExp | undefined;

  function redactKnown(text: string): string {
    if (forms.size === 0) return text;
    // Longest first, so that a short form never breaks up a longer one around it.
    known ??= new RegExp(
      [...forms]
        .sort((a, b) => b.length - a.length)
        .map(escapeRegExp)
        .join('|'),
      'g',
    );
    return text.replace(known, mark);
  }

  return {
    add(secret) {
      const before = forms.size;
      for (const form of formsOf(secret.reveal())) forms.add(form);
      if (forms.size > before) known = undefined;
    },
    redactKnown,
    redact: (text) => patterns.reduce((rest, [pattern, by]) => rest.replace(pattern, by), redactKnown(text)),
  };
}

/** The encodings in which a secret shows up in logs and replies; nothing for published or very short values. */
function formsOf(value: string): readonly string[] {
  if (value.length < shortestSecret || publicKnowledge.has(value)) return [];
  // A key or certificate file leaks line by line; its frame lines are no secret.
  const lines = value.split(/\r?\n/).filter((line) => line.length >= 16 && !line.startsWith('-----'));
  const wholes = value.includes('\n') ? [value, value.trim(), ...lines] : [value];
  return wholes.flatMap((whole) => {
    const json = JSON.stringify(whole).slice(1, -1);
    const url = percentEncoded(whole);
    return [
      whole,
      json,
      JSON.stringify(json).slice(1, -1),
      ...url,
      quoteWord(whole.replaceAll('\0', '')).replace(/^'|'$/g, ''),
      ...base64Forms(whole),
    ].filter((form) => form.length >= shortestSecret);
  });
}

function percentEncoded(text: string): readonly string[] {
  // By way of bytes: encodeURIComponent throws on half a surrogate pair.
  const component = encodeURIComponent(Buffer.from(text, 'utf8').toString('utf8'));
  const strict = component.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const lower = (form: string): string => form.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
  const forms = [component, strict, new URLSearchParams({ v: text }).toString().slice(2)];
  return forms.flatMap((form) => [form, lower(form)]);
}

/**
 * Base64 and base64url of the whole value, and of its inner part at each of the three alignments it can have inside a
 * longer encoded text (`root:` + password in an Authorization header, say).
 */
function base64Forms(text: string): readonly string[] {
  const bytes = Buffer.from(text, 'utf8');
  const whole = bytes.toString('base64').replace(/=+$/, '');
  const inner = [0, 1, 2].map((shift) => {
    const start = shift === 0 ? 0 : 3 - shift;
    const end = start + Math.floor((bytes.length - start) / 3) * 3;
    return bytes.subarray(start, end).toString('base64');
  });
  const forms = [whole, ...inner.filter((form) => form.length >= shortestFragment)];
  return forms.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
}
