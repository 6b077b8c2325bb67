/**
 * How fast the log on disk takes records of 1 kB, against a plain loop of write and fdatasync over the same bytes in the
 * same run. `npx tsx bench/log.ts [records]` prints a table.
 *
 * The plain loop writes the group sizes that the log made (bytes divided by its number of writes), so that the ratio is
 * the price of framing, checksums, routing, promises and positions, not of grouping; a second loop with one record a
 * sync shows what grouping gains.
 */
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type SegmentIo, systemIo } from '../lib/adapters/disk/segment-io.ts';
import { SegmentLog } from '../lib/adapters/disk/segment-log.ts';
import type { Durability } from '../lib/adapters/disk/sync.ts';
import { tell } from './measurement.ts';

const RECORD = 1024;
const records = Number(process.argv[2] ?? 100_000);
const data = Buffer.alloc(RECORD, 'x');

interface Measured {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly writes: number;
}

async function measure(act: () => Promise<number>, count: number): Promise<Measured> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const writes = await act();
  const seconds = (performance.now() - start) / 1000;
  const used = process.cpuUsage(cpu);
  return { perSecond: count / seconds, cpuMicros: (used.user + used.system) / count, writes };
}

async function throughLog(durability: Durability, appenders: number, partitions: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-log-'));
  let writes = 0;
  const io: SegmentIo = {
    ...systemIo,
    write: (...call) => {
      writes += 1;
      return systemIo.write(...call);
    },
  };
  const log = await SegmentLog.open({ folder, clock: { now: () => Date.now() }, durability, partitions, io });
  const keys = Array.from({ length: 1000 }, (_, i) => `model-${i}`);
  const run = async (count: number): Promise<number> => {
    writes = 0;
    let left = count;
    const appender = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        await log.append([{ key: keys[left % keys.length] as string, data }]);
      }
    };
    await Promise.all(Array.from({ length: appenders }, appender));
    return writes;
  };
  await run(Math.min(records, 5000));
  const measured = await measure(() => run(records), records);
  await log.close();
  rmSync(folder, { recursive: true });
  return measured;
}

async function plain(durability: Durability, group: number): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-plain-'));
  const file = openSync(join(folder, 'file'), 'w');
  const bytes = Buffer.alloc(RECORD * group, 'x');
  // One record a sync takes long: fewer give the same rate.
  const count = group === 1 && durability === 'fsync' ? Math.min(records, 2000) : records;
  const measured = await measure(async () => {
    let writes = 0;
    for (let done = 0; done < count; done += group) {
      writeSync(file, bytes);
      if (durability === 'fsync') fdatasyncSync(file);
      writes += 1;
    }
    return writes;
  }, count);
  closeSync(file);
  rmSync(folder, { recursive: true });
  return measured;
}

const whole = (value: number): string => Math.round(value).toLocaleString('en');
process.stdout.write(
  [
    '| durability | appenders | partitions | records/s | records a write | CPU µs a record | plain loop, same groups, records/s | ratio | plain loop, one a write, records/s | ratio |',
    '| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |',
    '',
  ].join('\n'),
);
for (const durability of ['fsync', 'os'] as const) {
  const single = await plain(durability, 1);
  for (const [appenders, partitions] of [
    [64, 1],
    [256, 1],
    [256, 4],
  ] as const) {
    const log = await throughLog(durability, appenders, partitions);
    const group = records / log.writes;
    const same = await plain(durability, Math.max(1, Math.round(group)));
    const cells = [
      durability,
      appenders,
      partitions,
      whole(log.perSecond),
      whole(group),
      log.cpuMicros.toFixed(1),
      whole(same.perSecond),
      (log.perSecond / same.perSecond).toFixed(2),
      whole(single.perSecond),
      (log.perSecond / single.perSecond).toFixed(2),
    ];
    process.stdout.write(`| ${cells.join(' | ')} |\n`);
    tell({
      benchmark: 'log',
      measure: `records of 1 kB appended by ${appenders} at once to ${partitions} partitions, ${durability === 'fsync' ? 'each group synced to the disk' : 'left to the system to write'}`,
      ours: log.perSecond,
      reference: same.perSecond,
      against: 'a plain loop that writes the same groups',
      ratio: log.perSecond / same.perSecond,
      unit: 'records a second',
      target: null,
      met: null,
      noise: null,
      command: 'npx tsx bench/log.ts',
    });
  }
}
