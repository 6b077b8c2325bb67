/** What an image installs is what the lock file of the checkout says. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { containerFiles } from '../../scripts/container-lock.ts';

const fileOf = (name: string): string => readFileSync(resolve(import.meta.dirname, '../../container', name), 'utf8');

it('is written anew when the lock file changes: node --import tsx scripts/container-lock.ts', () => {
  const { manifest, lock } = containerFiles();
  expect(fileOf('package.json')).toBe(manifest);
  expect(fileOf('package-lock.json')).toBe(lock);
});

it('holds what roles need and nothing for development', () => {
  const { packages } = JSON.parse(containerFiles().lock) as { packages: Record<string, { version?: string }> };
  for (const name of ['@aws-sdk/client-s3', '@platformatic/kafka', '@duckdb/node-api', 'zod', 'yaml'])
    expect(packages[`node_modules/${name}`]?.version).toMatch(/^\d+\./);
  for (const name of ['typescript', 'vitest', 'tsx', 'esbuild', 'aws-cdk-lib', 'cdk8s'])
    expect(packages).not.toHaveProperty([`node_modules/${name}`]);
});
