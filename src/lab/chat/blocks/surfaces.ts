import { isObject, type Json, type Report } from './report.ts';

/** Where blocks stand. */
export type Surface = 'message' | 'modal' | 'home';

/**
 * Where blocks and elements may stand, when not everywhere: the Surfaces columns of docs.slack.dev/reference/block-kit/blocks
 * (its data: docs.slack.dev/blocks.json) and .../block-elements. Where a page and that list differ, the narrower one counts;
 * tables are listed for Home tabs and render in messages alone.
 */
const surfaces: Record<string, readonly Surface[]> = {
  alert: ['modal'],
  card: ['message', 'home'],
  carousel: ['message', 'home'],
  container: ['message'],
  context_actions: ['message'],
  data_table: ['message'],
  file: [],
  markdown: ['message'],
  plan: ['message'],
  table: ['message'],
  task_card: ['message'],
  datetimepicker: ['message', 'modal'],
  email_text_input: ['modal'],
  file_input: ['modal'],
  number_input: ['modal'],
  rich_text_input: ['modal', 'home'],
  url_text_input: ['modal'],
  workflow_button: ['message'],
};

/** Reports blocks and elements that do not exist on a surface. */
export function checkSurfaces(report: Report, root: string, blocks: readonly unknown[], surface: Surface): void {
  blocks.forEach((block, index) => {
    if (isObject(block)) {
      checkOne(report, `${root}/${index}`, block, surface);
    }
  });
}

function checkOne(report: Report, pointer: string, block: Json, surface: Surface): void {
  if (!mayStand(block, surface)) {
    report.add(`${pointer}/type`, `unsupported type: ${String(block.type)}`);
    return;
  }
  for (const field of ['element', 'accessory']) {
    const element = block[field];
    if (isObject(element) && !mayStand(element, surface)) {
      report.add(`${pointer}/${field}/type`, `unsupported type: ${String(element.type)}`);
    }
  }
  for (const field of ['elements', 'child_blocks']) {
    const children = block[field];
    if (Array.isArray(children) && block.type !== 'rich_text') {
      checkSurfaces(report, `${pointer}/${field}`, children, surface);
    }
  }
}

function mayStand({ type }: Json, surface: Surface): boolean {
  return surfaces[String(type)]?.includes(surface) ?? true;
}
