/** Reads what the stream took in the last day, and asks for more or fewer shards where that is due. */
import { type CloudWatchClient, GetMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DescribeStreamSummaryCommand, type KinesisClient, UpdateShardCountCommand } from '@aws-sdk/client-kinesis';
import { portError } from '../../lib/adapters/aws-error.ts';
import type { Clock } from '../../lib/pipeline/ports.ts';
import { type MinuteOfTraffic, shardsFor } from '../../lib/pipeline/shard-scaling.ts';
import type { Log } from '../log.ts';
import type { InvocationContext } from '../remaining-time.ts';

export interface ScalerParts {
  readonly kinesis: Pick<KinesisClient, 'send'>;
  readonly cloudwatch: Pick<CloudWatchClient, 'send'>;
  readonly clock: Clock;
  readonly streamArn: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly log: Log;
}

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;

export function scalerHandler(parts: ScalerParts): (event: unknown, context: InvocationContext) => Promise<void> {
  const { kinesis, clock, streamArn, minimum, maximum } = parts;
  return async (_event, context) => {
    const log = parts.log.for(context.awsRequestId);
    try {
      const { StreamDescriptionSummary: stream } = await kinesis.send(
        new DescribeStreamSummaryCommand({ StreamARN: streamArn }),
      );
      // While shards are being split or merged nothing else can be asked for.
      if (stream?.StreamStatus !== 'ACTIVE' || stream.OpenShardCount === undefined) return;
      const open = stream.OpenShardCount;
      const now = clock.now();
      const wanted = shardsFor({ now, open, minimum, maximum, minutes: await traffic(parts, now) });
      if (wanted === open) return;
      log.info('other number of shards asked for', { open, wanted });
      await kinesis.send(
        new UpdateShardCountCommand({
          StreamARN: streamArn,
          TargetShardCount: wanted,
          ScalingType: 'UNIFORM_SCALING',
        }),
      );
    } catch (error) {
      throw portError(streamArn, error, 'the number of shards stays as it is; the next run tries again');
    }
  };
}

async function traffic({ cloudwatch, streamArn }: ScalerParts, now: number): Promise<MinuteOfTraffic[]> {
  const streamName = streamArn.split('/').at(-1);
  const query = (id: string, metric: string) => ({
    Id: id,
    MetricStat: {
      Metric: {
        Namespace: 'AWS/Kinesis',
        MetricName: metric,
        Dimensions: [{ Name: 'StreamName', Value: streamName }],
      },
      Period: 60,
      Stat: 'Sum',
    },
  });
  const { MetricDataResults = [] } = await cloudwatch.send(
    new GetMetricDataCommand({
      StartTime: new Date(now - DAY_MS),
      EndTime: new Date(now),
      MetricDataQueries: [query('bytes', 'IncomingBytes'), query('records', 'IncomingRecords')],
    }),
  );
  const minutes = new Map<number, { start: number; bytes: number; records: number }>();
  for (const { Id, Timestamps = [], Values = [] } of MetricDataResults)
    for (const [i, timestamp] of Timestamps.entries()) {
      const start = timestamp.getTime();
      const minute = minutes.get(start) ?? { start, bytes: 0, records: 0 };
      if (Id === 'bytes' || Id === 'records') minute[Id] = Values[i] ?? 0;
      minutes.set(start, minute);
    }
  return [...minutes.values()];
}
