import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeLabel } from '../../../lib/adapters/prometheus/exposition.ts';
import { PrometheusSink } from '../../../lib/adapters/prometheus/prometheus-sink.ts';
import { METRIC } from '../../../lib/contracts/metric-names.ts';
import { parseExposition } from './parse-exposition.ts';

const feature = (model: string, name: string, value = 1) => ({
  name: METRIC.featureDrifted.name,
  labels: { model, length: '1d', feature: name },
  value,
});

/** What UTF-8 makes of text: lone surrogates become U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

describe('the catalogue', () => {
  it('keeps the conventions of Prometheus', () => {
    const names = Object.values(METRIC).map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, type, help, labels } of Object.values(METRIC)) {
      expect(name).toMatch(/^mlmon_[a-z]+(?:_[a-z]+)*$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
      expect(name).not.toMatch(/_(?:ms|milliseconds|kilobytes|percent|count|sum|bucket)$/);
      expect(help).toMatch(/^[^\s].*\.$/);
      for (const label of labels) {
        expect(label).toMatch(/^[a-z]+$/);
        // Reserved for histograms and summaries, whose series are written apart.
        expect(['le', 'quantile']).not.toContain(label);
      }
    }
  });
});

describe('PrometheusSink', () => {
  it('sets gauges and adds to counters, in a stable order', async () => {
    const sink = new PrometheusSink();
    await sink.set([feature('b', 'x'), feature('a', 'y', 0), feature('a', 'x')]);
    await sink.set([feature('a', 'y', 2)]);
    const captured = { name: METRIC.captured.name, labels: {}, value: 2 };
    await sink.add([captured, captured]);
    expect(sink.render()).toBe(
      `# HELP mlmon_archiver_records_captured_total Events written to the capture.
# TYPE mlmon_archiver_records_captured_total counter
mlmon_archiver_records_captured_total 4
# HELP mlmon_feature_drifted ${METRIC.featureDrifted.help}
# TYPE mlmon_feature_drifted gauge
mlmon_feature_drifted{model="a",length="1d",feature="x"} 1
mlmon_feature_drifted{model="a",length="1d",feature="y"} 2
mlmon_feature_drifted{model="b",length="1d",feature="x"} 1
`,
    );
  });

  it('writes histograms as the format wants them', async () => {
    const sink = new PrometheusSink();
    const name = METRIC.collectorIngest.name;
    await sink.set([
      { name: `${name}_bucket`, labels: { le: '0.5' }, value: 1 },
      { name: `${name}_bucket`, labels: { le: '10' }, value: 2 },
      { name: `${name}_bucket`, labels: { le: '+Inf' }, value: 2 },
      { name: `${name}_sum`, labels: {}, value: 0.7 },
      { name: `${name}_count`, labels: {}, value: 2 },
    ]);
    expect(sink.render().split('\n').slice(2, 7)).toEqual([
      `${name}_bucket{le="0.5"} 1`,
      `${name}_bucket{le="10"} 2`,
      `${name}_bucket{le="+Inf"} 2`,
      `${name}_sum 0.7`,
      `${name}_count 2`,
    ]);
  });

  it('refuses names that nobody declared', async () => {
    await expect(new PrometheusSink().set([{ name: 'mlmon_surprise', labels: {}, value: 1 }])).rejects.toThrow(
      'not in the catalogue',
    );
  });

  it('forgets a model, and lets go of single series', async () => {
    const sink = new PrometheusSink();
    await sink.set([feature('a', 'x'), feature('a', 'y'), feature('b', 'x')]);
    sink.retain('a', [METRIC.featureDrifted.name], [feature('a', 'y')]);
    expect(parseExposition(sink.render()).map(({ labels }) => [labels['model'], labels['feature']])).toEqual([
      ['a', 'y'],
      ['b', 'x'],
    ]);
    await sink.forget('a');
    expect(parseExposition(sink.render())).toHaveLength(1);
  });

  it('caps the series of a model and counts what it leaves out, each once', async () => {
    const sink = new PrometheusSink({ seriesPerModel: 3 });
    for (let round = 0; round < 3; round++)
      await sink.set(Array.from({ length: 10 }, (_, i) => feature('wide', `f${i}`)).concat(feature('narrow', 'x')));
    const series = parseExposition(sink.render());
    expect(series.filter(({ labels }) => labels['model'] === 'wide' && labels['feature'] !== undefined)).toHaveLength(
      3,
    );
    expect(series.filter(({ labels }) => labels['model'] === 'narrow')).toHaveLength(1);
    expect(series.find(({ name }) => name === METRIC.seriesCapped.name)).toMatchObject({
      labels: { model: 'wide' },
      value: 7,
    });
    await sink.forget('wide');
    await sink.set([feature('wide', 'again')]);
    expect(parseExposition(sink.render()).some(({ labels }) => labels['feature'] === 'again')).toBe(true);
  });

  it('can be read back whatever the labels hold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), { maxLength: 6 }),
        async (names) => {
          const sink = new PrometheusSink();
          await sink.set(names.map((name, i) => feature('m', name, i)));
          const read = parseExposition(Buffer.from(sink.render(), 'utf8').toString('utf8'));
          const expected = new Map(names.map((name, i) => [wellFormed(name), i]));
          expect(new Map(read.map(({ labels, value }) => [labels['feature'], value]))).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
    expect(escapeLabel('a"b\\c\nd\ud800')).toBe('a\\"b\\\\c\\nd\uFFFD');
  });
});
