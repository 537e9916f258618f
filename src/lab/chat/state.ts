import type { AnyBlock } from '@slack/types';
import { isObject, type Json } from './blocks/report.ts';
import { elementsOf, type FoundElement } from './elements.ts';
import type { StateValue, StateValues } from './types.ts';

/** What a person put into an element: text, the value of an option, several of them, or nothing. */
export type Choice = string | string[] | null;

/** Choices by block id and action id. */
export type Choices = Record<string, Record<string, Choice | undefined>>;

const statelessTypes: readonly unknown[] = ['button', 'overflow', 'image', 'workflow_button', 'feedback_buttons'];

/** `state.values` of a message or view: what was chosen, and the initial values of the rest. */
export function initialState(blocks: readonly AnyBlock[], choices: Choices): StateValues {
  const values: StateValues = {};
  for (const found of elementsOf(blocks)) {
    if (!statelessTypes.includes(found.element.type)) {
      const actionId = String(found.element.action_id);
      const choice = choices[found.blockId]?.[actionId];
      (values[found.blockId] ??= {})[actionId] = stateValue(found.element, choice);
    }
  }
  return values;
}

/** Input blocks that must be filled and are not, with the client's words. */
export function missingInputs(blocks: readonly AnyBlock[], values: StateValues): Record<string, string> {
  const missing: Record<string, string> = {};
  for (const { blockId, element, input } of elementsOf(blocks)) {
    const value = values[blockId]?.[String(element.action_id)];
    if (input !== undefined && input.optional !== true && (value === undefined || isEmpty(value))) {
      missing[blockId] = 'Please complete this required field.';
    }
  }
  return missing;
}

/** The entry of `actions` for a press or choice (docs.slack.dev/reference/interaction-payloads/block_actions-payload). */
export function buildAction({ blockId, element }: FoundElement, choice: Choice | undefined, actionTs: string): Json {
  const base = { action_id: element.action_id, block_id: blockId, type: element.type, action_ts: actionTs };
  switch (element.type) {
    case 'button':
    case 'workflow_button':
      return {
        ...base,
        text: element.text,
        ...(element.value !== undefined && { value: element.value }),
        ...(element.style !== undefined && { style: element.style }),
        ...(element.url !== undefined && { url: element.url }),
        ...(element.confirm !== undefined && { confirm: element.confirm }),
      };
    case 'overflow':
      return { ...base, selected_option: optionOf(element, choice) };
    default:
      return { ...base, ...stateValue(element, choice) };
  }
}

function stateValue(element: Json, choice: Choice | undefined): StateValue {
  const type = String(element.type);
  const one = Array.isArray(choice) ? (choice[0] ?? null) : choice;
  const many = choice === undefined || choice === null ? undefined : [choice].flat();
  switch (type) {
    case 'static_select':
    case 'external_select':
    case 'radio_buttons':
      return { type, selected_option: one === undefined ? (element.initial_option ?? null) : optionOf(element, one) };
    case 'multi_static_select':
    case 'multi_external_select':
    case 'checkboxes': {
      const initial = Array.isArray(element.initial_options) ? (element.initial_options as unknown[]) : [];
      const chosen = many?.map((value) => optionOf(element, value)).filter((option) => option !== null);
      return { type, selected_options: chosen ?? (choice === null ? [] : initial) };
    }
    case 'datepicker':
      return { type, selected_date: one === undefined ? text(element.initial_date) : one };
    case 'timepicker':
      return { type, selected_time: one === undefined ? text(element.initial_time) : one };
    case 'users_select':
      return { type, selected_user: one === undefined ? text(element.initial_user) : one };
    case 'multi_users_select':
      return { type, selected_users: many ?? listed(element.initial_users) };
    case 'conversations_select':
      return { type, selected_conversation: one === undefined ? text(element.initial_conversation) : one };
    case 'multi_conversations_select':
      return { type, selected_conversations: many ?? listed(element.initial_conversations) };
    case 'multi_channels_select':
      return { type, selected_channels: many ?? listed(element.initial_channels) };
    case 'datetimepicker':
      return { type, selected_date_time: secondsOf(one === undefined ? element.initial_date_time : one) };
    case 'channels_select':
      return { type, selected_channel: one === undefined ? text(element.initial_channel) : one };
    default:
      return { type, value: one === undefined ? text(element.initial_value) : one === '' ? null : one };
  }
}

function isEmpty(value: StateValue): boolean {
  const { type: _type, ...rest } = value;
  return Object.values(rest).every((one) => one === null || one === '' || (Array.isArray(one) && one.length === 0));
}

function optionOf(element: Json, choice: Choice | undefined): unknown {
  const groups = Array.isArray(element.option_groups) ? (element.option_groups as unknown[]) : [element];
  const options = groups.flatMap((group) => (isObject(group) && Array.isArray(group.options) ? group.options : []));
  return options.find((option: unknown) => isObject(option) && option.value === choice) ?? null;
}

function listed(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function secondsOf(value: unknown): number | null {
  return value === null || value === undefined || value === '' ? null : Number(value);
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
