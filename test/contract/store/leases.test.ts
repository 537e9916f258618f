import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HoldStore, IncarnationStore, Lease, LeaseOwner, LeaseStore } from '../../../src/domain/ports.ts';
import type { Backend } from './backends.ts';
import { backends } from './backends.ts';

const w1: LeaseOwner = { workerId: 'w1', incarnation: 1, runId: 418 };
const w2: LeaseOwner = { workerId: 'w2', incarnation: 1, runId: 419 };
const LONG_MS = 60_000;

describe.each(backends)('leases and holds in $kind', ({ open }) => {
  let backend: Backend;
  let leases: LeaseStore;
  let holds: HoldStore;
  let incarnations: IncarnationStore;
  beforeAll(async () => {
    backend = await open();
  });
  beforeEach(async () => {
    ({ leases, holds, incarnations } = await backend.fresh());
  });
  afterAll(async () => backend.stop());

  async function take(units: readonly string[], owner: LeaseOwner, ttlMs = LONG_MS): Promise<Lease> {
    const result = await leases.acquire(units, owner, ttlMs);
    if (!result.ok) throw new Error(`${result.unit} is held`);
    return result.lease;
  }

  it('lets exactly one of twenty workers have a unit', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => leases.acquire(['as7'], { ...w1, workerId: `w${n}` }, LONG_MS)),
    );
    const winners = results.filter((result) => result.ok);
    expect(winners).toHaveLength(1);
    expect(await leases.holder('as7')).toEqual(winners[0]?.lease.owner);
  });

  it('names unit and owner to the one who comes too late', async () => {
    await take(['as8'], w1);
    expect(await leases.acquire(['as7', 'as8'], w2, LONG_MS)).toEqual({ ok: false, unit: 'as8', heldBy: w1 });
  });

  it('takes none of a pair when one of them is held', async () => {
    await take(['as8'], w1);
    await leases.acquire(['as7', 'as8'], w2, LONG_MS);
    expect(await leases.holder('as7')).toBeUndefined();
  });

  it('never leaves a pair half taken when workers race for overlapping pairs', async () => {
    const pairs = [
      ['as7', 'as8'],
      ['as8', 'as9'],
      ['as9', 'as7'],
    ];
    const results = await Promise.all(
      pairs.map(async (units, n) => leases.acquire(units, { ...w1, workerId: `w${n}` }, LONG_MS)),
    );
    expect(results.filter((result) => result.ok)).toHaveLength(1);
    const holders = await Promise.all(['as7', 'as8', 'as9'].map(async (unit) => leases.holder(unit)));
    expect(holders.filter((holder) => holder !== undefined)).toHaveLength(2);
  });

  it('refuses a second lease to the worker that has it already, also for the same run', async () => {
    await take(['as7'], w1);
    expect(await leases.acquire(['as7'], w1, LONG_MS)).toMatchObject({ ok: false, heldBy: w1 });
  });

  it('gives a restarted worker its own units at once and shuts its former self out', async () => {
    const former = await take(['as7'], w1);
    const now = await take(['as7'], { ...w1, incarnation: 2 });
    expect(now.fence).toBeGreaterThan(former.fence);
    expect(await leases.renew(former, LONG_MS)).toBe(false);
    await leases.release(former);
    expect(await leases.holder('as7')).toMatchObject({ incarnation: 2 });
  });

  it('refuses an older incarnation and another worker with a higher incarnation', async () => {
    await take(['as7'], { ...w1, incarnation: 3 });
    expect(await leases.acquire(['as7'], { ...w1, incarnation: 2 }, LONG_MS)).toMatchObject({ ok: false });
    expect(await leases.acquire(['as7'], { ...w2, incarnation: 9 }, LONG_MS)).toMatchObject({ ok: false });
  });

  it('raises the fencing number with every lease of a unit, also after a release and within a pair', async () => {
    const first = await take(['as7'], w1);
    await leases.release(first);
    const pair = await take(['as7', 'as8'], w2);
    await leases.release(pair);
    const alone = await take(['as8'], w1);
    expect(pair.fence).toBeGreaterThan(first.fence);
    expect(alone.fence).toBeGreaterThan(pair.fence);
  });

  it('frees a unit whose lease was not renewed in time, and tells the late owner', async () => {
    const lease = await take(['as7'], w1, 40);
    await backend.until(async () => (await leases.holder('as7')) === undefined);
    expect(await leases.renew(lease, LONG_MS)).toBe(false);
    expect(await leases.holder('as7')).toBeUndefined();
    expect(await leases.acquire(['as7'], w2, LONG_MS)).toMatchObject({ ok: true });
  });

  it('does not take a new lease for the old one when worker and run are the same', async () => {
    const old = await take(['as7'], w1, 40);
    await backend.until(async () => (await leases.holder('as7')) === undefined);
    const renewed = await take(['as7'], w1);
    expect(await leases.renew(old, LONG_MS)).toBe(false);
    await leases.release(old);
    expect(await leases.renew(renewed, LONG_MS)).toBe(true);
  });

  it('keeps a lease alive past its first end when it is renewed', async () => {
    const short = await take(['as8'], w2, 500);
    const lease = await take(['as7'], w1, 500);
    expect(await leases.renew(lease, LONG_MS)).toBe(true);
    await backend.until(async () => (await leases.holder('as8')) === undefined);
    expect(await leases.holder('as7')).toEqual(w1);
    expect(await leases.renew(short, LONG_MS)).toBe(false);
  });

  it('does not renew a pair of which one half was lost', async () => {
    const pair = await take(['as7', 'as8'], w1);
    await leases.release({ ...pair, units: ['as8'] });
    await take(['as8'], w2);
    expect(await leases.renew(pair, LONG_MS)).toBe(false);
    await leases.release(pair);
    expect(await leases.holder('as8')).toEqual(w2);
  });

  it('counts the starts of each worker on its own', async () => {
    expect(await incarnations.next('w1')).toBe(1);
    expect(await incarnations.next('w1')).toBe(2);
    expect(await incarnations.next('w2')).toBe(1);
  });

  it('holds a unit for a run until it is cleared, and says who holds it since when', async () => {
    expect(await holds.take(['as7'], 418, 'ana', 5)).toEqual({ ok: true });
    expect(await holds.take(['as7'], 419, 'ben', 9)).toEqual({
      ok: false,
      hold: { unit: 'as7', runId: 418, sinceMs: 5, by: 'ana' },
    });
  });

  it('keeps the first time when the same run takes its hold again', async () => {
    await holds.take(['as7'], 418, 'ana', 5);
    expect(await holds.take(['as7', 'as8'], 418, 'ana', 9)).toEqual({ ok: true });
    expect(await holds.all()).toEqual([
      { unit: 'as7', runId: 418, sinceMs: 5, by: 'ana' },
      { unit: 'as8', runId: 418, sinceMs: 9, by: 'ana' },
    ]);
  });

  it('takes no hold of a pair when one half belongs to another run', async () => {
    await holds.take(['as8'], 418, 'ana', 5);
    expect(await holds.take(['as7', 'as8'], 419, 'ben', 9)).toMatchObject({ ok: false, hold: { unit: 'as8' } });
    expect(await holds.get('as7')).toBeUndefined();
  });

  it('lets one of many runs take a unit when they come at once', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, async (_, n) => holds.take(['as7'], n + 1, 'ana', n)));
    expect(results.filter((result) => result.ok)).toHaveLength(1);
  });

  it('clears the hold of the named run only, or of any run when none is named', async () => {
    await holds.take(['as7'], 418, 'ana', 5);
    expect(await holds.clear('as7', 41)).toBe(false);
    expect(await holds.get('as7')).toMatchObject({ runId: 418 });
    expect(await holds.clear('as7', 418)).toBe(true);
    expect(await holds.clear('as7')).toBe(false);
    await holds.take(['as7'], 420, 'ana', 5);
    expect(await holds.clear('as7')).toBe(true);
  });
});
