import { afterEach, describe, expect, test } from 'vitest';
import type { HomeMessage } from '../../../src/report/home-model.ts';
import type { Answer } from '../../../src/report/message.ts';
import { textAnswer } from '../../../src/report/answers.ts';
import { section } from '../../../src/report/blocks.ts';
import type { ChatFault, ChatResult } from '../../../src/slack/chat-client.ts';
import type { HomeView } from '../../../src/slack/home-publisher.ts';
import { HomePublisher, NOTICE_MS, REDRAW_MS, WATCH_MS } from '../../../src/slack/home-publisher.ts';
import type { Log } from '../../../src/slack/log.ts';
import { FakeTime } from './fake-time.ts';

const quiet: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

afterEach(() => {
  for (const bench of benches.splice(0)) bench.stop.abort();
});

interface Bench {
  readonly time: FakeTime;
  readonly publisher: HomePublisher;
  readonly views: HomeView[];
  readonly drawn: { readonly userId: string; readonly fresh: boolean; readonly notice: Answer }[];
  /** What the page says now. */
  text: string;
  picture: boolean;
  /** Answers of the chat, first come first served; afterwards it takes everything. */
  readonly faults: ChatFault[];
  readonly stop: AbortController;
  changed(): void;
}

const benches: Bench[] = [];

/** A publisher with a chat that takes views, and runs that change when the test says so. */
function createBench(failedSubscriptions = 0): Bench {
  const time = new FakeTime(1_000_000);
  const ending = new AbortController();
  let failuresLeft = failedSubscriptions;
  let listener = (_runId: number): void => {};
  const bench = {
    time,
    views: [],
    drawn: [],
    text: 'one run',
    picture: false,
    faults: [],
    stop: ending,
  } as unknown as Bench;
  const publisher = new HomePublisher({
    draw: async (userId, { fresh, notice }) => {
      bench.drawn.push({ userId, fresh, notice });
      return pageOf(bench, notice);
    },
    publish: async (view): Promise<ChatResult<string | undefined>> => {
      bench.views.push(view);
      const fault = bench.faults.shift();
      return fault === undefined ? { ok: true, value: `hash-${bench.views.length}` } : { ok: false, fault };
    },
    clock: time,
    wait: time.wait,
    log: quiet,
    signal: ending.signal,
  });
  void publisher.follow({
    subscribe: async (onChange) => {
      failuresLeft -= 1;
      if (failuresLeft >= 0) throw new Error('Redis is away');
      listener = onChange;
      return async () => {};
    },
  });
  const whole = Object.assign(bench, { publisher, changed: () => listener(418) });
  benches.push(whole);
  return whole;
}

function pageOf({ text, picture }: Bench, notice: Answer): HomeMessage {
  const image = { type: 'image' as const, slack_file: { id: 'F1' }, alt_text: '390 Gb/s' };
  const texts = [...(notice ? [notice.text] : []), text];
  return { blocks: [...texts.map((one) => section(one)), ...(picture ? [image] : [])] };
}

/** Does it and lets time pass until it is done. */
async function done(bench: Bench, act: () => Promise<void>): Promise<void> {
  let over = false;
  void act().then(() => {
    over = true;
  });
  await bench.time.until(() => over, 5 * 60_000);
}

describe('Home', () => {
  test('is drawn on fresh rights when it is opened, with the hash of what the person sees', async () => {
    const bench = createBench();

    await done(bench, async () => bench.publisher.opened('U1', 'hash-0'));

    expect(bench.drawn).toEqual([{ userId: 'U1', fresh: true, notice: undefined }]);
    expect(bench.views).toMatchObject([{ userId: 'U1', hash: 'hash-0' }]);
  });

  test('follows a run that changes, once for many changes, not sooner than its least time', async () => {
    const bench = createBench();
    await done(bench, async () => bench.publisher.opened('U1', undefined));
    const openedAtMs = bench.time.nowMs();

    bench.text = 'two runs';
    for (let change = 0; change < 20; change += 1) bench.changed();
    await bench.time.until(() => bench.views.length > 1, 60_000);
    const redrawnAtMs = bench.time.nowMs();
    await bench.time.pass(60_000);

    expect(redrawnAtMs - openedAtMs).toBe(REDRAW_MS);
    expect(bench.views).toHaveLength(2);
    expect(bench.views[1]).toMatchObject({ hash: 'hash-1' });
    expect(bench.drawn[1]).toMatchObject({ fresh: false });
  });

  test('is not sent again when a change of a run changes nothing that it shows', async () => {
    const bench = createBench();
    await done(bench, async () => bench.publisher.opened('U1', undefined));

    bench.changed();
    await bench.time.until(() => bench.drawn.length > 1, 60_000);
    await bench.time.pass(REDRAW_MS);

    expect(bench.views).toHaveLength(1);
  });

  test('follows also when the first tries to be told about changes fail', async () => {
    const bench = createBench(3);
    await bench.time.pass(4 * REDRAW_MS);
    await done(bench, async () => bench.publisher.opened('U1', undefined));

    bench.text = 'two runs';
    bench.changed();

    await bench.time.until(() => bench.views.length > 1, 60_000);
    expect(JSON.stringify(bench.views[1])).toContain('two runs');
  });

  test('no longer follows when nobody has opened it for long', async () => {
    const bench = createBench();
    await done(bench, async () => bench.publisher.opened('U1', undefined));

    await bench.time.pass(WATCH_MS + 1);
    bench.changed();
    await bench.time.pass(60_000);

    expect(bench.drawn).toHaveLength(1);
  });

  test('of two hundred people who opened theirs, one that is opened then is the only one forgotten', async () => {
    const bench = createBench();
    const users = Array.from({ length: 201 }, (_, index) => `U${index}`);
    for (const user of users) await done(bench, async () => bench.publisher.opened(user, undefined));

    bench.text = 'news';
    bench.changed();
    await bench.time.until(() => bench.views.length >= 401, 10 * 60_000);

    expect(bench.views.slice(201).map((view) => view.userId)).toEqual(users.slice(1));
    expect(bench.time.nowMs() - 1_000_000).toBeGreaterThan((390 / 60) * 60_000);
  });
});

describe('the answer to a press', () => {
  test('stands at the top through redrawings, until its time is over', async () => {
    const bench = createBench();
    await done(bench, async () => bench.publisher.pressed('U1', textAnswer('Run 418 is approved.')));

    bench.text = 'running';
    bench.changed();
    await bench.time.until(() => bench.views.length === 2, 60_000);
    await bench.time.pass(NOTICE_MS);
    bench.text = 'done';
    bench.changed();
    await bench.time.until(() => bench.views.length === 3, 60_000);

    expect(bench.drawn.map(({ notice }) => notice?.text)).toEqual([
      'Run 418 is approved.',
      'Run 418 is approved.',
      undefined,
    ]);
  });

  test('is not taken away by a second delivery of the press, which has none', async () => {
    const bench = createBench();
    await done(bench, async () => bench.publisher.pressed('U1', textAnswer('No.')));

    await done(bench, async () => bench.publisher.pressed('U1', undefined));

    expect(bench.drawn[1]?.notice?.text).toBe('No.');
  });

  test('goes when the page is opened again', async () => {
    const bench = createBench();
    await done(bench, async () => bench.publisher.pressed('U1', textAnswer('No.')));

    await done(bench, async () => bench.publisher.opened('U1', undefined));

    expect(bench.drawn[1]?.notice).toBeUndefined();
  });
});

describe('a Home that the chat does not take', () => {
  test('because somebody else was quicker is drawn anew from what is known then, and sent without the old hash', async () => {
    const bench = createBench();
    bench.faults.push({ kind: 'refused', error: 'hash_conflict' });

    await done(bench, async () => bench.publisher.opened('U1', 'old'));

    expect(bench.drawn).toHaveLength(2);
    expect(bench.views.map(({ hash }) => hash)).toEqual(['old', undefined]);
  });

  test('because of its pictures is sent without them, their words in their place', async () => {
    const bench = createBench();
    bench.picture = true;
    bench.faults.push({ kind: 'refused', error: 'invalid_arguments' });

    await done(bench, async () => bench.publisher.opened('U1', undefined));

    expect(JSON.stringify(bench.views[0]?.message)).toContain('slack_file');
    expect(JSON.stringify(bench.views[1]?.message)).toContain('Chart: 390 Gb/s');
    expect(JSON.stringify(bench.views[1]?.message)).not.toContain('slack_file');
  });

  test('for a reason that stays is given up at once, and a later opening tries again', async () => {
    const bench = createBench();
    bench.faults.push({ kind: 'refused', error: 'not_enabled' });

    await done(bench, async () => bench.publisher.opened('U1', undefined));
    const tried = bench.views.length;
    await done(bench, async () => bench.publisher.opened('U1', undefined));

    expect(tried).toBe(1);
    expect(bench.views).toHaveLength(2);
  });

  test('because of too many calls waits as long as the chat asked, for everybody', async () => {
    const bench = createBench();
    bench.faults.push({ kind: 'rate-limited', retryAfterMs: 30_000 });
    const fromMs = bench.time.nowMs();

    await done(bench, async () => bench.publisher.opened('U1', undefined));

    expect(bench.views).toHaveLength(2);
    expect(bench.time.nowMs() - fromMs).toBeGreaterThanOrEqual(30_000);
  });

  test('and does not say so is sent again a few times, not for ever', async () => {
    const bench = createBench();
    for (let time = 0; time < 20; time += 1) bench.faults.push({ kind: 'unknown', reason: 'ETIMEDOUT' });

    await done(bench, async () => bench.publisher.opened('U1', 'h'));

    expect(bench.views).toHaveLength(4);
    expect(bench.views.slice(1).every(({ hash }) => hash === undefined)).toBe(true);
  });

  test('at one moment by two requests gets them one after the other: the newer is what stays', async () => {
    const bench = createBench();

    await done(bench, async () => {
      await Promise.all([bench.publisher.opened('U1', undefined), bench.publisher.pressed('U1', textAnswer('Yes.'))]);
    });

    expect(bench.views.map(({ hash }) => hash)).toEqual([undefined, 'hash-1']);
    expect(JSON.stringify(bench.views.at(-1))).toContain('Yes.');
  });
});
