import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blockForProblem, formView, readForm, rejectForm } from '../../../src/report/forms.ts';
import type { Form, FormChoice, FormField } from '../../../src/report/message.ts';

const word = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' });
const choice: fc.Arbitrary<FormChoice> = fc.record(
  {
    value: fc.stringMatching(/^[a-z0-9.-]{1,60}$/),
    text: fc.string({ minLength: 1, maxLength: 200 }),
    about: fc.string({ minLength: 1, maxLength: 200 }),
  },
  { requiredKeys: ['value', 'text'] },
);
const choices = fc.array(choice, { maxLength: 150 });
const field: fc.Arbitrary<FormField> = fc.oneof(
  fc.record({
    kind: fc.constant('targets' as const),
    label: word,
    groups: fc.array(fc.record({ label: word, choices }), { maxLength: 3 }),
    hint: word,
  }),
  fc.record({ kind: fc.constant('choice' as const), flag: word, label: word, choices, optional: fc.boolean() }),
  fc.record({ kind: fc.constant('text' as const), flag: word, label: word, hint: word }),
  fc.record({ kind: fc.constant('switches' as const), label: word, choices }),
);
const anyForm: fc.Arbitrary<Form> = fc.record({
  start: fc.constant('provision'),
  title: fc.string({ minLength: 1, maxLength: 80 }),
  submit: fc.string({ minLength: 1, maxLength: 80 }),
  about: fc.string({ minLength: 1, maxLength: 5000 }),
  fields: fc.array(field, { maxLength: 4 }),
});

describe('a form', () => {
  test('is within the limits of a modal, whatever it asks for', () => {
    fc.assert(
      fc.property(anyForm, fc.boolean(), (form, here) => {
        const view = formView(form, { start: form.start, ...(here && { channel: 'C1' }) });

        expect(view.title.text.length).toBeLessThanOrEqual(24);
        expect(view.submit?.text.length).toBeLessThanOrEqual(24);
        expect(view.blocks.length).toBeLessThanOrEqual(100);
        expect(view.private_metadata?.length).toBeLessThanOrEqual(3000);
        for (const list of JSON.stringify(view.blocks).matchAll(/"options":\[((?:\{[^[\]]*?\},?)*)\]/g))
          expect((list[1]?.match(/"value":/g) ?? []).length).toBeLessThanOrEqual(100);
      }),
    );
  });

  test('without a channel asks for one, and gives it back', () => {
    const field: FormField = { kind: 'targets', label: 'Racks', groups: [], hint: 'A name.' };
    const view = formView({ ...rejectForm(418, 3), fields: [field] }, { start: 'provision' });

    expect(formView(rejectForm(418, 3), { start: 'reject 418' }).blocks.at(-1)).toMatchObject({
      block_id: 'flag:reason',
    });
    expect(view.blocks.at(-1)).toMatchObject({ type: 'input', block_id: 'channel', optional: false });
    expect(readForm({ channel: { value: { selected_conversation: 'C7' } } })).toEqual({
      ok: true,
      words: [],
      channel: 'C7',
    });
  });
});

describe('a form that is sent off', () => {
  test('with nothing to work on names the field that wants it', () => {
    const state = { picked: { value: { selected_options: [] } }, typed: { value: { value: '  ' } } };

    expect(readForm(state)).toMatchObject({ ok: false, problems: { typed: expect.stringContaining('type it here') } });
    expect(blockForProblem(state)).toBe('typed');
  });

  test('gives what was picked and what was typed as one target, and leaves out what is empty', () => {
    const state = {
      picked: { value: { selected_options: [{ value: 'rack1' }, { value: 'as9' }] } },
      typed: { value: { value: ' tag:gen5 ' } },
      'flag:image': { value: { selected_option: null } },
      'flag:via': { value: { selected_option: { value: 'rshim' } } },
      switches: { value: { selected_options: [{ value: 'plan' }] } },
    };

    expect(readForm(state)).toEqual({
      ok: true,
      words: [
        { kind: 'word', text: 'rack1,as9,tag:gen5' },
        { kind: 'flag', name: 'via', value: 'rshim' },
        { kind: 'flag', name: 'plan' },
      ],
    });
  });
});

describe('a refusal', () => {
  const state = {
    picked: { value: {} },
    typed: { value: { value: 'rack1' } },
    'flag:image': { value: {} },
    'flag:via': { value: {} },
    switches: { value: { selected_options: [{ value: 'via-card' }, { value: 'reflash' }] } },
    channel: { value: { selected_conversation: 'C7' } },
  };

  test.each([
    ['There is no rack1.', '', 'typed'],
    ['The inventory has no image "x".', 'Name one after --image.', 'flag:image'],
    ['--reflash and --adopt exclude each other.', '', 'switches'],
    ['--plan takes no value.', '', 'typed'],
    ['--via-card is not for this.', '', 'switches'],
    ['dpubot is not in this channel.', '', 'channel'],
  ])('%j stands beside what it is about', (what, why, block) => {
    expect(blockForProblem(state, { what, why })).toBe(block);
  });

  test('of a channel that the form did not ask for stands at the target, where people see it', () => {
    expect(blockForProblem({ typed: { value: {} } }, { what: 'dpubot is not in this channel.', why: '' })).toBe(
      'typed',
    );
  });
});
