/** Commands that run from a bundle: the first start compiles it, the next ones take what was kept of that. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'start-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const mlmon = (...argv: readonly string[]): string =>
  execFileSync(process.execPath, [resolve(import.meta.dirname, '../../bin/mlmon'), ...argv], { encoding: 'utf8' });

it('answers the same the first time and later', () => {
  const file = join(folder, 'rows.csv');
  writeFileSync(
    file,
    `n,c\n${Array.from({ length: 300 }, (_, i) => `${(i * 37) % 101},${'abc'[i % 3]}`).join('\n')}\n`,
  );
  const report = () => mlmon('report', '--reference', file, '--current', file, '--json', '--fail-on', 'never');
  const first = report();
  expect(JSON.parse(first)).toMatchObject({ drift: { drifted: false, features: 2 } });
  expect(report()).toBe(first);
  expect(mlmon('report', '--help')).toContain('Usage: mlmon report');
});

it('ends with the code of what went wrong', () => {
  expect(() => mlmon('report', '--reference', 'none.csv', '--current', 'none.csv')).toThrow(
    expect.objectContaining({ status: 2, stderr: expect.stringContaining('there is no such file') }),
  );
});
