import { describe, expect, test } from 'vitest';
import { errors } from '../../../src/errors.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { World } from './doubles.ts';
import { createWorld, words } from './doubles.ts';

/** Run 418 of ana on rack1 in the given state; it stopped while it flashed dpu-a, and holds host-a. */
async function worldWithStopped(state: Run['state']): Promise<World> {
  const world = createWorld();
  await world.say('UANA', 'provision rack1');
  const run = world.runs.get(418);
  if (!run) throw new Error('the run was not created');
  world.runs.set(418, { ...run, state });
  world.holds.set('host-a', { unit: 'host-a', runId: 418, sinceMs: 0, by: 'ana' });
  for (const list of [world.events, world.audit, world.advanced, world.notified]) list.length = 0;
  const { failure } = errors.outcomeUnknown({ what: 'The flash of dpu-a broke off.', why: 'The host.', run: 418 });
  const flash = { step: 'install-bfb', target: 'dpu-a' };
  world.events.push(
    { runId: 418, event: { type: 'step-started', ...flash, title: 'Flash the card', limitMs: 1 } },
    { runId: 418, event: { type: 'step-failed', ...flash, outcome: 'needs-human', failure } },
  );
  return world;
}

describe('a command for a host on which an earlier run has stopped', () => {
  test.each(['recover dpu-a uefi-password', 'reflash host-a --image bf-2.9.2'])(
    '%s is refused at once, names the run, where it stopped, and both ways on',
    async (line) => {
      const world = await worldWithStopped('needs-human');

      const answer = words(await world.say('UBEN', line));

      expect(answer).toContain('host-a is held by run 418 (`/dpu provision rack1`, by ana, since ');
      expect(answer).toContain('which needs a person.');
      expect(answer).toContain('It stopped in \\"Flash the card\\" on dpu-a: The flash of dpu-a broke off.');
      expect(answer).toContain('`/dpu resume 418` finishes it.');
      expect(answer).toContain(`\`/dpu ${line} --cancel 418\` gives it up and goes on with this command.`);
      expect([...world.runs.keys()]).toEqual([418]);
      expect(world.failures).toEqual(['host-held']);
    },
  );

  test('names the cancel and the same line where the command gives up no other run itself', async () => {
    const world = await worldWithStopped('failed');

    const answer = words(await world.say('UBEN', 'provision host-a --adopt'));

    expect(answer).toContain(
      '`/dpu cancel 418` gives it up and host-a back; then give `/dpu provision host-a --adopt`',
    );
    expect(world.runs.size).toBe(1);
  });

  test('is started where others of its hosts are free: the plan leaves that one out', async () => {
    const world = await worldWithStopped('needs-human');

    await world.say('UBEN', 'provision rack1');

    expect(world.runs.size).toBe(2);
  });

  test.each(['running', 'paused', 'awaiting-approval'] as const)('is started while that run is %s', async (state) => {
    const world = await worldWithStopped(state);

    await world.say('UBEN', 'provision host-a');

    expect(world.runs.size).toBe(2);
    expect(world.holds.get('host-a')?.runId).toBe(418);
  });

  test.each(['recover dpu-a uefi-password --plan', 'inspect host-a', 'status host-a --refresh'])(
    '%s only looks, and is not kept from it',
    async (line) => {
      const world = await worldWithStopped('needs-human');

      await world.say('UBEN', line);

      expect(world.failures).toEqual([]);
    },
  );
});

describe('--cancel', () => {
  test('gives up the stopped run for good, takes its hold away and starts the new run', async () => {
    const world = await worldWithStopped('needs-human');

    await world.say('UBEN', 'recover dpu-a uefi-password --cancel 418');

    expect(world.runs.get(418)).toMatchObject({ state: 'cancelled', cancel: { by: { userId: 'UBEN' } } });
    expect(world.holds.size).toBe(0);
    expect(world.runs.get(419)).toMatchObject({ recipe: 'recover', state: 'planning' });
    expect(world.audit.map(({ action, runId }) => [action, runId])).toEqual([
      ['cancel', 418],
      ['recover', 419],
    ]);
  });

  test('said again after a crash between the two, starts the new run', async () => {
    const world = await worldWithStopped('cancelled');
    world.holds.clear();

    await world.say('UBEN', 'recover dpu-a uefi-password --cancel 418');

    expect(world.runs.get(419)?.recipe).toBe('recover');
  });

  test.each([
    ['a run that is at work', 'running', 'recover dpu-a uefi-password --cancel 418', 'run-not-in-state'],
    ['a run that is not known', 'failed', 'recover dpu-a uefi-password --cancel 9', 'run-unknown'],
    ['a run that holds another host', 'failed', 'recover dpu-c uefi-password --cancel 418', 'command-invalid'],
    ['a run, with --plan', 'failed', 'recover dpu-a uefi-password --plan --cancel 418', 'command-invalid'],
  ] as const)('of %s is refused, and nothing is given up or started', async (_case, state, line, code) => {
    const world = await worldWithStopped(state);

    await world.say('UBEN', line);

    expect(world.failures).toEqual([code]);
    expect(world.runs.get(418)?.state).toBe(state);
    expect(world.holds.size).toBe(1);
    expect(world.runs.size).toBe(1);
  });

  test('waits for a worker that still has the host: nothing is given up or started', async () => {
    const world = await worldWithStopped('needs-human');
    world.leases.set('host-a', { workerId: 'w1', incarnation: 1, runId: 418 });

    await world.say('UBEN', 'recover dpu-a uefi-password --cancel 418');

    expect(world.failures).toEqual(['unit-busy']);
    expect(world.holds.get('host-a')?.runId).toBe(418);
    expect(world.runs.size).toBe(1);
  });

  test('does not give the run up where the new one would be refused anyway', async () => {
    const world = await worldWithStopped('needs-human');

    await world.say('UBEN', 'recover dpu-a uefi-password --cancel 418', { channel: 'C0NOWHERE' });

    expect(world.runs.get(418)?.state).toBe('needs-human');
    expect(world.holds.size).toBe(1);
  });
});
