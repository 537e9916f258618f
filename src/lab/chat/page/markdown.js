/**
 * The part of standard Markdown that `markdown` blocks need, as the same tree as mrkdwn.js makes, with three more node
 * types: heading, list, table. Pure.
 */
import { parsePlain } from './mrkdwn.js';

/** Parses Markdown text. */
export function parseMarkdown(text) {
  const lines = text.replaceAll('\r', '').split('\n');
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    const { node, next } = parseBlock(lines, at);
    if (node !== undefined) {
      nodes.push(node);
    }
    at = next;
  }
  return nodes;
}

function parseBlock(lines, at) {
  const line = lines[at];
  const heading = /^(#{1,6})\s+(.*)$/.exec(line);
  if (line.startsWith('```')) {
    const end = lines.findIndex((one, index) => index > at && one.startsWith('```'));
    const last = end === -1 ? lines.length : end;
    return { node: { type: 'pre', text: lines.slice(at + 1, last).join('\n') }, next: last + 1 };
  }
  if (heading !== null) {
    return { node: { type: 'heading', children: parseSpan(heading[2]) }, next: at + 1 };
  }
  if (/^\s*\|.*\|\s*$/.test(line) && /^\s*\|?[\s:|-]+\|?\s*$/.test(lines[at + 1] ?? '')) {
    return parseTable(lines, at);
  }
  if (/^\s*([-*+]|\d+\.)\s+/.test(line)) {
    return parseList(lines, at);
  }
  if (line.startsWith('>')) {
    return { node: { type: 'quote', children: parseSpan(line.replace(/^>\s?/, '')) }, next: at + 1 };
  }
  if (/^\s*$/.test(line)) {
    return { node: undefined, next: at + 1 };
  }
  return { node: { type: 'paragraph', children: parseSpan(line) }, next: at + 1 };
}

function parseList(lines, at) {
  const items = [];
  let next = at;
  const isOrdered = /^\s*\d+\./.test(lines[at]);
  for (; next < lines.length; next += 1) {
    const item = /^\s*(?:[-*+]|\d+\.)\s+(.*)$/.exec(lines[next]);
    if (item === null) {
      break;
    }
    items.push(parseSpan(item[1]));
  }
  return { node: { type: 'list', isOrdered, items }, next };
}

function parseTable(lines, at) {
  const rows = [];
  let next = at;
  for (; next < lines.length && /^\s*\|.*\|\s*$/.test(lines[next]); next += 1) {
    if (next !== at + 1) {
      rows.push(
        lines[next]
          .trim()
          .slice(1, -1)
          .split('|')
          .map((cell) => parseSpan(cell.trim())),
      );
    }
  }
  return { node: { type: 'table', rows }, next };
}

const spanPattern =
  /`([^`]+)`|\*\*([^*]+)\*\*|__([^_]+)__|(?<!\w)\*([^*\s][^*]*)\*(?!\w)|(?<!\w)_([^_\s][^_]*)_(?!\w)|~~([^~]+)~~|\[([^\]]+)\]\(([^)\s]+)\)/g;

function parseSpan(text) {
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(spanPattern)) {
    nodes.push(...parsePlain(text.slice(from, match.index)), spanNode(match));
    from = match.index + match[0].length;
  }
  nodes.push(...parsePlain(text.slice(from)));
  return nodes;
}

function spanNode([, code, bold, bold2, italic, italic2, strike, label, url]) {
  if (code !== undefined) {
    return { type: 'code', text: code };
  }
  if (url !== undefined) {
    return { type: 'link', url, children: parseSpan(label) };
  }
  if (strike !== undefined) {
    return { type: 'strike', children: parseSpan(strike) };
  }
  return bold === undefined && bold2 === undefined
    ? { type: 'italic', children: parseSpan(italic ?? italic2) }
    : { type: 'bold', children: parseSpan(bold ?? bold2) };
}
