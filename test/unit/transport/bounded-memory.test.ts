import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSemaphore } from '../../../src/transport/semaphore.ts';
import { parseDetachedState, wholeLines } from '../../../src/transport/ssh/detached.ts';
import { createHeadTail } from '../../../src/transport/ssh/head-tail.ts';
import { OpsError } from '../../../src/errors.ts';

describe('head and tail of a stream', () => {
  it('keep everything up to the limit, and beginning and end beyond it, however it is cut into chunks', () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 40 });
    fc.assert(
      fc.property(chunks, fc.integer({ min: 2, max: 200 }), (parts, maxBytes) => {
        const kept = createHeadTail(maxBytes);
        for (const part of parts) kept.push(Buffer.from(part));
        const all = Buffer.concat(parts);
        const bytes = kept.bytes();
        expect(kept.truncated()).toBe(all.length > maxBytes);
        const head = all.subarray(0, Math.ceil(maxBytes / 2));
        const tail = all.subarray(all.length - Math.floor(maxBytes / 2));
        const gap = Buffer.from(`\n[... ${all.length - maxBytes} bytes left out ...]\n`);
        expect(bytes).toEqual(all.length <= maxBytes ? all : Buffer.concat([head, gap, tail]));
      }),
    );
  });
});

describe('the end of a piece of a log', () => {
  it('is the end of a line where there is one', () => {
    expect(wholeLines(Buffer.from('one\ntwo\nthr'))).toBe(8);
    expect(wholeLines(Buffer.from(' 43%\r 44%\r 4'))).toBe(10);
  });

  it('never splits a character, and never keeps back more than one', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.nat(), (text, at) => {
        const bytes = Buffer.from(text.replace(/[\r\n]/g, '.'));
        const piece = bytes.subarray(0, at % (bytes.length + 1));
        const end = wholeLines(piece);
        expect(piece.length - end).toBeLessThan(4);
        expect(piece.subarray(0, end).toString('utf8')).not.toContain('\ufffd');
      }),
    );
  });

  it('takes bytes that are no text as they are', () => {
    expect(wholeLines(Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80]))).toBe(5);
    expect(wholeLines(Buffer.alloc(0))).toBe(0);
  });
});

describe('the state line of a job folder', () => {
  const parse = (text: string) => parseDetachedState(text, 'host-01', '/var/lib/dpubot/x');

  it.each([
    ['absent\n', { kind: 'absent' }],
    ['running 4711 12\n', { kind: 'running', pid: 4711, logBytes: 12 }],
    ['exited 0 99\n', { kind: 'exited', exitCode: 0, logBytes: 99 }],
  ])('reads %j', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it('gives a reason with unknown', () => {
    expect(parse('unknown other-boot\n')).toMatchObject({ kind: 'unknown' });
  });

  it.each(['', 'running\n', 'running x 1\n', 'exited 1\n', 'exited -1 5\n', 'unknown\n', 'banner\nabsent\n', 'absent'])(
    'refuses to guess at %j',
    (text) => {
      expect(() => parse(text)).toThrow(OpsError);
    },
  );
});

describe('the semaphore of channels', () => {
  const forever = new AbortController().signal;

  it('lets in as many as it has places, the others in order', async () => {
    const semaphore = createSemaphore(2);
    const order: number[] = [];
    const enter = async (index: number) => {
      const release = await semaphore.acquire(forever);
      order.push(index);
      return release;
    };
    const [first, second] = await Promise.all([enter(1), enter(2)]);
    const later = [enter(3), enter(4)];
    await Promise.resolve();
    const before = [...order];
    first?.();
    first?.();
    await later[0];
    expect(before).toEqual([1, 2]);
    expect(order).toEqual([1, 2, 3]);
    second?.();
    await later[1];
    expect(order).toEqual([1, 2, 3, 4]);
    expect(semaphore.inUse()).toBe(2);
  });

  it('loses no place to one that stopped waiting', async () => {
    const semaphore = createSemaphore(1);
    const release = await semaphore.acquire(forever);
    const controller = new AbortController();
    const reason = new Error('gave up');
    const waiting = semaphore.acquire(controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    release();
    expect(semaphore.inUse()).toBe(0);
    await expect(semaphore.acquire(forever)).resolves.toBeTypeOf('function');
  });
});
