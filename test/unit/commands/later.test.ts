import { describe, expect, test } from 'vitest';
import { Inventory } from '../../../src/domain/inventory.ts';
import type { World } from './doubles.ts';
import { createWorld, words } from './doubles.ts';

/** A Tuesday, 10:00 in Berlin, where Ana is. */
function world(): World {
  const made = createWorld();
  made.nowMs = Date.parse('2026-11-24T09:00:00Z');
  made.people.set('UANA', { timeZone: 'Europe/Berlin' });
  return made;
}

function withWindows(made: World): World {
  const { lab } = made.inventory.sites;
  const windows = [{ days: ['mon-fri'], from: '22:00', to: '05:00', timeZone: 'Europe/Berlin' }];
  made.inventory = Inventory.parse({ ...made.inventory, sites: { lab: { ...lab, windows } } });
  return made;
}

describe('--at', () => {
  test.each([
    'provision rack1',
    'reflash host-b --image bf-2.9.2',
    'mode dpu-b0 nic',
    'reboot host-b host',
    'rotate host-b bmc',
    'recover dpu-b1 stuck-rshim',
  ])('is kept in the run of "%s", by the clock of the person', async (line) => {
    const made = world();

    await made.say('UANA', `${line} --at “22:00”`);

    expect(made.runs.get(418)?.startAtMs).toBe(Date.parse('2026-11-24T21:00:00Z'));
  });

  test.each([
    ['that is over', '--at 08:00', 'Did you mean \\"tomorrow 08:00\\"?'],
    ['that is too late', '--at "in 31 days"', 'more than 30 days ahead'],
    ['that is none', '--at tonight', 'it counts by your clock (Europe/Berlin)'],
    ['with --plan', '--at 22:00 --plan', '--plan does not go with --at.'],
  ])('refuses a time %s, and starts nothing', async (_what, flags, expected) => {
    const made = world();

    expect(words(await made.say('UANA', `provision rack1 ${flags}`))).toContain(expected);
    expect(made.runs.size).toBe(0);
    expect(made.failures).toEqual(['command-invalid']);
  });
});

describe('--outside-window', () => {
  test('is kept in the run', async () => {
    const made = withWindows(world());

    await made.say('UANA', 'provision rack1 --outside-window');

    expect(made.runs.get(418)?.outsideWindow).toBe(true);
  });

  test.each([
    ['no host has a window', world, '--outside-window', 'The inventory names no maintenance window'],
    ['nothing is started', () => withWindows(world()), '--outside-window --plan', 'does not go with --outside-window'],
  ])('is refused where %s', async (_when, make, flags, expected) => {
    const made = make();

    expect(words(await made.say('UANA', `provision rack1 ${flags}`))).toContain(expected);
    expect(made.runs.size).toBe(0);
  });

  test('said when a stopped run is resumed, counts from then on', async () => {
    const made = withWindows(world());
    await made.say('UANA', 'provision rack1');
    const run = made.runs.get(418);
    if (run) made.runs.set(418, { ...run, state: 'failed' });

    await made.say('UANA', 'resume 418 --outside-window');

    expect(made.runs.get(418)).toMatchObject({ state: 'planning', outsideWindow: true });
  });

  test('without it a run is started while the window is closed: its hosts wait', async () => {
    const made = withWindows(world());

    await made.say('UANA', 'provision rack1');

    expect(made.runs.get(418)).not.toHaveProperty('outsideWindow');
    expect(made.runs.get(418)).not.toHaveProperty('startAtMs');
  });
});
