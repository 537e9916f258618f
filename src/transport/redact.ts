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
  const known = new KnownForms();
  const redactKnown = (text: string): string => known.remove(text);
  return {
    add: (secret) => {
      for (const form of formsOf(secret.reveal())) known.add(form);
    },
    redactKnown,
    redact: (text) => patterns.reduce((rest, [pattern, by]) => rest.replace(pattern, by), redactKnown(text)),
  };
}

const gateSize = 1 << 16;

/**
 * Finds thousands of forms in one pass over a text. A worker learns new ones with every session, so nothing is put together
 * anew when one is added, as a pattern of all of them would have to be.
 */
class KnownForms {
  readonly #forms = new Set<string>();
  /** How long the forms with the same first characters are, the longest first: a short one never breaks up a longer one. */
  readonly #lengths = new Map<string, readonly number[]>();
  /** Of nearly all places in a text this tells that no form begins there. */
  readonly #gate = new Uint8Array(gateSize);

  add(form: string): void {
    this.#forms.add(form);
    this.#gate[gateOf(form, 0)] = 1;
    const start = form.slice(0, shortestSecret);
    const lengths = this.#lengths.get(start) ?? [];
    if (lengths.includes(form.length)) return;
    this.#lengths.set(
      start,
      [...lengths, form.length].sort((a, b) => b - a),
    );
  }

  remove(text: string): string {
    let kept = '';
    let keptTo = 0;
    for (let at = 0; at + shortestSecret <= text.length; at += 1) {
      const form = this.#at(text, at);
      if (form === undefined) continue;
      kept += text.slice(keptTo, at) + mark;
      keptTo = at + form.length;
      at = keptTo - 1;
    }
    return keptTo === 0 ? text : kept + text.slice(keptTo);
  }

  #at(text: string, at: number): string | undefined {
    if (this.#gate[gateOf(text, at)] === 0) return undefined;
    const lengths = this.#lengths.get(text.slice(at, at + shortestSecret)) ?? [];
    for (const length of lengths) {
      const form = text.slice(at, at + length);
      if (this.#forms.has(form)) return form;
    }
    return undefined;
  }
}

function gateOf(text: string, at: number): number {
  return (text.charCodeAt(at) ^ (text.charCodeAt(at + 1) << 5) ^ (text.charCodeAt(at + 2) << 10)) & (gateSize - 1);
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
