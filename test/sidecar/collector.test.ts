/** Behind the sidecar the collector itself: what reaches the log is what it would have taken directly. */
import { expect, it, onTestFinished } from 'vitest';
import type { MonitorInput } from '../../lib/contracts/monitor.ts';
import { NOW, type Rig, startRig } from '../local/server/harness.ts';
import { cloudEvent, folder, monitorOf, post, serve, start, until } from './stand.ts';

const MONITOR: MonitorInput = {
  model: 'churn',
  task: 'binary-classification',
  features: { age: { type: 'numeric' }, plan: { type: 'categorical' } },
  kserve: { service: 'churn-svc', version: '3', output: 'score' },
};
const TIME = new Date(NOW - 60_000).toISOString();

async function rig(): Promise<Rig> {
  const started = await startRig({ monitors: [MONITOR] });
  onTestFinished(() => started.close());
  return started;
}

async function lines({ log }: Rig): Promise<string[]> {
  const { records } = await log.read((await log.partitions())[0]!.id, null, { records: 1_000, bytes: 1e7 });
  return records
    .flatMap(({ data }) => Buffer.from(data).toString('utf8').split('\n'))
    .map((line) => {
      const { arrival: _, ...event } = JSON.parse(line) as Record<string, unknown>;
      return JSON.stringify(
        Object.fromEntries(
          Object.entries(event)
            .filter(isSaid)
            .sort(([a], [b]) => (a < b ? -1 : 1)),
        ),
      );
    })
    .sort();
}

/** An empty object of features says as much as none. */
function isSaid([, value]: [string, unknown]): boolean {
  return JSON.stringify(value) !== '{}';
}

/** As KServe's agent sends them: request and response, a call of another method, a response that never comes. */
function posts(url: string): Promise<Response>[] {
  const common = {
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-source': 'urn:kserve:churn-svc',
    'ce-time': TIME,
    'ce-inferenceservicename': 'churn-svc',
    'ce-namespace': 'ns1',
    'ce-component': 'predictor',
    'ce-endpoint': 'default',
    'ce-metadata': '{}',
  };
  const send = (id: string, type: 'request' | 'response', body: string) =>
    fetch(`${url}/v1/kserve`, {
      method: 'POST',
      headers: { ...common, 'ce-id': id, 'ce-type': `org.kubeflow.serving.inference.${type}` },
      body,
    });
  return [
    send('one', 'response', '{"predictions":[0.2,0.9]}'),
    send('one', 'request', '{"instances":[[41,"gold"],[29,"basic"]]}'),
    send('two', 'request', '{"inputs":[{"name":"age","shape":[1],"datatype":"FP64","data":[33]}]}'),
    send('get', 'request', ''),
    send('get', 'response', '{"name":"churn-svc","ready":true}'),
    send('bad', 'request', '{"instances":[41,'),
  ];
}

it("gets from KServe's logger what it would have got without the sidecar", async () => {
  const [direct, behind] = [await rig(), await rig()];
  await Promise.all(posts(direct.url));
  const sidecar = await start(
    { collectorPort: behind.port, spool: { folder: await folder() } },
    { models: [{ monitor: monitorOf(MONITOR), baseline: null }], clock: behind.clock },
  );
  for (const answer of await Promise.all(posts(sidecar.url))) expect(answer.status).toBe(200);
  await until(() => sidecar.ledger.unsettled === 0);
  expect(await lines(behind)).toEqual(await lines(direct));
  const { received, delivered, ignored, refused } = sidecar.ledger;
  expect([received.kserve, delivered, ignored['no-inference'], refused.payload]).toEqual([6, 3, 2, 1]);
});

it('gets whole inferences with latency and the weight of those that were shed, and labels', async () => {
  const collector = await rig();
  const model = await serve((_request, _body, response) => response.end('{"predictions":[0.75]}'));
  const sidecar = await start(
    {
      collectorPort: collector.port,
      proxy: { upstream: `127.0.0.1:${model.port}` },
      spool: { folder: await folder() },
    },
    { models: [{ monitor: monitorOf(MONITOR), baseline: null }], clock: collector.clock },
  );
  const called = await fetch(`http://127.0.0.1:${sidecar.proxyPort}/v2/models/churn-svc/infer`, {
    method: 'POST',
    headers: { 'x-request-id': 'call' },
    body: '{"inputs":[{"name":"age","shape":[1],"datatype":"FP64","data":[33]}]}',
  });
  expect(await called.text()).toBe('{"predictions":[0.75]}');
  await post(`${sidecar.url}/v1/events`, cloudEvent('app', { time: TIME, weight: 4 }));
  await fetch(`${sidecar.url}/v1/labels`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify([{ id: 'call', model: 'churn', truth: '1' }]),
  });
  await until(() => sidecar.ledger.delivered === 3);
  const events = (await lines(collector)).map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(events).toHaveLength(3);
  expect(events.find(({ id, type }) => id === 'call' && type === 'inference')).toMatchObject({
    model: 'churn',
    version: '3',
    numeric: { age: 33 },
    score: 0.75,
    latency_ms: expect.any(Number) as number,
  });
  expect(events.find(({ id }) => id === 'app')).toMatchObject({ weight: 4 });
  expect(events.find(({ type }) => type === 'label')).toMatchObject({ id: 'call', truth: '1' });
  expect(collector.quarantined).toEqual([]);
});

it('is heard where it refuses events, and so is a post that names no service', async () => {
  let status = 401;
  const collector = await serve((_request, _body, response) => {
    const detail = 'Authorization: expected a bearer token with the scope "events:write"';
    response.statusCode = status;
    response.end(JSON.stringify({ title: 'Token required', status, detail }));
  });
  const sidecar = await start({ collectorPort: collector.port });
  const post = (id: string, more: object = {}) =>
    fetch(`${sidecar.url}/v1/kserve`, {
      method: 'POST',
      headers: { 'ce-id': id, 'ce-type': 'org.kubeflow.serving.inference.request', ...more },
      body: '{"instances":[[41,"gold"]]}',
    });
  await post('a', { 'ce-inferenceservicename': 'churn-svc' });
  await until(() => sidecar.notes.length > 0);
  expect(sidecar.notes[0]).toContain(
    'answered 401: Authorization: expected a bearer token with the scope "events:write"',
  );
  status = 400;
  await until(() => sidecar.ledger.refused.collector === 1);
  expect(sidecar.notes.at(-1)).toMatch(/refuses an event, 400: Authorization: expected/);
  await post('b');
  await until(() => sidecar.ledger.refused['unknown-model'] === 1);
  expect(sidecar.notes.at(-1)).toContain('ce-inferenceservicename: is required');
});

it('puts into quarantine what it cannot read, and the sidecar goes on', async () => {
  const collector = await rig();
  const sidecar = await start({ collectorPort: collector.port }, { clock: collector.clock });
  await post(
    `${sidecar.url}/v1/events`,
    '{"specversion":"1.0","id":"a","source":"/a","type":"ml.inference.v1","data":{',
  );
  await post(`${sidecar.url}/v1/events`, [
    cloudEvent('good', { time: TIME }),
    cloudEvent('bad', { time: 'yesterday' }),
  ]);
  await until(() => sidecar.ledger.unsettled === 0 && sidecar.ledger.delivered > 0);
  expect((await lines(collector)).map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(['good']);
  expect(collector.quarantined.map(({ reason }) => reason)).toContain('schema');
  expect(collector.quarantined.map(({ reason }) => reason)).toContain('json');
});
