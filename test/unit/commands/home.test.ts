import { describe, expect, test } from 'vitest';
import { createHome } from '../../../commands/home.ts';
import type { HomePorts } from '../../../commands/home-ports.ts';
import type { OutboxPost } from '../../../src/domain/ports.ts';
import type { Run } from '../../../src/domain/run.ts';
import type { HomeMessage } from '../../../src/report/home-model.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { recordOf } from '../../support/bench-results.ts';
import type { World } from './doubles.ts';
import { createWorld } from './doubles.ts';

const hourMs = 3_600_000;
const cardTs = '1700000000.000100';

interface Drawn {
  readonly text: string;
  readonly message: HomeMessage;
}

function portsOf(world: World, posts: readonly OutboxPost[] = []): HomePorts {
  return { ...world.context, posts: { all: async () => posts }, workspaceUrl: 'https://dpu.slack.com/' };
}

async function homeOf(world: World, userId: string, posts: readonly OutboxPost[] = []): Promise<Drawn> {
  const message = await createHome(portsOf(world, posts))(userId, { fresh: true });
  return { message, text: plainText({ text: '', blocks: message.blocks }) };
}

/** Ana's run 418 on dpu-a, as it stands when it waits for an approval. */
async function waitingRun(world: World, change: Partial<Run> = {}): Promise<Run> {
  await world.say('UANA', 'provision dpu-a');
  const run = world.runs.get(418);
  if (run === undefined) throw new Error('no run was made');
  const approval = {
    generation: 3,
    state: 'open' as const,
    hashes: { 'host-a': 'h' },
    risk: 'disruptive' as const,
    requestedAtMs: world.nowMs,
    expiresAtMs: world.nowMs + hourMs,
    votes: [],
    askers: [run.requester],
  };
  const waiting: Run = { ...run, state: 'awaiting-approval', approval, ...change };
  world.runs.set(418, waiting);
  return waiting;
}

function post(key: string, extra: Partial<OutboxPost> = {}): OutboxPost {
  return { key, state: 'sent', channel: 'C0FLEET1', ts: cardTs, attempts: 1, atMs: 1, ...extra };
}

function buttonsOf({ blocks }: HomeMessage, blockId: string): readonly (readonly [string, string | undefined])[] {
  return blocks.flatMap((block) =>
    block.type === 'actions' && block.block_id === blockId
      ? block.elements.flatMap((one) => (one.type === 'button' ? [[one.action_id ?? '', one.value] as const] : []))
      : [],
  );
}

describe('what waits for an approval', () => {
  test('is shown to who may approve it, with risk, targets, who asked, expiry, and the buttons of the card', async () => {
    const world = createWorld();
    await waitingRun(world);

    const { text, message } = await homeOf(world, 'UBEN');

    expect(text).toContain('Run 418: `/dpu provision dpu-a`, asked for by ana');
    expect(text).toContain('Risk: disruptive: interrupts service for a while');
    expect(text).toContain('Targets: dpu-a');
    expect(text).toContain('Approvals: 0 of 1; missing: 1 more approval by role approvers, not by ana');
    expect(text).toContain('Expires: 1970-01-01 01:16:40 UTC');
    expect(buttonsOf(message, 'approval-418')).toEqual([
      ['run:approve', '418:3'],
      ['run:reject', '418:3'],
      ['run:details', '418:3'],
    ]);
  });

  test.each([
    ['the person who asked for it', 'UANA', {}],
    ['an operator without the role of the rule', 'UEVA', {}],
    ['an approver who has voted already', 'UBEN', { voted: true } as const],
    ['an approver, once it has expired', 'UBEN', { late: true } as const],
  ])('is not shown to %s', async (_who, userId, when: { readonly voted?: true; readonly late?: true }) => {
    const world = createWorld();
    world.people.set('UEVA', { userGroups: ['SOPS'] });
    const run = await waitingRun(world);
    const by = { userId: 'UBEN', teamId: 'T1', displayName: 'ben' };
    const vote = { by, vote: 'approve' as const, roles: ['approvers'], policyHash: 'x', atMs: 1 };
    if (when.voted && run.approval) world.runs.set(418, { ...run, approval: { ...run.approval, votes: [vote] } });
    if (when.late) world.nowMs += 2 * hourMs;

    const { text, message } = await homeOf(world, userId);

    expect(text).toContain('No run waits for you.');
    expect(buttonsOf(message, 'approval-418')).toEqual([]);
  });
});

describe('runs of a person', () => {
  test('are told in words with the buttons that are legal, and lead to the newest card in the channel', async () => {
    const world = createWorld();
    await waitingRun(world);
    const posts = [post('run418/card'), post('run418/card/2', { ts: '1700000009.000200' }), post('run418/_run/5-0')];

    const { text, message } = await homeOf(world, 'UANA', posts);

    expect(text).toContain('Run 418: Waiting for approval\n`/dpu provision dpu-a` · since');
    expect(text).toContain('https://dpu.slack.com/archives/C0FLEET1/p1700000009000200');
    expect(buttonsOf(message, 'run-418').map(([id]) => id)).toEqual(['run:details', 'run:cancel']);
  });

  test('of others are not there, and one that was set going again is', async () => {
    const world = createWorld();
    const run = await waitingRun(world);

    const before = await homeOf(world, 'UBEN');
    world.runs.set(418, { ...run, resumedBy: { userId: 'UBEN', teamId: 'T1', displayName: 'ben' } });
    const after = await homeOf(world, 'UBEN');

    expect(before.text).toContain('You have started no run lately.');
    expect(after.text).toContain('Run 418: Waiting for approval\n');
  });

  test('have no Cancel or Resume for who has lost the right to operate', async () => {
    const world = createWorld();
    const requester = { userId: 'UDAN', teamId: 'T1', displayName: 'dan' };
    await waitingRun(world, { requester, state: 'failed', endedAtMs: world.nowMs });

    const { text, message } = await homeOf(world, 'UDAN');

    expect(text).toContain('Run 418: Failed');
    expect(buttonsOf(message, 'run-418').map(([id]) => id)).toEqual(['run:details']);
    expect(buttonsOf(message, 'home-buttons').map(([id]) => id)).toEqual(['home:refresh']);
  });
});

describe('holds', () => {
  test('name the stopped run, since when, and both ways on; a run at work names its worker', async () => {
    const world = createWorld();
    const run = await waitingRun(world, { state: 'failed', endedAtMs: world.nowMs });
    const running: Run = { ...run, id: 419, state: 'running' };
    world.runs.set(419, running);
    world.holds.set('host-a', { unit: 'host-a', runId: 418, by: 'ana', sinceMs: 0 });
    world.holds.set('host-b', { unit: 'host-b', runId: 419, by: 'ana', sinceMs: 0 });
    world.leases.set('host-b', { workerId: 'w1', incarnation: 1, runId: 419 });

    const { text } = await homeOf(world, 'UBEN');

    expect(text).toContain('host-a is held by the stopped run 418 (Failed, ana) since 1970-01-01 00:00:00 UTC.');
    expect(text).toContain('`/dpu resume 418` goes on with it, `/dpu cancel 418` gives the host back.');
    expect(text).toContain('host-b is in the hands of run 419 (Running, ana)');
    expect(text).toContain('worker w1 is at it.');
  });

  test('a host that a run works on before its first change is there by its lease', async () => {
    const world = createWorld();
    const run = await waitingRun(world, { state: 'running' });
    const unit = run.units['host-a'];
    if (unit) world.runs.set(418, { ...run, units: { 'host-a': { ...unit, state: 'running', startedAtMs: 1 } } });
    world.leases.set('host-a', { workerId: 'w7', incarnation: 1, runId: 418 });

    const { text } = await homeOf(world, 'UBEN');

    expect(text).toContain('host-a is in the hands of run 418 (Running, ana); worker w7 is at it.');
  });

  test('locks of people stand beside them, with who, since when, why, and how they are taken off', async () => {
    const world = createWorld();
    const by = { userId: 'UCLEO', teamId: 'T1', displayName: 'cleo' };
    const locked = async () => [{ host: 'host-c', by, reason: 'vendor on site', sinceMs: 0 }];

    const { blocks } = await createHome({ ...portsOf(world), locked })('UBEN', { fresh: true });

    expect(plainText({ text: '', blocks })).toContain(
      'host-c is locked by cleo since 1970-01-01 00:00:00 UTC: vendor on site. `/dpu unlock host-c` takes the lock off.',
    );
  });

  test('a halt of the fleet stands at the top, with its reason and the way out', async () => {
    const world = createWorld();
    world.halt = { by: 'cleo', reason: 'power works in row 4', sinceMs: 0 };

    const { text } = await homeOf(world, 'UBEN');

    expect(text.split('\n').slice(0, 3)).toEqual([
      '== dpubot ==',
      'HALTED since 1970-01-01 00:00:00 UTC by cleo: power works in row 4',
      expect.stringContaining('`/dpu unhalt` ends it.'),
    ]);
  });
});

describe('the fleet at a glance', () => {
  test('counts states and firmware, names what drifts, and says what was never looked at', async () => {
    const world = createWorld();
    const fact = (value: string, warning?: string) => ({
      value,
      from: 'bmc' as const,
      atMs: 5000,
      ...(warning && { warning }),
    });
    const seen = (running: string, staged: string) => ({
      facts: {
        mode: fact('DPU mode'),
        'arm-state': fact('OsIsRunning, power On'),
        'nic-firmware-running': fact(running),
        'nic-firmware-staged': fact(staged, running === staged ? undefined : 'It waits.'),
      },
      unread: {},
      runId: 7,
      atMs: 5000,
    });
    world.facts.set('dpu-a', seen('32.42.1000', '32.43.2566'));
    world.facts.set('dpu-c', seen('32.43.2566', '32.43.2566'));

    const { text } = await homeOf(world, 'UBEN');

    expect(text).toContain('The fleet: 4 cards in 3 hosts');
    expect(text).toContain('State: DPU mode, OsIsRunning, power On (2 cards)');
    expect(text).toContain('Drift: the cards run 2 versions of NIC firmware.');
    expect(text).toContain('Staged and not running yet: dpu-a\nWith warnings: dpu-a');
    expect(text).toContain('No facts stored of: 2 cards (dpu-b0 and dpu-b1)');
    expect(text).toContain('the oldest look is that at dpu-a, 1970-01-01 00:00:05 UTC');
  });
});

describe('last benchmarks', () => {
  const measured = {
    type: 'measured' as const,
    target: 'wire1',
    id: 'run418-result',
    title: 'Raw throughput',
    line: '390.2 Gb/s raw (97.6 % of line rate), better than run 12',
    stamp: 'SIMULATED' as const,
    table: { columns: [], rows: [] },
    warnings: [],
    files: [{ id: 'f', name: 'chart.png', mimeType: 'image/png', bytes: 9, altText: 'Rates over 30 s.' }],
  };

  async function measuredWorld(): Promise<World> {
    const world = createWorld();
    const end = (card: string) => ({ card, port: 'p0' });
    const ends = [end('dpu-a'), end('dpu-b0')] as const;
    world.inventory = { ...world.inventory, pairs: { wire1: { ...world.inventory.pairs['wire1'], ends } as never } };
    await waitingRun(world, { state: 'done', endedAtMs: world.nowMs });
    world.events.splice(0, world.events.length, { runId: 418, event: measured });
    await world.results.add([recordOf(12, [340, 341], { atMs: 1 }), recordOf(418, [390, 391], { stamp: 'SIMULATED' })]);
    return world;
  }

  test('show the line of the thread with its stamp, and the chart that is in the thread already', async () => {
    const world = await measuredWorld();

    const { text, message } = await homeOf(world, 'UBEN', [post('run418/host-a/0-0', { fileId: 'F1' })]);

    expect(text).toContain('wire1, raw (SIMULATED): 390.2 Gb/s raw (97.6 % of line rate), better than run 12');
    expect(message.blocks.find((block) => block.type === 'image')).toEqual({
      type: 'image',
      slack_file: { id: 'F1' },
      alt_text: 'Rates over 30 s.',
    });
  });

  test.each([
    ['whose message has not been posted', post('run418/host-a/0-0', { fileId: 'F1', state: 'sending' })],
    ['that never was uploaded', post('run418/host-a/0-0')],
    ['that belongs to another message', post('run418/host-a/9-0', { fileId: 'F1' })],
  ])('show no picture of a chart %s, and the trend in signs and figures', async (_name, sent) => {
    const world = await measuredWorld();

    const { text, message } = await homeOf(world, 'UBEN', [sent]);

    expect(message.blocks.some((block) => block.type === 'image')).toBe(false);
    expect(text).toMatch(/[▁-█]+ raw, testpmd, .*: 341.0 Gb\/s to 391.0 Gb\/s, runs 12 to 418/);
  });

  test('of a run that is not kept any more show the figure, and say that the verdict is gone', async () => {
    const world = await measuredWorld();
    world.runs.delete(418);

    const { text } = await homeOf(world, 'UBEN');

    expect(text).toMatch(/39\d\.\d Gb\/s; the thread with its verdict is not kept any more/);
  });
});

describe('somebody who may not', () => {
  test.each([
    ['a guest', { guest: true }],
    ['a deactivated person', { active: false }],
    ['a stranger of a shared channel', { external: true }],
    ['a person of another workspace', { teamId: 'T2' }],
  ])('%s sees nothing of the fleet, whatever roles the inventory gives', async (_who, person) => {
    const world = createWorld();
    await waitingRun(world);
    world.people.set('UBEN', person);

    const { text, message } = await homeOf(world, 'UBEN');

    expect(text).toContain('dpubot is not open to you');
    expect(text).not.toMatch(/418|dpu-a|host-a/);
    expect(message.blocks.some((block) => block.type === 'actions')).toBe(false);
  });

  test('a member without a role is told what may be said, and which role gives more', async () => {
    const world = createWorld();
    await waitingRun(world);

    const { text } = await homeOf(world, 'UZOE');

    expect(text).toContain('You may look, and change nothing');
    expect(text).toContain('`/dpu status`');
    expect(text).not.toContain('`/dpu approve`');
    expect(text).toContain('you need the role operators');
    expect(text).not.toMatch(/418|dpu-a/);
  });
});

describe('drawing', () => {
  test('reads rights past every cache when the person asked for it, and only then', async () => {
    const world = createWorld();
    const draw = createHome(portsOf(world));

    await draw('UBEN', { fresh: true });
    await draw('UBEN', { fresh: false });

    expect(world.lookups.map(({ fresh }) => fresh)).toEqual([true, false]);
  });

  test('leaves most of the fresh readings of a minute to approvals: the seventh uses what was read lately', async () => {
    const world = createWorld();
    const draw = createHome(portsOf(world));

    for (let time = 0; time < 7; time += 1) await draw('UBEN', { fresh: true });
    world.nowMs += 61_000;
    await draw('UBEN', { fresh: true });

    expect(world.lookups.map(({ fresh }) => fresh)).toEqual([true, true, true, true, true, true, false, true]);
  });

  test('goes on with what was read lately when rights cannot be read anew', async () => {
    const world = createWorld();
    const { directory } = world.context;
    const person: typeof directory.person = async (userId, options) => {
      if (options.fresh) throw new Error('too many calls');
      return directory.person(userId, options);
    };

    const { blocks } = await createHome({ ...portsOf(world), directory: { ...directory, person } })('UBEN', {
      fresh: true,
    });

    expect(plainText({ text: '', blocks })).toContain('== Your runs ==');
  });

  test('that fails says what, why and next, and tells the log', async () => {
    const world = createWorld();
    const failures: unknown[] = [];
    const broken = {
      ...portsOf(world),
      halt: { ...world.context.halt, get: async () => Promise.reject(new Error('away')) },
    };

    const { blocks } = await createHome(broken, (error) => failures.push(error))('UBEN', { fresh: true });

    expect(plainText({ text: '', blocks })).toMatch(/Home could not be drawn[^]*What:[^]*Next:[^]*\[Refresh\]/);
    expect(failures).toHaveLength(1);
  });
});
