/**
 * Slack refuses posts whose blocks carry too much text (`msg_blocks_too_long`). The limit is not documented; the figures
 * fit the measurements in slackapi/bolt-js#2509: one markdown block of 13,297 characters passes, with a divider beside it
 * 13,172; each block costs about 125 characters. Bots do well to stay below 12,000.
 */
const maxTotal = 13_422;
const perBlock = 125;

/** Whether the blocks of one message are too long together. */
export function areBlocksTooLong(blocks: unknown): boolean {
  const count = Array.isArray(blocks) ? blocks.length : 0;
  return textLength(blocks) + count * perBlock > maxTotal;
}

function textLength(value: unknown): number {
  if (Array.isArray(value)) {
    return value.reduce<number>((sum, item) => sum + textLength(item), 0);
  }
  if (typeof value !== 'object' || value === null) {
    return 0;
  }
  let sum = 0;
  for (const [key, item] of Object.entries(value)) {
    sum += key === 'text' && typeof item === 'string' ? item.length : textLength(item);
  }
  return sum;
}
