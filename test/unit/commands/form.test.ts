import { describe, expect, test } from 'vitest';
import { Inventory } from '../../../src/domain/inventory.ts';
import { formView } from '../../../src/report/forms.ts';
import type { Form, FormField } from '../../../src/report/message.ts';
import { createWorld, words } from './doubles.ts';
import type { World } from './doubles.ts';
import { sampleInventory } from './sample-inventory.ts';

async function formOf(world: World, line: string): Promise<Form> {
  const reply = await world.say('UANA', line, { canOpenForm: true });
  if (reply === undefined || !('form' in reply)) throw new Error(words(reply));
  return reply.form;
}

function targetsOf({ fields }: Form): Extract<FormField, { readonly kind: 'targets' }> {
  const field = fields.find(({ kind }) => kind === 'targets');
  if (field?.kind !== 'targets') throw new Error('the form asks for no targets');
  return field;
}

describe('/dpu provision without a target', () => {
  test('asks for racks, hosts and cards, and says what each is to become', async () => {
    const world = createWorld();
    world.inventory = Inventory.parse({
      ...world.inventory,
      profiles: { ...world.inventory.profiles, quick: { image: 'bf-2.9.2' } },
    });

    const { groups } = targetsOf(await formOf(world, 'provision'));

    expect(groups.map(({ label, choices }) => [label, choices.map(({ value }) => value)])).toEqual([
      ['Racks', ['rack1', 'rack2']],
      ['Hosts', ['host-a', 'host-b', 'host-c']],
      ['DPUs', ['dpu-a', 'dpu-b0', 'dpu-b1', 'dpu-c']],
    ]);
    expect(groups[0]?.choices[0]?.text).toBe('rack1 (3 DPUs)');
    expect(groups[1]?.choices[2]).toEqual({
      value: 'host-c',
      text: 'host-c (1 DPU)',
      about: 'profile quick: image bf-2.9.2',
    });
  });

  test('in a fleet of 120 hosts shows the first hundred of each group, and says that the others are typed', async () => {
    const base = Inventory.parse(sampleInventory());
    const host = base.hosts['host-c'];
    if (host === undefined) throw new Error('no host-c');
    const dpu = host.dpus[0];
    if (dpu === undefined) throw new Error('no card');
    const hosts = Array.from({ length: 120 }, (_, index) => [
      `big-${index}`,
      { ...host, dpus: [{ ...dpu, name: `card-${index}` }] },
    ]);
    const world = createWorld({ ...base, hosts: Object.fromEntries(hosts) as Inventory['hosts'], links: [] });

    const form = await formOf(world, 'provision');
    const view = JSON.stringify(formView(form, { start: form.start, channel: 'C1' }));

    expect(targetsOf(form).hint).toContain('40 more are not in the list: type them.');
    expect(view).toContain('"big-99"');
    expect(view).not.toContain('"big-100"');
  });

  test('is refused to who may not give it before anything is filled in, and where no form opens says what is missing', async () => {
    const world = createWorld();

    expect(words(await world.say('UEVE', 'provision', { canOpenForm: true }))).toContain('the role operators');
    expect(words(await world.say('UANA', 'provision'))).toContain('<target> is missing');
  });
});

test('/dpu reflash without a word more asks for the image too', async () => {
  const form = await formOf(createWorld(), 'reflash');

  expect(form.fields).toContainEqual(expect.objectContaining({ kind: 'choice', flag: 'image', optional: false }));
});
