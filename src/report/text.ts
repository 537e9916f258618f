/** Words for people: escaping of foreign text, durations, dates. Everything a device or a person wrote passes through here. */

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** What a terminal takes for colours, cursor moves and window titles (ECMA-48: CSI and OSC sequences). */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const TERMINAL = /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?)/g;
/** Control characters but tab and line feed, and marks that make a line read in another order than it is written. */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const UNSEEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\u202A-\u202E\u2066-\u2069]/g;
const HALF_CHARACTER = /[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g;

/**
 * Foreign text as it reads: without terminal sequences and unseen characters, with line feeds as the only line ends, and
 * with a replacement sign for half a character (JSON encoders and Slack reject it). Never empty where the text was not.
 */
export function readable(text: string): string {
  const read = text
    .replaceAll(TERMINAL, '')
    .replaceAll(/\r\n?|[\u2028\u2029]/g, '\n')
    .replaceAll(UNSEEN, '')
    .replaceAll(HALF_CHARACTER, '\uFFFD');
  return read === '' && text !== '' ? ' ' : read;
}

/**
 * Makes foreign text readable and inert in mrkdwn: `&`, `<` and `>` become entities (so `<!channel>` and `<@U1>` are letters),
 * and runs of three or more back-ticks become quotes (so nothing opens or closes a code fence). Single back-ticks stay: the
 * texts of errors use them for commands. Source: docs.slack.dev/messaging/formatting-message-text.
 */
export function escapeMrkdwn(text: string): string {
  return readable(text)
    .replaceAll(/[&<>]/g, (sign) => ENTITIES[sign] ?? sign)
    .replaceAll(/`{3,}/g, (fence) => "'".repeat(fence.length));
}

/** Foreign text as one line of mrkdwn: escaped, line breaks turned into spaces, at most `max` characters. */
export function oneLine(text: string, max = 300): string {
  return cutMrkdwn(escapeMrkdwn(text.replaceAll(/\s+/g, ' ').trim()), max);
}

/** Foreign text as inline code; its own back-ticks become quotes. */
export function inlineCode(text: string): string {
  const inner = text.replaceAll('`', "'").replaceAll(/\s+/g, ' ').trim();
  return inner === '' ? '' : `\`${escapeMrkdwn(inner)}\``;
}

/** Foreign text as a fenced block of mrkdwn, at most `max` characters with the fences. */
export function codeBlock(text: string, max = 2900): string {
  const inner = cutMrkdwn(escapeMrkdwn(text.replace(/\n+$/, '')), max - 8);
  return `\`\`\`\n${inner}\n\`\`\``;
}

/** Cuts escaped mrkdwn to `max` characters without leaving half an entity, half a mention, or an open fence. */
export function cutMrkdwn(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = wholeCharacters(text.slice(0, Math.max(0, max - 5)))
    .replace(/&[a-z]{0,4}$/, '')
    .replace(/<[^<>]*$/, '');
  const openFence = cut.split('```').length % 2 === 0;
  return openFence ? `${cut.replace(/`+$/, '')}…\`\`\`` : `${cut}…`;
}

/** Cuts plain text (headers, labels, cells) to `max` characters. */
export function cutPlain(text: string, max: number): string {
  return text.length <= max ? text : `${wholeCharacters(text.slice(0, Math.max(0, max - 1)))}…`;
}

/** Drops half a surrogate pair at the end: JSON encoders and Slack reject it. */
function wholeCharacters(text: string): string {
  return text.replace(/[\uD800-\uDBFF]$/, '');
}

/** A duration as on a stop watch, for limits: `1:20`, `1:05:00`. */
export function stopwatch(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const tail = String(seconds % 60).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}:${tail}`;
  return `${Math.floor(seconds / 3600)}:${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')}:${tail}`;
}

/** A time that each reader sees in their own zone, with UTC as the fallback text. */
export function slackDate(ms: number, form: 'time' | 'day-and-time' = 'time'): string {
  const token = form === 'time' ? '{time}' : '{date_short_pretty} {time}';
  return `<!date^${Math.floor(ms / 1000)}^${token}|${dateFallback(ms, form)}>`;
}

/** What a client shows that cannot show dates: `2026-11-22 14:00 UTC`. */
export function dateFallback(ms: number, form: 'time' | 'day-and-time' = 'time'): string {
  const iso = new Date(ms).toISOString();
  return `${iso.slice(0, form === 'time' ? 16 : 19).replace('T', ' ')} UTC`;
}

export const ISO_TIME = /\b\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z/g;
/** As `planTime` writes it: to the minute. */
const PLAN_TIME_LENGTH = '2026-11-24T22:00Z'.length;

/**
 * Sentences of dpubot itself (reasons, failures) as one line of mrkdwn: escaped as `oneLine` does, and points in time
 * (ISO 8601, UTC) outside inline code become dates in the reader's zone; those written to the minute show their day too.
 */
export function prose(text: string, max = 300): string {
  const parts = oneLine(text, max).split('`');
  return parts.map((part, index) => (index % 2 === 0 ? part.replaceAll(ISO_TIME, dateMark) : part)).join('`');
}

function dateMark(iso: string): string {
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? iso : slackDate(ms, isPlanTime(iso) ? 'day-and-time' : 'time');
}

/** True for a point in time that may lie days away. */
export function isPlanTime(iso: string): boolean {
  return iso.length === PLAN_TIME_LENGTH;
}

/** Text with every fingerprint in it (40 or more hexadecimal digits) cut to its first 16 digits. */
export function shortHashes(text: string): string {
  return text.replaceAll(/\b([0-9a-f]{16})[0-9a-f]{24,}\b/gi, '$1…');
}

/** A mention of a person of the chat by id; an id of an unexpected form is shown as text and pings nobody. */
export function mention(userId: string): string {
  return /^[UW][A-Z0-9]{1,20}$/.test(userId) ? `<@${userId}>` : escapeMrkdwn(userId);
}

/** `1 step`, `2 steps`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `a`, `a and b`, `a, b and 3 more`. The names are escaped. */
export function nameList(names: readonly string[], max = 8): string {
  return escapeMrkdwn(plainList(names, max));
}

/** As `nameList`, for places where nothing is parsed. */
export function plainList(names: readonly string[], max = 8): string {
  const shown = names.slice(0, max);
  const rest = names.length - shown.length;
  if (rest > 0) return `${shown.join(', ')} and ${rest} more`;
  if (shown.length < 2) return shown.join('');
  return `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`;
}
