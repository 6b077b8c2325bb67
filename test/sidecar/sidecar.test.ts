/** The three ways in, each to the collector. */
import { describe, expect, it } from 'vitest';
import { CHURN, cloudEvent, folder, post, serve, standInCollector, start, until } from './stand.ts';

const PREDICT = '/v1/models/churn-svc:predict';

function kserve(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Response> {
  return fetch(`${url}/v1/kserve`, {
    method: 'POST',
    headers: {
      'ce-specversion': '1.0',
      'ce-source': 'urn:kserve:churn-svc',
      'ce-inferenceservicename': 'churn-svc',
      'ce-namespace': 'ns1',
      'ce-component': 'predictor',
      'ce-endpoint': 'default',
      ...headers,
    },
    body,
  });
}

describe('through the proxy', () => {
  it('makes one whole inference of a request and its response', async () => {
    const collector = await standInCollector();
    const model = await serve((_request, _body, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"predictions":[0.25,0.75]}');
    });
    const sidecar = await start({
      collectorPort: collector.port,
      spool: { folder: await folder() },
      proxy: { upstream: `127.0.0.1:${model.port}` },
    });
    const answer = await fetch(`http://127.0.0.1:${sidecar.proxyPort}${PREDICT}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'call-1' },
      body: '{"instances":[{"age":41,"plan":"gold"},{"age":29,"plan":"basic"}]}',
    });
    expect(await answer.json()).toEqual({ predictions: [0.25, 0.75] });
    await until(() => collector.events.length === 2);
    const [first, second] = collector.events;
    expect(first).toMatchObject({
      id: 'call-1/0',
      type: 'inference',
      model: 'churn',
      version: '3',
      numeric: { age: 41 },
      categorical: { plan: 'gold' },
      score: 0.25,
    });
    expect(first!['latency_ms']).toBeGreaterThanOrEqual(0);
    expect(first).not.toHaveProperty('weight');
    expect(second).toMatchObject({ id: 'call-1/1', numeric: { age: 29 }, score: 0.75 });
    await until(() => sidecar.ledger.delivered === 1);
    expect(sidecar.ledger.unsettled).toBe(0);
  });

  it('counts what is no inference, and an inference that is too long to copy', async () => {
    const collector = await standInCollector();
    const model = await serve((request, body, response) => {
      if (body.length > 100_000) response.end(JSON.stringify({ predictions: [1] }));
      else if (request.method === 'GET') response.end('{"name":"churn-svc"}');
      else {
        response.statusCode = 400;
        response.end('{"error":"no"}');
      }
    });
    const sidecar = await start({
      collectorPort: collector.port,
      proxy: { upstream: `127.0.0.1:${model.port}`, copyBytes: 1_024 },
    });
    const url = `http://127.0.0.1:${sidecar.proxyPort}`;
    await fetch(`${url}/v1/models/churn-svc`).then((answer) => answer.text());
    await fetch(`${url}${PREDICT}`, { method: 'POST', body: '{}' }).then((answer) => answer.text());
    const long = JSON.stringify({ instances: [Array.from({ length: 50_000 }, (_, i) => i)] });
    await fetch(`${url}${PREDICT}`, { method: 'POST', body: long }).then((answer) => answer.text());
    await until(() => sidecar.ledger.cut === 1);
    expect(sidecar.ledger.received.proxy).toBe(2);
    expect(sidecar.ledger.ignored.status).toBe(1);
    expect(sidecar.ledger.unsettled).toBe(0);
    expect(collector.events).toEqual([]);
  });
});

describe("from KServe's logger", () => {
  it('makes halves of its posts, and tolerates those without a body', async () => {
    const collector = await standInCollector();
    const sidecar = await start({ collectorPort: collector.port, spool: { folder: await folder() } });
    const id = '6f2b0a3c-9d53-4c9f-a6d4-26d0a3f6a3c1';
    const answers = [
      await kserve(
        sidecar.url,
        { 'ce-id': id, 'ce-type': 'org.kubeflow.serving.inference.response', 'ce-time': '2026-01-02T03:04:06Z' },
        '{"predictions":[0.25]}',
      ),
      await kserve(
        sidecar.url,
        {
          'ce-id': id,
          'ce-type': 'org.kubeflow.serving.inference.request',
          'ce-time': '2026-01-02T03:04:05Z',
          'ce-metadata': '{"X-User-Id":["u1"]}',
        },
        '{"instances":[{"age":41}]}',
      ),
      await kserve(sidecar.url, { 'ce-id': 'get', 'ce-type': 'org.kubeflow.serving.inference.request' }, ''),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    await until(() => collector.events.length === 2);
    expect(collector.events.find(({ type }) => type === 'request')).toEqual({
      id,
      type: 'request',
      source: 'urn:kserve:churn-svc',
      model: 'churn',
      version: '3',
      time: '2026-01-02T03:04:05Z',
      numeric: { age: 41 },
      categorical: {},
    });
    expect(collector.events.find(({ type }) => type === 'response')).toMatchObject({ id, score: 0.25 });
    expect(sidecar.ledger.ignored['no-inference']).toBe(1);
  });

  it('counts what no monitor declares', async () => {
    const collector = await standInCollector();
    const sidecar = await start({ collectorPort: collector.port });
    const type = 'org.kubeflow.serving.inference.request';
    await kserve(
      sidecar.url,
      { 'ce-id': 'a', 'ce-type': type, 'ce-inferenceservicename': 'other' },
      '{"instances":[1]}',
    );
    await until(() => sidecar.ledger.refused['unknown-model'] === 1);
    expect(sidecar.ledger.unsettled).toBe(0);
  });

  it('refuses posts that are none of the logger', async () => {
    const sidecar = await start({ collectorPort: 1 });
    expect((await kserve(sidecar.url, { 'ce-id': 'a', 'ce-type': 'other' }, '{}')).status).toBe(400);
  });
});

describe('from the app', () => {
  it('takes one event, a batch, several in one, labels and binary mode', async () => {
    const collector = await standInCollector();
    const sidecar = await start({ collectorPort: collector.port, spool: { folder: await folder() } });
    const url = `${sidecar.url}/v1/events`;
    const one = await post(url, cloudEvent('a'));
    expect([one.status, await one.json()]).toEqual([202, { accepted: 1, shed: 0 }]);
    expect(await (await post(url, [cloudEvent('b'), cloudEvent('c')])).json()).toEqual({ accepted: 2, shed: 0 });
    const data = ['d', 'e'].map((id) => cloudEvent(id)['data']);
    expect(await (await post(url, { ...cloudEvent('x'), data })).json()).toEqual({ accepted: 2, shed: 0 });
    const binary = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'ce-specversion': '1.0',
        'ce-id': 'f',
        'ce-source': '/app',
        'ce-type': 'ml.inference.v1',
      },
      body: JSON.stringify(cloudEvent('f')['data']),
    });
    expect(binary.status).toBe(202);
    const label = await fetch(`${sidecar.url}/v1/labels`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"id":"a","model":"churn","truth":1}',
    });
    expect(label.status).toBe(202);
    await until(() => collector.events.length === 7);
    expect(collector.events.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'a']);
    expect(collector.events[6]).toMatchObject({ type: 'label', truth: 1 });
    await until(() => sidecar.ledger.delivered === 7);
    expect(sidecar.ledger.unsettled).toBe(0);
  });

  it('asks for a token where one is needed, in the path for the logger', async () => {
    const collector = await standInCollector();
    const sidecar = await start({ collectorPort: collector.port }, { authorize: (token) => token === 'secret' });
    const url = `${sidecar.url}/v1/events`;
    expect((await post(url, cloudEvent('a'))).status).toBe(401);
    expect((await post(url, cloudEvent('a'), { authorization: 'Bearer wrong' })).status).toBe(401);
    expect((await post(url, cloudEvent('a'), { authorization: 'Bearer secret' })).status).toBe(202);
    const headers = { 'ce-id': 'a', 'ce-type': 'org.kubeflow.serving.inference.request' };
    const half = (path: string) =>
      fetch(`${sidecar.url}${path}`, { method: 'POST', headers, body: '{"instances":[1]}' });
    expect((await half('/v1/kserve/wrong')).status).toBe(401);
    expect((await half('/v1/kserve/secret')).status).toBe(200);
  });

  it('refuses what it does not know, with the reason', async () => {
    const sidecar = await start({ collectorPort: 1 });
    const answers = await Promise.all([
      post(`${sidecar.url}/v1/other`, cloudEvent('a')),
      fetch(`${sidecar.url}/v1/events`),
      post(`${sidecar.url}/v1/events`, '{"a":1}', { 'content-type': 'application/json' }),
      post(`${sidecar.url}/v1/events`, '{}', { 'content-type': 'application/cloudevents-batch+json' }),
      post(`${sidecar.url}/v1/events`, 'x'.repeat(9_000_000)),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([404, 405, 400, 400, 413]);
    expect(await answers[0]!.json()).toMatchObject({ type: 'urn:mlmon:no-such-path' });
    expect(sidecar.ledger.received.events).toBe(0);
  });
});

it('exports what its ledger says', async () => {
  const collector = await standInCollector();
  const sidecar = await start({ collectorPort: collector.port, spool: { folder: await folder() } });
  await post(`${sidecar.url}/v1/events`, [cloudEvent('a'), cloudEvent('b')]);
  await until(() => sidecar.ledger.delivered === 2);
  const samples = new Map(
    sidecar.samples().map(({ name, labels, value }) => [`${name}${JSON.stringify(labels)}`, value]),
  );
  expect(samples.get('mlmon_sidecar_records_received_total{"source":"events"}')).toBe(2);
  expect(samples.get('mlmon_sidecar_records_delivered_total{}')).toBe(2);
  expect(samples.get('mlmon_sidecar_records{}')).toBe(0);
  expect(samples.get('mlmon_sidecar_keep_ratio{}')).toBe(1);
  expect(samples.get('mlmon_sidecar_disk_failing{}')).toBe(0);
  expect(samples.get('mlmon_sidecar_queue_limit_bytes{"tier":"disk"}')).toBe(1_073_741_824);
  expect(CHURN.model).toBe('churn');
});
