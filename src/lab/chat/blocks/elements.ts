import type { ActionsBlockElement, InputBlockElement, SectionBlockAccessory } from '@slack/types';
import { asText, checkList, checkString, checkText, checkWord, isObject, type Json, type Report } from './report.ts';

export type ElementType =
  | ActionsBlockElement['type']
  | InputBlockElement['type']
  | SectionBlockAccessory['type']
  | 'feedback_buttons'
  | 'icon_button';

export interface CheckContext {
  /** Whether a file id is an image the bot may show; processing uploads are not yet. */
  isUsableImage: (fileId: string) => boolean;
}

type ElementCheck = (report: Report, pointer: string, element: Json, context: CheckContext) => void;

const plain = (max: number): { max: number; plainOnly: true } => ({ max, plainOnly: true });

const checks: Record<ElementType, ElementCheck> = {
  button: checkButton,
  checkboxes: checkChoices,
  channels_select: checkPlaceholder,
  conversations_select: checkPlaceholder,
  datepicker: checkPlaceholder,
  datetimepicker: checkNothing,
  email_text_input: checkPlaceholder,
  external_select: checkPlaceholder,
  feedback_buttons: checkFeedback,
  file_input: checkNothing,
  icon_button: checkIconButton,
  image: checkImage,
  multi_channels_select: checkPlaceholder,
  multi_conversations_select: checkPlaceholder,
  multi_external_select: checkPlaceholder,
  multi_static_select: checkSelect,
  multi_users_select: checkPlaceholder,
  number_input: checkNumberInput,
  overflow: (report, pointer, element) => checkOptions(report, pointer, element, { max: 5, mrkdwn: false }),
  plain_text_input: checkPlainTextInput,
  radio_buttons: checkChoices,
  rich_text_input: checkPlaceholder,
  static_select: checkSelect,
  timepicker: checkPlaceholder,
  url_text_input: checkPlaceholder,
  users_select: checkPlaceholder,
  workflow_button: (report, pointer, element) =>
    checkText(report, `${pointer}/text`, element.text, { ...plain(75), required: true }),
};

/** A block element, of one of the types its place allows (docs.slack.dev/reference/block-kit/block-elements). */
export function checkElement(
  report: Report,
  pointer: string,
  element: unknown,
  allowed: readonly ElementType[],
  context: CheckContext,
): void {
  if (!isObject(element)) {
    report.add(pointer, 'must provide an object');
    return;
  }
  const type = allowed.find((one) => one === element.type);
  if (type === undefined) {
    report.add(`${pointer}/type`, `unsupported type: ${String(element.type)}`);
    return;
  }
  checkString(report, `${pointer}/action_id`, element.action_id, { max: 255 });
  checkConfirm(report, `${pointer}/confirm`, element.confirm);
  if (element.focus_on_load !== undefined && typeof element.focus_on_load !== 'boolean') {
    report.add(`${pointer}/focus_on_load`, 'must be a boolean');
  }
  checks[type](report, pointer, element, context);
}

/** An image element or block: alt text, and either a URL or a Slack file. */
export function checkImage(report: Report, pointer: string, element: Json, context: CheckContext): void {
  checkString(report, `${pointer}/alt_text`, element.alt_text, { max: 2_000, required: true, min: 0 });
  if (element.slack_file === undefined) {
    checkString(report, `${pointer}/image_url`, element.image_url, { max: 3_000, required: true });
    return;
  }
  const file = isObject(element.slack_file) ? element.slack_file : {};
  const both = element.image_url !== undefined || (file.id !== undefined && file.url !== undefined);
  if (both || !context.isUsableImage(fileIdOf(file))) {
    report.add(`${pointer}/slack_file`, 'invalid slack file');
  }
}

/** The file that a `slack_file` names, by its id or its private address. */
export function fileIdOf(file: Json): string {
  return asText(file.id ?? /\/files-pri\/[^/]*-([^/]+)\//.exec(asText(file.url))?.[1]);
}

function checkNothing(): void {}

function checkPlaceholder(report: Report, pointer: string, element: Json): void {
  checkText(report, `${pointer}/placeholder`, element.placeholder, plain(150));
}

function checkButton(report: Report, pointer: string, element: Json): void {
  checkText(report, `${pointer}/text`, element.text, { ...plain(75), required: true });
  checkString(report, `${pointer}/value`, element.value, { max: 2_000, min: 0 });
  checkString(report, `${pointer}/url`, element.url, { max: 3_000 });
  checkString(report, `${pointer}/accessibility_label`, element.accessibility_label, { max: 75 });
  checkWord(report, `${pointer}/style`, element.style, ['primary', 'danger']);
}

/** Two buttons for a verdict (docs.slack.dev/reference/block-kit/block-elements/feedback-buttons-element). */
function checkFeedback(report: Report, pointer: string, element: Json): void {
  for (const field of ['positive_button', 'negative_button']) {
    const button = element[field];
    if (!isObject(button)) {
      report.add(pointer, `missing required field: ${field}`);
      continue;
    }
    checkText(report, `${pointer}/${field}/text`, button.text, { ...plain(75), required: true });
    checkString(report, `${pointer}/${field}/value`, button.value, { max: 2_000, required: true });
  }
}

/** docs.slack.dev/reference/block-kit/block-elements/icon-button-element: the only icon there is `trash`. */
function checkIconButton(report: Report, pointer: string, element: Json): void {
  checkWord(report, `${pointer}/icon`, element.icon ?? '', ['trash']);
  checkText(report, `${pointer}/text`, element.text, { ...plain(75), required: true });
  checkString(report, `${pointer}/value`, element.value, { max: 2_000 });
}

function checkNumberInput(report: Report, pointer: string, element: Json): void {
  checkPlaceholder(report, pointer, element);
  if (typeof element.is_decimal_allowed !== 'boolean') {
    report.add(pointer, 'missing required field: is_decimal_allowed');
  }
}

function checkPlainTextInput(report: Report, pointer: string, element: Json): void {
  checkPlaceholder(report, pointer, element);
  checkString(report, `${pointer}/initial_value`, element.initial_value, { max: 3_000, min: 0 });
  if (typeof element.min_length === 'number' && (element.min_length < 0 || element.min_length > 3_000)) {
    report.add(`${pointer}/min_length`, 'must be between 0 and 3000');
  }
  if (typeof element.max_length === 'number' && (element.max_length < 1 || element.max_length > 3_000)) {
    report.add(`${pointer}/max_length`, 'must be between 1 and 3000');
  }
}

function checkSelect(report: Report, pointer: string, element: Json): void {
  checkPlaceholder(report, pointer, element);
  if (element.option_groups === undefined) {
    checkOptions(report, pointer, element, { max: 100, mrkdwn: false });
    checkInitial(report, pointer, element, [element]);
    return;
  }
  const groups = checkList(report, `${pointer}/option_groups`, element.option_groups, { max: 100 });
  groups.forEach((group, index) => {
    const here = `${pointer}/option_groups/${index}`;
    if (!isObject(group)) {
      report.add(here, 'must provide an object');
      return;
    }
    checkText(report, `${here}/label`, group.label, { ...plain(75), required: true });
    checkOptions(report, here, group, { max: 100, mrkdwn: false });
  });
  checkInitial(report, pointer, element, groups);
}

/** What is chosen at first is one of the options, letter by letter: text and value alike. */
function checkInitial(report: Report, pointer: string, element: Json, lists: readonly unknown[]): void {
  const options = lists.flatMap((list) =>
    isObject(list) && Array.isArray(list.options) ? (list.options as unknown[]) : [],
  );
  const known = new Set(options.map((option) => keyOf(option)));
  const initial = element.initial_option === undefined ? [] : [element.initial_option];
  const several: unknown[] = Array.isArray(element.initial_options) ? element.initial_options : [];
  if ([...initial, ...several].some((option) => !known.has(keyOf(option)))) {
    const field = element.initial_option === undefined ? 'initial_options' : 'initial_option';
    report.add(`${pointer}/${field}`, 'must match exactly one of the options');
  }
}

function keyOf(option: unknown): string {
  return isObject(option) ? JSON.stringify([isObject(option.text) && option.text.text, option.value]) : '';
}

/** Options that are all on show: checkboxes and radio buttons. */
function checkChoices(report: Report, pointer: string, element: Json): void {
  checkOptions(report, pointer, element, { max: 10, mrkdwn: true });
  checkInitial(report, pointer, element, [element]);
}

function checkOptions(report: Report, pointer: string, element: Json, rule: { max: number; mrkdwn: boolean }): void {
  checkList(report, `${pointer}/options`, element.options, { max: rule.max }).forEach((option, index) => {
    const here = `${pointer}/options/${index}`;
    if (!isObject(option)) {
      report.add(here, 'must provide an object');
      return;
    }
    checkText(report, `${here}/text`, option.text, { max: 75, required: true, plainOnly: !rule.mrkdwn });
    checkText(report, `${here}/description`, option.description, { max: 75 });
    checkString(report, `${here}/value`, option.value, { max: 75 });
  });
}

/** A confirmation dialog (docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object). */
function checkConfirm(report: Report, pointer: string, confirm: unknown): void {
  if (confirm === undefined) {
    return;
  }
  if (!isObject(confirm)) {
    report.add(pointer, 'must provide an object');
    return;
  }
  checkText(report, `${pointer}/title`, confirm.title, { ...plain(100), required: true });
  checkText(report, `${pointer}/text`, confirm.text, { max: 300, required: true });
  checkText(report, `${pointer}/confirm`, confirm.confirm, { ...plain(30), required: true });
  checkText(report, `${pointer}/deny`, confirm.deny, { ...plain(30), required: true });
  checkWord(report, `${pointer}/style`, confirm.style, ['primary', 'danger']);
}
