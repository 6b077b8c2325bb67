import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderRunbook } from '../../lib/alerts/runbook.ts';
import { SIGNALS } from '../../lib/contracts/result.ts';

it('is committed as it is rendered', () => {
  expect(readFileSync('docs/runbook.md', 'utf8')).toBe(renderRunbook());
});

it('has exactly one heading for each signal', () => {
  const headings = [...renderRunbook().matchAll(/^## (.+)$/gm)].map((match) => match[1]);
  expect(headings.sort()).toEqual([...SIGNALS].sort());
});
