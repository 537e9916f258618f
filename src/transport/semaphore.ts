import { reasonOf } from './call.ts';

/** Counts what is in use; further callers wait in order. */
export interface Semaphore {
  /** Waits for a place and returns the function that gives it back (more than one call counts once). */
  acquire(signal: AbortSignal): Promise<() => void>;
  inUse(): number;
}

/** A semaphore with `places` places; `onChange` is told whenever `inUse` has changed. */
export function createSemaphore(places: number, onChange: () => void = () => undefined): Semaphore {
  let used = 0;
  const waiting: (() => void)[] = [];

  function place(): () => void {
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const next = waiting.shift();
      if (next !== undefined) return next();
      used -= 1;
      onChange();
    };
  }

  return {
    inUse: () => used,
    acquire(signal) {
      if (signal.aborted) return Promise.reject(reasonOf(signal));
      if (used < places) {
        used += 1;
        onChange();
        return Promise.resolve(place());
      }
      return new Promise((resolve, reject) => {
        const enter = (): void => {
          signal.removeEventListener('abort', leave);
          resolve(place());
        };
        const leave = (): void => {
          waiting.splice(waiting.indexOf(enter), 1);
          reject(reasonOf(signal));
        };
        waiting.push(enter);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
  };
}
