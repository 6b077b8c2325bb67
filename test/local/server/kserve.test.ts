import { afterEach, describe, expect, it } from 'vitest';
import type { MonitorInput } from '../../../lib/contracts/monitor.ts';
import { type Rig, startRig } from './harness.ts';

let rig: Rig | null = null;
afterEach(async () => {
  await rig?.close();
  rig = null;
});

const MONITOR: MonitorInput = {
  model: 'churn',
  task: 'binary-classification',
  features: { age: { type: 'numeric' }, plan: { type: 'categorical' } },
  kserve: { service: 'churn-predictor', version: '7', output: 'score' },
};
const HEADERS = {
  'content-type': 'application/json',
  'ce-specversion': '1.0',
  'ce-id': '6f2b0a3c',
  'ce-source': 'churn-predictor-00001-deployment-5b7c9',
  'ce-time': '2001-02-10T10:11:12.100000Z',
  'ce-inferenceservicename': 'churn-predictor',
  'ce-namespace': 'scoring',
  'ce-component': 'predictor',
  'ce-endpoint': '',
  'ce-metadata': '{}',
};
const request = { ...HEADERS, 'ce-type': 'org.kubeflow.serving.inference.request' };
const response = { ...HEADERS, 'ce-type': 'org.kubeflow.serving.inference.response' };

async function lines({ log }: Rig): Promise<Record<string, unknown>[]> {
  const { records } = await log.read((await log.partitions())[0]!.id, null, { records: 100, bytes: 1e7 });
  return records.flatMap(({ data }) =>
    Buffer.from(data)
      .toString('utf8')
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  );
}

describe('POST /v1/kserve', () => {
  it('takes a request and its response as halves of one inference and answers 200', async () => {
    rig = await startRig({ monitors: [MONITOR] });
    const asked = await rig.ask('POST', '/v1/kserve', {
      headers: request,
      body: '{"instances":[[41,"gold"],[29,"basic"]]}',
    });
    expect([asked.status, asked.json()]).toEqual([200, { accepted: 2, quarantined: 0, reasons: [] }]);
    const answered = await rig.ask('POST', '/v1/kserve', { headers: response, body: '{"predictions":[0.2,0.9]}' });
    expect(answered.status).toBe(200);
    const common = { model: 'churn', version: '7', source: HEADERS['ce-source'], time: HEADERS['ce-time'] };
    expect(await lines(rig)).toMatchObject([
      { ...common, id: '6f2b0a3c/0', type: 'request', numeric: { age: 41 }, categorical: { plan: 'gold' } },
      { ...common, id: '6f2b0a3c/1', type: 'request', numeric: { age: 29 }, categorical: { plan: 'basic' } },
      { ...common, id: '6f2b0a3c/0', type: 'response', score: 0.2 },
      { ...common, id: '6f2b0a3c/1', type: 'response', score: 0.9 },
    ]);
    expect(rig.collector.counters.of('churn').inference.kserve).toBe(4);
  });

  it('answers 200 for what it cannot use, which is kept with its reason', async () => {
    rig = await startRig({ monitors: [MONITOR] });
    for (const [headers, body, reason] of [
      [request, '{"instances":', 'json'],
      [{ ...request, 'ce-inferenceservicename': 'other' }, '{"instances":[[1]]}', 'unknown-model'],
      [{ ...request, 'ce-type': 'other' }, '{}', 'schema'],
    ] as const) {
      const answer = await rig.ask('POST', '/v1/kserve', { headers, body });
      expect([answer.status, answer.json().reasons[0].reason]).toEqual([200, reason]);
    }
    expect(rig.quarantined.map(({ reason }) => reason)).toEqual(['json', 'unknown-model', 'schema']);
  });

  it('leaves out calls that are no inferences, and other components', async () => {
    rig = await startRig({ monitors: [MONITOR] });
    for (const [headers, body] of [
      [request, ''],
      [response, '{"ready":true}'],
      [{ ...request, 'ce-component': 'transformer' }, '{"instances":[[1,"gold"]]}'],
    ] as const)
      expect((await rig.ask('POST', '/v1/kserve', { headers, body })).json()).toEqual({
        accepted: 0,
        quarantined: 0,
        reasons: [],
      });
  });

  it('takes a token in its path where tokens are needed, and tells nothing without one', async () => {
    rig = await startRig({
      monitors: [MONITOR],
      tokens: 'kserve events:write 0123456789abcdef0123\nlabels labels:write fedcba9876543210fedc\n',
    });
    const post = (path: string) => rig!.ask('POST', path, { headers: request, body: '{"instances":[[41,"gold"]]}' });
    expect((await post('/v1/kserve')).status).toBe(401);
    expect((await post('/v1/kserve/0123456789abcdef0123')).json()).toMatchObject({ accepted: 1 });
    expect((await post('/v1/kserve/fedcba9876543210fedc')).status).toBe(404);
    expect((await post('/v1/kserve/guess')).status).toBe(404);
    expect((await lines(rig))[0]).toMatchObject({ id: '6f2b0a3c' });
  });
});
