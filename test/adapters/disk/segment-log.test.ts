import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SegmentLog, type SegmentLogOptions } from '../../../lib/adapters/disk/segment-log.ts';
import { SegmentLogView } from '../../../lib/adapters/disk/segment-log-view.ts';
import type { EventLog } from '../../../lib/pipeline/ports.ts';
import { eventLogConformance } from '../../pipeline/conformance/event-log.ts';

const kinds: readonly [string, Partial<SegmentLogOptions>, boolean][] = [
  ['segment files, fsync', { segmentBytes: 4000 }, false],
  ['segment files, os, a segment for each append', { durability: 'os', segmentBytes: 1 }, false],
  ['segment files read by another reader', { segmentBytes: 3000 }, true],
];

for (const [name, extra, viewed] of kinds) {
  eventLogConformance(name, async ({ partitions, clock }) => {
    const folder = await mkdtemp(join(tmpdir(), 'segment-log-'));
    const retention: { bytes?: number } = {};
    const options: SegmentLogOptions = { folder, clock, partitions, retention, ...extra };
    let log = await SegmentLog.open(options);
    const view = new SegmentLogView({ folder });
    const subject = (): EventLog =>
      viewed
        ? {
            identity: () => view.identity(),
            partitions: () => view.partitions(),
            read: (partition, after, limit) => view.read(partition, after, limit),
            append: (records) => log.append(records),
          }
        : log;
    return {
      log: subject(),
      controlsTime: true,
      reopen: async () => {
        await log.close();
        log = await SegmentLog.open(options);
        return subject();
      },
      recreate: async () => {
        await log.close();
        await rm(folder, { recursive: true });
        log = await SegmentLog.open(options);
        return subject();
      },
      split: (partition) => log.split(partition),
      expire: async () => {
        retention.bytes = 6000;
        await log.expire();
      },
      close: async () => {
        await view.close();
        await log.close();
        await rm(folder, { recursive: true });
      },
    };
  });
}
