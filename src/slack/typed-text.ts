/**
 * What a person typed, from the text of a message event: the mention of the bot is taken away, links are what was written,
 * and the three escaped characters are themselves again. Source: docs.slack.dev/messaging/formatting-message-text.
 */
export function typedText(text: string, botUserId: string): string {
  return text
    .replace(new RegExp(`<@${botUserId}(\\|[^>]*)?>`), ' ')
    .replaceAll(/<([^<>]*)>/g, (_, inner: string) => linkText(inner))
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .trim()
    .replace(CODE, '$2')
    .trim();
}

/** Commands are often pasted as code: a line all in back-ticks is the line. */
const CODE = /^(`{1,3})([^`]*)\1$/;

/** `#C1|lab` is #lab, `@U1|ana` is @ana, `http://as7|as7` is as7, `mailto:x@y|x@y` is x@y. */
function linkText(inner: string): string {
  const bar = inner.indexOf('|');
  const [target, label] = bar === -1 ? [inner, ''] : [inner.slice(0, bar), inner.slice(bar + 1)];
  const sign = /^[#@]/.exec(target)?.[0] ?? '';
  if (label !== '') return sign !== '' && !label.startsWith(sign) ? `${sign}${label}` : label;
  if (target.startsWith('!')) return `@${target.slice(1).replace(/^subteam\^/, '')}`;
  return target.replace(/^mailto:/, '');
}

const runVerbs = ['approve', 'reject', 'cancel', 'resume', 'done', 'details', 'run'];

/** In the thread of a run its number goes without saying: `cancel` is `cancel 418`. */
export function withRun(line: string, runId: number): string {
  const [verb = '', next = ''] = line.split(/\s+/);
  const isMeant = runVerbs.includes(verb.toLowerCase()) && !/^#?\d/.test(next);
  return isMeant ? `${verb} ${runId}${line.slice(verb.length)}` : line;
}
