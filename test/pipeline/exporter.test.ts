import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../lib/adapters/memory/memory-log.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { PrometheusSink } from '../../lib/adapters/prometheus/prometheus-sink.ts';
import { METRIC } from '../../lib/contracts/metric-names.ts';
import { type Monitor, parseMonitor } from '../../lib/contracts/monitor.ts';
import { Collector } from '../../lib/pipeline/collector.ts';
import { Exporter } from '../../lib/pipeline/exporter.ts';
import { parseExposition, type Series } from '../adapters/prometheus/parse-exposition.ts';
import { HEALTH, NOW } from '../local/server/harness.ts';
import { featureResult, performanceResult, put, putEpisodes, windowResult } from '../local/server/results.ts';

const clock = { now: () => NOW };

function setUp() {
  const { monitor } = parseMonitor({ model: 'flights', owner: 'team "f"\n', task: 'binary-classification' });
  const monitors = new Map<string, Monitor>([['flights', monitor!]]);
  const store = new MemoryStore();
  const sink = new PrometheusSink();
  const collector = new Collector({
    log: new MemoryLog({ clock }),
    clock,
    registry: { shapeFor: (model) => (model === 'flights' ? { shape: { monitor: monitor!, baseline: null } } : null) },
    quarantine: async () => undefined,
  });
  let health = HEALTH;
  const make = () =>
    new Exporter({
      sink,
      store,
      clock,
      collector,
      registry: {
        models: () => ['flights'],
        monitorAt: (model) => (monitors.has(model) ? { monitor: monitors.get(model)! } : null),
      },
      health: () => health,
      deliveries: () => ({ delivered: 2, retried: 1, failed: 0 }),
    });
  const read = (): Series[] => parseExposition(sink.render());
  const value = (definition: { name: string }, labels: Record<string, string> = {}): number | undefined =>
    read().find(
      (one) => one.name === definition.name && Object.entries(labels).every(([key, text]) => one.labels[key] === text),
    )?.value;
  return { store, sink, collector, make, read, value, monitors, setHealth: (next: typeof HEALTH) => (health = next) };
}

describe('Exporter', () => {
  it('shows the newest window, whatever order results come in', async () => {
    const { make, value } = setUp();
    const exporter = make();
    exporter.observe(windowResult({ start: '2001-02-08T00:00:00Z', status: 'drifted', rows: 10 }));
    exporter.observe(windowResult({ start: '2001-02-07T00:00:00Z', rows: 99 }));
    exporter.observe(performanceResult({ start: '2001-02-07T00:00:00Z', accuracy: 0.8 }));
    exporter.observe(performanceResult({ start: '2001-02-08T00:00:00Z', accuracy: 0, labels: 0 }));
    await exporter.tick();
    exporter.stop();
    expect(value(METRIC.windowRows)).toBe(10);
    expect(value(METRIC.windowEnd)).toBe(Date.parse('2001-02-09T00:00:00Z') / 1000);
    expect(value(METRIC.featureDrifted, { feature: 'distance' })).toBe(1);
    expect(value(METRIC.windowState, { state: 'drifted' })).toBe(1);
    expect(value(METRIC.windowState, { state: 'ok' })).toBe(0);
    expect(value(METRIC.metricValue, { statistic: 'missing_ratio' })).toBe(0.5);
    expect(value(METRIC.latency, { percentile: 'p99' })).toBe(0.25);
    expect(value(METRIC.performanceValue, { statistic: 'accuracy' })).toBe(0.8);
    expect(value(METRIC.labelCoverage)).toBe(0.8);
    expect(value(METRIC.modelInfo, { version: '3', owner: 'team "f"\n' })).toBe(1);
  });

  it('lets go of features that are no longer judged, and of removed models', async () => {
    const { make, read, monitors } = setUp();
    const exporter = make();
    const of = (day: number, names: string[]) =>
      windowResult({ start: `2001-02-0${day}T00:00:00Z`, features: names.map((name) => featureResult(name)) });
    const names = () =>
      read().flatMap(({ name, labels }) => (name === METRIC.featureDrifted.name ? [labels['feature']] : []));
    exporter.observe(of(1, ['a', 'b']));
    await exporter.tick();
    expect(names()).toEqual(['a', 'b']);
    exporter.observe(of(2, ['b', 'c']));
    await exporter.tick();
    expect(names()).toEqual(['b', 'c']);
    monitors.clear();
    await exporter.tick();
    exporter.stop();
    expect(read().some(({ labels }) => labels['model'] === 'flights')).toBe(false);
  });

  it('says 1 for open episodes and 0 for every other signal', async () => {
    const { make, value, store } = setUp();
    await putEpisodes(store, 'flights');
    const exporter = make();
    await exporter.tick();
    exporter.stop();
    expect(value(METRIC.episodeOpen, { signal: 'drift', severity: 'warning' })).toBe(1);
    expect(value(METRIC.episodeOpen, { signal: 'performance', severity: 'critical' })).toBe(0);
  });

  it('tells of deliveries by outcome, and how new the log is', async () => {
    const { make, value, setHealth } = setUp();
    const [partition] = HEALTH.partitions;
    setHealth({ ...HEALTH, partitions: [{ ...partition!, headAppendTime: '2001-02-10T11:59:00.000Z' }] });
    const exporter = make();
    await exporter.tick();
    await exporter.tick();
    exporter.stop();
    const outcomes = ['delivered', 'retried', 'failed'].map((outcome) => value(METRIC.notifications, { outcome }));
    expect(outcomes).toEqual([2, 1, 0]);
    expect(value(METRIC.headAppended, { partition: '0' })).toBe(Date.parse('2001-02-10T11:59:00Z') / 1000);
  });

  it('counts up, never twice', async () => {
    const { make, value, collector, setHealth } = setUp();
    const exporter = make();
    const event = { id: '1', type: 'inference', model: 'flights', version: '3', time: '2001-02-10T11:00:00Z' };
    await collector.accept([event, event, { ...event, model: 'made-up-by-a-sender' }]);
    await exporter.tick();
    await exporter.tick();
    await collector.accept([event]);
    setHealth({ ...HEALTH, counts: { ...HEALTH.counts, profiled: 5 } });
    await exporter.tick();
    exporter.stop();
    expect(value(METRIC.collectorReceived, { model: 'flights', format: 'json', kind: 'inference' })).toBe(3);
    expect(value(METRIC.collectorRejected, { reason: 'unknown-model' })).toBe(1);
    expect(value(METRIC.collectorDelivered)).toBe(3);
    expect(value(METRIC.profilerProcessed)).toBe(5);
    expect(value({ name: `${METRIC.collectorIngest.name}_count` })).toBe(2);
    expect(value({ name: `${METRIC.collectorIngest.name}_bucket` }, { le: '+Inf' })).toBe(2);
  });

  it('takes no label from a sender', async () => {
    const { make, sink, collector } = setUp();
    const exporter = make();
    for (let i = 0; i < 50; i++)
      await collector.accept([
        {
          id: '1',
          type: 'inference',
          model: `sent-model-${i}`,
          version: `sent-version-${i}`,
          time: '2001-02-10T11:00:00Z',
        },
      ]);
    await exporter.tick();
    exporter.stop();
    expect(sink.render()).not.toMatch(/"(?:sent-model|sent-version)/);
  });

  it('reads the newest results back after a restart', async () => {
    const { make, store, value } = setUp();
    for (let day = 1; day <= 3; day++)
      await put(store, windowResult({ start: `2001-02-0${day}T00:00:00Z`, rows: day }));
    await put(store, windowResult({ start: '2001-01-29T00:00:00Z', length: '7d', rows: 70 }));
    await put(store, performanceResult({ start: '2001-02-01T00:00:00Z', accuracy: 0.6 }));
    const exporter = make();
    await exporter.recover();
    await exporter.tick();
    exporter.stop();
    expect(value(METRIC.windowRows, { length: '1d' })).toBe(3);
    expect(value(METRIC.windowRows, { length: '7d' })).toBe(70);
    expect(value(METRIC.performanceValue, { statistic: 'accuracy' })).toBe(0.6);
  });
});
