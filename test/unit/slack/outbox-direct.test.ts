import { describe, expect, test } from 'vitest';
import { RUN_STREAM } from '../../../src/domain/journal.ts';
import type { JournalEvent } from '../../../src/domain/journal.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { ana, ben, journal, START_MS } from '../report/samples.ts';
import type { Posted } from './fake-chat.ts';
import { CARD, entries, isComplete, plans, putFinished, putWaiting, UNKNOWN, waiting } from './story.ts';
import { dyingPorts, World } from './world.ts';

const asked = entries[3];
/** Key of the message to one person. */
const dm = (userId: string): string => `run418/${RUN_STREAM}/${asked?.id ?? ''}/dm/${userId}`;
const approval = waiting.approval;

function worldOf(...approvers: readonly string[]): World {
  const world = new World();
  world.approvers = approvers;
  return world;
}

/** What a person reads in the message to them, one line each. */
function read(world: World, userId: string): string {
  const [message] = world.chat.withKey(dm(userId));
  return message === undefined ? '' : plainText(message.message);
}

function buttons(message: Posted | undefined): string {
  return JSON.stringify(message?.message.blocks.filter(({ type }) => type === 'actions') ?? []);
}

/** The story up to the request, and then these entries. */
function withMore(...events: readonly JournalEvent[]) {
  const first = entries.slice(0, 4);
  const rest = journal(...events.map((event) => [RUN_STREAM, event] as const));
  return [...first, ...rest.map((entry, index) => ({ ...entry, id: `${START_MS + 10_000 + index}-0` }))];
}

describe('a run that waits for approval', () => {
  test('tells everybody who may approve once, in person, with all that they have to know and the buttons', async () => {
    const world = worldOf('U0BEN', 'U0CLEO');
    putWaiting(world);
    const publisher = world.start();

    await world.time.until(() => world.chat.messages.length === 5, 15_000);
    await world.time.pass(60_000);
    await publisher.stop();

    expect(world.chat.messages.filter(({ channel }) => channel.startsWith('D')).map(({ key }) => key)).toEqual([
      dm('U0BEN'),
      dm('U0CLEO'),
    ]);
    expect(world.chat.withKey(dm('U0BEN'))).toMatchObject([{ channel: 'D0BEN', threadTs: undefined, edits: 0 }]);
    const text = read(world, 'U0BEN');
    expect(text).toContain('Run 418 needs your approval (SIMULATED)');
    expect(text).toContain('U0ANA asked for `/dpu provision rack1` in');
    expect(text).toContain('Targets: as7-dpu0');
    expect(text).toContain('Risk: disruptive: interrupts service for a while');
    expect(text).toContain('Reboots: Arm side of as7-dpu0: 2 times');
    expect(text).toContain('Will change: disable secure boot (disruptive): Secure Boot of as7-dpu0 is switched off');
    expect(text).toContain('May approve: one person of role approvers; not @U0ANA');
    expect(text).toContain('Expires: 2026-11-22 15:00:00 UTC');
    expect(text).not.toContain('identify card');
    const inChannel = world.chat.messages.find(
      ({ channel, message }) => channel === 'C1' && /needs approval/.test(message.text),
    );
    expect(buttons(world.chat.withKey(dm('U0BEN'))[0])).toBe(buttons(inChannel));
    expect(JSON.stringify(world.chat.withKey(dm('U0BEN')))).toContain(
      `<https://lab.slack.test/archives/C1/p${world.chat.withKey(CARD)[0]?.ts.replace('.', '') ?? ''}|open the thread>`,
    );
  });

  test('takes the buttons away from all of them when one has decided, and says who', async () => {
    const world = worldOf('U0BEN', 'U0CLEO');
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 5, 15_000);

    putFinished(world);
    await world.time.until(() => ['U0BEN', 'U0CLEO'].every((user) => read(world, user).includes('Outcome')), 15_000);
    await publisher.stop();

    for (const user of ['U0BEN', 'U0CLEO']) {
      expect(read(world, user)).toContain('Run 418 was approved (SIMULATED)');
      expect(read(world, user)).toContain('Outcome: approved by @U0BEN');
      expect(buttons(world.chat.withKey(dm(user))[0])).toBe('[]');
    }
  });

  test.each<[string, readonly JournalEvent[], string]>([
    [
      'was rejected',
      [{ type: 'vote', by: ben, vote: 'reject', given: 0, wanted: 1, reason: 'wrong rack' }],
      'Outcome: rejected by @U0BEN (wrong rack)',
    ],
    ['has expired', [{ type: 'approval-expired' }], 'Outcome: expired, nothing was changed'],
    [
      'was cancelled',
      [{ type: 'cancel-requested', by: ana, note: 'stops' }],
      'Outcome: cancelled by @U0ANA before it was approved',
    ],
  ])('that %s says so in person', async (_what, events, outcome) => {
    const world = worldOf('U0BEN');
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 4, 15_000);

    world.put({ ...waiting, version: 2 }, plans, withMore(...events));
    await world.time.until(() => read(world, 'U0BEN').includes('Outcome'), 15_000);
    await publisher.stop();

    expect(read(world, 'U0BEN')).toContain(outcome);
    expect(buttons(world.chat.withKey(dm('U0BEN'))[0])).toBe('[]');
  });

  test('that asks again for a newer plan sends a new message and closes the old one', async () => {
    const world = worldOf('U0BEN');
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 4, 15_000);

    const again = withMore({
      type: 'approval-requested',
      generation: 2,
      risk: 'disruptive',
      expiresAtMs: START_MS + 7_200_000,
      roles: ['approvers'],
      wanted: 1,
    });
    if (approval === undefined) throw new Error('the story has no approval');
    world.put({ ...waiting, version: 2, approval: { ...approval, generation: 2 } }, plans, again);
    const second = `run418/${RUN_STREAM}/${again.at(-1)?.id ?? ''}/dm/U0BEN`;
    await world.time.until(() => world.chat.withKey(second).length > 0, 15_000);
    await world.time.until(() => read(world, 'U0BEN').includes('Outcome'), 15_000);
    await publisher.stop();

    expect(read(world, 'U0BEN')).toContain('Outcome: replaced by a newer plan');
    expect(buttons(world.chat.withKey(second)[0])).toContain('418:2');
  });

  test('and asks again long after its first plan was decided sends a new message', async () => {
    const world = worldOf('U0BEN');
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 4, 15_000);
    if (approval === undefined) throw new Error('the story has no approval');
    const voted = { type: 'vote', by: ben, vote: 'approve', given: 1, wanted: 1 } as const;
    world.put({ ...waiting, version: 2, state: 'running' }, plans, withMore(voted));
    await world.time.until(() => read(world, 'U0BEN').includes('Outcome'), 15_000);
    await world.time.pass(30_000);

    const again = withMore(voted, {
      type: 'approval-requested',
      generation: 2,
      risk: 'disruptive',
      expiresAtMs: START_MS + 7_200_000,
      roles: ['approvers'],
    });
    world.put({ ...waiting, version: 3, approval: { ...approval, generation: 2 } }, plans, again);
    const second = `run418/${RUN_STREAM}/${again.at(-1)?.id ?? ''}/dm/U0BEN`;
    await world.time.until(() => world.chat.withKey(second).length > 0, 15_000);
    await publisher.stop();

    expect(read(world, 'U0BEN')).toContain('Outcome: approved by @U0BEN');
  });

  test('shows a first of two approvals to the others, with what is still needed', async () => {
    const world = worldOf('U0BEN', 'U0CLEO');
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 5, 15_000);

    const missing = '1 more approval by role security, not by Ana';
    const vote = { type: 'vote', by: ben, vote: 'approve', given: 1, wanted: 2, missing } as const;
    world.put({ ...waiting, version: 2 }, plans, withMore(vote));
    await world.time.until(() => read(world, 'U0CLEO').includes('So far'), 15_000);
    await publisher.stop();

    expect(read(world, 'U0CLEO')).toContain(`So far: 1 of 2 approvals, approved by @U0BEN; still needed: ${missing}`);
    expect(buttons(world.chat.withKey(dm('U0CLEO'))[0])).toContain('run:approve');
  });

  test('chooses whom it tells once: who joins later is not told, who leaves still sees the outcome', async () => {
    const world = worldOf('U0BEN');
    putWaiting(world);
    const first = world.start();
    await world.time.until(() => world.chat.messages.length === 4, 15_000);
    await first.stop();

    world.approvers = ['U0CLEO'];
    const second = world.start();
    await world.time.pass(30_000);
    putFinished(world);
    await world.time.until(() => read(world, 'U0BEN').includes('Outcome'), 30_000);
    await second.stop();

    expect(world.chat.withKey(dm('U0CLEO'))).toEqual([]);
    expect(world.chat.withKey(dm('U0BEN'))).toHaveLength(1);
  });

  test('whose card was replaced leads to the new one', async () => {
    const world = worldOf('U0BEN');
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 4, 15_000);

    world.chat.remove(CARD);
    await world.time.until(() => (world.chat.withKey(dm('U0BEN'))[0]?.edits ?? 0) > 0, 90_000);
    await publisher.stop();

    const ts = world.chat.withKey(`${CARD}/2`)[0]?.ts.replace('.', '') ?? '';
    expect(JSON.stringify(world.chat.withKey(dm('U0BEN')))).toContain(`/archives/C1/p${ts}|open the thread>`);
  });

  test('of which more than twenty people may approve tells that in the thread, and nobody in person', async () => {
    const world = worldOf(...Array.from({ length: 21 }, (_, index) => `U0P${index}`));
    putWaiting(world);
    const publisher = world.start();

    await world.time.until(() => world.chat.messages.length === 4, 15_000);
    await world.time.pass(60_000);
    await publisher.stop();

    const texts = world.chat.messages.map(({ message }) => message.text);
    expect(texts.filter((text) => text.startsWith('21 people may approve this.'))).toHaveLength(1);
    expect(world.chat.messages.every(({ channel }) => channel === 'C1')).toBe(true);
  });

  test('that ended before anybody could be told tells nobody', async () => {
    const world = worldOf('U0BEN');
    putFinished(world);
    const publisher = world.start();

    await world.time.pass(60_000);
    await publisher.stop();

    expect(world.chat.messages.every(({ channel }) => channel === 'C1')).toBe(true);
  });
});

describe('somebody who cannot be reached', () => {
  test.each(['cannot_dm_bot', 'user_disabled', 'missing_scope'])(
    'because of %s is left out with one line in the log; the others and the thread are not held up',
    async (error) => {
      const world = worldOf('U0BEN', 'U0CLEO');
      world.chat.mishaps.open.push({ fault: { kind: 'refused', error } });
      putWaiting(world);
      const publisher = world.start();

      await world.time.until(() => world.chat.messages.length === 4, 15_000);
      await world.time.pass(60_000);
      await publisher.stop();

      expect(world.chat.withKey(dm('U0BEN'))).toEqual([]);
      expect(world.chat.withKey(dm('U0CLEO'))).toHaveLength(1);
      expect(world.warnings).toMatchObject([{ run: 418, user: 'U0BEN', error }]);
    },
  );

  test('and a chat that wants no more direct messages for a while delay these only', async () => {
    const world = worldOf('U0BEN');
    world.chat.mishaps.open.push({ fault: { kind: 'rate-limited', retryAfterMs: 30_000 } });
    putWaiting(world);
    const fromMs = world.time.nowMs();
    const publisher = world.start();

    await world.time.until(() => world.chat.messages.length === 3, 5000);
    const threadMs = world.time.nowMs() - fromMs;
    await world.time.until(() => world.chat.withKey(dm('U0BEN')).length > 0, 60_000);
    await publisher.stop();

    expect(threadMs).toBeLessThan(5000);
    expect(world.time.nowMs() - fromMs).toBeGreaterThanOrEqual(30_000);
  });
});

describe('a direct message of unknown outcome', () => {
  test('is found by its key in the direct messages and not repeated', async () => {
    const world = worldOf('U0BEN');
    putWaiting(world);
    const post = world.chat.post.bind(world.chat);
    let lost = false;
    world.chat.post = async (request) => {
      const result = await post(request);
      if (!request.key.includes('/dm/') || lost) return result;
      lost = true;
      return { ok: false, fault: UNKNOWN };
    };
    const publisher = world.start();

    await world.time.until(() => lost, 15_000);
    await world.time.pass(60_000);
    putFinished(world);
    await world.time.until(() => read(world, 'U0BEN').includes('Outcome'), 60_000);
    await publisher.stop();

    expect(world.chat.withKey(dm('U0BEN'))).toHaveLength(1);
  });

  test('that was never there is not sent any more once the run is decided', async () => {
    const world = worldOf('U0BEN');
    putWaiting(world);
    const post = world.chat.post.bind(world.chat);
    let tries = 0;
    world.chat.post = async (request) => {
      if (!request.key.includes('/dm/')) return post(request);
      tries += 1;
      return { ok: false, fault: UNKNOWN };
    };
    const publisher = world.start();
    await world.time.until(() => tries === 1, 15_000);

    putFinished(world);
    await world.time.pass(120_000);
    await publisher.stop();

    expect(tries).toBe(1);
    expect(world.chat.withKey(dm('U0BEN'))).toEqual([]);
  });
});

const told = (world: World): Posted[] => world.chat.messages.filter(({ key }) => key.includes('/dm/'));
const isClosed = (world: World): boolean => told(world).every(({ message }) => plainText(message).includes('Outcome'));

/** Kills the publisher at its n-th point; another one goes on, before the decision or after it. */
async function killAt(point: number, next: 'while it is open' | 'after the decision') {
  const world = worldOf('U0BEN', 'U0CLEO');
  putWaiting(world);
  const stop = new AbortController();
  const life = { died: false };
  const mortal = dyingPorts(world.ports(), point, () => {
    life.died = true;
    stop.abort();
  });
  const victim = world.start(mortal, stop);
  await world.time.until(() => life.died || world.chat.messages.length === 5, 30_000);
  if (life.died && next === 'while it is open') {
    await victim.stop();
    const second = world.start();
    await world.time.until(() => world.chat.messages.length === 5, 90_000);
    await second.stop();
  }
  putFinished(world);
  await world.time.until(() => life.died || (isComplete(world) && isClosed(world)), 60_000);
  await victim.stop();
  const heir = world.start();
  await world.time.until(() => isComplete(world) && isClosed(world), 120_000);
  await heir.stop();
  return { world, died: life.died };
}

describe('a publisher that is killed at any point', () => {
  test.each(['while it is open', 'after the decision'] as const)(
    'and replaced %s leaves no message twice, and none with buttons that mean nothing any more',
    async (next) => {
      let point = 0;
      for (let died = true; died && point < 2000; point += 1) {
        const ended = await killAt(point, next);
        died = ended.died;
        const keys = told(ended.world).map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        if (next === 'while it is open') expect(keys.toSorted()).toEqual([dm('U0BEN'), dm('U0CLEO')]);
        for (const message of told(ended.world)) expect(buttons(message)).toBe('[]');
      }

      expect(point).toBeGreaterThan(100);
    },
    60_000,
  );
});
