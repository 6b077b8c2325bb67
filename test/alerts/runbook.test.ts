import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { RULES } from '../../lib/alerts/rules.ts';
import { renderRunbook } from '../../lib/alerts/runbook.ts';
import { SIGNALS } from '../../lib/contracts/result.ts';

it('is committed as it is rendered', () => {
  expect(readFileSync('docs/runbook.md', 'utf8')).toBe(renderRunbook());
});

it('has exactly one heading for each signal and each alert, and no other', () => {
  const headings = [...renderRunbook().matchAll(/^## (.+)$/gm)].map((match) => match[1]);
  expect(headings.sort()).toEqual([...SIGNALS, ...RULES.map(({ key }) => key)].sort());
});
