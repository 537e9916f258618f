import type { Clock } from '../../../src/domain/device-ports.ts';
import type { Hold, HoldStore, Lease, LeaseOwner, LeaseStore } from '../../../src/domain/ports.ts';
import { breathe, copy } from './copy.ts';

interface Held {
  readonly owner: LeaseOwner;
  readonly fence: number;
  readonly untilMs: number;
}

/** Leases in memory; they expire by the given clock. */
export function createMemoryLeaseStore(clock: Clock): LeaseStore {
  const leases = new Map<string, Held>();
  const fences = new Map<string, number>();

  function live(unit: string): Held | undefined {
    const held = leases.get(unit);
    return held && held.untilMs > clock.nowMs() ? held : undefined;
  }
  function isOurs(unit: string, lease: Lease): boolean {
    const held = live(unit);
    return (
      held !== undefined &&
      held.fence === lease.fence &&
      held.owner.workerId === lease.owner.workerId &&
      held.owner.incarnation === lease.owner.incarnation &&
      held.owner.runId === lease.owner.runId
    );
  }

  return {
    async acquire(units, owner, ttlMs) {
      await breathe();
      for (const unit of units) {
        const held = live(unit)?.owner;
        const isAncestor = held?.workerId === owner.workerId && held.incarnation < owner.incarnation;
        if (held && !isAncestor) return { ok: false, unit, heldBy: copy(held) };
      }
      const fence = Math.max(...units.map((unit) => fences.get(unit) ?? 0)) + 1;
      for (const unit of units) {
        fences.set(unit, fence);
        leases.set(unit, { owner: copy(owner), fence, untilMs: clock.nowMs() + ttlMs });
      }
      return { ok: true, lease: { units: [...units], owner: copy(owner), fence } };
    },
    async renew(lease, ttlMs) {
      await breathe();
      if (!lease.units.every((unit) => isOurs(unit, lease))) return false;
      for (const unit of lease.units)
        leases.set(unit, { owner: lease.owner, fence: lease.fence, untilMs: clock.nowMs() + ttlMs });
      return true;
    },
    async release(lease) {
      await breathe();
      for (const unit of lease.units) if (isOurs(unit, lease)) leases.delete(unit);
    },
    async holder(unit) {
      await breathe();
      const held = live(unit);
      return held && copy(held.owner);
    },
  };
}

/** Holds in memory. */
export function createMemoryHoldStore(): HoldStore {
  const holds = new Map<string, Hold>();
  return {
    async take(units, runId, by, nowMs) {
      await breathe();
      for (const unit of units) {
        const hold = holds.get(unit);
        if (hold && hold.runId !== runId) return { ok: false, hold: copy(hold) };
      }
      for (const unit of units) if (!holds.has(unit)) holds.set(unit, { unit, runId, sinceMs: nowMs, by });
      return { ok: true };
    },
    async get(unit) {
      await breathe();
      const hold = holds.get(unit);
      return hold && copy(hold);
    },
    async all() {
      await breathe();
      return [...holds.values()].map(copy).toSorted((a, b) => a.unit.localeCompare(b.unit));
    },
    async clear(unit, runId) {
      await breathe();
      const hold = holds.get(unit);
      if (!hold || (runId !== undefined && hold.runId !== runId)) return false;
      return holds.delete(unit);
    },
  };
}
