import type { AnyBlock, KnownBlock } from '@slack/types';
import { checkElement, checkImage, type CheckContext, type ElementType } from './elements.ts';
import { asText, checkList, checkString, checkText, checkWord, isObject, type Json, Report } from './report.ts';
import { checkRichText } from './rich-text.ts';
import { checkSurfaces, type Surface } from './surfaces.ts';
import { checkDataTable, checkTable } from './tables.ts';

type BlockType = KnownBlock['type'];
type BlockCheck = (report: Report, pointer: string, block: Json, context: CheckContext) => void;

const selects: readonly ElementType[] = [
  'static_select',
  'external_select',
  'users_select',
  'conversations_select',
  'channels_select',
  'multi_static_select',
  'multi_external_select',
  'multi_users_select',
  'multi_conversations_select',
  'multi_channels_select',
];
const choices: readonly ElementType[] = [...selects, 'checkboxes', 'radio_buttons', 'datepicker', 'timepicker'];
const actionTypes: readonly ElementType[] = [
  ...choices,
  'button',
  'datetimepicker',
  'overflow',
  'workflow_button',
  'rich_text_input',
];
const accessoryTypes: readonly ElementType[] = [...choices, 'button', 'image', 'overflow', 'workflow_button'];
const inputTypes: readonly ElementType[] = [
  ...choices,
  'datetimepicker',
  'email_text_input',
  'file_input',
  'number_input',
  'plain_text_input',
  'rich_text_input',
  'url_text_input',
];

const checks: Record<BlockType, BlockCheck> = {
  actions: checkActions,
  alert: checkAlert,
  card: checkCard,
  carousel: (report, pointer, block, context) =>
    checkList(report, `${pointer}/elements`, block.elements, { max: 10 }).forEach((card, index) => {
      checkBlock(report, `${pointer}/elements/${index}`, card, ['card'], context);
    }),
  container: checkContainer,
  context: checkContext,
  context_actions: (report, pointer, block, context) =>
    checkList(report, `${pointer}/elements`, block.elements, { max: 5 }).forEach((element, index) => {
      checkElement(report, `${pointer}/elements/${index}`, element, ['feedback_buttons', 'icon_button'], context);
    }),
  data_table: checkDataTable,
  divider: () => undefined,
  file: () => undefined,
  header: (report, pointer, block) =>
    checkText(report, `${pointer}/text`, block.text, { max: 150, plainOnly: true, required: true }),
  image: (report, pointer, block, context) => {
    checkImage(report, pointer, block, context);
    checkText(report, `${pointer}/title`, block.title, { max: 2_000, plainOnly: true });
  },
  input: checkInput,
  markdown: (report, pointer, block) =>
    checkString(report, `${pointer}/text`, block.text, { max: 12_000, required: true }),
  plan: checkPlan,
  rich_text: checkRichText,
  section: checkSection,
  table: checkTable,
  task_card: checkTaskCard,
  video: (report, pointer, block) =>
    checkString(report, `${pointer}/alt_text`, block.alt_text, { max: 2_000, required: true }),
};

const knownTypes = Object.keys(checks) as BlockType[];
const tableTypes: readonly string[] = ['table', 'data_table'];
const containerTypes: readonly BlockType[] = [
  'actions',
  'context',
  'divider',
  'header',
  'image',
  'input',
  'rich_text',
  'section',
  'table',
  'video',
];

/** Checks blocks against Slack's limits; answers Slack's error texts, none when all is well. */
export function checkBlocks(blocks: unknown, surface: Surface, context: CheckContext, root = '/blocks'): string[] {
  const report = new Report();
  const max = surface === 'message' ? 50 : 100;
  const list = checkList(report, root, blocks, { max, min: 0 });
  list.forEach((block, index) => checkBlock(report, `${root}/${index}`, block, knownTypes, context));
  checkUnique(report, root, list);
  checkSurfaces(report, root, list, surface);
  checkTables(report, root, list);
  const markdown = list.filter((block) => isObject(block) && block.type === 'markdown') as Json[];
  if (markdown.reduce((sum, block) => sum + String(block.text).length, 0) > 12_000) {
    report.add(root, 'markdown blocks must be less than 12001 characters together');
  }
  return report.problems;
}

/** Whether blocks have passed the check, for the type system. */
export function asBlocks(checked: unknown): AnyBlock[] {
  return checked as AnyBlock[];
}

function checkBlock(
  report: Report,
  pointer: string,
  block: unknown,
  allowed: readonly BlockType[],
  context: CheckContext,
): void {
  if (!isObject(block)) {
    report.add(pointer, 'must provide an object');
    return;
  }
  const type = allowed.find((one) => one === block.type);
  if (type === undefined) {
    report.add(`${pointer}/type`, `unsupported type: ${String(block.type)}`);
    return;
  }
  checkString(report, `${pointer}/block_id`, block.block_id, { max: 255 });
  checks[type](report, pointer, block, context);
}

function checkUnique(report: Report, root: string, blocks: unknown[]): void {
  const seen = new Set<unknown>();
  blocks.forEach((block, index) => {
    if (isObject(block) && block.block_id !== undefined) {
      if (seen.has(block.block_id)) {
        report.add(`${root}/${index}/block_id`, `block_id ${asText(block.block_id)} already exists`);
      }
      seen.add(block.block_id);
    }
  });
}

/** One table-family block a message, also inside containers (docs.slack.dev/reference/block-kit/blocks/table-block). */
function checkTables(report: Report, root: string, blocks: unknown[]): void {
  const nested = blocks.flatMap((block) =>
    isObject(block) && Array.isArray(block.child_blocks) ? block.child_blocks : [],
  );
  const all: unknown[] = [...blocks, ...nested];
  if (all.filter((block) => isObject(block) && tableTypes.includes(String(block.type))).length > 1) {
    report.add(root, 'only_one_table_allowed');
  }
}

function checkActions(report: Report, pointer: string, block: Json, context: CheckContext): void {
  const seen = new Set<unknown>();
  checkList(report, `${pointer}/elements`, block.elements, { max: 25 }).forEach((element, index) => {
    const here = `${pointer}/elements/${index}`;
    checkElement(report, here, element, actionTypes, context);
    if (isObject(element) && element.action_id !== undefined) {
      if (seen.has(element.action_id)) {
        report.add(`${here}/action_id`, `action_id ${asText(element.action_id)} already exists`);
      }
      seen.add(element.action_id);
    }
  });
}

function checkAlert(report: Report, pointer: string, block: Json): void {
  checkText(report, `${pointer}/text`, block.text, { max: 3_000, required: true });
  checkWord(report, `${pointer}/level`, block.level, ['default', 'info', 'warning', 'error', 'success']);
}

function checkCard(report: Report, pointer: string, block: Json, context: CheckContext): void {
  checkText(report, `${pointer}/title`, block.title, { max: 150 });
  checkText(report, `${pointer}/subtitle`, block.subtitle, { max: 150 });
  checkText(report, `${pointer}/body`, block.body, { max: 200 });
  const content = [block.hero_image, block.title, block.actions, block.body];
  if (content.every((part) => part === undefined)) {
    report.add(pointer, 'must define either `hero_image`, `title`, `actions` or `body`');
  }
  checkList(report, `${pointer}/actions`, block.actions, { max: 25, required: false }).forEach((button, index) => {
    checkElement(report, `${pointer}/actions/${index}`, button, ['button'], context);
  });
}

function checkContainer(report: Report, pointer: string, block: Json, context: CheckContext): void {
  checkText(report, `${pointer}/title`, block.title, {
    max: 150,
    plainOnly: true,
    required: block.rich_text_title === undefined,
  });
  checkText(report, `${pointer}/subtitle`, block.subtitle, { max: 150 });
  checkList(report, `${pointer}/child_blocks`, block.child_blocks, { max: 10 }).forEach((child, index) => {
    checkBlock(report, `${pointer}/child_blocks/${index}`, child, containerTypes, context);
  });
}

function checkContext(report: Report, pointer: string, block: Json, context: CheckContext): void {
  checkList(report, `${pointer}/elements`, block.elements, { max: 10 }).forEach((element, index) => {
    const here = `${pointer}/elements/${index}`;
    if (isObject(element) && element.type === 'image') {
      checkElement(report, here, element, ['image'], context);
    } else {
      checkText(report, here, element, { max: 3_000, required: true });
    }
  });
}

function checkInput(report: Report, pointer: string, block: Json, context: CheckContext): void {
  checkText(report, `${pointer}/label`, block.label, { max: 2_000, plainOnly: true, required: true });
  checkText(report, `${pointer}/hint`, block.hint, { max: 2_000, plainOnly: true });
  checkElement(report, `${pointer}/element`, block.element, inputTypes, context);
}

function checkPlan(report: Report, pointer: string, block: Json, context: CheckContext): void {
  checkString(report, `${pointer}/title`, block.title, { max: 3_000, required: true });
  checkList(report, `${pointer}/tasks`, block.tasks, { max: 50, min: 0, required: false }).forEach((task, index) => {
    const here = `${pointer}/tasks/${index}`;
    checkBlock(report, here, isObject(task) ? { type: 'task_card', ...task } : task, ['task_card'], context);
  });
}

function checkTaskCard(report: Report, pointer: string, block: Json): void {
  checkString(report, `${pointer}/task_id`, block.task_id, { max: 255, required: true });
  checkString(report, `${pointer}/title`, block.title, { max: 3_000, required: true });
  checkWord(report, `${pointer}/status`, block.status ?? '', ['pending', 'in_progress', 'complete', 'error']);
  for (const field of ['details', 'output']) {
    const value = block[field];
    if (isObject(value)) {
      checkRichText(report, `${pointer}/${field}`, value);
    }
  }
}

function checkSection(report: Report, pointer: string, block: Json, context: CheckContext): void {
  if (block.text === undefined && block.fields === undefined) {
    report.add(pointer, 'must define either `text` or `fields`');
  }
  checkText(report, `${pointer}/text`, block.text, { max: 3_000 });
  checkList(report, `${pointer}/fields`, block.fields, { max: 10, required: false }).forEach((field, index) => {
    checkText(report, `${pointer}/fields/${index}`, field, { max: 2_000, required: true });
  });
  if (block.accessory !== undefined) {
    checkElement(report, `${pointer}/accessory`, block.accessory, accessoryTypes, context);
  }
}
