import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDispatch } from '../../../commands/dispatch.ts';
import { Inventory } from '../../../src/domain/inventory.ts';
import { Secret } from '../../../src/domain/secret.ts';
import { createJobQueue } from '../../../src/queue/job-queue.ts';
import { checkRedis } from '../../../src/store/check-redis.ts';
import { listCardPasswords } from '../../../src/store/card-passwords.ts';
import { createStores } from '../../../src/store/index.ts';
import { createCredentialImporter } from '../../../src/store/named-credentials.ts';
import { recordOf } from '../../support/bench-results.ts';
import type { TestRedis } from '../../support/redis.ts';
import { startRedis } from '../../support/redis.ts';
import { createWorld, words } from '../commands/doubles.ts';
import { sampleInventory } from '../commands/sample-inventory.ts';
import { connectAs, silent } from '../store/rig.ts';

const text = readFileSync(new URL('../../../examples/redis-acl.conf', import.meta.url), 'utf8');
const lines = text.split('\n').filter((line) => line !== '');
const clock = { nowMs: () => Date.now() };

/** Rules of a user of the sample, for the tag of a test. */
function rulesOf(user: string): (tag: string) => readonly string[] {
  const line = lines.find((entry) => entry.startsWith(`user ${user} `));
  if (line === undefined) throw new Error(`the sample has no user ${user}`);
  const rules = line.split(' ').slice(3);
  return (tag) => rules.filter((rule) => !rule.startsWith('>')).map((rule) => rule.replace('{dpu}', tag));
}

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => redis.stop());

test('every line of the sample is one that Redis takes from a file: users only, no comments', () => {
  for (const line of lines) expect(line).toMatch(/^user [a-z-]+ (on|off)/);
  expect(lines[0]).toBe('user default off');
});

describe("the bot's user of the sample", () => {
  test('lets people start, approve, cancel, unlock and halt', async () => {
    const user = await connectAs(redis, rulesOf('dpubot-bot'));
    const { space } = user;
    await checkRedis(space);
    const stores = createStores(space, { clock, logger: silent });
    const queue = createJobQueue({ connection: space.client, logger: silent, prefix: space.tag });
    const { directory } = createWorld().context;
    const inventory = Inventory.parse(sampleInventory());
    const dispatch = createDispatch({ ...stores, inventory: () => inventory, queue, directory, clock, teamId: 'T1' });
    const say = async (user: string, line: string) =>
      words(await dispatch(user, { text: line, channel: 'C0FLEET1', source: 'slash' }));

    expect(await say('UANA', 'provision rack1')).toBe('');
    expect(await say('UANA', 'run 1')).toContain('provision rack1');
    expect(await say('UANA', 'runs')).toContain('provision rack1');
    expect(await say('UBEN', 'approve 1')).toContain('It is planning');
    expect(await say('UBEN', 'cancel 1')).toContain('it stops at once');
    expect(await say('UCLEO', 'unlock host-a --force')).toContain('is not held');
    expect(await say('UCLEO', 'halt --reason "a test"')).toContain('All work is halted');
    expect(await say('UCLEO', 'unhalt --reason "a test"')).toContain('The halt is lifted');
    expect((await stores.audit.list(10)).map((record) => record.action)).toContain('provision');
    await queue.close();
    await user.remove();
  });

  test('lets the bot post: publisher, outbox, notes of what was seen', async () => {
    const user = await connectAs(redis, rulesOf('dpubot-bot'));
    const { space } = user;
    const stores = createStores(space, { clock, logger: silent });

    await stores.outbox.holdPublisher('T1', 'a', 1000);
    await stores.outbox.claim(1, 'root', 'C1');
    await stores.outbox.sent(1, 'root', { channel: 'C1', ts: '1.1' });
    await stores.outbox.releasePublisher('T1', 'a');
    expect(await stores.dedupe.firstTime('Ev1', 1000)).toBe(true);
    const leave = await stores.notifier.subscribe(() => undefined);
    await leave();
    await user.remove();
  });

  test('lets the bot read what is known about a card, and not change it', async () => {
    const user = await connectAs(redis, rulesOf('dpubot-bot'));
    const { space } = user;
    const record = { origin: 'flashed', runId: 1, atMs: 1 } as const;
    await redis.client.hset(space.key('card-records'), 'MT1', JSON.stringify(record));
    const { records } = createStores(space, { clock, logger: silent });

    expect(await records.get('MT1')).toEqual(record);
    await expect(records.put('MT1', record)).rejects.toMatchObject({ code: 'store-unavailable' });
    await user.remove();
  });

  test('lets the bot read the files of runs and what looks have seen, and not change them', async () => {
    const user = await connectAs(redis, rulesOf('dpubot-bot'));
    const { space } = user;
    const file = { name: 'console.txt', mimeType: 'text/plain', content: Buffer.from('login: ') };
    await redis.client.hset(space.key('artefacts', 1), 'ab12', 'login: ');
    const { artefacts, facts } = createStores(space, { clock, logger: silent });

    expect(await artefacts.get(1, 'ab12')).toEqual(file.content);
    expect(await facts.get('as7-dpu0')).toBeUndefined();
    await expect(artefacts.put(1, file)).rejects.toMatchObject({ code: 'store-unavailable' });
    await user.remove();
  });

  test('lets the bot read results of benches and name baselines, and not change a figure', async () => {
    const user = await connectAs(redis, rulesOf('dpubot-bot'));
    const { space } = user;
    const record = recordOf(7, [382]);
    await redis.client.hset(space.key('results', 7), 'ab12', JSON.stringify(record));
    await redis.client.zadd(space.key('results-of', `${record.pair}/raw`), 7, '7');
    const { results } = createStores(space, { clock, logger: silent });

    expect(await results.history(record.pair, 'raw', 5)).toEqual([record]);
    expect(await results.setBaseline(7)).toEqual([record]);
    expect(await results.baseline(record.key)).toEqual(record);
    await expect(results.add([record])).rejects.toThrow(/NOPERM|EXECABORT/);
    await user.remove();
  });

  test('keeps it away from secrets, pins, work queues of sites, and from shortening the audit list', async () => {
    const user = await connectAs(redis, rulesOf('dpubot-bot'));
    const { space } = user;
    const { client, tag } = space;
    const queue = createJobQueue({ connection: client, logger: silent, prefix: tag });
    const job = { runId: 1, unit: 'host-a', site: 'lab', generation: 0 };

    await expect(client.hgetall(`${tag}:credentials`)).rejects.toThrow('NOPERM');
    await expect(client.hset(`${tag}:credentials`, 'ssh-ops', 'x')).rejects.toThrow('NOPERM');
    await expect(client.hgetall(`${tag}:bmc-passwords:serial:MT1`)).rejects.toThrow('NOPERM');
    await expect(client.hgetall(`${tag}:arm-passwords:serial:MT1`)).rejects.toThrow('NOPERM');
    await expect(client.hgetall(`${tag}:uefi-passwords:serial:MT1`)).rejects.toThrow('NOPERM');
    await expect(client.hset(`${tag}:pins:bmc-certificate`, 'dpu-a', 'x')).rejects.toThrow('NOPERM');
    await expect(client.xtrim(`${tag}:audit`, 'MAXLEN', 0)).rejects.toThrow('NOPERM');
    await expect(client.flushall()).rejects.toThrow('NOPERM');
    await expect(queue.addUnit(job)).rejects.toThrow();
    await queue.close();
    await user.remove();
  });
});

test("the administrator's user of the sample files credentials and reads the audit list, and sees no run", async () => {
  const user = await connectAs(redis, rulesOf('dpubot-admin'));
  const { space } = user;
  const importer = createCredentialImporter(space, clock);
  const recipient = Inventory.parse(sampleInventory()).sites['lab']?.recipient ?? '';

  await importer.saveNamed('ssh-ops', new Secret('x'), [recipient]);

  expect(await importer.list()).toMatchObject([{ ref: 'ssh-ops', recipients: [recipient] }]);
  await redis.client.hset(
    space.key('arm-passwords', 'serial', 'MT1'),
    'current',
    JSON.stringify({ ciphertext: 'x', savedAtMs: 5, recipient }),
  );
  expect(await listCardPasswords(space)).toEqual([{ card: 'MT1', kind: 'Arm', savedAtMs: { current: 5 } }]);
  await checkRedis(space);
  expect(await createStores(space, { clock, logger: silent }).audit.list(5)).toEqual([]);
  expect(await createStores(space, { clock, logger: silent }).pins.get('bmc-certificate', 'dpu-a')).toBeUndefined();
  await expect(space.client.get(`${space.tag}:run:1`)).rejects.toThrow('NOPERM');
  await user.remove();
});
