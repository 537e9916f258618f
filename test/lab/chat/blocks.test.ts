import { expect, test } from 'vitest';
import { checkBlocks } from '../../../src/lab/chat/blocks/check-blocks.ts';
import { checkView } from '../../../src/lab/chat/blocks/check-view.ts';
import { areBlocksTooLong } from '../../../src/lab/chat/blocks/text-size.ts';
import { button, plain } from './bolt.ts';

const context = { isUsableImage: (id: string): boolean => id === 'F1' };
const many = <Item>(count: number, item: Item): Item[] => Array.from({ length: count }, () => item);
const x = (count: number): string => 'x'.repeat(count);
const mrkdwn = (text: string): object => ({ type: 'mrkdwn', text });
const option = (value: string): object => ({ text: plain('o'), value });
const raw = { type: 'raw_text', text: 'c' };
const input = (element: object): object => ({ type: 'input', label: plain('l'), element });

function check(...blocks: unknown[]): string[] {
  return checkBlocks(blocks, 'message', context);
}

test.each([
  ['51 blocks', many(51, { type: 'divider' }), 'no more than 50 items allowed [json-pointer:/blocks]'],
  ['a type nobody knows', [{ type: 'banner' }], 'unsupported type: banner [json-pointer:/blocks/0/type]'],
  [
    'a section of 3,001 characters',
    [{ type: 'section', text: mrkdwn(x(3_001)) }],
    'must be less than 3001 characters [json-pointer:/blocks/0/text/text]',
  ],
  ['an empty section', [{ type: 'section' }], 'must define either `text` or `fields` [json-pointer:/blocks/0]'],
  [
    'an empty text',
    [{ type: 'section', text: mrkdwn('') }],
    'must be more than 0 characters [json-pointer:/blocks/0/text/text]',
  ],
  [
    '11 fields',
    [{ type: 'section', fields: many(11, mrkdwn('a')) }],
    'no more than 10 items allowed [json-pointer:/blocks/0/fields]',
  ],
  [
    'a field of 2,001 characters',
    [{ type: 'section', fields: [mrkdwn(x(2_001))] }],
    'must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]',
  ],
  [
    'a header of 151 characters',
    [{ type: 'header', text: plain(x(151)) }],
    'must be less than 151 characters [json-pointer:/blocks/0/text/text]',
  ],
  [
    'a header in mrkdwn',
    [{ type: 'header', text: mrkdwn('a') }],
    'must be plain_text [json-pointer:/blocks/0/text/type]',
  ],
  [
    '11 context elements',
    [{ type: 'context', elements: many(11, mrkdwn('a')) }],
    'no more than 10 items allowed [json-pointer:/blocks/0/elements]',
  ],
  [
    '26 buttons',
    [{ type: 'actions', elements: Array.from({ length: 26 }, (_, n) => button(`b${n}`)) }],
    'no more than 25 items allowed [json-pointer:/blocks/0/elements]',
  ],
  [
    'a button text of 76 characters',
    [{ type: 'actions', elements: [button('a', x(76))] }],
    'must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]',
  ],
  [
    'a button value of 2,001 characters',
    [{ type: 'actions', elements: [{ ...button('a'), value: x(2_001) }] }],
    'must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]',
  ],
  [
    'two buttons with one action id',
    [{ type: 'actions', elements: many(2, button('a')) }],
    'action_id a already exists [json-pointer:/blocks/0/elements/1/action_id]',
  ],
  [
    'an action id of 256 characters',
    [{ type: 'actions', elements: [button(x(256))] }],
    'must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]',
  ],
  [
    'a confirm text of 301 characters',
    [
      {
        type: 'actions',
        elements: [
          {
            ...button('a'),
            confirm: { title: plain('t'), text: plain(x(301)), confirm: plain('y'), deny: plain('n') },
          },
        ],
      },
    ],
    'must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]',
  ],
  [
    'an unknown style',
    [{ type: 'actions', elements: [{ ...button('a'), style: 'green' }] }],
    'must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]',
  ],
  [
    '101 options',
    [
      {
        type: 'section',
        text: mrkdwn('a'),
        accessory: { type: 'static_select', action_id: 's', options: many(101, option('v')) },
      },
    ],
    'no more than 100 items allowed [json-pointer:/blocks/0/accessory/options]',
  ],
  [
    'an option value of 76 characters',
    [input({ type: 'static_select', options: [option(x(76))] })],
    'must be less than 76 characters [json-pointer:/blocks/0/element/options/0/value]',
  ],
  [
    '11 checkboxes',
    [input({ type: 'checkboxes', options: many(11, option('v')) })],
    'no more than 10 items allowed [json-pointer:/blocks/0/element/options]',
  ],
  ['a button as an input', [input(button('a'))], 'unsupported type: button [json-pointer:/blocks/0/element/type]'],
  [
    'two blocks with one block id',
    many(2, { type: 'divider', block_id: 'same' }),
    'block_id same already exists [json-pointer:/blocks/1/block_id]',
  ],
  [
    'an image without alt text',
    [{ type: 'image', image_url: 'https://example.invalid/a.png' }],
    'missing required field: alt_text [json-pointer:/blocks/0]',
  ],
  [
    'an unknown file',
    [{ type: 'image', alt_text: 'a', slack_file: { id: 'F404' } }],
    'invalid slack file [json-pointer:/blocks/0/slack_file]',
  ],
  [
    'a table of 101 rows',
    [{ type: 'table', rows: many(101, [raw]) }],
    'no more than 100 items allowed [json-pointer:/blocks/0/rows]',
  ],
  [
    'a table of 21 columns',
    [{ type: 'table', rows: [many(21, raw)] }],
    'no more than 20 items allowed [json-pointer:/blocks/0/rows/0]',
  ],
  [
    'an empty table cell',
    [{ type: 'table', rows: [[{ type: 'raw_text', text: '' }]] }],
    'must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]',
  ],
  ['two tables', many(2, { type: 'table', rows: [[raw]] }), 'only_one_table_allowed [json-pointer:/blocks]'],
  [
    'a data table without caption',
    [{ type: 'data_table', rows: many(2, [raw]) }],
    'missing required field: caption [json-pointer:/blocks/0]',
  ],
  [
    'markdown of 12,001 characters',
    [{ type: 'markdown', text: x(12_001) }],
    'must be less than 12001 characters [json-pointer:/blocks/0/text]',
  ],
  [
    'two markdown blocks above 12,000',
    many(2, { type: 'markdown', text: x(6_001) }),
    'markdown blocks must be less than 12001 characters together [json-pointer:/blocks]',
  ],
  [
    'an unknown alert level',
    [{ type: 'alert', text: mrkdwn('a'), level: 'panic' }],
    'must be one of: default, info, warning, error, success [json-pointer:/blocks/0/level]',
  ],
  [
    'an unknown task status',
    [{ type: 'task_card', task_id: '1', title: 'a', status: 'done' }],
    'must be one of: pending, in_progress, complete, error [json-pointer:/blocks/0/status]',
  ],
  [
    'an unknown rich text part',
    [{ type: 'rich_text', elements: [{ type: 'rich_text_box', elements: [] }] }],
    'unsupported type: rich_text_box [json-pointer:/blocks/0/elements/0/type]',
  ],
  [
    'a choice at first that is no option',
    [input({ type: 'static_select', options: [option('a')], initial_option: option('b') })],
    'must match exactly one of the options [json-pointer:/blocks/0/element/initial_option]',
  ],
  [
    'a choice at first with another text',
    [input({ type: 'checkboxes', options: [option('a')], initial_options: [{ text: plain('other'), value: 'a' }] })],
    'must match exactly one of the options [json-pointer:/blocks/0/element/initial_options]',
  ],
  [
    'a text of 3,001 characters in a field',
    [input({ type: 'plain_text_input', initial_value: x(3_001) })],
    'must be less than 3001 characters [json-pointer:/blocks/0/element/initial_value]',
  ],
  [
    'a field that wants 3,001 characters',
    [input({ type: 'plain_text_input', min_length: 3_001 })],
    'must be between 0 and 3000 [json-pointer:/blocks/0/element/min_length]',
  ],
  [
    'an icon that does not exist',
    [{ type: 'context_actions', elements: [{ type: 'icon_button', icon: 'star', text: plain('a') }] }],
    'must be one of: trash [json-pointer:/blocks/0/elements/0/icon]',
  ],
  [
    'a verdict with one side',
    [
      {
        type: 'context_actions',
        elements: [{ type: 'feedback_buttons', positive_button: { text: plain('a'), value: 'a' } }],
      },
    ],
    'missing required field: negative_button [json-pointer:/blocks/0/elements/0]',
  ],
  [
    'two tables, one of them in a container',
    [
      { type: 'table', rows: [[raw]] },
      { type: 'container', title: plain('c'), child_blocks: [{ type: 'table', rows: [[raw]] }] },
    ],
    'only_one_table_allowed [json-pointer:/blocks]',
  ],
])('refuses %s', (_name, blocks, message) => {
  const problems = checkBlocks(blocks, 'message', context);

  expect(problems).toContain(message);
});

test('accepts a card that uses every block at its limit', () => {
  const problems = check(
    { type: 'header', text: plain(x(150)) },
    { type: 'section', text: mrkdwn(x(3_000)), accessory: button('details') },
    { type: 'section', fields: many(10, mrkdwn('a')) },
    { type: 'context', elements: [mrkdwn('a'), { type: 'image', alt_text: 'a', slack_file: { id: 'F1' } }] },
    { type: 'actions', elements: Array.from({ length: 25 }, (_, n) => button(`b${n}`, x(75))) },
    { type: 'divider' },
    { type: 'table', rows: many(100, many(20, raw)), column_settings: [{ align: 'right' }] },
    { type: 'rich_text', elements: [{ type: 'rich_text_preformatted', elements: [{ type: 'text', text: 'a\nb' }] }] },
    { type: 'markdown', text: '# a' },
    { type: 'plan', title: 'p', tasks: [{ task_id: '1', title: 't', status: 'in_progress' }] },
    { type: 'container', title: plain('c'), child_blocks: [{ type: 'divider' }], is_collapsible: true },
  );

  expect(problems).toEqual([]);
});

test('refuses tables in modals, and modals with inputs and no submit button', () => {
  const modal = { type: 'modal', title: plain('t'), submit: plain('s') };

  const table = checkView({ ...modal, blocks: [{ type: 'table', rows: [[raw]] }] }, 'modal', context);
  const noSubmit = checkView(
    { type: 'modal', title: plain(x(25)), blocks: [input({ type: 'plain_text_input' })] },
    'modal',
    context,
  );

  expect(table).toEqual(['unsupported type: table [json-pointer:/view/blocks/0/type]']);
  expect(noSubmit).toEqual([
    'must be less than 25 characters [json-pointer:/view/title/text]',
    'missing required field: submit [json-pointer:/view]',
  ]);
});

test.each([
  ['message', { type: 'alert', text: mrkdwn('a') }, '/type'],
  ['home', { type: 'alert', text: mrkdwn('a') }, '/type'],
  ['modal', { type: 'card', title: mrkdwn('a') }, '/type'],
  ['home', { type: 'markdown', text: 'a' }, '/type'],
  ['modal', { type: 'context_actions', elements: [] }, '/type'],
  ['home', { type: 'plan', title: 'a' }, '/type'],
  ['home', { type: 'table', rows: [[raw]] }, '/type'],
  ['message', { type: 'file', external_id: 'a', source: 'remote' }, '/type'],
  ['message', input({ type: 'file_input' }), '/element/type'],
  ['home', input({ type: 'number_input', is_decimal_allowed: false }), '/element/type'],
  ['home', { type: 'actions', elements: [{ type: 'datetimepicker', action_id: 'a' }] }, '/elements/0/type'],
] as const)('a %s does not take %j', (surface, block, pointer) => {
  const problems = checkBlocks([block], surface, context);

  expect(problems).toContainEqual(
    expect.stringMatching(`^unsupported type: .* \\[json-pointer:/blocks/0${pointer}\\]$`),
  );
});

test.each(['message', 'modal', 'home'] as const)('a %s takes inputs, sections, pictures and rich text', (surface) => {
  const problems = checkBlocks(
    [
      input({ type: 'plain_text_input', action_id: 'a' }),
      { type: 'section', text: mrkdwn('a') },
      { type: 'image', alt_text: 'a', slack_file: { id: 'F1' } },
      { type: 'rich_text', elements: [{ type: 'rich_text_section', elements: [{ type: 'text', text: 'a' }] }] },
    ],
    surface,
    context,
  );

  expect(problems).toEqual([]);
});

test('measures the text of all blocks as slackapi/bolt-js#2509 did', () => {
  const markdown = (count: number): object => ({ type: 'markdown', text: x(count) });

  expect(areBlocksTooLong([markdown(13_297)])).toBe(false);
  expect(areBlocksTooLong([markdown(13_298)])).toBe(true);
  expect(areBlocksTooLong([markdown(13_172), { type: 'divider' }])).toBe(false);
  expect(areBlocksTooLong([markdown(13_173), { type: 'divider' }])).toBe(true);
});
