import type { StepTimeStore } from '../../../src/domain/step-times.ts';
import { keptTimes } from '../../../src/domain/step-times.ts';

export function createMemoryStepTimeStore(): StepTimeStore {
  const places = new Map<string, Map<string, readonly number[]>>();
  return {
    note: (place, name, tookMs) => {
      const times = places.get(place) ?? new Map<string, readonly number[]>();
      times.set(name, [Math.max(0, Math.round(tookMs)), ...(times.get(name) ?? [])].slice(0, keptTimes));
      places.set(place, times);
      return Promise.resolve();
    },
    of: (place) => Promise.resolve(Object.fromEntries(places.get(place) ?? [])),
  };
}
