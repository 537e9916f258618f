import { isDeepStrictEqual } from 'node:util';
import type { World } from '../engine-world.ts';

/** Calls that leave a store as it was. */
const looks = new Set(['get', 'read', 'holder', 'open', 'all', 'recent', 'list', 'plan', 'bmc', 'named']);

/** A world, and what it was like at each of its crash points. */
export interface Watched {
  readonly world: World;
  /**
   * Equal for two points when between them the clock stood still, nobody wrote to a store, and nothing changed on the
   * rack. All that comes after a death follows from these three: it is the same at both points.
   */
  readonly states: readonly number[];
}

/** Has the state written down at each crash point that the world passes from now on. */
export function watch(world: World): Watched {
  const { rack, clock } = world;
  const states: number[] = [];
  let writes = 0;
  let last: unknown;
  const stores = counting(world.stores, () => (writes += 1));
  const points: string[] = [];
  const add = points.push.bind(points);
  points.push = (...names) => {
    const now = { nowMs: clock.nowMs(), writes, rack: rack.snapshot() };
    const state = states.at(-1) ?? 0;
    states.push(isDeepStrictEqual(now, last) ? state : state + 1);
    last = now;
    return add(...names);
  };
  return { world: { ...world, stores, points }, states };
}

/** What the notifier says reaches nobody in these tests, and nothing hangs on how long steps took. */
const withoutEffect: ReadonlySet<string | symbol> = new Set(['notifier', 'stepTimes']);

/** The same stores; `onWrite` hears of every call that may change what is in them. */
function counting(stores: World['stores'], onWrite: () => void): World['stores'] {
  const countCalls = (call: unknown, name: string | symbol): unknown => {
    if (typeof call !== 'function' || looks.has(String(name))) return call;
    return (...input: unknown[]): unknown => {
      onWrite();
      return Reflect.apply(call, undefined, input);
    };
  };
  return proxy(stores, (store, name) =>
    withoutEffect.has(name) || typeof store !== 'object' || store === null ? store : proxy(store, countCalls),
  );
}

function proxy<T extends object>(target: T, change: (value: unknown, name: string | symbol) => unknown): T {
  return new Proxy(target, { get: (from, name) => change(Reflect.get(from, name), name) });
}
