import { describe, expect, test } from 'vitest';
import { CARD, expectEachOnce, isComplete, putFinished, putWaiting, threadKeys, UNKNOWN } from './story.ts';
import { dyingPorts, World } from './world.ts';

/**
 * Runs the story once for every point (or every `stride`-th) at which the publisher can die; another one takes over and
 * finishes. Returns how many points there were.
 */
async function killEverywhere(
  disturb: (world: World) => void,
  check: (world: World) => void,
  stride = 1,
): Promise<number> {
  for (let point = 0; point < 2000; point += stride) {
    const world = new World();
    putWaiting(world);
    const stop = new AbortController();
    let died = false;
    const mortal = dyingPorts(world.ports(), point, () => {
      died = true;
      stop.abort();
    });
    const victim = world.start(mortal, stop);
    await world.time.until(() => died || world.chat.messages.length === 3, 30_000);
    disturb(world);
    putFinished(world);
    await world.time.until(() => died || isComplete(world), 60_000);
    await victim.stop();
    const heir = world.start();
    await world.time.until(() => isComplete(world), 300_000);
    await heir.stop();
    check(world);
    if (!died) return point;
  }
  throw new Error('the work never ends');
}

describe('a publisher that is killed', () => {
  test('at any point of its work leaves a thread that the next one completes, with every message once', async () => {
    const points = await killEverywhere(() => undefined, expectEachOnce);

    expect(points).toBeGreaterThan(100);
  }, 60_000);

  test('also while replies get lost, leaves no message doubled', async () => {
    const lose = (world: World): void => {
      world.chat.mishaps.post.push({ fault: UNKNOWN, did: true }, { fault: UNKNOWN, did: true, lateMs: 8000 });
    };

    const points = await killEverywhere(lose, expectEachOnce, 3);

    expect(points).toBeGreaterThan(100);
  }, 60_000);

  test('also while its card is deleted, leaves one new card and every reply once', async () => {
    const remove = (world: World): void => {
      if (world.chat.withKey(CARD).length > 0) world.chat.remove(CARD);
    };

    const points = await killEverywhere(remove, (world) => {
      for (const key of threadKeys) expect(world.chat.withKey(key)).toHaveLength(1);
      const cards = world.chat.messages.filter((message) => message.key.startsWith(CARD));
      expect(cards).toHaveLength(1);
    });

    expect(points).toBeGreaterThan(100);
  }, 60_000);
});
