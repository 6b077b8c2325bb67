/** A full disk, a failing device, an unwritable folder, overload: clear, and nothing that was acknowledged is lost. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SegmentIo, systemIo } from '../../../lib/adapters/disk/segment-io.ts';
import { SegmentLog, type SegmentLogOptions } from '../../../lib/adapters/disk/segment-log.ts';
import { SegmentLogView } from '../../../lib/adapters/disk/segment-log-view.ts';
import { type LogRecord, TransientError } from '../../../lib/pipeline/ports.ts';
import { readAll } from '../../pipeline/conformance/event-log.ts';

const text = (record: LogRecord): string => Buffer.from(record.data).toString();
const one = (data: string, key = 'k') => [{ key, data: Buffer.from(data) }];
const failure = (code: string): Error => Object.assign(new Error(`${code}: from the test`), { code });

let folder = '';
let now = 1000;
const clock = { now: () => now };
/** What the next calls do. */
let faults: { write?: string; sync?: string; truncate?: string; hold?: Promise<void> } = {};
const io: SegmentIo = {
  async write(file, buffer, offset, length, position) {
    if (faults.write === undefined) return systemIo.write(file, buffer, offset, length, position);
    // A disk that fills up takes a part first.
    await systemIo.write(file, buffer, offset, Math.floor(length / 2), position);
    throw failure(faults.write);
  },
  async sync(file) {
    await faults.hold;
    if (faults.sync !== undefined) throw failure(faults.sync);
    await systemIo.sync(file);
  },
  async truncate(file, length) {
    if (faults.truncate !== undefined) throw failure(faults.truncate);
    await systemIo.truncate(file, length);
  },
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-faults-'));
  faults = {};
  now = 1000;
});
afterEach(() => rm(folder, { recursive: true }));

const open = (options: Partial<SegmentLogOptions> = {}): Promise<SegmentLog> =>
  SegmentLog.open({ folder, clock, io, ...options });

async function texts(log: SegmentLog, partition = 'p0'): Promise<string[]> {
  return (await readAll(log, partition)).map(text);
}

describe('the log on a failing disk', () => {
  it('takes back what a full disk took half of, and goes on when there is room', async () => {
    const log = await open();
    await log.append(one('before'));
    faults.write = 'ENOSPC';
    const error = await log.append(one('lost'.repeat(100))).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(TransientError);
    expect((error as Error).message).toContain(`${folder}: cannot append to the log, got ENOSPC: the disk is full`);
    expect(await texts(log)).toEqual(['before']);
    faults = {};
    const [place] = await log.append(one('after'));
    expect(place).toEqual({ partition: 'p0', position: '1' });
    expect(await texts(log)).toEqual(['before', 'after']);
    await log.close();
    const again = await open();
    expect(again.problems).toEqual([]);
    expect(await texts(again)).toEqual(['before', 'after']);
    await again.close();
  });

  it('goes on when even taking back failed at first', async () => {
    const log = await open();
    await log.append(one('before'));
    faults = { write: 'ENOSPC', truncate: 'EIO' };
    await expect(log.append(one('x'.repeat(500)))).rejects.toThrow('ENOSPC');
    faults = { truncate: 'EIO' };
    await expect(log.append(one('y'))).rejects.toThrow('EIO');
    faults = {};
    await log.append(one('after'));
    await log.close();
    const again = await open();
    expect(again.problems).toEqual([]);
    expect(await texts(again)).toEqual(['before', 'after']);
    await again.close();
  });

  it('is mended when the process ended before it could take back', async () => {
    const log = await open();
    await log.append(one('before'));
    faults = { write: 'ENOSPC', truncate: 'EIO' };
    await expect(log.append(one('x'.repeat(500)))).rejects.toThrow('ENOSPC');
    await expect(log.close()).rejects.toThrow('EIO');
    faults = {};
    const again = await open();
    expect(again.problems.map((problem) => problem.kind)).toEqual(['torn']);
    await again.append(one('after'));
    expect(await texts(again)).toEqual(['before', 'after']);
    await again.close();
  });

  it('leaves a segment whose sync failed', async () => {
    const log = await open();
    await log.append(one('before'));
    faults.sync = 'EIO';
    await expect(log.append(one('lost'))).rejects.toThrow(/got EIO: the device failed/);
    faults = {};
    await log.append(one('after'));
    expect((await readdir(folder)).filter((file) => file.endsWith('.segment'))).toHaveLength(2);
    expect(await texts(log)).toEqual(['before', 'after']);
    expect((await log.read('p0', '0', { records: 9, bytes: 99 })).gap).toBeNull();
    await log.close();
  });

  it('fails only the appends of the group that failed', async () => {
    const log = await open();
    await log.append(one('0'));
    faults.write = 'ENOSPC';
    const failed = Array.from({ length: 20 }, (_, i) => log.append(one(`failed ${i}`)));
    for (const outcome of await Promise.allSettled(failed)) expect(outcome.status).toBe('rejected');
    faults = {};
    await Promise.all(Array.from({ length: 20 }, (_, i) => log.append(one(`good ${i}`))));
    expect(await texts(log)).toEqual(['0', ...Array.from({ length: 20 }, (_, i) => `good ${i}`)]);
    await log.close();
  });

  it('says so when the folder cannot be written', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(open({ folder: join(file, 'log') })).rejects.toThrow(
      `${join(file, 'log')}: cannot open the log for writing, got ENOTDIR: a part of the path is a file; expected a folder`,
    );
  });

  it('takes nothing after it was closed, but can still be read', async () => {
    const log = await open();
    await log.append(one('0'));
    await log.close();
    await expect(log.append(one('1'))).rejects.toThrow('closed');
    await expect(log.split('p0')).rejects.toThrow('closed');
    expect(await texts(log)).toEqual(['0']);
  });
});

describe('group write', () => {
  it('writes what comes during a write with the next one', async () => {
    let writes = 0;
    const counting: SegmentIo = {
      ...systemIo,
      write: (...call) => {
        writes += 1;
        return systemIo.write(...call);
      },
    };
    const log = await open({ io: counting });
    await Promise.all(Array.from({ length: 500 }, (_, i) => log.append(one(`${i}`))));
    expect(writes).toBeLessThan(5);
    expect(await texts(log)).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`));
    await log.close();
  });

  it('shows a record to nobody before it is durable, and partitions() waits for those under way', async () => {
    const log = await open();
    const view = new SegmentLogView({ folder });
    await log.append(one('first'));
    let release = (): void => undefined;
    faults.hold = new Promise((resolve) => {
      release = resolve;
    });
    const second = log.append(one('second'));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await texts(log)).toEqual(['first']);
    expect((await readAll(view, 'p0')).map(text)).toEqual(['first']);
    expect((await view.partitions())[0]?.head).toBe('0');
    const states = log.partitions();
    expect(await Promise.race([states.then(() => 'told'), new Promise((resolve) => setTimeout(resolve, 30))])).toBe(
      undefined,
    );
    release();
    expect((await states)[0]?.head).toBe('1');
    await second;
    expect((await readAll(view, 'p0')).map(text)).toEqual(['first', 'second']);
    await view.close();
    await log.close();
  });

  it('stamps a record when it was taken, not when it was written', async () => {
    const log = await open();
    const first = log.append(one('a'));
    now = 5000;
    const second = log.append(one('b'));
    now = 3000;
    const third = log.append(one('c'));
    await Promise.all([first, second, third]);
    expect((await readAll(log, 'p0')).map((record) => record.appendTime)).toEqual([1000, 5000, 5000]);
    await log.close();
  });

  it('takes records larger than a group and a segment', async () => {
    const log = await open({ segmentBytes: 100_000, durability: 'os' });
    const sizes = [3_000_000, 10, 9_000_000, 20, 5_000_000];
    await Promise.all(sizes.map((size, i) => log.append(one(String(i).repeat(size)))));
    const records = await readAll(log, 'p0');
    expect(records.map((record) => record.data.length)).toEqual(sizes);
    expect(records.every((record, i) => record.data.every((byte) => byte === 48 + i))).toBe(true);
    await log.close();
  });

  it('refuses more than it can hold', async () => {
    const log = await open({ durability: 'os' });
    const big = Buffer.alloc(65 * 1024 * 1024);
    await expect(log.append([{ key: 'k', data: big }])).rejects.toThrow(/expected at most 67108864/);
    const half = big.subarray(0, 50 * 1024 * 1024);
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => log.append([{ key: 'k', data: half }])));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect((outcomes[2] as PromiseRejectedResult).reason).toBeInstanceOf(TransientError);
    await log.close();
  });
});

describe('retention', () => {
  it('deletes whole segments by age, keeps the head, and tells a reader of the gap', async () => {
    const log = await open({ retention: { ageMs: 8000 }, durability: 'os' });
    for (let i = 0; i < 40; i++) {
      now = 1000 + i * 500;
      await log.append(one(`${i}`));
    }
    const [state] = await log.partitions();
    expect(state?.head).toBe('39');
    const kept = await readAll(log, 'p0');
    const oldest = kept[0] as LogRecord;
    expect(oldest.position).toBe(state?.first);
    expect(now - oldest.appendTime).toBeGreaterThanOrEqual(8000);
    expect(now - oldest.appendTime).toBeLessThan(8000 + 3000);
    expect((await log.read('p0', '3', { records: 1, bytes: 1 })).gap).toEqual({ after: '3', first: oldest.position });

    now += 100_000;
    await log.expire();
    expect((await log.partitions())[0]).toMatchObject({ first: null, head: '39', headAppendTime: 20_500 });
    expect((await log.read('p0', null, { records: 1, bytes: 1 })).records).toEqual([]);
    await log.append(one('after'));
    expect((await log.read('p0', '30', { records: 1, bytes: 1 })).gap).toEqual({ after: '30', first: '40' });
    await log.close();
    const again = await open();
    expect((await again.partitions())[0]).toMatchObject({ first: '40', head: '40' });
    await again.close();
  });

  it('deletes the oldest segments beyond a size', async () => {
    const log = await open({ retention: { bytes: 20_000 }, segmentBytes: 5000, durability: 'os' });
    for (let i = 0; i < 100; i++) await log.append(one('x'.repeat(1000)));
    let size = 0;
    for (const file of await readdir(folder)) size += (await stat(join(folder, file))).size;
    expect(size).toBeLessThan(26_000);
    expect((await log.partitions())[0]?.head).toBe('99');
    await log.close();
  });

  it('does not disturb a reader in the middle of it', async () => {
    const log = await open({ retention: { bytes: 4000 }, segmentBytes: 1000, durability: 'os' });
    let read = 0;
    let lost = 0;
    let after: string | null = null;
    const reader = async (): Promise<void> => {
      while (after === null || Number(after) < 599) {
        const result = await log.read('p0', after, { records: 3, bytes: 10_000 });
        if (result.gap !== null) lost += Number(result.gap.first) - Number(result.gap.after) - 1;
        for (const record of result.records) {
          expect(text(record)).toBe(`${record.position} ${'x'.repeat(50)}`);
          after = record.position;
          read += 1;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const reading = reader();
    for (let i = 0; i < 600; i++) await log.append(one(`${i} ${'x'.repeat(50)}`));
    await reading;
    expect(read + lost).toBeGreaterThanOrEqual(600 - 30);
    expect(read + lost).toBeLessThanOrEqual(600);
    await log.close();
  });
});

describe('partitions', () => {
  it('splits and merges while appends are under way, losing and reordering nothing', async () => {
    const log = await open({ partitions: 2, durability: 'os', segmentBytes: 3000 });
    const appends: Promise<unknown>[] = [];
    for (let i = 0; i < 200; i++) {
      appends.push(log.append(one(`${i}`, `key ${i % 10}`)));
      if (i === 50) appends.push(log.split('p0'));
      if (i === 100) appends.push(log.merge('p1', 'p3'));
      if (i % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(appends);
    const states = await log.partitions();
    expect(states.map((state) => [state.id, state.parents, state.closed])).toEqual([
      ['p0', [], true],
      ['p1', [], true],
      ['p2', ['p0'], false],
      ['p3', ['p0'], true],
      ['p4', ['p3', 'p1'], false],
    ]);
    // Parents first: then the records of a key are in order.
    const all = (await Promise.all(['p0', 'p1', 'p2', 'p3', 'p4'].map((id) => texts(log, id)))).flat().map(Number);
    expect([...all].sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i));
    for (let key = 0; key < 10; key++) {
      const ofKey = all.filter((i) => i % 10 === key);
      expect(ofKey).toEqual([...ofKey].sort((a, b) => a - b));
    }
    await log.close();
    expect(JSON.parse(await readFile(join(folder, 'log.json'), 'utf8'))).toMatchObject({ schema: 'mlmon.log/v1' });
    const again = await open();
    expect(await again.partitions()).toEqual(states);
    await again.close();
  });
});
