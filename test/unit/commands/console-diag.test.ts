import { describe, expect, test } from 'vitest';
import { probeNames } from '../../../src/domain/probes.ts';
import { createDispatch } from '../../../commands/dispatch.ts';
import { createWorld, words } from './doubles.ts';

describe('/dpu console', () => {
  test('starts a look at one card', async () => {
    const world = createWorld();

    expect(await world.say('UANA', 'console dpu-b1 --lines 200 --follow 5m')).toBeUndefined();

    expect(world.runs.get(418)).toMatchObject({
      recipe: 'console',
      recipeVersion: 1,
      params: { lines: 200, followSeconds: 300 },
    });
    expect(world.runs.get(418)?.units).toMatchObject({ 'host-b': { targets: ['dpu-b1'] } });
  });

  test('takes a host that has one card', async () => {
    const world = createWorld();

    await world.say('UANA', 'console host-a');

    expect(world.runs.get(418)).toMatchObject({ params: {}, units: { 'host-a': { targets: ['dpu-a'] } } });
  });

  test('takes the card that a run has been at work on longest, which is what its button asks for', async () => {
    const world = createWorld();
    await world.say('UANA', 'provision rack1');
    const run = world.runs.get(418);
    if (run === undefined) throw new Error('no run');
    const units = Object.entries(run.units).map(([name, unit]) => [name, { ...unit, state: 'running' }] as const);
    world.runs.set(418, { ...run, state: 'running', units: Object.fromEntries(units) });
    const sign = { step: 'install-bfb', text: '', stepIndex: 3, stepCount: 9, updatedAtMs: 9 };
    const signs = new Map([
      ['host-a', { ...sign, target: 'host-a', sinceMs: 1 }],
      ['host-b', { ...sign, target: 'dpu-b1', sinceMs: 7 }],
      ['host-c', { ...sign, target: 'dpu-c', sinceMs: 8 }],
    ]);
    const progress = { ...world.context.progress, get: async (_: number, unit: string) => signs.get(unit) };
    const dispatch = createDispatch({ ...world.context, progress });

    const answer = await dispatch('UANA', { text: 'console --run 418', channel: 'C0FLEET1', source: 'button' });

    expect(answer).toBeUndefined();
    expect(world.runs.get(419)?.units).toMatchObject({ 'host-b': { targets: ['dpu-b1'] } });
    expect(words(await world.say('UANA', 'console --run 418'))).toContain('at work on no card now');
    expect(words(await world.say('UANA', 'console'))).toContain('<target> is missing');
  });

  test.each(['host-b', 'rack1'])('names the cards of %s instead of choosing one', async (target) => {
    const world = createWorld();

    const answer = words(await world.say('UANA', `console ${target}`));

    expect(world.failures).toEqual(['command-invalid']);
    expect(answer).toContain('dpu-b0, dpu-b1');
    expect(world.runs.size).toBe(0);
  });

  test.each([
    '--lines 0',
    '--lines 2001',
    '--lines many',
    '--follow 11m',
    '--follow 601',
    '--follow soon',
    '--follow 0s',
  ])('refuses %s', async (flag) => {
    const world = createWorld();

    await world.say('UANA', `console dpu-b1 ${flag}`);

    expect(world.failures).toEqual(['command-invalid']);
    expect(world.runs.size).toBe(0);
  });

  test('suggests the card that was meant', async () => {
    const world = createWorld();

    expect(words(await world.say('UANA', 'console dpu-b9'))).toMatch(/dpu-b[01]/);
    expect(world.failures).toEqual(['target-unknown']);
  });

  test.each(['console dpu-b1', 'diag dpu-b1 links'])('%s needs the right to operate', async (line) => {
    const world = createWorld();
    world.people.set('UEVE', {});

    await world.say('UEVE', line);

    expect(world.failures).toEqual(['not-allowed']);
    expect(world.runs.size).toBe(0);
  });
});

describe('/dpu diag', () => {
  test('starts a look at every card of a rack', async () => {
    const world = createWorld();

    expect(await world.say('UANA', 'diag rack1 Temperatures')).toBeUndefined();

    expect(world.runs.get(418)).toMatchObject({ recipe: 'diag', recipeVersion: 1, params: { probe: 'temperatures' } });
    expect(Object.keys(world.runs.get(418)?.units ?? {})).toEqual(['host-a', 'host-b']);
  });

  test('lists all probes without one, and starts nothing', async () => {
    const world = createWorld();

    const answer = words(await world.say('UANA', 'diag dpu-b1'));

    for (const probe of probeNames) expect(answer).toContain(`/dpu diag dpu-b1 ${probe}`);
    expect(world.runs.size).toBe(0);
  });

  test('suggests the probe that was meant', async () => {
    const world = createWorld();

    const answer = words(await world.say('UANA', 'diag dpu-b1 temperature'));

    expect(world.failures).toEqual(['command-invalid']);
    expect(answer).toMatch(/Did you mean \W*temperatures/);
  });

  test('lists the probes for a word that is like none', async () => {
    const world = createWorld();

    expect(words(await world.say('UANA', 'diag dpu-b1 xyzzy12345'))).toContain('ipsec-sas');
  });
});
