import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../lib/adapters/memory/memory-log.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import {
  type CloudWatchValue,
  type MetricDetail,
  MODEL_CLOUDWATCH_METRIC,
  PLATFORM_CLOUDWATCH_METRIC,
} from '../../lib/contracts/cloudwatch-metrics.ts';
import { METRIC } from '../../lib/contracts/metric-names.ts';
import { type MonitorInput, monitorSchema } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import type { PerformanceResult, WindowResult } from '../../lib/contracts/result.ts';
import { announce, keyOfResult } from '../../lib/pipeline/bulletins.ts';
import { changeCursor, EMPTY_CURSOR, EMPTY_TOTALS } from '../../lib/pipeline/cursor.ts';
import { encodeJson } from '../../lib/pipeline/json-object.ts';
import { type ObjectStore, type Sample, TransientError } from '../../lib/pipeline/ports.ts';
import { publishMonitor, removeMonitor } from '../../lib/pipeline/publisher.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { StoreExporter, type StoreExporterOptions } from '../../lib/pipeline/store-exporter.ts';
import { featureResult, performanceResult, windowResult } from '../local/server/results.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const NOW = Date.parse('2001-02-10T00:05:00Z');

/** A metric store: the last value of each series, and those that ended. */
class Series {
  readonly values = new Map<string, number>();
  readonly ended: string[] = [];
  isDown = false;
  sets = 0;
  async set(samples: readonly Sample[]): Promise<void> {
    if (this.isDown) throw new TransientError('away');
    this.sets += samples.length;
    for (const sample of samples) this.values.set(nameOf(sample), sample.value);
  }
  async end(samples: readonly Sample[]): Promise<void> {
    if (this.isDown) throw new TransientError('away');
    for (const sample of samples) {
      this.ended.push(nameOf(sample));
      this.values.delete(nameOf(sample));
    }
  }
}

function nameOf({ name, labels }: Sample): string {
  const text = Object.entries(labels)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, value]) => `${label}=${value}`);
  return `${name}{${text.join(',')}}`;
}

class Harness {
  now = NOW;
  readonly clock = { now: () => this.now };
  readonly store = new MemoryStore();
  readonly log = new MemoryLog({ clock: this.clock, identity: 'log-1' });
  readonly series = new Series();
  puts: (readonly CloudWatchValue[])[] = [];
  detail: MetricDetail = 'summary';
  valuesDown = false;
  readonly problems: string[] = [];
  gets: string[] = [];

  async publish(model: string, change: Partial<MonitorInput> = {}): Promise<void> {
    const monitor = monitorSchema.parse({ model, owner: 'team', task: 'binary-classification', ...change });
    await publishMonitor({ store: this.store, clock: this.clock, cacheMs: 0 }, monitor, {
      by: 'test',
      effectiveFrom: Date.parse('2001-01-01T00:00:00Z'),
    });
  }

  async result(result: WindowResult | PerformanceResult, { told = true } = {}): Promise<void> {
    await this.store.putIfAbsent(keyOfResult(result), encodeJson(result));
    if (told) await announce(this, [result]);
  }

  /** As a function that was just started. */
  exporter(options: Partial<StoreExporterOptions> = {}): StoreExporter {
    const { store: inner } = this;
    const store: ObjectStore = {
      get: (key) => {
        this.gets.push(key);
        return inner.get(key);
      },
      getRange: (...of) => inner.getRange(...of),
      list: (...of) => inner.list(...of),
      putIfAbsent: (...of) => inner.putIfAbsent(...of),
      putIfUnchanged: (...of) => inner.putIfUnchanged(...of),
      delete: (key) => inner.delete(key),
    };
    const sink = {
      put: async (values: readonly CloudWatchValue[]) => {
        if (this.valuesDown) throw new TransientError('away');
        this.puts.push(values);
      },
    };
    return new StoreExporter({
      log: this.log,
      store,
      clock: this.clock,
      registry: new Registry({ store, clock: this.clock, cacheMs: 0, baselines: 'none' }),
      series: this.series,
      values: this.detail === 'none' ? null : { sink, detail: this.detail },
      onProblem: ({ message }) => this.problems.push(message),
      ...options,
    });
  }

  value(definition: { readonly name: string }, labels: Record<string, string>): number | undefined {
    return this.series.values.get(nameOf({ ...definition, labels, value: 0 }));
  }
}

async function harness(...models: string[]): Promise<Harness> {
  const one = new Harness();
  for (const model of models) await one.publish(model);
  return one;
}

function told(
  values: readonly CloudWatchValue[],
  { name }: { readonly name: string },
  of: Record<string, string> = {},
): number | undefined {
  return values.find((one) => one.metric.name === name && JSON.stringify(one.of ?? {}) === JSON.stringify(of))?.value;
}

describe('the exporter that remembers nothing', () => {
  it('tells the state of the newest windows every minute, reading their results once', async () => {
    const one = await harness('flights');
    await one.exporter().tick();
    await one.result(windowResult({ start: '2001-02-08T00:00:00Z', rows: 90 }));
    await one.result(
      windowResult({
        start: '2001-02-09T00:00:00Z',
        rows: 10,
        status: 'drifted',
        features: [featureResult('distance', 'drifted')],
      }),
    );
    await one.result(performanceResult({ start: '2001-02-07T00:00:00Z', accuracy: 0.8 }));
    await one.exporter().tick();
    expect(one.value(METRIC.windowRows, { model: 'flights', length: '1d' })).toBe(10);
    expect(one.value(METRIC.windowState, { model: 'flights', length: '1d', state: 'drifted' })).toBe(1);
    expect(one.value(METRIC.featureDrifted, { model: 'flights', length: '1d', feature: 'distance' })).toBe(1);
    expect(one.value(METRIC.performanceValue, { model: 'flights', statistic: 'accuracy' })).toBe(0.8);
    expect(one.value(METRIC.windowDue, { model: 'flights', length: '1d' })).toBe(
      (Date.parse('2001-02-11T00:00:00Z') + HOUR) / 1_000,
    );
    expect(one.value(METRIC.platformTime, {})).toBe(NOW / 1_000);
    expect(await one.store.list(keys.bulletins())).toEqual([]);
    one.series.values.clear();
    one.gets = [];
    for (let minute = 1; minute < 30; minute++) {
      one.now = NOW + minute * MINUTE;
      expect((await one.exporter().tick()).read).toBe(0);
    }
    expect(one.gets.filter((key) => key.startsWith('results/') || key.startsWith('episodes/'))).toEqual([]);
    expect(one.value(METRIC.windowRows, { model: 'flights', length: '1d' })).toBe(10);
    // Of features a sample an hour is enough for graphs.
    expect(one.value(METRIC.featureDrifted, { model: 'flights', length: '1d', feature: 'distance' })).toBeUndefined();
    one.now = NOW + 61 * MINUTE;
    await one.exporter().tick();
    expect(one.value(METRIC.featureDrifted, { model: 'flights', length: '1d', feature: 'distance' })).toBe(1);
  });

  it('reads so little for a thousand models that nothing happens to', async () => {
    const one = new Harness();
    const models = Array.from({ length: 1_000 }, (_, i) => `model-${i}`);
    for (const model of models) await one.publish(model, { drift: { scales: [] } });
    for (const model of models)
      await one.result(windowResult({ model, start: '2001-02-09T00:00:00Z', features: [featureResult('a')] }), {
        told: false,
      });
    // A warm copy, as it is from its second minute on.
    const warm = one.exporter();
    let runs = 0;
    for (let more = true; more; runs++) more = (await warm.tick()).more;
    expect(runs).toBeLessThanOrEqual(5);
    one.now += MINUTE;
    await warm.tick();
    one.gets = [];
    one.now += MINUTE;
    const { models: count, read } = await warm.tick();
    expect({ count, read }).toEqual({ count: 1_000, read: 0 });
    expect(one.gets).toEqual([keys.exported()]);
    const state = await one.store.get(keys.exported());
    expect((state?.body.length ?? 0) / 1_000).toBeLessThan(1_000);
    expect(one.puts.at(-1)?.length).toBeGreaterThanOrEqual(4_000);
  });

  it('tells how far a baseline is learned, and why it takes longer', async () => {
    const harness = new Harness();
    await harness.publish('learns', { baseline: { learn: '4d' }, features: { a: { type: 'numeric' } } });
    const state = {
      schema: 'mlmon.learning/v1',
      model: 'learns',
      from: NOW - 4 * 24 * HOUR,
      due: NOW + 4 * 24 * HOUR,
      until: NOW + 4 * 24 * HOUR,
      status: 'learning',
      hold: null,
    };
    await harness.store.putIfAbsent(keys.learning('learns'), encodeJson(state));
    await harness.exporter().tick();
    expect(harness.series.values.get('mlmon_learning_ratio{model=learns}')).toBe(0.5);
    const held = { ...state, due: NOW, hold: { reason: 'too-few-rows', detail: '' } };
    await harness.store.delete(keys.learning('learns'));
    await harness.store.putIfAbsent(keys.learning('learns'), encodeJson(held));
    await harness.exporter().tick();
    expect(harness.series.values.get('mlmon_learning_ratio{model=learns}')).toBe(1);
    expect(harness.series.values.get('mlmon_learning_held{model=learns,reason=too-few-rows}')).toBe(1);
    // With a judged window nothing more is read or told.
    await harness.result(windowResult({ model: 'learns', status: 'ok', start: '2001-02-09T00:00:00Z' }));
    const before = harness.gets.length;
    await harness.exporter().tick();
    expect(harness.gets.slice(before)).not.toContain(keys.learning('learns'));
  });

  it('sends the CloudWatch metrics of each model that its detail asks for', async () => {
    const one = await harness('flights');
    await one.result(
      windowResult({
        start: '2001-02-09T00:00:00Z',
        rows: 10,
        features: [featureResult('a', 'drifted'), featureResult('b')],
      }),
    );
    await one.result(windowResult({ start: '2001-02-03T00:00:00Z', length: '7d', rows: 70 }));
    await one.result(performanceResult({ start: '2001-02-07T00:00:00Z', accuracy: 0.8 }));
    await one.exporter().tick();
    const of = { Model: 'flights' };
    const put = one.puts.at(-1) ?? [];
    expect(put.map(({ metric }) => metric.name).sort()).toEqual(
      Object.values(MODEL_CLOUDWATCH_METRIC)
        .map(({ name }) => name)
        .sort(),
    );
    expect(told(put, MODEL_CLOUDWATCH_METRIC.driftedFeatures, of)).toBe(1);
    expect(told(put, MODEL_CLOUDWATCH_METRIC.windowRows, of)).toBe(10);
    expect(told(put, MODEL_CLOUDWATCH_METRIC.windowAge, of)).toBe(300);
    expect(told(put, MODEL_CLOUDWATCH_METRIC.latencyP99, of)).toBe(0.25);
    one.detail = 'minimal';
    await one.exporter().tick();
    expect(one.puts.at(-1)?.map(({ metric }) => metric.name)).toEqual(['DriftedFeatures', 'OpenEpisodes']);
    one.detail = 'none';
    one.puts = [];
    await one.exporter().tick();
    expect(one.puts).toEqual([]);
  });

  it('tells alarms of open episodes by severity, and of models that nothing is seen of', async () => {
    const one = await harness('a', 'b', 'c', 'd');
    await one.result(windowResult({ model: 'a', start: '2001-02-09T00:00:00Z', status: 'stale' }));
    await one.result(windowResult({ model: 'b', start: '2001-02-09T00:00:00Z', status: 'failed' }));
    await one.result(windowResult({ model: 'c', start: '2001-02-09T00:00:00Z', rows: 0 }));
    const episodes = [
      { signal: 'drift', severity: 'warning', closed: null },
      { signal: 'drift', severity: 'critical', closed: null },
      { signal: 'volume', severity: 'warning', closed: '2001-02-08T00:00:00Z' },
      { signal: 'quality', severity: 'warning', closed: null },
    ];
    await one.store.putIfAbsent(keys.episodes('a'), encodeJson({ schema: 'mlmon.episodes/v1', episodes }));
    const { values } = await one.exporter().tick();
    const { openEpisodes, models, staleModels, failedModels, silentModels } = PLATFORM_CLOUDWATCH_METRIC;
    expect(['info', 'warning', 'critical'].map((Severity) => told(values, openEpisodes, { Severity }))).toEqual([
      0, 1, 1,
    ]);
    expect([models, staleModels, failedModels, silentModels].map((metric) => told(values, metric))).toEqual([
      4, 1, 1, 1,
    ]);
    expect(one.value(METRIC.episodeOpen, { model: 'a', signal: 'drift', severity: 'critical' })).toBe(1);
    expect(one.value(METRIC.episodeOpen, { model: 'a', signal: 'volume', severity: 'warning' })).toBe(0);
  });

  it('tells counts of the log once, and nothing of the time before it looked first', async () => {
    const one = await harness();
    const count = (profiled: number) =>
      changeCursor(one.store, keys.cursor('log-1', 'p0'), (cursor) => ({
        ...(cursor ?? EMPTY_CURSOR),
        epoch: cursor.epoch + 1,
        position: String(profiled),
        appendTime: NOW - 2 * MINUTE,
        totals: {
          ...EMPTY_TOTALS,
          received: profiled,
          profiled,
          quarantined: { policy: profiled / 10, json: 1 },
          lost: 3,
        },
      }));
    const { profiledRecords, policyBreaches, quarantinedRecords, lostRecords, lastEventAge } =
      PLATFORM_CLOUDWATCH_METRIC;
    const tick = async () => {
      const { values } = await one.exporter().tick();
      return [profiledRecords, policyBreaches, quarantinedRecords, lostRecords, lastEventAge].map((metric) =>
        told(values, metric),
      );
    };
    await count(100);
    expect(await tick()).toEqual([0, 0, 0, 0, 120]);
    await count(150);
    expect(await tick()).toEqual([50, 5, 5, 0, 120]);
    expect(await tick()).toEqual([0, 0, 0, 0, 120]);
    await count(160);
    // Two at once: one of them counts.
    const both = await Promise.all([tick(), tick()]);
    expect(both.map(([profiled]) => profiled).sort()).toEqual([0, 10]);
    expect(one.value(METRIC.profilerProcessed, {})).toBe(160);
    expect(one.value(METRIC.quarantined, { reason: 'policy' })).toBe(16);
    expect(one.value(METRIC.headAppended, { partition: 'p0' })).toBe((NOW - 2 * MINUTE) / 1_000);
  });

  it('ends series of features, lengths and models that are no more', async () => {
    const one = await harness('flights', 'gone');
    await one.result(
      windowResult({ start: '2001-02-08T00:00:00Z', features: [featureResult('a'), featureResult('b')] }),
    );
    await one.result(windowResult({ start: '2001-02-03T00:00:00Z', length: '7d', features: [featureResult('a')] }));
    await one.result(windowResult({ model: 'gone', start: '2001-02-08T00:00:00Z', features: [featureResult('a')] }));
    await one.exporter().tick();
    expect(one.series.ended).toEqual([]);
    await one.result(
      windowResult({ start: '2001-02-09T00:00:00Z', features: [featureResult('b'), featureResult('c')] }),
    );
    await one.exporter().tick();
    const ended = (): string[] => one.series.ended.splice(0);
    expect(one.series.ended.filter((name) => !name.includes('feature=a'))).toEqual([]);
    expect(ended().length).toBeGreaterThan(0);
    await one.publish('flights', { drift: { scales: [] } });
    const from = Date.parse('2001-01-01T00:00:00Z');
    await removeMonitor({ store: one.store, clock: one.clock, cacheMs: 0 }, 'gone', {
      by: 'test',
      effectiveFrom: from,
    });
    await one.exporter().tick();
    const left = [...one.series.values.keys()];
    expect(left.filter((name) => name.includes('length=7d') || name.includes('gone'))).toEqual([]);
    expect(ended().some((name) => name.includes('length=7d'))).toBe(true);
  });
});

describe('when something fails', () => {
  it('tells the other sink and keeps the state; what the one missed it is told once it answers', async () => {
    const one = await harness('flights');
    await one.result(windowResult({ start: '2001-02-09T00:00:00Z', features: [featureResult('a')] }));
    one.series.isDown = true;
    for (let minute = 0; minute < 60; minute++) {
      one.now = NOW + minute * MINUTE;
      const { values } = await one.exporter().tick();
      expect(told(values, PLATFORM_CLOUDWATCH_METRIC.sinkFailures)).toBeGreaterThan(0);
    }
    expect(one.puts).toHaveLength(60);
    expect(one.problems).toContain('away');
    one.series.isDown = false;
    one.now += MINUTE;
    await one.exporter().tick();
    expect(one.value(METRIC.featureDrifted, { model: 'flights', length: '1d', feature: 'a' })).toBe(0);
    const { sets } = one.series;
    one.now += MINUTE;
    const { values } = await one.exporter().tick();
    expect(told(values, PLATFORM_CLOUDWATCH_METRIC.sinkFailures)).toBe(0);
    // State again, the backlog not.
    expect(one.series.sets - sets).toBeLessThan(sets);
    one.valuesDown = true;
    expect(told((await one.exporter().tick()).values, PLATFORM_CLOUDWATCH_METRIC.sinkFailures)).toBe(1);
  });

  it('finds results that no bulletin told of, and reads bulletins again after a crash', async () => {
    const one = await harness('flights');
    await one.exporter().tick();
    await one.result(windowResult({ start: '2001-02-09T00:00:00Z', rows: 7 }), { told: false });
    one.now += 7 * HOUR;
    await one.exporter().tick();
    expect(one.value(METRIC.windowRows, { model: 'flights', length: '1d' })).toBe(7);
    await one.result(windowResult({ start: '2001-02-10T00:00:00Z', rows: 8 }));
    const { store } = one;
    const dying: ObjectStore = {
      get: (key) => store.get(key),
      getRange: (...of) => store.getRange(...of),
      list: (...of) => store.list(...of),
      putIfAbsent: (...of) => store.putIfAbsent(...of),
      putIfUnchanged: () => Promise.reject(new TransientError('dead')),
      delete: (key) => store.delete(key),
    };
    await expect(one.exporter({ store: dying }).tick()).rejects.toThrow('dead');
    expect(await store.list(keys.bulletins())).toHaveLength(1);
    await one.exporter().tick();
    expect(one.value(METRIC.windowRows, { model: 'flights', length: '1d' })).toBe(8);
    expect(await store.list(keys.bulletins())).toHaveLength(0);
  });

  it('goes on with what it knows when it is late, and reads the rest in the next run', async () => {
    const one = await harness('flights');
    await one.exporter().tick();
    await one.result(windowResult({ start: '2001-02-09T00:00:00Z', rows: 7 }));
    const late = await one.exporter().tick({ isLate: () => true });
    expect(late).toMatchObject({ more: true, read: 0 });
    expect(
      one.value(METRIC.modelInfo, { model: 'flights', version: '', owner: 'team', task: 'binary-classification' }),
    ).toBe(1);
    await one.exporter().tick();
    expect(one.value(METRIC.windowRows, { model: 'flights', length: '1d' })).toBe(7);
  });

  it('makes its state anew when it is lost or spoilt', async () => {
    const one = await harness('flights');
    await one.result(windowResult({ start: '2001-02-09T00:00:00Z', rows: 7 }));
    await one.exporter().tick();
    const stored = await one.store.get(keys.exported());
    await one.store.putIfUnchanged(keys.exported(), new TextEncoder().encode('spoilt'), stored?.etag ?? '');
    one.series.values.clear();
    await one.exporter().tick();
    expect(one.value(METRIC.windowRows, { model: 'flights', length: '1d' })).toBe(7);
  });
});
