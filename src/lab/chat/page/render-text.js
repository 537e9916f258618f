/** Text trees (mrkdwn.js, markdown.js) as DOM. */
import { h } from './dom.js';
import { emoji } from './emoji.js';
import { parseMarkdown } from './markdown.js';
import { parseMrkdwn, parsePlain } from './mrkdwn.js';
import { canDrawEmoji, drawSymbol } from './symbols.js';
import { formatDate, isoDate } from './zone.js';

/** What names references need; app.js fills it when the page knows who is here. */
export const names = { user: (id) => id, channel: (id) => id, group: (id) => id, isMe: () => false, me: () => '' };

export function renderMrkdwn(text) {
  return renderNodes(parseMrkdwn(text));
}

export function renderMarkdown(text) {
  return renderNodes(parseMarkdown(text));
}

/** A text object: mrkdwn or plain text. */
export function renderText(object) {
  if (object?.type === 'mrkdwn') {
    return renderMrkdwn(object.text);
  }
  return renderNodes(parsePlain(object?.text ?? ''));
}

export function renderNodes(nodes) {
  return nodes.map((node) => renderNode(node));
}

function renderNode(node) {
  switch (node.type) {
    case 'bold':
      return h('strong', {}, renderNodes(node.children));
    case 'italic':
      return h('em', {}, renderNodes(node.children));
    case 'strike':
      return h('s', {}, renderNodes(node.children));
    case 'code':
      return h('code', {}, node.text);
    case 'pre':
      return renderPre(node.text);
    case 'quote':
      return h('blockquote', {}, renderNodes(node.children));
    case 'paragraph':
      return h('p', {}, renderNodes(node.children));
    case 'heading':
      return h('p', { class: 'markdown-heading' }, renderNodes(node.children));
    case 'list':
      return h(
        node.isOrdered ? 'ol' : 'ul',
        {},
        node.items.map((item) => h('li', {}, renderNodes(item))),
      );
    case 'table':
      return renderMarkdownTable(node.rows);
    case 'break':
      return h('br');
    case 'link':
      return renderLink(node.url, renderNodes(node.children));
    case 'emoji':
      return renderEmoji(node.name);
    case 'date':
      return renderDate(node);
    case 'user':
      return mention(`@${names.user(node.id) ?? node.text ?? node.id}`, names.isMe(node.id));
    case 'channel':
      return renderLink(`#channel=${node.id}`, [`#${names.channel(node.id) ?? node.text ?? node.id}`]);
    case 'group':
      return mention(`@${names.group(node.id) ?? node.text ?? node.id}`, false);
    case 'broadcast':
      return mention(`@${node.text}`, true);
    default:
      return node.text ?? '';
  }
}

/** Preformatted text in a box of its own that scrolls and can be reached by keyboard. */
export function renderPre(text) {
  return h('pre', { tabindex: '0', role: 'region', 'aria-label': 'Preformatted text' }, h('code', {}, text));
}

/** Where the page gets an uploaded file from, as the person who looks at it. */
export function fileAddress(id) {
  return `lab/chat/files/${encodeURIComponent(id)}?${new URLSearchParams({ user: names.me() }).toString()}`;
}

/** A link; only web, mail and in-page addresses become one. The permalink of a file leads to the file itself. */
export function renderLink(url, children) {
  const file = /^https:\/\/[^/]+\.slack\.invalid\/files\/(F\w+)\//.exec(url)?.[1];
  if (file !== undefined) {
    return h('a', { href: fileAddress(file), target: '_blank', rel: 'noopener' }, children);
  }
  const isOwn = url.startsWith('#') || url.startsWith(`${location.origin}/#`);
  if (isOwn) {
    return h('a', { href: url.slice(url.indexOf('#')) }, children);
  }
  if (!/^(https?:|mailto:)/i.test(url)) {
    return h('span', {}, children);
  }
  return h('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, children);
}

/** An emoji short code: a drawing of ours, the character, or the code itself where it cannot be drawn. */
export function renderEmoji(name) {
  const plainName = name.replace(/::skin-tone-\d$/, '');
  const symbol = drawSymbol(plainName);
  if (symbol !== undefined) {
    return symbol;
  }
  const character = emoji[plainName];
  if (character === undefined || !canDrawEmoji()) {
    return `:${name}:`;
  }
  return h(
    'span',
    { class: 'emoji', role: 'img', 'aria-label': plainName.replaceAll('_', ' '), title: `:${name}:` },
    character,
  );
}

export function mention(text, isHot) {
  return h('span', { class: isHot ? 'mention mention-hot' : 'mention' }, text);
}

/** Slack's date tokens (docs.slack.dev/messaging/formatting-message-text#date-formatting). */
export function renderDate({ seconds, format, url, text }) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) {
    return text ?? '';
  }
  const formatted = format.replaceAll(/\{(\w+)\}/g, (all, token) => formatToken(token, date) ?? all);
  const full = formatDate(date, { dateStyle: 'full', timeStyle: 'long' });
  const time = h('time', { datetime: date.toISOString(), title: full }, formatted);
  return url === undefined || url === '' ? time : renderLink(url, [time]);
}

function formatToken(token, date) {
  const format = (options) => formatDate(date, options);
  switch (token) {
    case 'date_num':
      return isoDate(date);
    case 'date':
    case 'date_pretty':
      return format({ dateStyle: 'long' });
    case 'date_short':
    case 'date_short_pretty':
      return format({ dateStyle: 'medium' });
    case 'date_long':
    case 'date_long_pretty':
      return format({ dateStyle: 'full' });
    case 'time':
      return format({ timeStyle: 'short' });
    case 'time_secs':
      return format({ timeStyle: 'medium' });
    case 'ago':
      return ago(date);
    default:
      return undefined;
  }
}

function ago(date) {
  const minutes = Math.round((date.getTime() - Date.now()) / 60_000);
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
  return Math.abs(minutes) < 90 ? format.format(minutes, 'minute') : format.format(Math.round(minutes / 60), 'hour');
}

function renderMarkdownTable([head = [], ...rows]) {
  return h(
    'div',
    { class: 'table-scroll', tabindex: '0', role: 'region', 'aria-label': 'Table' },
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          head.map((cell) => h('th', { scope: 'col' }, renderNodes(cell))),
        ),
      ),
      h(
        'tbody',
        {},
        rows.map((row) =>
          h(
            'tr',
            {},
            row.map((cell) => h('td', {}, renderNodes(cell))),
          ),
        ),
      ),
    ),
  );
}
