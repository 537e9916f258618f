import { z } from 'zod';

/** Slack's limits, written down a second time and independently of src/report/limits.ts: the judge of the tests. */
const nonEmpty = (max: number) => z.string().min(1).max(max);
const mrkdwn = (max: number) =>
  z.strictObject({ type: z.literal('mrkdwn'), text: nonEmpty(max), verbatim: z.literal(true) });
const plain = (max: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: nonEmpty(max), emoji: z.boolean().optional() });

const button = z.strictObject({
  type: z.literal('button'),
  action_id: nonEmpty(255),
  text: plain(75),
  value: nonEmpty(2000),
  accessibility_label: nonEmpty(75),
  style: z.enum(['primary', 'danger']).optional(),
});

const leaf = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('text'),
    text: nonEmpty(3000),
    style: z.strictObject({ bold: z.literal(true).optional(), code: z.literal(true).optional() }).optional(),
  }),
  z.strictObject({
    type: z.literal('date'),
    timestamp: z.int().positive(),
    format: z.enum(['{time}', '{date_short_pretty} {time}']),
    fallback: nonEmpty(100),
  }),
]);
const richSection = z.strictObject({ type: z.literal('rich_text_section'), elements: z.array(leaf).min(1) });

const rawCell = z.strictObject({ type: z.literal('raw_text'), text: nonEmpty(3000) });

const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), text: plain(150) }),
  z.strictObject({
    type: z.literal('section'),
    expand: z.boolean().optional(),
    text: z.union([mrkdwn(3000), plain(3000)]),
  }),
  z.strictObject({ type: z.literal('context'), elements: z.array(mrkdwn(3000)).min(1).max(10) }),
  z.strictObject({ type: z.literal('actions'), elements: z.array(button).min(1).max(25) }),
  z.strictObject({
    type: z.literal('table'),
    rows: z.array(z.array(rawCell).min(1).max(20)).min(1).max(100),
    column_settings: z.array(z.strictObject({ is_wrapped: z.boolean(), align: z.literal('right').optional() })).max(20),
  }),
  z.strictObject({
    type: z.literal('rich_text'),
    elements: z
      .array(
        z.discriminatedUnion('type', [
          z.strictObject({
            type: z.literal('rich_text_preformatted'),
            elements: z.array(z.strictObject({ type: z.literal('text'), text: nonEmpty(10_000) })).min(1),
          }),
          z.strictObject({
            type: z.literal('rich_text_list'),
            style: z.literal('bullet'),
            indent: z.int().min(0).max(8),
            elements: z.array(richSection).min(1),
          }),
          richSection,
        ]),
      )
      .min(1),
  }),
]);

const message = z
  .strictObject({ text: nonEmpty(4000), blocks: z.array(block).min(1).max(50) })
  .refine(({ blocks }) => blocks.filter(({ type }) => type === 'table').length <= 1, 'only_one_table_allowed')
  .refine(({ blocks }) => texts(blocks).join('').length <= 12_000, 'msg_blocks_too_long')
  .refine(({ blocks }) => ids(blocks).length === new Set(ids(blocks)).size, 'duplicate action_id');

function ids(blocks: readonly z.infer<typeof block>[]): string[] {
  return blocks.flatMap((entry) => (entry.type === 'actions' ? entry.elements.map((one) => one.action_id) : []));
}

/** Every text that is shown, whatever block it stands in. */
function texts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(texts);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, entry]: [string, unknown]) =>
    key === 'text' && typeof entry === 'string' ? [entry] : texts(entry),
  );
}

/** What Slack would complain about; empty when it would take the message. */
export function complaints(value: unknown): string[] {
  const result = message.safeParse(value);
  return result.success ? [] : result.error.issues.map((issue) => `${issue.path.join('/')}: ${issue.message}`);
}

/** Everything in angle brackets that Slack would act on, in texts of type mrkdwn and the top-level text. */
export function activeMarks(value: { readonly text: string; readonly blocks: readonly unknown[] }): string[] {
  const parsed = [value.text];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) node.forEach(visit);
    else if (typeof node === 'object' && node !== null) {
      if ('type' in node && node.type === 'mrkdwn' && 'text' in node && typeof node.text === 'string')
        parsed.push(node.text);
      Object.values(node).forEach(visit);
    }
  };
  visit(value.blocks);
  return parsed.flatMap((text) => text.match(/<[^>]*>?/g) ?? []);
}
