import { describe, expect, it } from 'vitest';
import { provision } from '../../../jobs/provision.ts';
import { Image } from '../../../src/domain/image.ts';
import { DpuEntry, Profile, sliceOf } from '../../../src/domain/inventory.ts';
import type { Need, RecipeStep, RecipeTarget } from '../../../src/domain/step.ts';
import { makeInventory } from '../../support/make-run.ts';

/** A host whose profile wants everything. */
function target(bmc: string, options: Readonly<Record<string, boolean>>): RecipeTarget {
  const sha256 = 'ab'.repeat(32);
  const inventory = makeInventory(['h1']);
  inventory.images['bf'] = Image.parse({
    url: 'https://images.example/bf.bfb',
    sha256,
    bytes: 1,
    version: 'v',
    docaVersion: '3.0.0',
    signed: false,
  });
  inventory.profiles['all'] = Profile.parse({ image: 'bf', arm: { key: 'ssh-arm' }, secureBoot: 'off' });
  const host = inventory.hosts['h1'];
  if (host === undefined) throw new Error('no host');
  inventory.hosts['h1'] = { ...host, profile: 'all', dpus: [DpuEntry.parse({ name: 'd1', bmc: { address: bmc } })] };
  const slice = sliceOf(inventory, 'h1');
  const [dpu] = slice.entry.dpus;
  const wanted = slice.profiles['d1'];
  if (dpu === undefined || wanted === undefined) throw new Error('no card');
  return { slice, dpu, profile: wanted, cards: [{ slice, dpu, serial: 'MT1' }], options };
}

function waits({ step, waitsFor = [] }: RecipeStep): readonly Need[] {
  return [...step.needs, ...waitsFor];
}

const targets: readonly (readonly [string, RecipeTarget])[] = [
  ['a known BMC', target('10.0.0.2', {})],
  ['a BMC that has to be found', target('auto', {})],
  ['a mode to be set', target('10.0.0.2', { setMode: true })],
];

describe('the order of provisioning', () => {
  it.each(targets)(
    'with %s, a step that stands there twice is put off by a plan while the first one has work',
    (_name, one) => {
      const steps = provision.steps.filter((entry) => entry.skip?.(one) === undefined);

      const twice = steps.flatMap((later, index) =>
        steps
          .slice(0, index)
          .filter(({ step }) => step.observe === later.step.observe)
          .map(({ step }) => ({ step, later })),
      );
      const missed = twice.filter(({ step, later }) => !step.provides.some((need) => waits(later).includes(need)));

      expect(twice.length).toBeGreaterThan(0);
      expect(missed.map(({ step, later }) => `${later.step.name} does not wait for ${step.name}`)).toEqual([]);
    },
  );

  it.each(targets)('with %s, no plan looks for staged firmware before the flash that may stage it', (_name, one) => {
    const steps = provision.steps.filter((entry) => entry.skip?.(one) === undefined);
    const activate = steps.find(({ step }) => step.name === 'activate-firmware');
    const flash = steps.find(({ step }) => step.name === 'install-bfb');

    const awaited = activate && waits(activate).filter((need) => flash?.step.provides.includes(need));

    expect(awaited).toEqual(['active-image']);
  });

  it.each(targets)('with %s, the last look waits for all that sets right what it refuses', (_name, one) => {
    const steps = provision.steps.filter((entry) => entry.skip?.(one) === undefined);
    const last = steps.at(-1);
    const menders = [
      'install-bfb',
      'disable-secure-boot-again',
      'enrol-arm-login',
      'load-drivers',
      'activate-firmware',
    ];
    const before = steps.filter(({ step }) => menders.includes(step.name));

    const missed = before.filter(({ step }) => !step.provides.some((need) => last && waits(last).includes(need)));

    expect(last?.step.name).toBe('check-versions');
    expect(before.map(({ step }) => step.name)).toEqual(menders);
    expect(missed.map(({ step }) => step.name)).toEqual([]);
  });
});
