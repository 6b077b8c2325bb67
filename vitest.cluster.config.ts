import { defineConfig } from 'vitest/config';

/** Tests against a control plane of Kubernetes: `npm run test:cluster` builds and starts it. */
export default defineConfig({
  test: {
    include: ['test/cluster/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    pool: 'forks',
    fileParallelism: false,
    reporters: ['default'],
  },
});
