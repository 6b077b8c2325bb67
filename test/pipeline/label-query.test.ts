/** What the queries cost an engine that reads a relation anew wherever it is named, as Trino does. */
import { describe, expect, it } from 'vitest';
import { countQuery } from '../../lib/pipeline/count-query.ts';
import { type LabelWindow, labelQuery, type OrphanSpan, touchedQuery } from '../../lib/pipeline/label-query.ts';

const DAY = 86_400_000;
const START = Date.parse('2001-02-01T00:00:00Z');

const window = (model: string, task: LabelWindow['task'], day = 0): LabelWindow => ({
  model,
  start: START + day * DAY,
  end: START + (day + 1) * DAY,
  cut: START + (day + 3) * DAY,
  beyond: START + (day + 5) * DAY,
  task,
  fixedPoint: { center: 0, unit: 1 },
});
const orphan: OrphanSpan = { model: 'a', from: START, to: START + DAY, since: START - DAY, until: START + 2 * DAY };
const mixed = [
  window('a', 'binary-classification'),
  window("b'", 'regression'),
  window('c', 'multiclass-classification', 1),
];

/** How often the capture is read when every named relation is put where it is named. */
function readsOf(sql: string): number {
  const parts = sql.split(/(?:^WITH |,\n)([a-z_]+) AS \(\n/m);
  const bodies = new Map<string, string>();
  for (let i = 1; i + 1 < parts.length; i += 2) bodies.set(parts[i] as string, parts[i + 1] as string);
  // The last body and the statement itself end up together: its own part begins after the closing line.
  const names = [...bodies.keys()];
  const last = names.at(-1) as string;
  const [body = '', ...main] = (bodies.get(last) as string).split(/\n\)\n/);
  bodies.set(last, body);
  const reads = (text: string): number => {
    let count = text.split('{capture}').length - 1;
    for (const [, name = ''] of text.matchAll(/(?:FROM|JOIN) ([a-z_]+)\b/g))
      if (bodies.has(name)) count += reads(bodies.get(name) as string);
    return count;
  };
  return reads(main.join('\n)\n'));
}

describe('queries of the labeler', () => {
  it('read the capture twice for labels and twice more for orphans', () => {
    expect(readsOf(labelQuery(mixed, []))).toBe(2);
    expect(readsOf(labelQuery(mixed, [orphan]))).toBe(4);
    expect(readsOf(labelQuery([], [orphan]))).toBe(2);
  });

  it('read it twice to find what has changed, and once to count', () => {
    expect(readsOf(touchedQuery(mixed.map((one) => ({ ...one, since: one.end }))))).toBe(2);
    expect(readsOf(countQuery([{ model: 'a', start: 0, end: DAY, until: DAY }], { from: 0, to: DAY }))).toBe(1);
  });

  it('name the capture once, and only what arrived in their range', () => {
    for (const sql of [labelQuery(mixed, [orphan]), touchedQuery(mixed.map((one) => ({ ...one, since: one.end })))]) {
      expect(sql.split('{capture}').length - 1).toBe(1);
      expect(sql).toMatch(
        /FROM \{capture\}\s+WHERE model IN \('a', 'b''', 'c'\) AND arrival >= TIMESTAMP '[^']+' AND arrival < TIMESTAMP '[^']+'/,
      );
    }
  });

  it('write spans that models share once', () => {
    const many = (count: number): string =>
      labelQuery(
        Array.from({ length: count }, (_, i) => window(`m${String(i).padStart(4, '0')}`, 'binary-classification')),
        [],
      );
    expect((many(1_101).length - many(101).length) / 1_000).toBeLessThan(25);
  });
});
