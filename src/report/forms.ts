/** Forms: what a modal of Slack asks for, and how the answers become the line that a person might as well have typed. */
import type { InputBlock, KnownBlock, ModalView, PlainTextElement, PlainTextOption } from '@slack/types';
import type { Failure } from '../domain/outcome.ts';
import type { FormWord } from './form-line.ts';
import { blockLimits } from './limits.ts';
import type { Form, FormChoice, FormField } from './message.ts';
import { cutPlain } from './text.ts';

/** Where a form was opened, and what it begins with. It travels with the form and is told back: people can read and change it. */
export interface FormOrigin {
  readonly start: string;
  /** Missing when the form was opened from where no channel is; then it asks for one. */
  readonly channel?: string | undefined;
  readonly channelName?: string | undefined;
  readonly threadTs?: string | undefined;
}

/** Callback id of all forms. */
export const formCallback = 'form';

const limits = { title: 24, submit: 24, label: 2000, choice: 75, switches: 10, about: 3000, typed: 500 } as const;
const blockIds = { picked: 'picked', typed: 'typed', switches: 'switches', channel: 'channel' } as const;
const valueId = 'value';
const flagPrefix = 'flag:';

/** A form as Slack shows it. */
export function formView(form: Form, origin: FormOrigin): ModalView {
  // Only work has a card, and the card needs a place.
  const isWork = form.fields.some(({ kind }) => kind === 'targets');
  const channel = isWork && origin.channel === undefined ? [channelBlock()] : [];
  const about: KnownBlock = { type: 'section', text: { type: 'plain_text', text: cutPlain(form.about, limits.about) } };
  return {
    type: 'modal',
    callback_id: formCallback,
    title: plain(form.title, limits.title),
    submit: plain(form.submit, limits.submit),
    close: plain('Close', limits.submit),
    private_metadata: JSON.stringify(origin),
    blocks: [about, ...form.fields.flatMap(fieldBlocks), ...channel],
  };
}

function fieldBlocks(field: FormField): KnownBlock[] {
  switch (field.kind) {
    case 'targets':
      return targetBlocks(field);
    case 'choice':
      return choiceBlock(field);
    case 'text': {
      const element = { type: 'plain_text_input', action_id: valueId, max_length: limits.typed } as const;
      return [{ ...inputOf(`${flagPrefix}${field.flag}`, field.label, element, true), hint: plain(field.hint, 2000) }];
    }
    case 'switches': {
      const options = field.choices.slice(0, limits.switches).map(option);
      if (options.length === 0) return [];
      return [inputOf(blockIds.switches, field.label, { type: 'checkboxes', action_id: valueId, options }, true)];
    }
  }
}

/** The list holds the first hundred of each group; every name can be typed. */
function targetBlocks(field: Extract<FormField, { readonly kind: 'targets' }>): KnownBlock[] {
  const groups = field.groups
    .filter(({ choices }) => choices.length > 0)
    .map(({ label, choices }) => ({
      label: plain(label, limits.choice),
      options: choices.slice(0, blockLimits.selectOptions).map(option),
    }));
  const placeholder = plain('Pick one or several', 150);
  const picked = { type: 'multi_static_select', action_id: valueId, option_groups: groups, placeholder } as const;
  const typed = { type: 'plain_text_input', action_id: valueId, max_length: limits.typed } as const;
  return [
    ...(groups.length === 0 ? [] : [inputOf(blockIds.picked, field.label, picked, true)]),
    { ...inputOf(blockIds.typed, 'Or type it', typed, true), hint: plain(field.hint, 2000) },
  ];
}

function choiceBlock(field: Extract<FormField, { readonly kind: 'choice' }>): KnownBlock[] {
  if (field.choices.length === 0) return [];
  const options = field.choices.slice(0, blockLimits.selectOptions).map(option);
  const element = { type: 'static_select', action_id: valueId, options } as const;
  return [inputOf(`${flagPrefix}${field.flag}`, field.label, element, field.optional)];
}

function channelBlock(): KnownBlock {
  const filter = { include: ['public' as const, 'private' as const], exclude_bot_users: true };
  const element = { type: 'conversations_select', action_id: valueId, filter } as const;
  return inputOf(blockIds.channel, 'Channel for its messages', element, false);
}

function inputOf(blockId: string, label: string, element: InputBlock['element'], optional: boolean): InputBlock {
  return { type: 'input', block_id: blockId, label: plain(label, limits.label), element, optional };
}

function option({ value, text, about }: FormChoice): PlainTextOption {
  const description = about === undefined ? {} : { description: plain(about, limits.choice) };
  return { text: plain(text, limits.choice), value, ...description };
}

function plain(text: string, most: number): PlainTextElement {
  return { type: 'plain_text', text: cutPlain(text, most), emoji: false };
}

/** State of the fields of a submitted form, as Slack sends it. */
export type FormState = Readonly<Record<string, Readonly<Record<string, FormValue>> | undefined>>;

export interface FormValue {
  readonly value?: string | null;
  readonly selected_option?: { readonly value?: string } | null;
  readonly selected_options?: readonly { readonly value?: string }[] | null;
  readonly selected_conversation?: string | null;
}

/** What was given, as what follows `start`; `problems` by block id where something is missing. */
export type FormReading =
  | { readonly ok: true; readonly words: readonly FormWord[]; readonly channel?: string }
  | { readonly ok: false; readonly problems: Readonly<Record<string, string>> };

/** Reads a submitted form. Nothing is checked here but that a target is there: the line meets the one validator. */
export function readForm(state: FormState): FormReading {
  const given = (blockId: string): FormValue => state[blockId]?.[valueId] ?? {};
  const flags = Object.keys(state).filter((blockId) => blockId.startsWith(flagPrefix));
  const targets = [...chosen(given(blockIds.picked)), ...typedIn(given(blockIds.typed))];
  const asksTarget = blockIds.typed in state;
  if (asksTarget && targets.length === 0)
    return { ok: false, problems: { [blockIds.typed]: 'Pick what it should work on, or type it here.' } };
  const words: FormWord[] = [
    ...(asksTarget ? [{ kind: 'word' as const, text: targets.join(',') }] : []),
    ...flags.flatMap((blockId) => flagWords(blockId.slice(flagPrefix.length), given(blockId))),
    ...chosen(given(blockIds.switches)).map((name) => ({ kind: 'flag' as const, name })),
  ];
  const channel = given(blockIds.channel).selected_conversation ?? undefined;
  return { ok: true, words, ...(channel !== undefined && { channel }) };
}

function chosen({ selected_options: options }: FormValue): string[] {
  return (options ?? []).flatMap(({ value }) => (value === undefined ? [] : [value]));
}

function typedIn({ value }: FormValue): string[] {
  const text = (value ?? '').trim();
  return text === '' ? [] : [text];
}

function flagWords(name: string, { value, selected_option: option }: FormValue): FormWord[] {
  const text = (option?.value ?? value ?? '').trim();
  return text === '' ? [] : [{ kind: 'flag', name, value: text }];
}

/**
 * Where a refusal is shown: at the flag that it names, at the channel when it is about that, else at the target, which
 * most of them are about, or at the first field.
 */
export function blockForProblem(state: FormState, problem?: Pick<Failure, 'what' | 'why'>): string {
  const said = problem === undefined ? '' : `${problem.what} ${problem.why}`;
  const flagsSaid = [...said.matchAll(/--([a-z][a-z-]*)/g)].map(([, flag]) => flag);
  const names = (flag: string): boolean => flagsSaid.includes(flag);
  const blocks = Object.keys(state);
  const flag = blocks.find((id) => id.startsWith(flagPrefix) && names(id.slice(flagPrefix.length)));
  if (flag !== undefined) return flag;
  if (chosen(state[blockIds.switches]?.[valueId] ?? {}).some(names)) return blockIds.switches;
  if (blockIds.channel in state && /\bchannel\b|\/invite/.test(said)) return blockIds.channel;
  return blockIds.typed in state ? blockIds.typed : (blocks[0] ?? blockIds.typed);
}

/** The form of the Reject button: why is for the record. */
export function rejectForm(runId: number, generation: number): Form {
  return {
    start: `reject ${runId} --generation ${generation}`,
    title: `Reject run ${runId}`,
    submit: 'Reject',
    about: 'The run ends, and nothing of its plan is done. The reason stands in its thread and in the record.',
    fields: [{ kind: 'text', flag: 'reason', label: 'Why', hint: 'May be left out.' }],
  };
}
