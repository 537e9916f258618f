import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { OpsError } from '../../../src/errors.ts';
import { guardAddress, isLoopback } from '../../../src/transport/address-guard.ts';
import { orAbort, withCall } from '../../../src/transport/call.ts';
import { createDeviceClock, systemClock } from '../../../src/transport/device-clock.ts';
import { createHostKeyCheck, hostKeyFingerprint } from '../../../src/transport/ssh/pins.ts';

const forever = new AbortController().signal;

describe('the device clock', () => {
  it('runs by the time factor on a simulated site, with floors for polls and deadlines only', () => {
    const clock = createDeviceClock({ timeFactor: 120, simulated: true });
    expect([clock.deadlineMs(1_200_000), clock.deadlineMs(60_000)]).toEqual([10_000, 2_000]);
    expect([clock.stepLimitMs(2_400_000), clock.stepLimitMs(60_000)]).toEqual([20_000, 10_000]);
    expect([clock.wallMs(600_000), clock.wallMs(12)]).toEqual([5_000, 1]);
  });

  it('is the wall clock elsewhere, whatever the factor', () => {
    const clock = createDeviceClock({ timeFactor: 120, simulated: false });
    expect([clock.deadlineMs(60_000), clock.stepLimitMs(60_000)]).toEqual([60_000, 60_000]);
    expect(clock.wallMs(600_000)).toBe(600_000);
  });

  it('waits for a poll at least 50 ms on a simulated site', async () => {
    const started = performance.now();
    await createDeviceClock({ timeFactor: 120, simulated: true }).poll(1_000, forever);
    expect(performance.now() - started).toBeGreaterThanOrEqual(48);
  });

  it('ends a wait with the reason of the signal', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const waiting = createDeviceClock({ timeFactor: 1, simulated: false }).poll(60_000, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(createDeviceClock({ timeFactor: 1, simulated: false }).poll(1, controller.signal)).rejects.toBe(
      reason,
    );
  });

  it('refuses a factor below 1 or none at all', () => {
    for (const timeFactor of [0, 0.5, -1, Number.NaN, Infinity])
      expect(() => createDeviceClock({ timeFactor, simulated: true })).toThrow(RangeError);
  });

  it('tells the time of the clock it is given', () => {
    expect(createDeviceClock({ timeFactor: 1, simulated: false, clock: { nowMs: () => 7 } }).nowMs()).toBe(7);
    expect(Math.abs(systemClock.nowMs() - Date.now())).toBeLessThan(1_000);
  });
});

describe('the guard of simulated sites', () => {
  const simulated = { simulated: true, name: 'host-01' };

  it.each(['127.0.0.1', '127.8.9.10', '::1', '[::1]', 'localhost'])('lets %s pass', (address) => {
    expect(() => guardAddress(simulated, address)).not.toThrow();
  });

  it.each([
    '192.168.100.2',
    '10.0.0.1',
    '::',
    '0.0.0.0',
    'fe80::1',
    'bmc.example',
    'localhost.example',
    '127.0.0.1.example',
    '128.0.0.1',
  ])('stops %s', (address) => {
    expect(() => guardAddress(simulated, address)).toThrow(OpsError);
  });

  it('stops no address of a real site', () => {
    expect(() => guardAddress({ simulated: false, name: 'host-01' }, '10.0.0.1')).not.toThrow();
  });

  it('knows 127.0.0.0/8 and no other IPv4 address', () => {
    fc.assert(fc.property(fc.ipV4(), (address) => isLoopback(address) === address.startsWith('127.')));
  });
});

describe('the check of host keys', () => {
  it('accepts pinned keys only, and without pins none', () => {
    const key = Buffer.from('a key');
    const pin = hostKeyFingerprint(key);
    const right = createHostKeyCheck([pin]);
    const none = createHostKeyCheck([]);
    expect([right.verify(key), right.refused()]).toEqual([true, undefined]);
    expect([none.verify(key), none.refused()]).toEqual([false, pin]);
  });
});

describe('the limit of a call', () => {
  it('fails with the error for a time-out, also when the work never ends', async () => {
    const late = new Error('too slow');
    const never = withCall(
      { timeoutMs: 10 },
      () => late,
      ({ signal }) => orAbort(new Promise(() => undefined), signal),
    );
    await expect(never).rejects.toBe(late);
  });

  it('does not begin when the caller has aborted already', async () => {
    const controller = new AbortController();
    controller.abort(new Error('before'));
    const work = vi.fn(() => Promise.resolve(1));
    const call = withCall({ timeoutMs: 10, signal: controller.signal }, () => new Error('late'), work);
    await expect(call).rejects.toThrow('before');
    expect(work).not.toHaveBeenCalled();
  });

  it('passes on what the work throws', async () => {
    const own = new Error('own');
    await expect(
      withCall(
        { timeoutMs: 1_000 },
        () => new Error('late'),
        () => Promise.reject(own),
      ),
    ).rejects.toBe(own);
  });

  it('makes an error of a reason that is none', async () => {
    const controller = new AbortController();
    const waiting = orAbort(new Promise(() => undefined), controller.signal);
    controller.abort('a string');
    await expect(waiting).rejects.toThrow('aborted: a string');
  });
});
