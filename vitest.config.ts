import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,engine,contract,lab,policy}/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
});
