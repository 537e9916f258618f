import { describe, expect, test } from 'vitest';
import { runCard } from '../../../src/report/run-card.ts';
import { emptyFold } from '../../../src/report/journal-fold.ts';
import { runView } from '../../../src/report/run-view.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { createWorld, words } from './doubles.ts';

describe('a target of several', () => {
  test('starts one run on all that is meant, which its card spells out before anything begins', async () => {
    const world = createWorld();

    await world.say('UANA', 'provision rack1,dpu-a --except dpu-b1');

    const run = world.runs.get(418);
    expect(Object.values(run?.units ?? {}).map(({ unit, targets }) => [unit, targets])).toEqual([
      ['host-a', ['dpu-a']],
      ['host-b', ['dpu-b0']],
    ]);
    expect(world.audit).toEqual([
      expect.objectContaining({ targets: ['dpu-a', 'dpu-b0'], detail: 'provision rack1,dpu-a --except dpu-b1' }),
    ]);
    const card = run && plainText(runCard(runView(run, [], emptyFold()), world.nowMs));
    expect(card).toContain('2 hosts, 2 DPUs: host-a (dpu-a), host-b (dpu-b0)');
  });

  test('by pattern needs no quotes, and a single name needs no explaining', async () => {
    const world = createWorld();

    await world.say('UANA', 'provision host-[a] --plan');
    await world.say('UANA', 'provision host-? --plan');

    expect(words(await world.say('UANA', 'provision host-[a] --plan'))).toContain('Between brackets stand numbers');
    expect(Object.keys(world.runs.get(418)?.units ?? {})).toEqual(['host-a', 'host-b', 'host-c']);
    await world.say('UANA', 'provision rack1 --plan');
    const run = world.runs.get(419);
    const card = run && plainText(runCard(runView(run, [], emptyFold()), world.nowMs));
    expect(card).not.toContain('2 hosts, 3 DPUs');
  });

  test.each([
    ['provision *', 'It would mean everything there is: name the racks instead.'],
    ['provision host-z*', '"host-z*" fits no card of the inventory.'],
    ['provision tag:gen5', '"tag:gen5" fits no card of the inventory.'],
    ['provision rack1 --except host-*', '--except host-* leaves nothing of rack1.'],
    ['provision rack1 --only rack11', 'rack11'],
    ['status state:broken', 'The states are done, activation-pending, failed'],
    ['lock host-a,host-q --reason "cable swap"', 'host-q'],
  ])('%s starts nothing and says why', async (line, told) => {
    const world = createWorld();

    expect(words(await world.say('UANA', line))).toContain(told);
    expect(world.runs.size).toBe(0);
  });

  test('by state means the hosts whose last run ended so; looks and plans do not count', async () => {
    const world = createWorld();
    await world.say('UANA', 'provision host-a');
    const run = world.runs.get(418);
    const unit = run?.units['host-a'];
    if (run === undefined || unit === undefined) throw new Error('no run');
    world.runs.set(418, { ...run, state: 'failed', units: { 'host-a': { ...unit, state: 'failed' } } });

    await world.say('UANA', 'inspect state:failed');
    await world.say('UANA', 'inspect state:never');

    expect(Object.keys(world.runs.get(419)?.units ?? {})).toEqual(['host-a']);
    expect(Object.keys(world.runs.get(420)?.units ?? {})).toEqual(['host-b', 'host-c']);
  });
});
