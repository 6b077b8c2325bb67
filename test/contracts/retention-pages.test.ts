/** What the pages say of retention and erasure is what the tables say. `UPDATE_GOLDEN=1` writes them anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { ERASURE_LIMITS } from '../../lib/contracts/erasure.ts';
import { AGES, type PrefixRetention, RETENTION } from '../../lib/contracts/retention.ts';

const DAY = 86_400_000;

function goesWords({ goes }: PrefixRetention): string {
  switch (goes.by) {
    case 'age': {
      const { ms } = AGES[goes.class];
      return `by age (${goes.class}): ${ms === null ? 'never, unless told to' : `after ${ms / DAY} days`}`;
    }
    case 'part':
      return `by the ${goes.part}, when ${goes.when}`;
    case 'monitor':
      return `by \`retention.${goes.key}\` of the monitor; without it never`;
    case 'kept':
      return `never: ${goes.because}`;
  }
}

const table = [
  '| prefix | holds | goes | single events |',
  '| --- | --- | --- | --- |',
  ...[...RETENTION]
    .sort((a, b) => (a.prefix < b.prefix ? -1 : 1))
    .map(
      (one) =>
        `| \`${one.prefix}\` | ${one.holds} | ${goesWords(one)} | ${one.events === null ? 'no' : 'yes: erased by `mlmon erase`'} |`,
    ),
].join('\n');
const limits = ERASURE_LIMITS.map(
  ({ where, because }) => `- **${where[0]?.toUpperCase()}${where.slice(1)}**: ${because}.`,
).join('\n');

it.each([
  ['docs/reference/retention.md', 'table', table],
  ['docs/how-to/erase-a-prediction.md', 'limits', limits],
])('%s', (path, name, made) => {
  const file = resolve(import.meta.dirname, '../..', path);
  const page = readFileSync(file, 'utf8');
  const between = new RegExp(`(<!-- ${name} -->\\n)[\\s\\S]*(<!-- /${name} -->)`);
  const wanted = page.replace(between, (_, open: string, close: string) => `${open}${made}\n${close}`);
  expect(wanted).toContain(made);
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, wanted);
  else expect(page).toBe(wanted);
});
