/** The bundles of dispatcher, evaluator and exporter behind the bundled profiler: from events on a stream to results and metrics. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EXPORTED_JOB, METRIC } from '../../lib/contracts/metric-names.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import type { WindowResult } from '../../lib/contracts/result.ts';
import { publishBaseline, publishMonitor } from '../../lib/pipeline/publisher.ts';
import { buildFunctions } from '../../scripts/build-functions.ts';
import { baselineOf, generate, monitorOf, T0, wire } from '../pipeline/simulation.ts';
import { startEvaluationServices } from './evaluation-services.ts';
import { StreamDriver } from './stream-driver.ts';

const MINUTE = 60_000;

it('judges windows in time, a message after the other, and tells Prometheus and CloudWatch', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bundles-'));
  const services = await startEvaluationServices();
  await buildFunctions(folder, ['profiler', 'dispatcher', 'evaluator', 'exporter']);
  const driver = await StreamDriver.start({ from: T0, shards: 2, folder });
  try {
    const publisher = { store: driver.store, clock: { now: () => driver.now } };
    const models = ['m', 'n'];
    for (const model of models) {
      await publishBaseline(publisher, baselineOf(model, '1'), {
        model,
        version: '1',
        by: 'test',
        approve: true,
        effectiveFrom: 0,
      });
      await publishMonitor(publisher, monitorOf(model), { by: 'test', effectiveFrom: T0 });
    }
    const events = generate(5, { count: 60, hours: 1, models }).filter(
      ({ appendTime }) => appendTime < T0 + 85 * MINUTE,
    );
    await driver.feed(
      events.map((event, i) => ({ appendTime: event.appendTime, data: `${JSON.stringify(wire(event, i))}\n` })),
    );
    const dispatcher = await driver.start('dispatcher', {
      AWS_ENDPOINT_URL_SQS: services.url,
      MLMON_QUEUE_URL: `${services.url}/111122223333/evaluations`,
    });
    const evaluator = await driver.start('evaluator', { MLMON_LINK_BASE: 'https://mlmon.example.org/' });
    const exporter = await driver.start('exporter', {
      AWS_ENDPOINT_URL_CLOUDWATCH: services.url,
      MLMON_METRIC_DETAIL: 'summary',
      MLMON_REMOTE_WRITE_URL: `${services.url}/api/v1/write`,
    });
    const results: WindowResult[] = [];
    // As EventBridge and SQS would: the dispatcher every minute, its messages at once.
    for (let minute = 60; minute <= 92; minute += 2) {
      await driver.advance(T0 + minute * MINUTE);
      await dispatcher.invoke({}, driver.now);
      for (const [i, message] of services.messages.splice(0).entries()) {
        const event = { Records: [{ messageId: String(i), body: JSON.stringify(message) }] };
        expect((await evaluator.invoke(event, driver.now)).value).toEqual({ batchItemFailures: [] });
      }
    }
    for (const key of await driver.store.list('results/'))
      results.push(JSON.parse(new TextDecoder().decode((await driver.store.get(key))?.body)) as WindowResult);
    expect(results.map(({ model, start, length }) => [model, Date.parse(start), length])).toEqual(
      models.map((model) => [model, T0, '1h']),
    );
    const onTime = (model: string) =>
      events.filter((event) => event.model === model && event.appendTime < T0 + 90 * MINUTE).length;
    expect(results.map(({ rows }) => rows)).toEqual(models.map(onTime));
    const told = evaluator.said.map((line) => JSON.parse(line) as Record<string, unknown>);
    const delays = told.flatMap(({ VerdictDelay }) => (typeof VerdictDelay === 'number' ? [VerdictDelay] : []));
    expect(Math.max(...delays)).toBeLessThanOrEqual(180);
    expect(told.every(({ level }) => level !== 'error')).toBe(true);

    await exporter.invoke({}, driver.now);
    // What a scrape would add: every selector of the dashboards is narrowed by both.
    const labels = services.series.map((one) => Object.fromEntries(one.labels));
    expect(labels.filter(({ job, instance }) => job !== EXPORTED_JOB || instance !== 'test')).toEqual([]);
    expect(labels.map(({ __name__ }) => __name__)).toContain(METRIC.platformTime.name);
    const rows = services.series.flatMap(({ labels, samples }) => {
      const { __name__: name, model } = Object.fromEntries(labels);
      return name === METRIC.windowRows.name ? [[model, samples[0]?.value]] : [];
    });
    // Bulletins are read side by side: their order says nothing.
    expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(models.map((model) => [model, onTime(model)])));
    expect(rows.length).toBe(models.length);
    expect(services.puts).toBe(1);
    expect(exporter.said.some((line) => line.includes('"SinkFailures":0'))).toBe(true);
    expect(await driver.store.list(keys.bulletins())).toEqual([]);
  } finally {
    await driver.close();
    await services.close();
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
