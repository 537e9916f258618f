import type { ResultRecord, ResultStore } from '../../../src/domain/bench.ts';
import { canonicalHash } from '../../../src/domain/canonical.ts';
import { copy } from './copy.ts';

export function createMemoryResultStore(): ResultStore {
  const results = new Map<string, ResultRecord>();
  const baselines = new Map<string, ResultRecord>();
  const ofRun = (run: number): ResultRecord[] => [...results.values()].filter((record) => record.run === run).map(copy);
  return {
    add: (records) => {
      for (const record of records) results.set(`${record.run} ${canonicalHash(record.point)}`, copy(record));
      return Promise.resolve();
    },
    history: (pair, kind, limit) => {
      const found = [...results.values()].filter((record) => record.pair === pair && record.point.kind === kind);
      const runs = [...new Set(found.map(({ run }) => run))].toSorted((a, b) => b - a).slice(0, limit);
      return Promise.resolve(runs.flatMap((run) => found.filter((record) => record.run === run)).map(copy));
    },
    ofRun: (run) => Promise.resolve(ofRun(run)),
    setBaseline: (run) => {
      for (const record of ofRun(run)) baselines.set(record.key, record);
      return Promise.resolve(ofRun(run));
    },
    baseline: (key) => {
      const found = baselines.get(key);
      return Promise.resolve(found && copy(found));
    },
  };
}
