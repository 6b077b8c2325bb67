import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { describe, expect, it } from 'vitest';
import { logOf } from '../../lambdas/log.ts';
import { scalerHandler } from '../../lambdas/scaler/handler.ts';

const NOW = Date.parse('2026-03-02T12:00:00Z');
const STREAM = 'arn:aws:kinesis:eu-central-1:111122223333:stream/events';
const context = { awsRequestId: '1', getRemainingTimeInMillis: () => 60_000 };

function world(status: string, open: number, records: number) {
  const sent: Record<string, unknown>[] = [];
  const client = (answers: Readonly<Record<string, unknown>>) => ({
    send: async (command: { readonly input: object }) => {
      const name = command.constructor.name;
      sent.push({ name, ...command.input });
      const answer = answers[name];
      if (answer instanceof Error) throw answer;
      return answer ?? {};
    },
  });
  const handler = scalerHandler({
    kinesis: client({
      DescribeStreamSummaryCommand: { StreamDescriptionSummary: { StreamStatus: status, OpenShardCount: open } },
    }) as unknown as KinesisClient,
    cloudwatch: client({
      GetMetricDataCommand: {
        MetricDataResults: [
          { Id: 'records', Timestamps: [new Date(NOW - 60_000)], Values: [records] },
          { Id: 'bytes', Timestamps: [], Values: [] },
        ],
      },
    }) as unknown as CloudWatchClient,
    clock: { now: () => NOW },
    streamArn: STREAM,
    minimum: 1,
    maximum: 8,
    log: logOf('scaler', { write: () => undefined }),
  });
  return { handler, sent };
}

describe('the scaler', () => {
  it('asks for what the traffic takes', async () => {
    const { handler, sent } = world('ACTIVE', 2, 60 * 2_000);
    await handler({}, context);
    expect(sent.at(-1)).toEqual({
      name: 'UpdateShardCountCommand',
      StreamARN: STREAM,
      TargetShardCount: 4,
      ScalingType: 'UNIFORM_SCALING',
    });
    const query = sent.find(({ name }) => name === 'GetMetricDataCommand') as { MetricDataQueries: unknown[] };
    expect(JSON.stringify(query.MetricDataQueries)).toContain('{"Name":"StreamName","Value":"events"}');
  });

  it.each([
    ['the traffic fits', 'ACTIVE', 60 * 1_000],
    ['shards are being split', 'UPDATING', 60 * 9_000],
  ])('asks for nothing while %s', async (_, status, records) => {
    const { handler, sent } = world(status, 2, records);
    await handler({}, context);
    expect(sent.map(({ name }) => name)).not.toContain('UpdateShardCountCommand');
  });
});
