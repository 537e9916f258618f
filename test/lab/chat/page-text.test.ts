import { expect, test } from 'vitest';

interface Node {
  type: string;
  text?: string;
  children?: Node[];
}

const folder = new URL('../../../src/lab/chat/page/', import.meta.url);
const { parseMrkdwn } = (await import(new URL('mrkdwn.js', folder).href)) as { parseMrkdwn: (text: string) => Node[] };
const { parseMarkdown } = (await import(new URL('markdown.js', folder).href)) as {
  parseMarkdown: (text: string) => Node[];
};

test.each([
  ['*bold* and _it_', ['bold', 'text', 'italic']],
  ['2 * 3 * 4 and snake_case_name', ['text']],
  ['`*not bold*`', ['code']],
  ['see\n```\na *b*\n```\nend', ['text', 'pre', 'text']],
  ['&gt; quoted\nplain', ['quote', 'text']],
  ['<@U1> in <#C1|lab> by <!subteam^S1> <!here>', ['user', 'text', 'channel', 'text', 'group', 'text', 'broadcast']],
  ['<!date^1790000000^{date_short}|then>', ['date']],
  ['<https://example.invalid|site>', ['link']],
  [':rocket: up', ['emoji', 'text']],
])('mrkdwn %j becomes %j', (text, types) => {
  expect(parseMrkdwn(text).map((node) => node.type)).toEqual(types);
});

test('mrkdwn undoes the three escapes and nothing else', () => {
  expect(parseMrkdwn('a &lt;b&gt; &amp;amp; c')).toEqual([{ type: 'text', text: 'a <b> &amp; c' }]);
});

test('mrkdwn shows an angle bracket that is no reference as it came, never as a link', () => {
  expect(parseMrkdwn('<script>')).toEqual([{ type: 'text', text: '<script>' }]);
  expect(parseMrkdwn('<javascript:alert(1)|click>')).toEqual([{ type: 'text', text: '<javascript:alert(1)|click>' }]);
});

test('markdown has headings, lists, tables and fences', () => {
  const nodes = parseMarkdown('# Title\n- **a**\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |\n```\ncode\n```\n');

  expect(nodes.map((node) => node.type)).toEqual(['heading', 'list', 'table', 'pre']);
});
