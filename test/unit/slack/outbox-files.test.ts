import { describe, expect, test } from 'vitest';
import { FILE_GIVE_UP_MS } from '../../../src/slack/file-uploads.ts';
import type { Mishap } from './fake-chat.ts';
import { CHART, CONSOLE, putFiles, refOf, runWithFiles, shown } from './file-story.ts';
import { CARD, UNKNOWN } from './story.ts';
import { dyingPorts, World } from './world.ts';

const UNREACHABLE: Mishap = { fault: { kind: 'unknown', reason: 'files.slack.com: ENOTFOUND' } };

/** Publishes until every key is there; gives the world as it is then. */
async function published(world: World, keys: readonly string[], limitMs = 300_000): Promise<void> {
  const publisher = world.start();
  await world.time.until(() => keys.every((key) => world.chat.withKey(key).length > 0), limitMs);
  await publisher.stop();
}

/** Key of the message that has the only file. */
async function withConsole(world: World): Promise<{ readonly keys: readonly string[]; readonly key: string }> {
  const keys = await putFiles(world, [CONSOLE]);
  return { keys, key: keys[0] ?? '' };
}

describe('a message with a file', () => {
  test('is posted once with a link that unfurls, to a file with the content, and the preview alone names it', async () => {
    const world = new World();
    const { keys, key } = await withConsole(world);

    await published(world, keys);

    const [posted] = world.chat.withKey(key);
    expect(world.files.completed.map((id) => world.files.contentOf(id))).toEqual(['login: ']);
    expect(posted?.message).toMatchObject({
      text: expect.stringContaining('<https://team.invalid/files/F1|console.txt>'),
    });
    expect(posted?.message).toHaveProperty('unfurl', true);
    expect(shown(world, key)).toContain('Whole text (https://team.invalid/files/F1) (7 bytes)');
    expect(JSON.stringify(posted?.message.blocks)).not.toContain('|console.txt');
  });

  test('shows a picture in place, with words for those who cannot see it', async () => {
    const world = new World();
    const [key = '', ...rest] = await putFiles(world, [CHART]);

    await published(world, [key, ...rest]);

    expect(world.chat.withKey(key)[0]?.message.blocks).toContainEqual({
      type: 'image',
      slack_file: { id: 'F1' },
      alt_text: CHART.altText,
    });
  });

  test('links a picture that Slack refuses to show', async () => {
    const world = new World();
    const [key = '', ...rest] = await putFiles(world, [CHART]);
    const refuse = world.chat.post.bind(world.chat);
    world.chat.post = async (request) =>
      request.message.blocks.some((block) => block.type === 'image')
        ? { ok: false, fault: { kind: 'refused', error: 'invalid_blocks' } }
        : refuse(request);

    await published(world, [key, ...rest]);

    expect(world.chat.withKey(key)[0]?.message.text).toContain('<https://team.invalid/files/F1|chart.png>');
  });

  test('links a picture that Slack is still looking through after half a minute', async () => {
    const world = new World();
    world.files.readyAfterMs = 10 * 60_000;
    const [key = '', ...rest] = await putFiles(world, [CHART]);

    await published(world, [key, ...rest]);

    expect(world.chat.withKey(key)[0]?.message.blocks.map((block) => block.type)).not.toContain('image');
    expect(shown(world, key)).toContain('File (https://team.invalid/files/F1)');
  });

  test('says so when the content is no longer kept', async () => {
    const world = new World();
    const story = runWithFiles(refOf(CONSOLE));
    world.put(story.run, [], story.entries);
    const key = 'run418/as7/' + (story.entries[1]?.id ?? '');

    await published(world, [key]);

    expect(shown(world, key)).toContain('The file console.txt (7 bytes) is not here: it is no longer kept.');
    expect(world.files.calls).toEqual([]);
  });
});

describe('an upload that goes wrong', () => {
  test.each([
    ['reserve', 'missing_scope', 'the Slack app has no scope files:write'],
    ['info', 'missing_scope', 'the Slack app has no scope files:read'],
    ['reserve', 'storage_limit_reached', 'Slack refused it (storage_limit_reached)'],
    ['upload', 'files.slack.com answered HTTP 413', 'Slack refused it (files.slack.com answered HTTP 413)'],
  ] as const)(
    '%s refused with %s: the message goes out at once without the file and says why',
    async (call, error, why) => {
      const world = new World();
      const { keys, key } = await withConsole(world);
      world.files.mishaps[call].push({ fault: { kind: 'refused', error } });

      await published(world, keys, 10_000);

      expect(shown(world, key)).toContain(`The file console.txt (7 bytes) is not here: ${why}`);
      expect(world.chat.withKey(key)).toHaveLength(1);
    },
  );

  test.each(['reserve', 'upload', 'complete'] as const)(
    'an unknown outcome of %s ends with one message that has the file',
    async (call) => {
      const world = new World();
      const { keys, key } = await withConsole(world);
      world.files.mishaps[call].push({ fault: UNKNOWN, did: true });

      await published(world, keys);

      expect(world.chat.withKey(key)).toHaveLength(1);
      expect(shown(world, key)).toContain('Whole text (https://team.invalid/files/F');
    },
  );

  test('a completion of unknown outcome that was carried out is not repeated', async () => {
    const world = new World();
    const { keys } = await withConsole(world);
    world.files.mishaps.complete.push({ fault: UNKNOWN, did: true });

    await published(world, keys);

    expect(world.files.completed).toEqual(['F1']);
    expect(world.files.calls.filter(({ call }) => call === 'upload')).toHaveLength(1);
  });

  test('an outage shorter than a minute delays the message and keeps its file', async () => {
    const world = new World();
    const { keys, key } = await withConsole(world);
    const endMs = world.time.nowMs() + 40_000;
    world.files.broken = (call) => (call === 'upload' && world.time.nowMs() < endMs ? UNREACHABLE : undefined);

    await published(world, keys);

    expect(shown(world, key)).toContain('Whole text (https://team.invalid/files/F');
  });

  test('an upload host that stays away holds the thread up for about a minute, and later files hardly at all', async () => {
    const world = new World();
    const keys = await putFiles(world, [CONSOLE, CHART, { ...CONSOLE, name: 'second.txt', content: Buffer.from('b') }]);
    world.files.broken = (call) => (call === 'upload' ? UNREACHABLE : undefined);
    const fromMs = world.time.nowMs();

    await published(world, keys);

    const whenMs = keys.map((key) => (world.chat.withKey(key)[0]?.atMs ?? 0) - fromMs);
    expect(whenMs[0]).toBeGreaterThanOrEqual(FILE_GIVE_UP_MS);
    expect(whenMs[0]).toBeLessThan(2 * FILE_GIVE_UP_MS);
    expect((whenMs[2] ?? 0) - (whenMs[0] ?? 0)).toBeLessThan(10_000);
    expect(shown(world, keys[0])).toContain('Slack did not take it (files.slack.com: ENOTFOUND)');
  });

  test('a 429 holds all uploads back as long as Slack asks', async () => {
    const world = new World();
    const { keys, key } = await withConsole(world);
    world.files.mishaps.reserve.push({ fault: { kind: 'rate-limited', retryAfterMs: 90_000 } });

    await published(world, keys);

    const [first, second] = world.files.calls.filter(({ call }) => call === 'reserve');
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(90_000);
    expect(shown(world, key)).toContain('Whole text (https://team.invalid/files/F1)');
  });
});

describe('many files', () => {
  test('stay within 100 requests a minute', async () => {
    const world = new World(40);
    const files = Array.from({ length: 60 }, (_, index) => ({ ...CONSOLE, content: Buffer.from(`${index}`) }));
    const keys = await putFiles(world, files);

    await published(world, keys, 30 * 60_000);

    const times = world.files.calls.filter(({ call }) => call !== 'upload').map(({ atMs }) => atMs);
    for (const atMs of times)
      expect(times.filter((other) => other >= atMs && other < atMs + 60_000).length).toBeLessThanOrEqual(100);
  });
});

/** Ids of files that the messages show, by link or in place. */
function shownFiles(world: World): (string | undefined)[] {
  return world.chat.messages.flatMap(({ message }) =>
    [...JSON.stringify(message.blocks).matchAll(/files\/(F\d+)|"slack_file":{"id":"(F\d+)"/g)].map(
      ([, linked, inPlace]) => linked ?? inPlace,
    ),
  );
}

/** Posts two files once for every point at which the publisher can die; another one takes over. Gives the number of points. */
async function killEverywhere(disturb: (world: World) => void, check: (world: World) => void): Promise<number> {
  for (let point = 0; point < 2000; point += 1) {
    const world = new World();
    const keys = await putFiles(world, [CONSOLE, CHART]);
    disturb(world);
    const stop = new AbortController();
    let died = false;
    const mortal = dyingPorts(world.ports(), point, () => {
      died = true;
      stop.abort();
    });
    const victim = world.start(mortal, stop);
    await world.time.until(() => died || keys.every((key) => world.chat.withKey(key).length > 0), 300_000);
    await victim.stop();
    await published(world, keys);

    expect(world.chat.messages.map((message) => message.key).sort()).toEqual([CARD, ...keys].sort());
    expect(shownFiles(world)).toHaveLength(2);
    expect(world.files.completed).toEqual(expect.arrayContaining(shownFiles(world)));
    check(world);
    if (!died) return point;
  }
  throw new Error('the work never ends');
}

describe('a publisher that is killed at any point while it posts files', () => {
  test('leaves one message with its file for each, and uploads none twice', async () => {
    const points = await killEverywhere(
      () => undefined,
      (world) => expect(world.files.completed).toHaveLength(2),
    );

    expect(points).toBeGreaterThan(40);
  }, 60_000);

  test('also while replies get lost, leaves one message with its file for each', async () => {
    const lose = (world: World): void => {
      world.files.mishaps.complete.push({ fault: UNKNOWN, did: true });
      world.files.mishaps.upload.push({ fault: UNKNOWN });
      world.chat.mishaps.post.push({ fault: UNKNOWN }, { fault: UNKNOWN, did: true, lateMs: 8000 });
    };

    expect(await killEverywhere(lose, () => undefined)).toBeGreaterThan(40);
  }, 60_000);
});
