/** A JSON object whose fields are not known yet. */
export type Json = Record<string, unknown>;

/** Collects what is wrong, worded and placed as Slack does: `must be less than 3001 characters [json-pointer:/blocks/0/text/text]`. */
export class Report {
  readonly problems: string[] = [];

  add(pointer: string, text: string): void {
    this.problems.push(`${text} [json-pointer:${pointer}]`);
  }
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A scalar as text; anything else as nothing. */
export function asText(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? `${value}` : '';
}

/** A string field; missing is a problem only when it is required. */
export function checkString(
  report: Report,
  pointer: string,
  value: unknown,
  rule: { max: number; required?: boolean; min?: number },
): void {
  if (value === undefined || value === null) {
    if (rule.required === true) {
      report.add(pointer.replace(/\/[^/]*$/, ''), `missing required field: ${pointer.split('/').at(-1)}`);
    }
    return;
  }
  if (typeof value !== 'string') {
    report.add(pointer, 'must be a string');
  } else if (value.length > rule.max) {
    report.add(pointer, `must be less than ${rule.max + 1} characters`);
  } else if (value.length < (rule.min ?? 1)) {
    report.add(pointer, 'must be more than 0 characters');
  }
}

/** A text object (docs.slack.dev/reference/block-kit/composition-objects/text-object). */
export function checkText(
  report: Report,
  pointer: string,
  value: unknown,
  rule: { max: number; required?: boolean; plainOnly?: boolean; mrkdwnOnly?: boolean },
): void {
  if (value === undefined || value === null) {
    if (rule.required === true) {
      report.add(pointer.replace(/\/[^/]*$/, ''), `missing required field: ${pointer.split('/').at(-1)}`);
    }
    return;
  }
  if (!isObject(value)) {
    report.add(pointer, 'must provide an object');
    return;
  }
  if (value.type !== 'plain_text' && value.type !== 'mrkdwn') {
    report.add(`${pointer}/type`, `unsupported type: ${String(value.type)}`);
  } else if (rule.plainOnly === true && value.type !== 'plain_text') {
    report.add(`${pointer}/type`, 'must be plain_text');
  } else if (rule.mrkdwnOnly === true && value.type !== 'mrkdwn') {
    report.add(`${pointer}/type`, 'must be mrkdwn');
  }
  checkString(report, `${pointer}/text`, value.text, { max: rule.max, required: true });
}

/** A list within its limits; answers its items when it is one. */
export function checkList(
  report: Report,
  pointer: string,
  value: unknown,
  rule: { max: number; min?: number; required?: boolean },
): unknown[] {
  if (value === undefined || value === null) {
    if (rule.required !== false) {
      report.add(pointer.replace(/\/[^/]*$/, ''), `missing required field: ${pointer.split('/').at(-1)}`);
    }
    return [];
  }
  if (!Array.isArray(value)) {
    report.add(pointer, 'must provide an array');
    return [];
  }
  const items: unknown[] = value;
  if (items.length > rule.max) {
    report.add(pointer, `no more than ${rule.max} items allowed`);
  }
  if (items.length < (rule.min ?? 1)) {
    report.add(pointer, `no fewer than ${rule.min ?? 1} items allowed`);
  }
  return items;
}

/** One of a closed list of words. */
export function checkWord(report: Report, pointer: string, value: unknown, words: readonly string[]): void {
  if (value !== undefined && !words.includes(asText(value))) {
    report.add(pointer, `must be one of: ${words.join(', ')}`);
  }
}
