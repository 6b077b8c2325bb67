import { describe, expect, test } from 'vitest';
import type { PerformanceBaseline } from '../../lib/contracts/baseline.ts';
import { makeBaseline } from '../../lib/engine/baseline-maker.ts';

const metric = { value: 0.9, windows: [], errors: [] };

function findings(performance: PerformanceBaseline | null): readonly string[] {
  const made = makeBaseline({
    model: 'm',
    version: null,
    source: { kind: 'file', name: 'f', from: null, to: null },
    rows: 5_000,
    window: null,
    columns: [],
    volume: null,
    performance,
    findings: [],
  });
  return made.findings.map(({ code, got }) => `${code} ${got}`);
}

describe('what a baseline says of its truth', () => {
  test('a positive class that no row has is told', () => {
    expect(findings({ positive: 'True', metrics: { accuracy: metric, specificity: metric } })).toEqual([
      'absent-positive "True"',
    ]);
  });

  test.each<[string, PerformanceBaseline | null]>([
    ['one that rows have', { positive: 'yes', metrics: { accuracy: metric, recall: metric } }],
    ['several classes', { positive: null, metrics: { accuracy: metric } }],
    ['a regression', { positive: null, metrics: { mae: metric } }],
    ['no truth', null],
  ])('not so %s', (_, performance) => {
    expect(findings(performance)).toEqual([]);
  });
});
