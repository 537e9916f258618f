/** Interactive Block Kit elements as form controls. */
import { h } from './dom.js';
import { renderText } from './render-text.js';

let count = 0;

/** Who and what can be chosen; app.js fills it when the page knows who is here. Entries are `{ value, text }`. */
export const choosable = { users: () => [], conversations: () => [] };

/** An element in a message, a section or App Home: using it tells the app at once. */
export function renderElement(element, blockId, context) {
  switch (element.type) {
    case 'button':
    case 'workflow_button':
    case 'icon_button':
      return renderButton(element, blockId, context);
    case 'overflow':
      return renderSelect(element, blockId, context, 'More…');
    case 'static_select':
    case 'external_select':
      return renderSelect(element, blockId, context, element.placeholder?.text ?? 'Choose…');
    case 'checkboxes':
    case 'radio_buttons':
      return renderChoices(element, blockId, (control) => act(context, element, blockId, control));
    default:
      return renderControl(element, blockId, {
        'aria-label': element.placeholder?.text ?? element.type.replaceAll('_', ' '),
        onchange: (event) => act(context, element, blockId, event.target),
      });
  }
}

/** An input block of a modal, with label, hint and error. */
export function renderInput(block, context) {
  count += 1;
  const id = `input-${count}`;
  const error = context.errors?.[block.block_id];
  const kept = context.values?.[block.block_id]?.[block.element.action_id];
  const describedBy = [block.hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ') || undefined;
  const shared = { id, 'aria-describedby': describedBy, 'aria-invalid': error === undefined ? undefined : 'true' };
  const isGroup = block.element.type === 'checkboxes' || block.element.type === 'radio_buttons';
  const label = [
    ...renderText(block.label),
    block.optional === true ? h('span', { class: 'optional' }, ' (optional)') : undefined,
  ];
  const notes = [
    error && h('p', { class: 'field-error', id: `${id}-error`, role: 'alert' }, error),
    block.hint && h('p', { class: 'field-hint', id: `${id}-hint` }, renderText(block.hint)),
  ];
  if (isGroup) {
    const tell =
      block.dispatch_action === true ? (control) => act(context, block.element, block.block_id, control) : undefined;
    const group = renderChoices(block.element, block.block_id, tell, kept);
    return h('fieldset', { class: 'field', 'aria-describedby': describedBy }, h('legend', {}, label), group, notes);
  }
  const tellAtOnce = (event) => act(context, block.element, block.block_id, event.target);
  const props = {
    ...shared,
    'aria-required': String(block.optional !== true),
    onchange: block.dispatch_action === true ? tellAtOnce : undefined,
  };
  const control = renderControl(block.element, block.block_id, props, kept);
  return h('div', { class: 'field' }, h('label', { for: id }, label), control, notes);
}

/** What a person put into the controls under an element, by block id and action id. */
export function readValues(root) {
  const values = {};
  for (const control of root.querySelectorAll('[data-action-id][data-block-id]')) {
    const { actionId, blockId } = control.dataset;
    const block = (values[blockId] ??= {});
    if (control.matches('.choices')) {
      block[actionId] = chosen(control);
    } else if (control.matches('select[multiple]')) {
      block[actionId] = [...control.selectedOptions].map((option) => option.value);
    } else if (!control.matches('button, a, .momentary')) {
      block[actionId] = valueOf(control);
    }
  }
  return values;
}

function valueOf(control) {
  if (control.value === '') {
    return null;
  }
  // Slack keeps a date with its time as seconds.
  return control.type === 'datetime-local' ? String(Math.floor(Date.parse(control.value) / 1000)) : control.value;
}

function renderButton(element, blockId, context) {
  const props = {
    class: ['button', element.style && `button-${element.style}`].filter(Boolean).join(' '),
    'aria-label': element.accessibility_label,
    dataset: { actionId: element.action_id ?? '', blockId },
    onclick: (event) => context.act(element, blockId, undefined, event.currentTarget),
  };
  if (element.url !== undefined && /^https?:/.test(element.url)) {
    return h(
      'a',
      { ...props, href: element.url, target: '_blank', rel: 'noopener noreferrer' },
      renderText(element.text),
    );
  }
  return h('button', { ...props, type: 'button' }, renderText(element.text));
}

function renderSelect(element, blockId, context, placeholder) {
  const isMenu = element.type === 'overflow';
  return renderControl({ ...element, type: 'static_select', placeholder: { text: placeholder } }, blockId, {
    class: isMenu ? 'control momentary' : 'control',
    'aria-label': placeholder,
    onchange: (event) => event.target.value !== '' && act(context, element, blockId, event.target),
  });
}

function act(context, element, blockId, control) {
  const choice = control.matches('.choices')
    ? chosen(control)
    : control.multiple
      ? [...control.selectedOptions].map((option) => option.value)
      : valueOf(control);
  void context.act(element, blockId, choice, control);
}

function chosen(group) {
  const values = [...group.querySelectorAll('input:checked')].map((input) => input.value);
  return group.dataset.kind === 'radio_buttons' ? (values[0] ?? null) : values;
}

const inputTypes = {
  datepicker: 'date',
  timepicker: 'time',
  datetimepicker: 'datetime-local',
  email_text_input: 'email',
  number_input: 'number',
  url_text_input: 'url',
};

function renderControl(element, blockId, props, kept) {
  const shared = { class: 'control', ...props, dataset: { actionId: element.action_id ?? '', blockId } };
  const placeholder = element.placeholder?.text;
  const chosenFrom = /^(?:multi_)?(users|conversations|channels)_select$/.exec(element.type)?.[1];
  if (chosenFrom !== undefined) {
    return renderOptions(fromDirectory(element, chosenFrom), shared, kept);
  }
  const initial = kept ?? element.initial_value ?? element.initial_date ?? element.initial_time ?? '';
  if (element.options !== undefined || element.option_groups !== undefined) {
    return renderOptions(element, shared, kept);
  }
  if (element.type === 'plain_text_input' && element.multiline === true) {
    return h('textarea', { ...shared, rows: '4', placeholder, maxlength: element.max_length, value: initial });
  }
  const type = inputTypes[element.type] ?? 'text';
  return h('input', { ...shared, type, placeholder, maxlength: element.max_length, value: initial });
}

/** A menu of people or conversations, as one of options. */
function fromDirectory(element, kind) {
  const listed = kind === 'users' ? choosable.users() : choosable.conversations();
  const options = listed.map(({ value, text }) => ({ value, text: { type: 'plain_text', text } }));
  const one = element[`initial_${kind.slice(0, -1)}`];
  const several = element[`initial_${kind}`] ?? [];
  return {
    ...element,
    options,
    initial_option: options.find((option) => option.value === one),
    initial_options: options.filter((option) => several.includes(option.value)),
  };
}

function renderOptions(element, props, kept) {
  const isMultiple = element.type.startsWith('multi_');
  const initial =
    kept ?? (isMultiple ? (element.initial_options ?? []).map((one) => one.value) : element.initial_option?.value);
  const option = (one) =>
    h(
      'option',
      { value: one.value, selected: isMultiple ? (initial ?? []).includes(one.value) : one.value === initial },
      one.text.text,
    );
  const placeholder = h('option', { value: '' }, element.placeholder?.text ?? 'Choose…');
  const groups = element.option_groups?.map((group) =>
    h('optgroup', { label: group.label.text }, group.options.map(option)),
  );
  return h(
    'select',
    { ...props, multiple: isMultiple },
    isMultiple ? undefined : placeholder,
    groups ?? element.options.map(option),
  );
}

function renderChoices(element, blockId, onchange, kept) {
  count += 1;
  const name = `choice-${count}`;
  const initial = kept ?? (element.initial_options ?? [element.initial_option].filter(Boolean)).map((one) => one.value);
  const group = h('div', {
    class: 'choices',
    dataset: { actionId: element.action_id ?? '', blockId, kind: element.type },
    onchange: onchange && (() => onchange(group)),
  });
  for (const one of element.options) {
    const type = element.type === 'checkboxes' ? 'checkbox' : 'radio';
    const input = h('input', { type, name, value: one.value, checked: [initial].flat().includes(one.value) });
    group.append(
      h(
        'label',
        { class: 'choice' },
        input,
        h('span', {}, renderText(one.text), one.description && h('small', {}, renderText(one.description))),
      ),
    );
  }
  return group;
}
