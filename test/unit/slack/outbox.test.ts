import { describe, expect, test } from 'vitest';
import type { JournalEntry } from '../../../src/domain/journal.ts';
import { plainText } from '../../../src/report/plain-text.ts';
import { cardKey } from '../../../src/report/posts.ts';
import { runCard } from '../../../src/report/run-card.ts';
import { foldJournal } from '../../../src/report/run-view.ts';
import type { ChatPort } from '../../../src/slack/chat-client.ts';
import { unit } from '../report/samples.ts';
import {
  CARD,
  entries,
  expectEachOnce,
  finished,
  isComplete,
  plans,
  putFinished,
  putWaiting,
  threadKeys,
  UNKNOWN,
  waiting,
} from './story.ts';
import { World } from './world.ts';

describe('a publisher that nothing disturbs', () => {
  test('posts the card, then the thread in order, and edits the card to its final state', async () => {
    const world = new World();
    putWaiting(world);
    const publisher = world.start();

    await world.time.until(() => world.chat.messages.length === 3, 10_000);
    putFinished(world);
    await world.time.until(() => isComplete(world), 20_000);
    await publisher.stop();

    expectEachOnce(world);
    const view = foldJournal(finished, plans, entries);
    expect(world.chat.withKey(CARD)[0]?.message).toEqual(runCard(view, world.time.nowMs()));
  });

  test('an approval request loses its buttons when it has been decided', async () => {
    const world = new World();
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 3, 10_000);
    const before = JSON.stringify(world.chat.messages[2]?.message);

    putFinished(world);
    await world.time.until(() => isComplete(world), 20_000);
    await publisher.stop();

    expect(before).toContain('run:approve');
    expect(JSON.stringify(world.chat.withKey(threadKeys[1] ?? '')[0]?.message)).not.toContain('run:approve');
  });

  test('posts at most one message a second into a channel', async () => {
    const world = new World();
    putFinished(world);
    world.put(
      { ...finished, id: 419 },
      plans,
      entries.map((entry) => ({ ...entry, runId: 419 })),
    );
    const publisher = world.start();

    await world.time.until(() => world.chat.messages.length === 16, 60_000);
    await publisher.stop();

    const times = world.chat.calls.filter((call) => call.kind === 'post').map((call) => call.atMs);
    for (const [index, atMs] of times.slice(1).entries())
      expect(atMs - (times[index] ?? 0)).toBeGreaterThanOrEqual(1000);
  });

  test('an unchanged run is not edited again, however often it is looked at', async () => {
    const world = new World();
    putFinished(world);
    const publisher = world.start();
    await world.time.until(() => isComplete(world), 30_000);
    await world.time.pass(5000);
    const edits = world.chat.calls.filter((call) => call.kind === 'update').length;

    for (let index = 0; index < 5; index += 1) {
      putFinished(world);
      await world.time.pass(10_000);
    }
    await publisher.stop();

    expect(world.chat.calls.filter((call) => call.kind === 'update').length).toBe(edits);
  });

  test('many changes in a short time become few edits, and the last one shows the newest view', async () => {
    const world = new World();
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 3, 10_000);

    for (let index = 0; index < 300; index += 1) {
      world.put({ ...waiting, version: index + 2, text: `provision rack${index}` }, plans, entries.slice(0, 4));
      await world.time.pass(100);
    }
    await world.time.pass(5000);
    await publisher.stop();

    const edits = world.chat.calls.filter((call) => call.kind === 'update' && call.key === CARD).length;
    expect(edits).toBeLessThan(35);
    expect(world.chat.withKey(CARD)[0]?.message.text).toContain('rack299');
  });
});

describe('twenty runs at once', () => {
  test('stay within 50 edits a minute and a post a second, and every final state is shown', async () => {
    const world = new World(40);
    const ids = Array.from({ length: 20 }, (_, index) => 500 + index);
    const mine = (id: number) => ({ id, channel: `C${id % 4}` });
    const own = (id: number, count: number) => entries.slice(0, count).map((entry) => ({ ...entry, runId: id }));
    for (const id of ids) world.put({ ...waiting, ...mine(id) }, plans, own(id, 4));
    const publisher = world.start();
    const fromMs = world.time.nowMs();

    for (let minute = 0; minute < 3; minute += 1)
      for (let index = 0; index < 60; index += 1) {
        const id = ids[(minute * 60 + index) % ids.length] ?? 500;
        const units = {
          as7: unit('as7', {
            state: 'planned',
            planHash: plans[0]?.hash ?? '',
            waitingReason: `look ${minute}-${index}`,
          }),
        };
        world.put({ ...waiting, ...mine(id), version: index, units }, plans, own(id, 4));
        await world.time.pass(1000);
      }
    for (const id of ids) world.put({ ...finished, ...mine(id) }, plans, own(id, entries.length));
    const final = (id: number): boolean =>
      world.chat.withKey(`run${id}/card`).some((card) => plainText(card.message).includes(' · ended '));
    const endMs = world.time.nowMs();
    await world.time.until(() => ids.every(final), 120_000);
    const stale = world.time.nowMs() - endMs;
    await world.time.until(() => world.chat.messages.length === 20 * 8, 120_000);
    await publisher.stop();

    const edits = world.chat.calls.filter((call) => call.kind === 'update').map((call) => call.atMs);
    for (const atMs of edits)
      expect(edits.filter((other) => other >= atMs && other < atMs + 60_000).length).toBeLessThanOrEqual(53);
    expect(edits.at(0)).toBeGreaterThanOrEqual(fromMs);
    expect(stale).toBeLessThan(35_000);
    expect(new Set(world.chat.messages.map((message) => message.key)).size).toBe(20 * 8);
  });
});

describe('a post of unknown outcome', () => {
  test('is found by its key and not repeated when the reply was lost', async () => {
    const world = new World();
    putFinished(world);
    world.chat.mishaps.post.push({ fault: UNKNOWN, did: true });
    const publisher = world.start();

    await world.time.until(() => isComplete(world), 60_000);
    await publisher.stop();

    expectEachOnce(world);
  });

  test('is found by the second look when the request was still under way at the first', async () => {
    const world = new World();
    putFinished(world);
    world.chat.mishaps.post.push({ fault: UNKNOWN, did: true, lateMs: 9000 });
    const publisher = world.start();

    await world.time.until(() => isComplete(world), 60_000);
    await publisher.stop();

    expectEachOnce(world);
    expect(world.chat.calls.filter((call) => call.kind === 'find').length).toBe(2);
  });

  test('is posted again after two looks, 15 s apart, found nothing', async () => {
    const world = new World();
    putFinished(world);
    world.chat.mishaps.post.push({ fault: UNKNOWN });
    const publisher = world.start();

    await world.time.until(() => isComplete(world), 60_000);
    await publisher.stop();

    expectEachOnce(world);
    const looks = world.chat.calls.filter((call) => call.kind === 'find');
    expect((looks[1]?.atMs ?? 0) - (looks[0]?.atMs ?? 0)).toBe(15_000);
  });

  test('is not posted again while the looks themselves get no answer', async () => {
    const world = new World();
    putFinished(world);
    world.chat.mishaps.post.push({ fault: UNKNOWN, did: true });
    world.chat.mishaps.find.push({ fault: UNKNOWN }, { fault: UNKNOWN }, { fault: UNKNOWN });
    const publisher = world.start();

    await world.time.until(() => isComplete(world), 120_000);
    await publisher.stop();

    expectEachOnce(world);
  });
});

describe('what the chat refuses', () => {
  test('a 429 on a post is waited out as long as the chat says, and needs no look-up', async () => {
    const world = new World();
    putFinished(world);
    world.chat.mishaps.post.push({ fault: { kind: 'rate-limited', retryAfterMs: 7000 } });
    const publisher = world.start();

    await world.time.until(() => isComplete(world), 60_000);
    await publisher.stop();

    expectEachOnce(world);
    const calls = world.chat.calls.filter((call) => call.kind !== 'update');
    expect(calls.some((call) => call.kind === 'find')).toBe(false);
    expect((calls[1]?.atMs ?? 0) - (calls[0]?.atMs ?? 0)).toBeGreaterThanOrEqual(7000);
  });

  test('a 429 on an edit delays edits only; the thread goes on', async () => {
    const world = new World();
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 3, 10_000);
    world.chat.mishaps.update.push({ fault: { kind: 'rate-limited', retryAfterMs: 30_000 } });
    const fromMs = world.time.nowMs();

    putFinished(world);
    await world.time.until(() => isComplete(world), 120_000);
    await publisher.stop();

    expectEachOnce(world);
    const [first, second] = world.chat.calls.filter((call) => call.kind === 'update' && call.atMs >= fromMs);
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(30_000);
  });

  test('blocks that Slack refuses are sent once as plain text instead', async () => {
    const world = new World();
    putFinished(world);
    world.chat.mishaps.post.push({ fault: { kind: 'refused', error: 'invalid_blocks' } });
    const publisher = world.start();

    await world.time.until(() => world.chat.messages.length > 0, 10_000);
    await publisher.stop();

    expect(world.chat.messages[0]?.message.blocks).toMatchObject([{ type: 'section', text: { type: 'plain_text' } }]);
    expect(world.chat.messages[0]?.key).toBe(CARD);
  });

  test('a card that a person deleted comes back as a new card, and the rest of the thread goes there', async () => {
    const world = new World();
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 3, 10_000);

    world.chat.remove(CARD);
    putFinished(world);
    await world.time.until(() => isComplete(world), 60_000);
    await publisher.stop();

    const again = world.chat.withKey(`${CARD}/2`);
    expect(again).toHaveLength(1);
    expect(world.chat.withKey(threadKeys.at(-1) ?? '')[0]?.threadTs).toBe(again[0]?.ts);
    for (const key of threadKeys) expect(world.chat.withKey(key)).toHaveLength(1);
  });

  test('a reply that a person deleted stays deleted and is not tried for ever', async () => {
    const world = new World();
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 3, 10_000);

    world.chat.remove(threadKeys[1] ?? '');
    putFinished(world);
    await world.time.pass(60_000);
    const calls = world.chat.calls.length;
    await world.time.pass(60_000);
    await publisher.stop();

    expect(world.chat.withKey(threadKeys[1] ?? '')).toHaveLength(0);
    expect(world.chat.withKey(threadKeys.at(-1) ?? '')).toHaveLength(1);
    expect(world.chat.calls.length).toBe(calls);
  });

  test('a request for approval that a person deleted while it is open is put back, and that one is told the outcome', async () => {
    const world = new World();
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 3, 10_000);
    const request = threadKeys[1] ?? '';

    world.chat.remove(request);
    await world.time.until(() => world.chat.withKey(`${request}#2`).length > 0, 90_000);
    const again = world.chat.withKey(`${request}#2`)[0];
    const whileOpen = JSON.stringify(again?.message);
    await world.time.pass(180_000);
    putFinished(world);
    await world.time.until(() => plainText(again?.message ?? { text: '', blocks: [] }).includes('Outcome'), 20_000);
    await publisher.stop();

    expect(whileOpen).toContain('run:approve');
    expect(again?.threadTs).toBe(world.chat.withKey(CARD)[0]?.ts);
    expect(world.chat.messages.filter(({ key }) => key.startsWith(request))).toHaveLength(1);
    expect(JSON.stringify(again?.message)).not.toContain('run:approve');
  });

  test('a card that a person deleted while nothing changes, because an approval is waited for, comes back', async () => {
    const world = new World();
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 3, 10_000);

    world.chat.remove(CARD);
    await world.time.until(() => world.chat.withKey(`${CARD}/2`).length > 0, 90_000);
    await world.time.pass(180_000);
    await publisher.stop();

    expect(world.chat.messages).toHaveLength(3);
    expect(JSON.stringify(world.chat.withKey(`${CARD}/2`)[0]?.message)).toContain('run:approve');
  });

  test('fifty requests that wait are looked after without a thread waiting for its turn', async () => {
    const world = new World(40);
    const ids = Array.from({ length: 50 }, (_, index) => 500 + index);
    const own = (id: number) => entries.slice(0, 4).map((entry) => ({ ...entry, runId: id }));
    for (const id of ids) world.put({ ...waiting, id, channel: `C${id}` }, plans, own(id));
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 150, 30_000);

    await world.time.pass(240_000);
    world.put(
      { ...finished, id: 500, channel: 'C500' },
      plans,
      entries.map((entry) => ({ ...entry, runId: 500 })),
    );
    await world.time.until(() => world.chat.messages.filter(({ channel }) => channel === 'C500').length === 8, 12_000);
    await publisher.stop();

    const looks = world.chat.calls.filter(({ kind }) => kind === 'find').map(({ atMs }) => atMs);
    for (const atMs of looks)
      expect(looks.filter((at) => at >= atMs && at < atMs + 60_000).length).toBeLessThanOrEqual(30);
    expect(looks.length).toBeGreaterThan(60);
  });

  test('a request that a look does not find, but that can be edited, is not posted twice', async () => {
    const world = new World();
    putWaiting(world);
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 3, 10_000);

    world.chat.find = async () => ({ ok: true, value: undefined });
    await world.time.pass(300_000);
    await publisher.stop();

    expect(world.chat.messages).toHaveLength(3);
  });

  test('a card that is never answered is tried seldom, however much goes well for others', async () => {
    const world = new World();
    putWaiting(world);
    world.put({ ...waiting, id: 419, channel: 'C2' }, plans, entriesOf(419, 4));
    let tries = 0;
    const update: ChatPort['update'] = async (request) => {
      if (request.ts !== world.chat.withKey(CARD)[0]?.ts) return world.chat.update(request);
      tries += 1;
      return { ok: false, fault: { kind: 'unknown', reason: 'internal_error' } };
    };
    const ports = world.ports();
    const { chat } = world;
    const publisher = world.start({
      ...ports,
      chat: {
        post: async (request) => chat.post(request),
        update,
        find: async (request) => chat.find(request),
        open: async (request) => chat.open(request),
        permalink: async (request) => chat.permalink(request),
      },
    });
    await world.time.until(() => world.chat.messages.length === 6, 20_000);

    for (let second = 0; second < 300; second += 1) {
      world.put({ ...waiting, text: `provision rack${second}` }, plans, entries.slice(0, 4));
      world.put({ ...waiting, id: 419, channel: 'C2', text: `provision rack${second}` }, plans, entriesOf(419, 4));
      await world.time.pass(1000);
    }
    await publisher.stop();

    expect(tries).toBeGreaterThan(10);
    expect(tries).toBeLessThan(40);
  });

  test('one run whose channel is gone does not hold up another', async () => {
    const world = new World();
    const refuse = world.chat.post.bind(world.chat);
    world.chat.post = async (request) =>
      request.channel === 'C-gone' ? { ok: false, fault: { kind: 'refused', error: 'is_archived' } } : refuse(request);
    world.put({ ...finished, id: 417, channel: 'C-gone' }, [], []);
    putFinished(world);
    const publisher = world.start();

    await world.time.until(() => isComplete(world), 30_000);
    await publisher.stop();

    expectEachOnce(world);
  });
});

describe('an outage of two minutes', () => {
  test('delays everything and loses and doubles nothing', async () => {
    const world = new World();
    putWaiting(world);
    const sinceMs = world.time.nowMs() + 500;
    world.chat.away = () => world.time.nowMs() >= sinceMs && world.time.nowMs() < sinceMs + 120_000;
    const publisher = world.start();

    await world.time.pass(60_000);
    putFinished(world);
    await world.time.until(() => isComplete(world), 240_000);
    await publisher.stop();

    expectEachOnce(world);
  });

  test.each([20, 33, 47, 64, 90, 120])('of %i s is made good soon after it, card and thread', async (awayS) => {
    const world = new World();
    putWaiting(world);
    const sinceMs = world.time.nowMs() + 500;
    const untilMs = sinceMs + awayS * 1000;
    world.chat.away = () => world.time.nowMs() >= sinceMs && world.time.nowMs() < untilMs;
    const publisher = world.start();

    await world.time.pass(10_000);
    putFinished(world);
    await world.time.until(() => world.time.nowMs() >= untilMs, 200_000);
    await world.time.until(() => isComplete(world), 40_000);
    await publisher.stop();

    expectEachOnce(world);
  });

  test('ends for all runs as soon as the chat answers one of them', async () => {
    const world = new World(40);
    const ids = Array.from({ length: 6 }, (_, index) => 500 + index);
    for (const id of ids) world.put({ ...waiting, id, channel: `C${id}` }, plans, entriesOf(id, 4));
    const publisher = world.start();
    await world.time.until(() => world.chat.messages.length === 18, 60_000);
    const sinceMs = world.time.nowMs();
    const untilMs = sinceMs + 100_000;
    world.chat.away = () => world.time.nowMs() >= sinceMs && world.time.nowMs() < untilMs;
    // One after the other, so that each is at another place of its backoff.
    for (const id of ids) {
      world.put({ ...finished, id, channel: `C${id}` }, plans, entriesOf(id));
      await world.time.pass(9_000);
    }
    await world.time.until(() => world.time.nowMs() >= untilMs, 200_000);
    const cards = (): number =>
      ids.filter((id) => world.chat.withKey(cardKey(id))[0]?.message.text.includes('Done')).length;

    await world.time.until(() => cards() > 0, 60_000);
    await world.time.until(() => cards() === ids.length, 10_000);
    await publisher.stop();

    expect(cards()).toBe(ids.length);
  });
});

function entriesOf(runId: number, count = entries.length): readonly JournalEntry[] {
  return entries.slice(0, count).map((entry) => ({ ...entry, runId }));
}

describe('several publishers', () => {
  test('two processes at once post everything once; when one stops the other takes over', async () => {
    const world = new World();
    putWaiting(world);
    const first = world.start();
    const second = world.start();

    await world.time.until(() => world.chat.messages.length === 3, 20_000);
    await first.stop();
    putFinished(world);
    await world.time.until(() => isComplete(world), 90_000);
    await second.stop();

    expectEachOnce(world);
  });

  test('a new process redraws the card of an open run that changed while nobody published', async () => {
    const world = new World();
    putWaiting(world);
    const first = world.start();
    await world.time.until(() => world.chat.messages.length === 3, 20_000);
    await first.stop();

    world.put({ ...waiting, version: 5, text: 'provision rack1 --only as7' }, plans, entries.slice(0, 4));
    const second = world.start();
    await world.time.until(() => (world.chat.withKey(CARD)[0]?.edits ?? 0) > 0, 20_000);
    await second.stop();

    expect(world.chat.withKey(CARD)[0]?.message.text).toContain('--only as7');
    expect(world.chat.messages).toHaveLength(3);
  });
});
