import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CloudWatchClient, type PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { expect, it } from 'vitest';
import { CloudWatchMetrics } from '../../../lib/adapters/cloudwatch/cloudwatch-metrics.ts';
import {
  type CloudWatchValue,
  MODEL_CLOUDWATCH_METRIC,
  PLATFORM_CLOUDWATCH_METRIC,
} from '../../../lib/contracts/cloudwatch-metrics.ts';

const clock = { now: () => Date.parse('2026-03-02T10:00:00Z') };
const drifted = (model: string, value = 1): CloudWatchValue => ({
  metric: MODEL_CLOUDWATCH_METRIC.driftedFeatures,
  value,
  of: { Model: model },
});

function harness(answer: (n: number) => Error | null = () => null) {
  const inputs: PutMetricDataCommand['input'][] = [];
  const send = async (command: { readonly input: unknown }): Promise<unknown> => {
    inputs.push(command.input as PutMetricDataCommand['input']);
    const error = answer(inputs.length);
    if (error !== null) throw error;
    return {};
  };
  const client = { send } as unknown as CloudWatchClient;
  return { inputs, metrics: new CloudWatchMetrics({ client, clock, environment: 'production' }) };
}

const failure = (name: string, status: number): Error =>
  Object.assign(new Error('no'), { name, $metadata: { httpStatusCode: status } });

it('writes what the list says of a metric: name, unit, dimensions in their order', async () => {
  const { inputs, metrics } = harness();
  await metrics.put([
    drifted('m', 3),
    { metric: PLATFORM_CLOUDWATCH_METRIC.openEpisodes, value: 2, of: { Severity: 'critical' } },
  ]);
  const Timestamp = new Date(clock.now());
  expect(inputs).toEqual([
    {
      Namespace: 'MLMonitoring',
      MetricData: [
        {
          MetricName: 'DriftedFeatures',
          Unit: 'Count',
          Value: 3,
          Timestamp,
          Dimensions: [
            { Name: 'Model', Value: 'm' },
            { Name: 'Environment', Value: 'production' },
          ],
        },
        {
          MetricName: 'OpenEpisodes',
          Unit: 'Count',
          Value: 2,
          Timestamp,
          Dimensions: [
            { Name: 'Environment', Value: 'production' },
            { Name: 'Severity', Value: 'critical' },
          ],
        },
      ],
    },
  ]);
});

it('bounds requests by number and by bytes, and leaves none out', async () => {
  const { inputs, metrics } = harness();
  await metrics.put(Array.from({ length: 2_500 }, (_, i) => drifted(`model-${i}`, i)));
  expect(inputs.map(({ MetricData }) => MetricData?.length)).toEqual([1_000, 1_000, 500]);
  expect(inputs.flatMap(({ MetricData }) => MetricData?.map(({ Value }) => Value))).toEqual(
    Array.from({ length: 2_500 }, (_, i) => i),
  );
  inputs.length = 0;
  await metrics.put(Array.from({ length: 1_000 }, (_, i) => drifted(`${'m'.repeat(1_000)}${i}`)));
  expect(inputs.length).toBeGreaterThan(2);
  for (const { MetricData } of inputs) expect(JSON.stringify(MetricData).length).toBeLessThan(1_000_000);
});

it('leaves out what CloudWatch refuses, not what stands beside it', async () => {
  const { inputs, metrics } = harness();
  await metrics.put([
    drifted('a', Number.NaN),
    drifted('b', Number.POSITIVE_INFINITY),
    drifted('c', 2 ** 361),
    drifted('d', -1),
  ]);
  expect(inputs[0]?.MetricData?.map(({ Value }) => Value)).toEqual([-1]);
  expect(metrics.counts).toMatchObject({ sent: 1, dropped: 3 });
});

it('sends nothing when there is nothing', async () => {
  const { inputs, metrics } = harness();
  await metrics.put([]);
  expect(inputs).toEqual([]);
});

it('goes on with the other requests when one fails in passing, then says so', async () => {
  const { metrics } = harness((n) => (n === 1 ? failure('ThrottlingException', 400) : null));
  await expect(metrics.put(Array.from({ length: 1_500 }, (_, i) => drifted(`m${i}`)))).rejects.toMatchObject({
    name: 'TransientError',
  });
  expect(metrics.counts).toMatchObject({ sent: 500, failed: 1, dropped: 0, requests: 2 });
});

it('drops and counts what is refused for good', async () => {
  const { metrics } = harness(() => failure('InvalidParameterValue', 400));
  await metrics.put([drifted('a')]);
  expect(metrics.counts).toMatchObject({ sent: 0, failed: 0, dropped: 1 });
  expect(metrics.lastFailure).toContain('InvalidParameterValue');
});

it('names a dimension that was forgotten', async () => {
  const { metrics } = harness();
  await expect(metrics.put([{ metric: MODEL_CLOUDWATCH_METRIC.driftedFeatures, value: 1 }])).rejects.toThrow(
    'DriftedFeatures: no value for the dimension Model',
  );
});

it('stays below a megabyte on the wire with a thousand of the longest names', async () => {
  const sizes: number[] = [];
  const server = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (part: Buffer) => {
      bytes += part.length;
    });
    request.on('end', () => {
      sizes.push(bytes);
      response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = new CloudWatchClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    disableRequestCompression: true,
    maxAttempts: 1,
  });
  try {
    const metrics = new CloudWatchMetrics({ client, clock, environment: 'e'.repeat(40) });
    await metrics.put(Array.from({ length: 1_000 }, (_, i) => drifted('m'.repeat(60) + i, i / 3)));
    expect(sizes).toHaveLength(1);
    expect(metrics.counts).toMatchObject({ sent: 1_000, failed: 0, dropped: 0 });
    expect(sizes[0]).toBeGreaterThan(50_000);
    expect(sizes[0]).toBeLessThan(900_000);
  } finally {
    client.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
});
