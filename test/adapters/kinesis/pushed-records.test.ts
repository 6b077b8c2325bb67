import { describe, expect, it } from 'vitest';
import { NoKinesisEventError, type PushedRecord, pushedBatches } from '../../../lib/adapters/kinesis/pushed-records.ts';

const ARN = 'arn:aws:kinesis:us-east-1:000000000000:stream/events';
const pushed = (sequence: string, text: string, shard = 'shardId-000000000003'): PushedRecord => ({
  eventID: `${shard}:${sequence}`,
  eventSourceARN: ARN,
  kinesis: {
    sequenceNumber: sequence,
    approximateArrivalTimestamp: 1_545_084_650.987,
    data: Buffer.from(text).toString('base64'),
  },
});

describe('pushed records', () => {
  it('have position, time of append and data', () => {
    const [batch, ...others] = pushedBatches({ Records: [pushed('12', 'a'), pushed('13', 'ü')] });
    expect(others).toEqual([]);
    expect(batch).toMatchObject({ streamArn: ARN, partition: 'shardId-000000000003' });
    expect(batch?.records.map(({ position, appendTime }) => [position, appendTime])).toEqual([
      ['12', 1_545_084_650_987],
      ['13', 1_545_084_650_987],
    ]);
    expect(batch?.records.map(({ data }) => Buffer.from(data).toString())).toEqual(['a', 'ü']);
  });

  it('are parted by shard', () => {
    const batches = pushedBatches({ Records: [pushed('12', 'a'), pushed('13', 'b', 'shardId-000000000004')] });
    expect(batches.map(({ partition }) => partition)).toEqual(['shardId-000000000003', 'shardId-000000000004']);
    expect(pushedBatches({})).toEqual([]);
  });

  it('are refused when no stream pushed them', () => {
    const other = { messageId: '1', eventSource: 'aws:sqs', body: '{}' } as unknown as PushedRecord;
    expect(() => pushedBatches({ Records: [other] })).toThrow(NoKinesisEventError);
    expect(() => pushedBatches({ Records: [{ ...pushed('x1', 'a') }] })).toThrow(
      'attach the function to a data stream',
    );
  });
});
