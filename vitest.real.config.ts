import { defineConfig } from 'vitest/config';

/** Tests that need more than npm packages: `npm run test:real` installs and starts what they need. */
export default defineConfig({
  test: {
    include: ['test/real/**/*.real.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    fileParallelism: false,
    reporters: ['default'],
  },
});
