import { describe, expect, test } from 'vitest';
import type { Run, UnitRecord } from '../../../src/domain/run.ts';
import { createDispatch } from '../../../commands/dispatch.ts';
import type { World } from './doubles.ts';
import { createWorld, words } from './doubles.ts';

/** Run 418 of ana on rack1 in the given state; all lists of what happened are empty. */
async function runIn(state: Run['state'], unitState: UnitRecord['state'] = 'planning'): Promise<World> {
  const world = createWorld();
  await world.say('UANA', 'provision rack1');
  const run = world.runs.get(418);
  if (!run) throw new Error('the run was not created');
  const units = Object.entries(run.units).map(([name, unit]) => [name, { ...unit, state: unitState }] as const);
  world.runs.set(418, { ...run, state, units: Object.fromEntries(units) });
  for (const list of [world.events, world.audit, world.advanced, world.notified, world.lookups]) list.length = 0;
  return world;
}

function hold(world: World, unit: string, runId = 418): void {
  world.holds.set(unit, { unit, runId, sinceMs: 0, by: 'ana' });
}

describe('/dpu cancel', () => {
  test('marks an open run and asks a worker to stop it', async () => {
    const world = await runIn('running', 'queued');

    const answer = await world.say('UBEN', 'cancel 418');

    expect(words(answer)).toContain('nothing is running, it stops at once');
    expect(world.runs.get(418)).toMatchObject({ state: 'running', cancel: { by: { userId: 'UBEN' } } });
    expect(world.events.map(({ event }) => event.type)).toEqual(['cancel-requested']);
    expect(world.audit).toEqual([
      expect.objectContaining({ action: 'cancel', targets: ['dpu-a', 'dpu-b0', 'dpu-b1'] }),
    ]);
    expect(world.advanced).toEqual([418]);
  });

  test('says that a running step ends first, and where', async () => {
    const world = await runIn('running', 'running');

    expect(words(await world.say('UBEN', 'cancel 418'))).toContain('the running step on host-a, host-b ends first');
  });

  test('ends a run that had stopped and gives back what it holds, but not what another run holds', async () => {
    const world = await runIn('needs-human', 'needs-human');
    hold(world, 'host-a');
    hold(world, 'host-b', 500);

    const answer = await world.say('UBEN', 'cancel 418');

    expect(words(answer)).toContain('it gave back host-a');
    expect([...world.holds.keys()]).toEqual(['host-b']);
    expect(world.runs.get(418)?.state).toBe('cancelled');
  });

  test('gives nothing back while a worker still has the lease', async () => {
    const world = await runIn('failed', 'failed');
    hold(world, 'host-a');
    world.leases.set('host-a', { workerId: 'w1', incarnation: 1, runId: 418 });

    const answer = await world.say('UBEN', 'cancel 418');

    expect(words(answer)).toContain('Worker w1 has the lease for run 418');
    expect(world.holds.size).toBe(1);
    expect(world.runs.get(418)?.state).toBe('failed');
  });

  test.each([
    ['done', 'It is done'],
    ['cancelled', 'It is cancelled'],
  ] as const)('refuses a run that is %s', async (state, expected) => {
    const world = await runIn(state);

    expect(words(await world.say('UBEN', 'cancel 418'))).toContain(expected);
    expect(world.events).toEqual([]);
  });

  test('said again after the bot died halfway, gives back what was left', async () => {
    const world = await runIn('cancelled', 'failed');
    hold(world, 'host-b');

    const answer = await world.say('UBEN', 'cancel 418');

    expect(words(answer)).toContain('it gave back host-b');
    expect(world.holds.size).toBe(0);
    expect(world.events).toEqual([]);
  });

  test('a second cancel is told that the first one counts', async () => {
    const world = await runIn('running');
    await world.say('UBEN', 'cancel 418');

    expect(words(await world.say('UANA', 'cancel 418'))).toContain('being cancelled already');
  });
});

describe('/dpu resume', () => {
  test('plans the open units again with a new generation and asks a worker to look', async () => {
    const world = await runIn('failed', 'failed');

    const answer = await world.say('UBEN', 'resume 418');

    expect(words(answer)).toContain('Run 418 looks at its cards again');
    expect(world.runs.get(418)).toMatchObject({ state: 'planning', units: { 'host-a': { generation: 1 } } });
    expect(world.events[0]?.event).toMatchObject({ type: 'resumed', generation: 1 });
    expect(world.advanced).toEqual([418]);
  });

  test.each([
    ['after it had stopped', 'needs-human'],
    ['while it was at work, and once more', 'cancelled'],
  ] as const)('refuses a run that was cancelled %s: its hosts may be others’ since', async (_when, state) => {
    const world = await runIn(state, 'needs-human');
    hold(world, 'host-a');
    await world.say('UBEN', 'cancel 418');

    const answer = words(await world.say('UBEN', 'resume 418'));

    expect(answer).toContain('It is cancelled and has given its hosts back; others may have changed them since.');
    expect(answer).toContain('give the command `/dpu provision rack1` again');
    expect(world.runs.get(418)).toMatchObject({ state: 'cancelled', givenUp: true });
  });

  test('goes on with a run that was cancelled while it was at work and still has its hosts', async () => {
    const world = await runIn('cancelled', 'cancelled');
    hold(world, 'host-a');

    await world.say('UBEN', 'resume 418');

    expect(world.runs.get(418)?.state).toBe('planning');
  });

  test('pressed twice, resumes once', async () => {
    const world = await runIn('failed', 'failed');
    await world.say('UBEN', 'resume 418 --generation 0', { source: 'button' });

    const second = await world.say('UBEN', 'resume 418 --generation 0', { source: 'button' });

    expect(words(second)).toContain('older plan');
    expect(world.runs.get(418)?.units['host-a']?.generation).toBe(1);
  });

  test('refuses a run that is done and shows how to start a new one', async () => {
    const world = await runIn('done', 'done');

    expect(words(await world.say('UBEN', 'resume 418'))).toContain('/dpu provision rack1');
  });

  test('refuses while work is halted', async () => {
    const world = await runIn('failed', 'failed');
    world.halt = { by: 'cleo', reason: 'fire drill', sinceMs: 0 };

    expect(words(await world.say('UBEN', 'resume 418'))).toContain('fire drill');
    expect(world.runs.get(418)?.state).toBe('failed');
  });
});

describe('/dpu unlock', () => {
  test('takes the hold, raises the generation of the unit and puts both on record', async () => {
    const world = await runIn('needs-human', 'needs-human');
    hold(world, 'host-a');

    const answer = await world.say('UCLEO', 'unlock host-a --force');

    expect(words(answer)).toContain('host-a is free again; run 418 no longer holds it');
    expect(world.holds.size).toBe(0);
    expect(world.runs.get(418)?.units).toMatchObject({ 'host-a': { generation: 1 }, 'host-b': { generation: 0 } });
    expect(world.audit).toEqual([
      expect.objectContaining({ action: 'unlock --force', runId: 418, targets: ['host-a'] }),
    ]);
    expect(world.lookups).toEqual([{ userId: 'UCLEO', fresh: true }]);
  });

  test('is refused while a worker writes to the host', async () => {
    const world = await runIn('running', 'running');
    hold(world, 'host-a');
    world.leases.set('host-a', { workerId: 'w1', incarnation: 1, runId: 418 });

    expect(words(await world.say('UCLEO', 'unlock host-a --force'))).toContain('is being worked on right now');
    expect(world.holds.size).toBe(1);
  });

  test.each([
    ['without --force, showing who holds it and the better ways', 'unlock host-a', 'To take it anyway'],
    ['for a rack, naming its hosts', 'unlock rack1 --force', 'Its hosts: host-a, host-b'],
    ['for a card, naming its host', 'unlock dpu-a --force', 'Its host: host-a'],
    ['for a host nobody holds', 'unlock host-b --force', 'host-b is not held'],
    ['with --except, naming no slice of hosts', 'unlock rack1 --except host-b --force', 'takes one host, without'],
    ['for an unknown host', 'unlock hots-a --force', 'Did you mean'],
  ])('is refused %s', async (_what, text, expected) => {
    const world = await runIn('needs-human', 'needs-human');
    hold(world, 'host-a');

    expect(words(await world.say('UCLEO', text))).toContain(expected);
    expect(world.holds.size).toBe(1);
  });

  test('is refused to an operator, with the role it needs, and that is on record', async () => {
    const world = await runIn('needs-human', 'needs-human');
    hold(world, 'host-a');

    expect(words(await world.say('UANA', 'unlock host-a --force'))).toContain('needs the role admins');
    expect(world.audit).toEqual([expect.objectContaining({ action: 'refused: unlock' })]);
  });
});

describe('/dpu halt and unhalt', () => {
  test('halt is written into every open run and names them', async () => {
    const world = await runIn('running');

    const answer = await world.say('UCLEO', 'halt --reason “power work”');

    expect(words(answer)).toContain('Open runs: 418.');
    expect(world.halt).toEqual({ by: 'cleo', reason: 'power work', sinceMs: world.nowMs });
    expect(world.events).toEqual([{ runId: 418, event: { type: 'halted', by: 'cleo', reason: 'power work' } }]);
    expect(world.audit).toEqual([expect.objectContaining({ action: 'halt', detail: 'power work' })]);
  });

  test('a second halt does not overwrite the first one', async () => {
    const world = await runIn('running');
    await world.say('UCLEO', 'halt --reason "power work"');

    expect(words(await world.say('UCLEO', 'halt --reason "another"'))).toContain('cleo: power work');
    expect(world.halt?.reason).toBe('power work');
  });

  test('unhalt lets open runs go on', async () => {
    const world = await runIn('running');
    await world.say('UCLEO', 'halt --reason "power work"');

    const answer = await world.say('UCLEO', 'unhalt --reason "done with it"');

    expect(words(answer)).toContain('open runs go on: 418');
    expect(world.halt).toBeUndefined();
    expect(world.advanced).toEqual([418]);
  });

  test('unhalt without a halt says so', async () => {
    expect(words(await createWorld().say('UCLEO', 'unhalt --reason "just in case"'))).toContain('Nothing is halted.');
  });
});

describe('looking', () => {
  test('/dpu run shows the run to anybody of the workspace, without a trace', async () => {
    const world = await runIn('running', 'running');

    const answer = await world.say('UEVE', 'run 418');

    expect(words(answer)).toContain('provision rack1');
    expect(world.audit).toEqual([]);
  });

  test('/dpu runs lists the newest first', async () => {
    const world = await runIn('done', 'done');
    await world.say('UANA', 'provision host-b');

    const answer = words(await world.say('UEVE', 'runs'));

    expect(answer.indexOf('*419*')).toBeGreaterThan(-1);
    expect(answer.indexOf('*419*')).toBeLessThan(answer.indexOf('*418*'));
  });

  test('/dpu help lists what this person may give, counts the rest, and says of one why it is not for them', async () => {
    const forEve = words(await createWorld().say('UEVE', 'help'));
    const forCleo = words(await createWorld().say('UCLEO', ''));
    const forAna = words(await createWorld().say('UANA', 'help'));

    expect(forEve).not.toContain('/dpu halt');
    expect(forCleo).toContain('/dpu halt');
    expect(forCleo).not.toContain('/dpu provision <target>');
    expect(forAna).toContain('/dpu provision <target>');
    expect(forEve).toMatch(/\d+ more need rights that you do not have: ask .* for the role operators or admins\./);
    expect(forAna).toMatch(/\d+ more needs? rights that you do not have: ask .* for the role admins\./);
    expect(words(await createWorld().say('UEVE', 'help halt'))).toContain('not for you: needs the right to administer');
  });

  test('/dpu help provision shows words, flags, approval and examples, and the same as --help', async () => {
    const world = createWorld();

    const answer = words(await world.say('UANA', 'help provision'));

    expect(answer).toContain('/dpu provision <target> [--plan]');
    expect(answer).toContain('needs approval by a second person');
    expect(answer).toContain('for example /dpu provision rack1');
    expect(words(await world.say('UANA', 'provision --help'))).toBe(answer);
  });

  test('/dpu help with a typo names the command that was meant', async () => {
    expect(words(await createWorld().say('UANA', 'help provison'))).toContain('Did you mean \\"provision\\"?');
    expect(words(await createWorld().say('UANA', 'help histroy'))).toContain('Did you mean \\"bench history\\"?');
  });

  test('somebody of another workspace is shown nothing, not even help', async () => {
    const world = await runIn('running');
    world.people.set('UEVE', { teamId: 'T2' });

    for (const text of ['run 418', 'runs', 'help', ''])
      expect(words(await world.say('UEVE', text))).toContain('an active account of this workspace');
  });
});

describe('dispatch', () => {
  test('answers a fault of its own without its inner words getting lost or thrown', async () => {
    const world = await runIn('running');
    const broken = { ...world.context.runs, recent: async () => Promise.reject(new TypeError('x is undefined')) };

    const seen: unknown[] = [];
    const dispatch = createDispatch({ ...world.context, runs: broken }, (error) => seen.push(error));

    const answer = await dispatch('UANA', { text: 'runs', channel: 'C1', source: 'slash' });

    expect(words(answer)).toContain('TypeError: x is undefined');
    expect(seen).toHaveLength(1);
  });

  test('a refusal is told also when it cannot be recorded', async () => {
    const world = await runIn('running');

    const audit = { ...world.context.audit, append: async () => Promise.reject(new Error('Redis is down')) };
    const dispatch = createDispatch({ ...world.context, audit });

    const answer = await dispatch('UEVE', { text: 'cancel 418', channel: 'C1', source: 'slash' });

    expect(words(answer)).toContain('eve may not use `/dpu cancel`');
  });
});
