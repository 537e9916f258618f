import { describe, expect, it } from 'vitest';
import type { CardRecord, DetachedState } from '../../../src/domain/device-ports.ts';
import type { Image } from '../../../src/domain/image.ts';
import { DpuEntry } from '../../../src/domain/inventory.ts';
import type { ApplyContext, Diff, ObserveContext } from '../../../src/domain/step.ts';
import { errors, OpsError } from '../../../src/errors.ts';
import type { StagedImage } from '../../../src/facts/staged-file.ts';
import { stageBfb } from '../../../src/steps/stage-bfb.ts';
import { lookUntilSeen } from '../../../src/steps/stage-contact.ts';
import { curlArgv, judgeDownload } from '../../../src/steps/stage-curl.ts';
import { send } from '../../../src/steps/stage-send.ts';
import { sourceOf, transferSign } from '../../../src/steps/stage-text.ts';
import { fixture } from '../../support/fixture.ts';
import { createFakeClock } from '../../support/rack-devices.ts';

const gib = 1024 ** 3;
const image: Image = {
  url: 'https://images.example/secret-path/bf-bundle.bfb?token=abc',
  sha256: 'c0ffee00'.repeat(8),
  bytes: gib,
  version: 'bf-bundle-2.9.2-32',
  docaVersion: '2.9.2',
  signed: true,
};
const { url: _url, ...rest } = image;
const file: Image = { ...rest, file: '/srv/images/bf-bundle.bfb' };
const dpu = DpuEntry.parse({ name: 'as7-dpu0', bmc: { address: '10.0.0.7' } });

function there(seen: Partial<StagedImage>): StagedImage {
  return {
    fileBytes: undefined,
    partBytes: undefined,
    noted: false,
    jobs: [],
    freeBytes: 100 * gib,
    proof: 'none',
    ...seen,
  };
}

function diffOf(...images: readonly { image?: Image; seen: Partial<StagedImage> }[]): Diff {
  const observed = {
    host: 'as7',
    images: images.map((one, index) => ({ name: `image-${index}`, image: one.image ?? image, there: there(one.seen) })),
  };
  return stageBfb.diff(observed, {}, dpu);
}

function textOf(diff: Diff): string {
  if (diff.kind === 'change') return diff.changes.map(({ text }) => text).join('; ');
  if (diff.kind === 'refused') return `${diff.failure.code}: ${diff.failure.what} ${diff.failure.why}`;
  return diff.kind === 'satisfied' ? `satisfied: ${diff.reason}` : diff.kind;
}

describe('stage-bfb: plan', () => {
  it.each([
    ['proven by a note', { fileBytes: gib, noted: true, proof: 'note' }, /^satisfied: image-0 \(1 GiB/],
    ['proven by hashing', { fileBytes: gib, proof: 'hash' }, /^satisfied/],
    ['not there', {}, /^image-0 \(1 GiB\) on as7: downloaded by the host from images\.example, SHA-256 checked$/],
    ['half of it there', { partBytes: gib / 2 }, /\(1 GiB, of which 512 MiB are there\)/],
    ['a part that is too long', { partBytes: gib + 1 }, /^image-0 \(1 GiB\) on as7/],
    ['another file under its name', { fileBytes: gib, proof: 'none' }, /^image-0 \(1 GiB\) on as7/],
  ] as const)('%s', (_title, seen, expected) => {
    expect(textOf(diffOf({ seen }))).toMatch(expected);
  });

  it('says where a file of the worker comes from', () => {
    expect(textOf(diffOf({ image: file, seen: {} }))).toContain('sent from /srv/images/bf-bundle.bfb of the worker');
  });

  it('has nothing to do for a host whose cards want no image', () => {
    expect(textOf(diffOf())).toBe('satisfied: no card of this host is to be flashed with an image it does not have');
  });

  it('names only what is missing of two images', () => {
    const text = textOf(diffOf({ seen: { proof: 'note', fileBytes: gib } }, { seen: {} }));

    expect(text).toMatch(/^image-1 /);
  });

  const margin = 256 * 1024 ** 2;
  it.each([
    ['exactly enough space', { freeBytes: gib + margin }, 'change'],
    ['one byte too little', { freeBytes: gib + margin - 1 }, 'refused'],
    ['enough for what is still to come', { freeBytes: gib / 2 + margin, partBytes: gib / 2 }, 'change'],
    ['too little for what is still to come', { freeBytes: gib / 2 + margin - 1, partBytes: gib / 2 }, 'refused'],
    ['enough once the wrong file is gone', { freeBytes: margin, fileBytes: gib }, 'change'],
    ['enough once the part that is too long is gone', { freeBytes: margin, partBytes: gib + 5 }, 'change'],
  ])('%s', (_title, seen, kind) => {
    expect(diffOf({ seen }).kind).toBe(kind);
  });

  it('counts the space of all images together and says the numbers', () => {
    const text = textOf(diffOf({ seen: { freeBytes: 2 * gib } }, { seen: { freeBytes: 2 * gib } }));

    expect(text).toContain('image-space-missing');
    expect(text).toContain(`${2 * gib + margin} bytes are needed`);
    expect(text).toContain(`${2 * gib} are free`);
  });

  it('binds the approval to the hash, not to where the image comes from', () => {
    const wanted = (one: Image): unknown => stageBfb.wanted({ images: [{ name: 'bundle', image: one }] });

    expect(wanted(image)).toEqual([{ name: 'bundle', sha256: image.sha256 }]);
    expect(wanted(file)).toEqual(wanted(image));
  });
});

describe('stage-bfb: end of a download', () => {
  const arrived = { partBytes: 400, totalBytes: 1_000, freeBytes: 5_000 };
  const exited = (exitCode: number): DetachedState & { kind: 'exited' } => ({ kind: 'exited', exitCode, logBytes: 0 });

  it.each([
    ['whole', exited(0), '', { ...arrived, partBytes: 1_000 }, 'complete'],
    ['exit code 0 with less than the image', exited(0), '', arrived, 'other-file'],
    ['more than the image', exited(18), fixture('curl/cut.txt'), { ...arrived, partBytes: 1_001 }, 'other-file'],
    ['cut', exited(18), fixture('curl/cut.txt'), arrived, 'broken'],
    ['too slow', exited(28), fixture('curl/too-slow.txt'), arrived, 'broken'],
    ['closed port', exited(7), fixture('curl/refused.txt'), arrived, 'broken'],
    ['no ranges', exited(33), fixture('curl/no-ranges.txt'), arrived, 'anew'],
    ['a range that is refused', exited(22), 'curl: (22) The requested URL returned error: 416\n', arrived, 'anew'],
    ['404', exited(22), fixture('curl/not-found.txt'), arrived, 'failed'],
    ['503', exited(22), fixture('curl/unavailable.txt'), arrived, 'broken'],
    ['a certificate that is not trusted', exited(60), 'curl: (60) SSL certificate problem\n', arrived, 'failed'],
    ['no curl on the host', exited(127), 'dpubot-detached: 8: curl: not found\n', arrived, 'failed'],
    ['full disk', exited(23), fixture('curl/disk-full.txt'), { ...arrived, freeBytes: 0 }, 'disk-full'],
    ['a write error with room left', exited(23), fixture('curl/disk-full.txt'), arrived, 'failed'],
    ['ended by a signal', exited(143), '', arrived, 'broken'],
    ['host restarted', { kind: 'unknown', reason: 'the host was restarted' }, '', arrived, 'broken'],
    ['job folder gone', { kind: 'absent' }, '', arrived, 'broken'],
  ] as const)('%s', (_title, state, log, bytes, expected) => {
    expect(judgeDownload(state, log, bytes).kind).toBe(expected);
  });

  it('gives the reason in the words of curl, and its exit code when it said nothing', () => {
    expect(judgeDownload(exited(22), fixture('curl/not-found.txt'), arrived)).toEqual({
      kind: 'failed',
      problem: 'curl: (22) The requested URL returned error: 404',
    });
    expect(judgeDownload(exited(2), '', arrived)).toEqual({ kind: 'failed', problem: 'curl ended with exit code 2' });
  });
});

describe('stage-bfb: texts and words', () => {
  it('shows of a URL only its host', () => {
    expect(sourceOf(image)).toBe('images.example');
  });

  it('measures percent and rate of a transfer', () => {
    const transfer = { verb: 'downloading', host: 'as7', name: 'bundle', totalBytes: gib };
    const sign = transferSign({ ...transfer, arrivedBytes: gib / 2, fromBytes: gib / 4, elapsedMs: 8_000 });
    const first = transferSign({ ...transfer, arrivedBytes: 0, fromBytes: 0, elapsedMs: 0 });

    expect(sign).toEqual({ text: 'downloading bundle to as7: 512 MiB of 1 GiB, 32 MiB/s', percent: 50 });
    expect(first).toEqual({ text: 'downloading bundle to as7: 0 MiB of 1 GiB', percent: 0 });
  });

  it('keeps root its own .curlrc out, gives the proxy, and ends its options before the URL', () => {
    const argv = curlArgv({ name: 'bundle', image }, 'http://proxy.example:3128');

    expect(argv.slice(0, 2)).toEqual(['curl', '--disable']);
    expect(argv.slice(-4)).toEqual(['--proxy', 'http://proxy.example:3128', '--', image.url]);
    expect(curlArgv({ name: 'bundle', image }, undefined)).not.toContain('--proxy');
  });
});

describe('stage-bfb: a host out of reach', () => {
  function contextOf(): ApplyContext {
    const parts: Partial<ApplyContext> = {
      clock: createFakeClock(),
      signal: new AbortController().signal,
      progress: () => Promise.resolve(),
    };
    return { ...parts, host: { name: 'as7' } } as ApplyContext;
  }
  const unreachable = errors.sshUnreachable({ host: 'as7', address: '10.0.0.7:22' });

  it('is looked at again until it answers', async () => {
    let looks = 0;
    const seen = await lookUntilSeen(contextOf(), () => {
      looks += 1;
      return looks < 12 ? Promise.reject(unreachable) : Promise.resolve('seen');
    });

    expect(seen).toBe('seen');
  });

  it('is not sent more than it has room for: the disk filled up on the way', async () => {
    let sent = 0;
    const stdout = 'file absent\npart 1000 1\nnote absent\nfree 7\n';
    const host: Partial<ApplyContext['host']> = {
      name: 'as7',
      read: () => Promise.resolve({ stdout, stderr: '', exitCode: 0, truncated: false, durationMs: 1 }),
      upload: () => {
        sent += 1;
        return Promise.resolve();
      },
    };
    const context = { ...contextOf(), host } as ApplyContext;
    const failure = await send(context, { name: 'bundle', image: file }).catch((error: unknown) => error);

    expect(failure instanceof OpsError && failure.failure).toMatchObject({
      code: 'image-space-missing',
      deviceState: 'changed',
    });
    expect(sent).toBe(0);
  });

  it('ends the step after five minutes', async () => {
    let looks = 0;
    const failure = await lookUntilSeen(contextOf(), () => {
      looks += 1;
      return Promise.reject(unreachable);
    }).catch((error: unknown) => error);

    expect(failure).toBe(unreachable);
    expect(looks).toBe(61);
  });

  it('ends the step at once for what does not pass', async () => {
    let looks = 0;
    const failure = await lookUntilSeen(contextOf(), () => {
      looks += 1;
      return Promise.reject(errors.sudoRefused({ host: 'as7', user: 'ops', output: 'no' }));
    }).catch((error: unknown) => error);

    expect(failure instanceof OpsError && failure.code).toBe('sudo-refused');
    expect(looks).toBe(1);
  });
});

describe('stage-bfb: whose image is needed', () => {
  const empty = `file absent\npart absent\nnote absent\nfree ${100 * gib}\n`;
  const ours = { origin: 'flashed', image: { name: 'bundle', sha256: image.sha256 }, runId: 1, atMs: 1 } as const;

  async function neededWith(record: CardRecord | undefined, options: object = {}): Promise<number> {
    const slice = { images: { bundle: image }, profiles: { [dpu.name]: { image: 'bundle' } } };
    const context = {
      dpu,
      slice,
      cards: [{ dpu, serial: 'MT1' }],
      records: { get: () => Promise.resolve(record) },
      host: {
        name: 'as7',
        read: () => Promise.resolve({ stdout: empty, stderr: '', exitCode: 0, truncated: false, durationMs: 1 }),
      },
      signal: new AbortController().signal,
    } as unknown as ObserveContext;
    const params = stageBfb.params.parse({ images: [{ name: 'bundle', image }], ...options });
    const observed = (await stageBfb.observe(context, params)) as { images: readonly unknown[] };
    return observed.images.length;
  }

  it.each([
    ['a card that nobody has flashed yet', undefined, {}, 1],
    ['a card that has another image', { ...ours, image: { name: 'old', sha256: 'aa'.repeat(32) } }, {}, 1],
    ['a card whose flash did not come to its end', { ...ours, image: undefined }, {}, 1],
    ['a card that has it already', ours, {}, 0],
    ['a card that has it and is to be flashed again', ours, { reflash: true }, 1],
    ['a card that is taken over as it is', undefined, { adopt: true }, 0],
  ] as const)('%s', async (_title, record, options, needed) => {
    expect(await neededWith(record as CardRecord | undefined, options)).toBe(needed);
  });
});
