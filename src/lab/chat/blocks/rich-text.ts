import type { RichTextBlockElement } from '@slack/types';
import { checkList, checkString, isObject, type Json, type Report } from './report.ts';

const leafTypes = ['broadcast', 'color', 'channel', 'date', 'emoji', 'link', 'team', 'text', 'user', 'usergroup'];

/** A rich_text block (docs.slack.dev/reference/block-kit/blocks/rich-text-block). */
export function checkRichText(report: Report, pointer: string, block: Json): void {
  checkList(report, `${pointer}/elements`, block.elements, { max: 1_000, min: 1 }).forEach((element, index) => {
    checkPart(report, `${pointer}/elements/${index}`, element);
  });
}

function checkPart(report: Report, pointer: string, part: unknown): void {
  if (!isObject(part)) {
    report.add(pointer, 'must provide an object');
    return;
  }
  const type = part.type as RichTextBlockElement['type'];
  switch (type) {
    case 'rich_text_section':
    case 'rich_text_preformatted':
    case 'rich_text_quote':
      checkList(report, `${pointer}/elements`, part.elements, { max: 1_000, min: 0 }).forEach((leaf, index) => {
        checkLeaf(report, `${pointer}/elements/${index}`, leaf);
      });
      return;
    case 'rich_text_list':
      checkList(report, `${pointer}/elements`, part.elements, { max: 1_000, min: 1 }).forEach((item, index) => {
        checkPart(report, `${pointer}/elements/${index}`, item);
      });
      return;
    default:
      report.add(`${pointer}/type`, `unsupported type: ${String(type satisfies never)}`);
  }
}

function checkLeaf(report: Report, pointer: string, leaf: unknown): void {
  if (!isObject(leaf) || !leafTypes.includes(String(leaf.type))) {
    report.add(pointer, `unsupported type: ${isObject(leaf) ? String(leaf.type) : typeof leaf}`);
    return;
  }
  if (leaf.type === 'text') {
    checkString(report, `${pointer}/text`, leaf.text, { max: 100_000, required: true });
  }
  if (leaf.type === 'link') {
    checkString(report, `${pointer}/url`, leaf.url, { max: 3_000, required: true });
  }
}
