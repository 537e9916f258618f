/**
 * Slack's mrkdwn as a tree (docs.slack.dev/messaging/formatting-message-text). Pure: text in, plain objects out.
 * A node is `{type, text?, children?, ...}`; types: text, bold, italic, strike, code, pre, quote, break, link, user,
 * channel, group, broadcast, date, emoji.
 */

/** Parses mrkdwn text. */
export function parseMrkdwn(text) {
  return splitFences(text).flatMap((part) =>
    part.isPre ? [{ type: 'pre', text: unescape(part.text.replace(/^\n|\n$/g, '')) }] : parseLines(part.text),
  );
}

/** Undoes Slack's three escapes. */
export function unescape(text) {
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}

/** Emoji codes in plain text, as nodes. */
export function parsePlain(text) {
  return splitBy(
    unescape(text),
    /:([a-z0-9_+'-]+):/g,
    (match) => ({ type: 'emoji', name: match[1] }),
    (rest) => withBreaks(rest),
  );
}

function splitFences(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(/```([\s\S]+?)```/g)) {
    parts.push({ isPre: false, text: text.slice(from, match.index).replace(/\n$/, '') });
    parts.push({ isPre: true, text: match[1] });
    from = match.index + match[0].length;
  }
  const rest = text.slice(from);
  parts.push({ isPre: false, text: from === 0 ? rest : rest.replace(/^\n/, '') });
  return parts.filter((part) => part.text !== '');
}

function parseLines(text) {
  const nodes = [];
  let quoted = [];
  const endQuote = () => {
    if (quoted.length > 0) {
      nodes.push({ type: 'quote', children: joinLines(quoted) });
      quoted = [];
    }
  };
  let plain = [];
  const endPlain = () => {
    if (plain.length > 0) {
      nodes.push(...joinLines(plain));
      plain = [];
    }
  };
  for (const line of text.split('\n')) {
    const quote = /^(?:&gt;|>)\s?(.*)$/.exec(line);
    if (quote === null) {
      endQuote();
      plain.push(line);
    } else {
      endPlain();
      quoted.push(quote[1]);
    }
  }
  endQuote();
  endPlain();
  return nodes;
}

function joinLines(lines) {
  return lines.flatMap((line, index) => [...(index > 0 ? [{ type: 'break' }] : []), ...parseInline(line)]);
}

function parseInline(text) {
  return splitBy(
    text,
    /`([^`\n]+)`/g,
    (match) => ({ type: 'code', text: unescape(match[1]) }),
    (rest) => splitBy(rest, /<([^<>\n]+)>/g, (match) => parseReference(match[1]), parseStyles),
  );
}

const styles = [
  { type: 'bold', mark: '*' },
  { type: 'italic', mark: '_' },
  { type: 'strike', mark: '~' },
];

function parseStyles(text) {
  for (const { type, mark } of styles) {
    const pattern = new RegExp(
      `(?<![\\w\\${mark}])\\${mark}(?!\\s)([^\\${mark}\\n]*[^\\s\\${mark}])\\${mark}(?![\\w\\${mark}])`,
      'g',
    );
    if (pattern.test(text)) {
      pattern.lastIndex = 0;
      return splitBy(text, pattern, (match) => ({ type, children: parseStyles(match[1]) }), parseStyles);
    }
  }
  return parsePlain(text);
}

function parseReference(inside) {
  const [target, ...labels] = inside.split('|');
  const label = labels.length > 0 ? unescape(labels.join('|')) : undefined;
  if (target.startsWith('@')) {
    return { type: 'user', id: target.slice(1), text: label };
  }
  if (target.startsWith('#')) {
    return { type: 'channel', id: target.slice(1), text: label };
  }
  if (target.startsWith('!subteam^')) {
    return { type: 'group', id: target.slice('!subteam^'.length), text: label };
  }
  if (target.startsWith('!date^')) {
    const [, seconds, format, url] = target.split('^');
    return { type: 'date', seconds: Number(seconds), format: unescape(format ?? ''), url, text: label };
  }
  if (target.startsWith('!')) {
    return { type: 'broadcast', text: target.slice(1) };
  }
  if (!/^(https?:|mailto:)/i.test(target)) {
    // Not an address: shown as it came, so that forgotten escaping is seen.
    return { type: 'text', text: unescape(`<${inside}>`) };
  }
  return { type: 'link', url: unescape(target), children: [{ type: 'text', text: label ?? unescape(target) }] };
}

function withBreaks(text) {
  return text
    .split('\n')
    .flatMap((line, index) => [
      ...(index > 0 ? [{ type: 'break' }] : []),
      ...(line === '' ? [] : [{ type: 'text', text: line }]),
    ]);
}

/** Cuts text at each match: matches become one node, the rest goes through another parser. */
function splitBy(text, pattern, toNode, parseRest) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > from) {
      nodes.push(...parseRest(text.slice(from, match.index)));
    }
    nodes.push(toNode(match));
    from = match.index + match[0].length;
  }
  if (from < text.length) {
    nodes.push(...parseRest(text.slice(from)));
  }
  return nodes;
}
