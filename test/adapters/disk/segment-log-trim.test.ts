/** A log whose only reader says how far it is, and whose marks are written in the background. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { SegmentLog } from '../../../lib/adapters/disk/segment-log.ts';

const clock = { now: () => 1_000 };

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'mlmon-trim-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function segments(path: string): Promise<number> {
  return (await readdir(path)).filter((name) => name.endsWith('.segment')).length;
}

it('is trimmed by whole segments up to a position, never beyond it', async () => {
  const path = await folder();
  const log = await SegmentLog.open({ folder: path, clock, durability: 'os', segmentBytes: 4_096 });
  for (let i = 0; i < 40; i++) await log.append([{ key: '', data: Buffer.alloc(1_000, i) }]);
  const before = log.bytes;
  expect(await segments(path)).toBeGreaterThan(10);
  expect(await log.trim('0')).toBe(0);
  expect(await log.trim('20')).toBeGreaterThan(3);
  const [state] = await log.partitions();
  expect(Number(state!.first)).toBeLessThanOrEqual(21);
  const { records, gap } = await log.read(state!.id, '20', { records: 100, bytes: 1e6 });
  expect([records.length, gap, records[0]!.data[0]]).toEqual([19, null, 21]);
  await log.trim('39');
  expect(await segments(path)).toBe(1);
  expect(log.bytes).toBeLessThan(before / 5);
  await log.append([{ key: '', data: Buffer.from('next') }]);
  expect((await log.read(state!.id, '39', { records: 1, bytes: 1e6 })).records).toHaveLength(1);
  await log.close();
});

it('is not trimmed by one position when it has several partitions', async () => {
  const log = await SegmentLog.open({ folder: await folder(), clock, durability: 'os', partitions: 2 });
  await expect(log.trim('0')).rejects.toThrow(/one partition/);
  await log.close();
});

it('keeps what was appended when its marks are written in the background', async () => {
  const path = await folder();
  const options = { folder: path, clock, durability: 'os', marksInBackground: true } as const;
  const log = await SegmentLog.open(options);
  await Promise.all(Array.from({ length: 50 }, (_, i) => log.append([{ key: '', data: Buffer.from(`r${i}`) }])));
  await log.append([{ key: '', data: Buffer.from('last') }]);
  await log.close();
  const again = await SegmentLog.open(options);
  const [state] = await again.partitions();
  expect([state!.head, again.problems]).toEqual(['50', []]);
  const { records } = await again.read(state!.id, '49', { records: 9, bytes: 1e6 });
  expect(Buffer.from(records[0]!.data).toString()).toBe('last');
  await again.close();
});
