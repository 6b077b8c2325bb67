/** KServe itself before a sidecar: what its agent sends becomes halves on the log, which the profile counts as inferences. */
import { expect, it, onTestFinished } from 'vitest';
import type { MonitorInput } from '../../lib/contracts/monitor.ts';
import { readRecord } from '../../lib/engine/event-reader.ts';
import { Profile } from '../../lib/engine/profile.ts';
import { startRig } from '../local/server/harness.ts';
import { folder, monitorOf, start, until } from '../sidecar/stand.ts';
import { startKServe } from './kserve.ts';

const MONITOR: MonitorInput = {
  model: 'churn',
  task: 'binary-classification',
  features: { age: { type: 'numeric' }, plan: { type: 'categorical' } },
  kserve: { service: 'churn', namespace: 'ns1', version: '7', output: 'score' },
};

it('its inferences are paired by id, those without a response are counted, and other calls leave no trace', async () => {
  const platform = await startRig({ monitors: [MONITOR] });
  onTestFinished(() => platform.close());
  platform.clock.set(Date.now() + 60_000);
  const sidecar = await start(
    { collectorPort: platform.port, spool: { folder: await folder() } },
    { models: [{ monitor: monitorOf(MONITOR), baseline: null }] },
  );
  const kserve = await startKServe(`${sidecar.url}/v1/kserve`);
  onTestFinished(() => kserve.close());
  // The look whether it is up was logged too.
  await until(() => sidecar.ledger.received.kserve > 0 && sidecar.ledger.unsettled === 0);

  const post = async (path: string, id: string, body: object): Promise<number> => {
    const answer = await fetch(`${kserve.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'ce-id': id },
      body: JSON.stringify(body),
    });
    await answer.arrayBuffer();
    return answer.status;
  };
  const predict = '/v1/models/churn:predict';
  for (let i = 0; i < 20; i++)
    expect(await post(predict, `v1-${i}`, { instances: [{ age: 20 + i, plan: i % 2 === 0 ? 'gold' : 'basic' }] })).toBe(
      200,
    );
  for (let i = 0; i < 10; i++)
    expect(
      await post('/v2/models/churn/infer', `v2-${i}`, {
        inputs: [{ name: 'age', shape: [1], datatype: 'FP64', data: [40 + i] }],
      }),
    ).toBe(200);
  expect(await post(predict, 'many', { instances: [{ age: 30 }, { age: 31 }] })).toBe(200);
  for (let i = 0; i < 5; i++) expect(await post(predict, `bad-${i}`, { instances: [{ plan: 'gold' }] })).toBe(400);
  expect((await fetch(`${kserve.url}/v1/models/churn`)).status).toBe(200);

  // Each call of an inference makes two posts, a refused one only the first; several rows are one post.
  const [paired, orphans] = [31, 5];
  await until(() => sidecar.ledger.delivered >= 2 * paired + orphans && sidecar.ledger.unsettled === 0);
  expect(sidecar.ledger.delivered).toBe(2 * paired + orphans);
  expect(sidecar.ledger.refused).toEqual({ 'unknown-model': 0, payload: 0, collector: 0 });
  expect(platform.quarantined).toEqual([]);

  const { records } = await platform.log.read((await platform.log.partitions())[0]!.id, null, {
    records: 1e4,
    bytes: 1e8,
  });
  const { shape } = platform.registry.shapeFor('churn', '7', Date.now())!;
  const profile = new Profile(shape);
  const halves = new Map<string, string[]>();
  for (const record of records)
    readRecord(
      record.data,
      (event) => {
        profile.fold(event);
        halves.set(event.id, [...(halves.get(event.id) ?? []), event.half ?? 'whole'].sort());
      },
      (rejection) => {
        throw new Error(rejection.detail);
      },
    );
  const rows = 20 + 10 + 2;
  expect([...halves.values()].filter((both) => both.join() === 'request,response')).toHaveLength(rows);
  expect(
    [...halves]
      .filter(([, both]) => both.join() === 'request')
      .map(([id]) => id)
      .sort(),
  ).toEqual(Array.from({ length: orphans }, (_, i) => `bad-${i}`));
  // Requests are rows; columns of the prediction count the responses that came.
  expect(profile.rows).toBe(rows + orphans);
  const column = (name: string) => profile.column(shape.columns.find((one) => one.name === name)!.index);
  expect(column('age')).toMatchObject({ n: rows + orphans, missing: orphans });
  expect(column(shape.score!.name)).toMatchObject({ n: rows, missing: 0 });
}, 180_000);
