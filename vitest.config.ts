import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * One project per layer, named as its folder under test/ and as `npm test -- --layer NAME` calls it. Layers of one group
 * run side by side; a later group starts when the earlier one has ended, because tests that start processes and measure
 * time must not compete with a hundred unit tests for two cores. The contract layer mostly waits (for Redis, timers and
 * processes), so it may have more workers than the machine has cores.
 */
function layer(
  name: string,
  limits: {
    readonly group: number;
    readonly testTimeoutMs: number;
    readonly workers?: number;
    readonly shared?: boolean;
  },
): TestProjectConfiguration {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      setupFiles: ['test/support/seed.ts'],
      testTimeout: limits.testTimeoutMs,
      hookTimeout: Math.max(30_000, limits.testTimeoutMs),
      ...(limits.workers !== undefined && { maxWorkers: limits.workers }),
      // Files of a layer share their modules: loading them anew for each file is most of the time of a small one. What a
      // file starts is its own all the same.
      ...(limits.shared === true && { pool: 'threads' as const, isolate: false }),
      sequence: { groupOrder: limits.group },
    },
  };
}

/** Files that start whole stacks take a minute each: last in the row they would run alone. */
class StacksFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const startsStack = (file: TestSpecification): boolean => /\/lab\/(e2e\/|demo)/.test(file.moduleId);
    const sorted = await super.sort(files);
    return [...sorted.filter(startsStack), ...sorted.filter((file) => !startsStack(file))];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: StacksFirst },
    projects: [
      layer('unit', { group: 0, testTimeoutMs: 20_000, workers: 2, shared: true }),
      layer('engine', { group: 0, testTimeoutMs: 20_000, workers: 2, shared: true }),
      layer('policy', { group: 0, testTimeoutMs: 20_000, workers: 2 }),
      layer('contract', { group: 1, testTimeoutMs: 20_000, workers: 4, shared: true }),
      layer('lab', { group: 2, testTimeoutMs: 120_000, workers: 3, shared: true }),
      layer('rack', { group: 3, testTimeoutMs: 300_000, workers: 4 }),
      layer('browser', { group: 4, testTimeoutMs: 120_000, workers: 2 }),
    ],
  },
});
