import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Image } from '../../../src/domain/image.ts';
import { OpsError } from '../../../src/errors.ts';
import { partPath, stagedPath } from '../../../src/facts/staged-file.ts';
import { stageBfb } from '../../../src/steps/stage-bfb.ts';
import {
  createStageWorld,
  imageOf,
  type Publisher,
  type StageWorld,
  sendRange,
  startPublisher,
} from './stage-world.ts';

const content = randomBytes(600_000);
const imageName = 'bf-bundle-2.9.2';

let world: StageWorld;
let publisher: Publisher;
let image: Image;
beforeEach(async () => {
  world = await createStageWorld();
  publisher = await startPublisher((reply, from) => sendRange(reply, content, from));
  image = imageOf(content, { url: publisher.url });
});
afterEach(async () => {
  publisher.stop();
  await world.stop();
});

const paramsOf = (wanted: Image): unknown => ({ images: [{ name: imageName, image: wanted }] });

/** Kind of what the step would do now, with its text. */
async function planned(wanted = image): Promise<string> {
  const context = await world.context();
  const diff = stageBfb.diff(await stageBfb.observe(context, paramsOf(wanted)), paramsOf(wanted), context.card.dpu);
  if (diff.kind === 'change') return `change: ${diff.changes.map(({ text }) => text).join('; ')}`;
  return diff.kind === 'satisfied' ? `satisfied: ${diff.reason}` : diff.kind;
}

async function apply(wanted = image, signal?: AbortSignal): Promise<void> {
  const context = await world.context(signal);
  const observed = await stageBfb.observe(context, paramsOf(wanted));
  await stageBfb.apply?.(context, [], paramsOf(wanted), observed);
}

async function failureOf(work: Promise<void>): Promise<{ code: string; text: string }> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof OpsError)) throw error;
    const { what, why, next } = error.failure;
    return { code: error.code, text: `${what} ${why} ${next}` };
  }
  throw new Error('it succeeded');
}

function isThere(path: string): boolean {
  return existsSync(world.at(path));
}

function put(path: string, bytes: Buffer | string): void {
  mkdirSync(dirname(world.at(path)), { recursive: true });
  writeFileSync(world.at(path), bytes);
}

function staged(): Buffer {
  return readFileSync(world.at(stagedPath(image)));
}

describe('stage-bfb, downloaded by the host', () => {
  it('fetches, proves and places an image on a host that has nothing, and is satisfied afterwards', async () => {
    const before = await planned();
    await apply();
    const context = await world.context();
    const verdicts = await stageBfb.verify?.(context, paramsOf(image));
    const after = await planned();
    expect(before).toMatch(
      /^change: bf-bundle-2\.9\.2 \(0\.6 MiB\) on host-01: downloaded by the host from 127\.0\.0\.1/,
    );
    expect(staged().equals(content)).toBe(true);
    expect(statSync(world.at(stagedPath(image))).mode & 0o777).toBe(0o600);
    expect(isThere(partPath(image))).toBe(false);
    expect(verdicts?.map(({ pass }) => pass)).toEqual([true]);
    expect(after).toMatch(/^satisfied/);
    expect(world.acts.map((name) => name.replace(/[0-9a-f]{12}/, 'SHA'))).toEqual([
      'prepare-SHA',
      'fetch-SHA-1',
      'place-SHA',
    ]);
  });

  it('goes on where a broken connection stopped, as often as three times', async () => {
    publisher.publish = (reply, from, request) =>
      sendRange(reply, content, from, request < 4 ? request * 150_000 : undefined);
    await apply();
    expect(staged().equals(content)).toBe(true);
    expect(publisher.asked).toEqual([0, 150_000, 300_000, 450_000]);
  });

  it('gives up after three more tries and says how much has arrived, which the next run uses', async () => {
    publisher.publish = (reply, from) => sendRange(reply, content, from, from + 100_000);
    const failure = await failureOf(apply());
    const next = await planned();
    publisher.publish = (reply, from) => sendRange(reply, content, from);
    await apply();
    expect(failure.code).toBe('image-download-broken');
    expect(failure.text).toContain('broke off 4 times: 400000 of 600000 bytes have arrived');
    expect(next).toContain('of which 0.4 MiB are there');
    expect(publisher.asked.at(-1)).toBe(400_000);
    expect(staged().equals(content)).toBe(true);
  });

  it('begins anew at a server that does not know ranges', async () => {
    put(partPath(image), content.subarray(0, 1_000));
    publisher.publish = (reply) => sendRange(reply, content, 0);
    await apply();
    expect(staged().equals(content)).toBe(true);
    expect(publisher.asked).toEqual([1_000, 0]);
  });

  it('stops at once when the server does not have it', async () => {
    publisher.publish = (reply) => reply.writeHead(404).end();
    const failure = await failureOf(apply());
    expect(failure.code).toBe('image-download-failed');
    expect(failure.text).toContain('404');
    expect(publisher.asked).toEqual([0]);
  });

  it.each([
    ['of the same size', randomBytes(content.length), /SHA-256 [0-9a-f]{64}, seen SHA-256/],
    ['of another size', Buffer.from('<html>log in first</html>'), /600000 bytes, seen 25 bytes/],
  ])('removes another file %s and says that nothing was flashed', async (_title, other, why) => {
    publisher.publish = (reply) => sendRange(reply, other, 0);
    const failure = await failureOf(apply());
    expect(failure.code).toBe('image-hash-mismatch');
    expect(failure.text).toMatch(why);
    expect(failure.text).toContain('nothing was flashed');
    expect([stagedPath(image), partPath(image)].filter(isThere)).toEqual([]);
  });

  it('picks up the running download after the worker died, instead of starting a second one', async () => {
    const held: (() => void)[] = [];
    publisher.publish = (reply, from) => {
      reply.writeHead(200, { 'content-length': content.length });
      reply.write(content.subarray(from, 200_000));
      held.push(() => reply.end(content.subarray(200_000)));
    };
    const worker = new AbortController();
    const died = apply(image, worker.signal).catch((error: unknown) => error);
    await expect.poll(() => world.signs.some(({ percent }) => (percent ?? 0) > 0), { timeout: 10_000 }).toBe(true);
    worker.abort(new Error('the worker died'));
    const reason = await died;
    const signsBefore = world.signs.length;
    const second = apply();
    await expect.poll(() => world.signs.length > signsBefore, { timeout: 10_000 }).toBe(true);
    held.forEach((release) => release());
    await second;
    expect(String(reason)).toContain('the worker died');
    expect(staged().equals(content)).toBe(true);
    expect(publisher.asked).toEqual([0]);
    expect(readdirSync(world.at('/var/lib/dpubot/jobs'))).toHaveLength(1);
    expect(world.signs.find(({ percent }) => percent !== undefined)?.text).toMatch(
      /^downloading bf-bundle-2\.9\.2 to host-01: 0(\.\d)? MiB of 0\.6 MiB/,
    );
  });

  it('hashes a file without a note, and replaces it when it is not the image', async () => {
    await apply();
    rmSync(world.at(`${stagedPath(image)}.ok`));
    const withoutNote = await planned();
    writeFileSync(world.at(stagedPath(image)), randomBytes(content.length));
    const spoilt = await planned();
    await apply();
    expect(withoutNote).toMatch(/^satisfied/);
    expect(spoilt).toMatch(/^change/);
    expect(staged().equals(content)).toBe(true);
  });

  it('only has to prove what has arrived whole already', async () => {
    put(partPath(image), content);
    await apply();
    expect(staged().equals(content)).toBe(true);
    expect(publisher.asked).toEqual([]);
  });

  it('drops a part that is longer than the image', async () => {
    put(partPath(image), Buffer.concat([content, content]));
    await apply();
    expect(staged().equals(content)).toBe(true);
    expect(publisher.asked).toEqual([0]);
  });
});

describe('stage-bfb, sent by the worker', () => {
  let file: Image;
  beforeEach(() => {
    const path = join(world.folder, 'local.bfb');
    writeFileSync(path, content);
    file = imageOf(content, { file: path });
  });

  it('sends, proves and places the file, which only root may read then', async () => {
    const before = await planned(file);
    await apply(file);
    expect(before).toContain('sent from');
    expect(staged().equals(content)).toBe(true);
    expect(statSync(world.at(stagedPath(image))).mode & 0o777).toBe(0o600);
    expect(await planned(file)).toMatch(/^satisfied/);
    expect(world.signs.some(({ text, percent }) => text.startsWith('sending') && percent === 100)).toBe(true);
  });

  it('goes on by itself with what has arrived when the link dies in the middle', async () => {
    let cuts = 0;
    world.writeFault = (total) => {
      if (total < 300_000 || cuts > 0) return 'take';
      cuts += 1;
      return 'cut';
    };
    await apply(file);
    expect(cuts).toBe(1);
    expect(staged().equals(content)).toBe(true);
    expect(world.acts.filter((name) => name.startsWith('send-'))).toHaveLength(2);
  });

  it('stops after three more tries, keeps what is there, and goes on in the next run', async () => {
    world.writeFault = (total) => (total > 100_000 ? 'fail' : 'take');
    const failure = await failureOf(apply(file));
    world.writeFault = () => 'take';
    const next = await planned(file);
    await apply(file);
    expect(failure.code).toBe('upload-failed');
    expect(failure.text).toMatch(/\d+ of 600000 bytes have arrived/);
    expect(next).toMatch(/of which 0\.[1-5] MiB are there/);
    expect(staged().equals(content)).toBe(true);
  });

  it('says that the worker does not have the file, and sends nothing', async () => {
    rmSync(file.file ?? '');
    const failure = await failureOf(apply(file));
    expect(failure.code).toBe('image-file-unreadable');
  });
});
