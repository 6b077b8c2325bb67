import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { renderMetricReference } from '../../lib/contracts/metric-reference.ts';

it('is committed as it is rendered', () => {
  expect(readFileSync('docs/reference/metrics.md', 'utf8')).toBe(renderMetricReference());
});
