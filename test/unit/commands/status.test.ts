import { describe, expect, test } from 'vitest';
import type { CardFacts } from '../../../src/domain/card-facts.ts';
import { createWorld, words } from './doubles.ts';

const minuteMs = 60_000;

function seenAt(atMs: number): CardFacts {
  return {
    facts: {
      mode: { value: 'DPU mode', from: 'bmc', atMs },
      'pcie-link': { value: '16 GT/s x16', from: 'host', atMs, warning: 'Wanted is 32 GT/s x16.' },
    },
    unread: { image: { reason: 'the Arm does not answer', atMs } },
    runId: 7,
    atMs,
  };
}

describe('/dpu status', () => {
  test('answers at once from what was seen, with age, warnings and what could not be read', async () => {
    const world = createWorld();
    world.facts.set('dpu-a', seenAt(world.nowMs - 3 * minuteMs));

    const text = words(await world.say('UANA', 'status dpu-a'));

    expect(text).toContain('DPU mode');
    expect(text).toContain('3 min 00 s ago');
    expect(text).toContain('Warning: Wanted is 32 GT/s x16.');
    expect(text).toContain('the Arm does not answer');
    expect(text).toContain('/dpu status dpu-a --refresh');
    expect(world.runs.size).toBe(0);
  });

  test('is narrowed by --only and --except, for which it needs a target', async () => {
    const world = createWorld();

    const text = words(await world.say('UANA', 'status rack1, host-c --except dpu-b1'));
    expect(text).toContain('dpu-b0');
    expect(text).not.toContain('dpu-b1* in');
    expect(words(await world.say('UANA', 'status --except dpu-b1'))).toContain(
      '`--only` and `--except` need a target.',
    );
    await world.say('UANA', 'diag rack1 links --only host-a');
    expect(Object.keys(world.runs.get(418)?.units ?? {})).toEqual(['host-a']);
  });

  test('names cards that nobody has looked at, and shows a larger fleet with a line a card', async () => {
    const world = createWorld();
    world.facts.set('dpu-a', seenAt(world.nowMs));

    const text = words(await world.say('UANA', 'status'));

    expect(text).toContain('Status of all cards: 4 cards');
    expect(text.match(/never looked at/gi)).toHaveLength(3);
  });

  test('says who has the host in hands, and that a run has changed the card since it was seen', async () => {
    const world = createWorld();
    await world.say('UANA', 'provision dpu-a');
    const run = world.runs.get(418);
    const unit = run?.units['host-a'];
    const startedAtMs = world.nowMs;
    if (run && unit) world.runs.set(418, { ...run, units: { 'host-a': { ...unit, state: 'running', startedAtMs } } });
    world.holds.set('host-a', { unit: 'host-a', runId: 418, by: 'ana', sinceMs: startedAtMs });
    world.facts.set('dpu-a', seenAt(startedAtMs - minuteMs));

    const text = words(await world.say('UBEN', 'status dpu-a'));

    expect(text).toContain('in the hands of run 418 (ana)');
    expect(text).toContain('before run 418 changed the card');
  });

  test('does not count a run that found all as wanted: it has written nothing', async () => {
    const world = createWorld();
    await world.say('UANA', 'provision dpu-a');
    const run = world.runs.get(418);
    const unit = run?.units['host-a'];
    const startedAtMs = world.nowMs;
    if (run && unit) world.runs.set(418, { ...run, units: { 'host-a': { ...unit, state: 'satisfied', startedAtMs } } });
    world.facts.set('dpu-a', seenAt(startedAtMs - minuteMs));

    expect(words(await world.say('UBEN', 'status dpu-a'))).not.toContain('before run 418');
  });

  test('looks anew with --refresh, for those who may operate', async () => {
    const world = createWorld();

    expect(await world.say('UANA', 'status rack1 --refresh')).toBeUndefined();
    expect(world.runs.get(418)).toMatchObject({ recipe: 'status', planOnly: false });
    expect(words(await world.say('UDAN', 'status rack1 --refresh'))).toContain('operators');
    expect(world.runs.size).toBe(1);
  });

  test.each([
    ['status --refresh', 'needs a target'],
    ['status rakc1', 'rack1'],
  ])('%s is refused and starts nothing', async (line, why) => {
    const world = createWorld();

    expect(words(await world.say('UANA', line))).toContain(why);
    expect(world.runs.size).toBe(0);
  });
});

describe('/dpu inspect', () => {
  test('is a plan and nothing else, also where the host hangs on the card', async () => {
    const world = createWorld();

    await world.say('UANA', 'inspect dpu-a');

    expect(world.runs.get(418)).toMatchObject({ recipe: 'inspect', planOnly: true, params: { viaCard: true } });
  });
});
