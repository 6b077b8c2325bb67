import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

const folder = 'test/aws';
/** Loading the library of the CDK takes seconds of each process: tests that ask nothing of the rules of CloudFormation share theirs. */
const shared = readdirSync(folder)
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => join(folder, name))
  .filter((file) => readFileSync(file, 'utf8').includes("import './without-validation.ts'"));

const elsewhere = ['test/real/**', 'test/cluster/**', '**/node_modules/**'];
const common = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  pool: 'forks',
} as const;

export default defineConfig({
  test: {
    // Left to itself it keeps one processor free, which is half of two.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ['default'],
    projects: [
      { test: { ...common, name: 'synthesis', include: shared, isolate: false } },
      { test: { ...common, name: 'others', include: ['test/**/*.test.ts'], exclude: [...elsewhere, ...shared] } },
    ],
  },
});
