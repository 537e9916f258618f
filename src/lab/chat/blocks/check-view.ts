import { checkBlocks } from './check-blocks.ts';
import type { CheckContext } from './elements.ts';
import { checkString, checkText, isObject, Report } from './report.ts';

const maxViewBytes = 250_000;

/** Whether a view is larger than Slack takes (`view_too_large` of the views.* methods). */
export function isViewTooLarge(view: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(view) ?? '') > maxViewBytes;
}

/** Checks a view against Slack's limits (docs.slack.dev/reference/views); answers Slack's error texts. */
export function checkView(view: unknown, wanted: 'modal' | 'home', context: CheckContext): string[] {
  const report = new Report();
  if (!isObject(view)) {
    report.add('/view', 'must provide an object');
    return report.problems;
  }
  if (view.type !== wanted) {
    report.add('/view/type', `must be ${wanted}`);
  }
  if (wanted === 'modal') {
    const short = { max: 24, plainOnly: true };
    checkText(report, '/view/title', view.title, { ...short, required: true });
    const hasInput = Array.isArray(view.blocks) && view.blocks.some((one) => isObject(one) && one.type === 'input');
    checkText(report, '/view/submit', view.submit, { ...short, required: hasInput });
    checkText(report, '/view/close', view.close, short);
  }
  checkString(report, '/view/private_metadata', view.private_metadata, { max: 3_000, min: 0 });
  checkString(report, '/view/callback_id', view.callback_id, { max: 255, min: 0 });
  checkString(report, '/view/external_id', view.external_id, { max: 255, min: 0 });
  return [...report.problems, ...checkBlocks(view.blocks, wanted, context, '/view/blocks')];
}
