/** Every way to spoil the files of a log: what is read is what was written, and what is missing is told. */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SegmentIo, systemIo } from '../../../lib/adapters/disk/segment-io.ts';
import { SegmentLog } from '../../../lib/adapters/disk/segment-log.ts';
import type { LogRecord } from '../../../lib/pipeline/ports.ts';

const clock = { now: () => 1000 };
/** The files are copied, never cut off from power: nothing needs to reach the device. */
const io: SegmentIo = { ...systemIo, sync: async () => undefined };
const WIDE = { records: 1000, bytes: 1 << 20 };
/** Where a companion test goes byte by byte, a third of the bytes is enough unless FAULT_SEEDS asks for more. */
const STEP = process.env['FAULT_SEEDS'] === undefined ? 3 : 1;
const LAST = '00000003.segment';

let folder = '';
let original = '';
/** By partition, in order. */
const written = new Map<string, string[]>();
/** Records in the frames before the last two, by partition. */
const early = new Map<string, number>();
/** Where the last two frames begin in the last segment. */
let tailBegins = 0;
let lastFrameBegins = 0;

const text = (record: LogRecord): string => Buffer.from(record.data).toString();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'log-damage-'));
  original = join(folder, 'original');
  const log = await SegmentLog.open({
    folder: original,
    clock,
    partitions: 2,
    durability: 'os',
    segmentBytes: 700,
    io,
  });
  let n = 0;
  const append = async (count: number): Promise<void> => {
    const records = Array.from({ length: count }, () => ({ key: `${n}`, data: Buffer.from(`rec${n++}`) }));
    (await log.append(records)).forEach(({ partition }, i) => {
      written.set(partition, [...(written.get(partition) ?? []), records[i]?.data.toString() as string]);
    });
  };
  const sizeOfLast = async (): Promise<number> => (await readFile(join(original, LAST))).length;
  while (!(await readdir(original)).includes(LAST)) await append(3);
  for (const [partition, records] of written) early.set(partition, records.length);
  tailBegins = await sizeOfLast();
  await append(2);
  lastFrameBegins = await sizeOfLast();
  await append(1);
  await log.close();
});
afterAll(() => rm(folder, { recursive: true }));

let copies = 0;
/** A copy of the log's files; `mark`: with the note of what was acknowledged. */
async function spoil(mark: boolean, change: (bytes: Buffer<ArrayBuffer>) => Buffer, file = LAST): Promise<string> {
  const copy = join(folder, `copy-${copies++}`);
  await mkdir(copy);
  for (const name of await readdir(original)) {
    if (name === 'acknowledged' && !mark) continue;
    if (name === file) await writeFile(join(copy, name), change(await readFile(join(original, name))));
    else await cp(join(original, name), join(copy, name));
  }
  return copy;
}

interface Seen {
  readonly records: ReadonlyMap<string, ReadonlyMap<number, string>>;
  readonly gaps: number;
  readonly problems: readonly string[];
  readonly next: readonly number[];
}

/** Opens, reads all, appends, opens again: what holds for any damage is checked here. */
async function survive(copy: string): Promise<Seen> {
  const options = { folder: copy, clock, partitions: 2, durability: 'os', segmentBytes: 700, io } as const;
  let log = await SegmentLog.open(options);
  const look = async (): Promise<{ records: Map<string, Map<number, string>>; gaps: number }> => {
    const records = new Map<string, Map<number, string>>();
    let gaps = 0;
    for (const { id } of await log.partitions()) {
      const found = new Map<number, string>();
      let after: string | null = null;
      for (;;) {
        const result = await log.read(id, after, WIDE);
        if (result.gap !== null) {
          gaps += 1;
          expect(result.gap.first).toBe(result.records[0]?.position);
        }
        if (result.records.length === 0) break;
        for (const record of result.records) found.set(Number(record.position), text(record));
        after = result.records.at(-1)?.position as string;
      }
      records.set(id, found);
    }
    return { records, gaps };
  };
  const before = await look();
  const next = (await log.partitions()).map(({ head }) => (head === null ? 0 : Number(head) + 1));
  // Appends go on, at positions that were never given to a record anybody can have seen.
  const places = await log.append(['a', 'b', 'c', 'd'].map((key) => ({ key, data: Buffer.from(`new ${key}`) })));
  expect(new Set(places.map((place) => place.partition)).size).toBe(2);
  const problems = log.problems.map((problem) => `${problem.kind}`);
  for (const problem of log.problems) {
    expect(problem.message).toContain(problem.file);
    if (problem.kind !== 'lost') expect(problem.message).toMatch(new RegExp(`\\b${problem.offset}\\b`));
  }
  const told = log.problems.map((problem) => `${problem.kind} ${problem.file} ${problem.offset}`);
  await log.close();
  log = await SegmentLog.open(options);
  const after = await look();
  places.forEach(({ partition, position }, i) => {
    expect(after.records.get(partition)?.get(Number(position))).toBe(`new ${'abcd'[i]}`);
  });
  for (const [partition, records] of before.records) {
    for (const [position, record] of records) expect(after.records.get(partition)?.get(position)).toBe(record);
  }
  // What was mended stays mended, what is damaged is told again, and nothing new came of it.
  expect(log.problems.some((problem) => problem.kind === 'torn' || problem.kind === 'lost')).toBe(false);
  for (const problem of log.problems) expect(told).toContain(`${problem.kind} ${problem.file} ${problem.offset}`);
  await log.close();
  await rm(copy, { recursive: true });
  return { records: before.records, gaps: after.gaps, problems, next };
}

/** Each record read is the one written at that position. Returns how many are missing. */
function missing(seen: Seen): number {
  let count = 0;
  for (const [partition, records] of written) {
    const found = seen.records.get(partition) ?? new Map<number, string>();
    for (const [position, record] of found) expect(record).toBe(records[position]);
    count += records.length - found.size;
  }
  return count;
}

function expectEarlyOnes(seen: Seen): void {
  for (const [partition, count] of early) {
    for (let i = 0; i < count; i++) expect(seen.records.get(partition)?.has(i)).toBe(true);
  }
}

describe('a log whose files were spoilt', () => {
  it('is whole when they were not', async () => {
    const seen = await survive(await spoil(true, (bytes) => bytes));
    expect(missing(seen)).toBe(0);
    expect(seen.problems).toEqual([]);
    expect(seen.gaps).toBe(0);
  });

  it('cut at any byte, not acknowledged: the torn frame goes, all before stays', async () => {
    const size = (await readFile(join(original, LAST))).length;
    for (let cut = tailBegins; cut <= size; cut++) {
      const seen = await survive(await spoil(false, (bytes) => bytes.subarray(0, cut)));
      expectEarlyOnes(seen);
      const whole = cut === size ? 3 : cut >= lastFrameBegins ? 2 : 0;
      expect(missing(seen), `cut at ${cut}`).toBe(3 - whole);
      const clean = cut === size || cut === lastFrameBegins || cut === tailBegins;
      expect(seen.problems).toEqual(clean ? [] : ['torn']);
      expect(seen.gaps).toBe(0);
    }
  });

  it('cut at any byte, acknowledged: the loss is told, no position is used twice', async () => {
    const size = (await readFile(join(original, LAST))).length;
    for (let cut = tailBegins; cut < size; cut += STEP) {
      const seen = await survive(await spoil(true, (bytes) => bytes.subarray(0, cut)));
      expectEarlyOnes(seen);
      expect(missing(seen)).toBe(cut >= lastFrameBegins ? 1 : 3);
      expect(seen.problems).toContain('lost');
      expect(seen.next).toEqual(['p0', 'p1'].map((id) => written.get(id)?.length));
      expect(seen.gaps).toBeGreaterThan(0);
    }
  });

  it('flipped at any byte of the end, not acknowledged: only whole frames stay', async () => {
    const size = (await readFile(join(original, LAST))).length;
    for (let at = tailBegins; at < size; at += STEP) {
      const seen = await survive(await spoil(false, (bytes) => flip(bytes, at)));
      expectEarlyOnes(seen);
      const lost = missing(seen);
      expect(lost).toBeGreaterThan(0);
      expect(seen.problems.length).toBeGreaterThan(0);
      // The frame after a damaged one is good, so the damage is in the middle and nothing after it is given up.
      if (at < lastFrameBegins) expect(lost).toBeLessThanOrEqual(2);
      else expect(seen.problems).toEqual(['torn']);
    }
  });

  it('flipped at any byte of the end, acknowledged: told, skipped as a gap, no position used twice', async () => {
    const size = (await readFile(join(original, LAST))).length;
    for (let at = tailBegins; at < size; at++) {
      const seen = await survive(await spoil(true, (bytes) => flip(bytes, at)));
      expectEarlyOnes(seen);
      const lost = missing(seen);
      expect(lost, `flipped ${at}`).toBeGreaterThan(0);
      expect(lost).toBeLessThanOrEqual(2);
      expect(seen.problems).toContain('damaged');
      expect(seen.problems).not.toContain('torn');
      expect(seen.next).toEqual(['p0', 'p1'].map((id) => written.get(id)?.length));
      expect(seen.gaps).toBeGreaterThan(0);
    }
  });

  it('loses one record to one damaged record in the middle', async () => {
    const seen = await survive(await spoil(true, (bytes) => flip(bytes, bytes.indexOf('rec')), '00000001.segment'));
    expect(missing(seen)).toBe(1);
    expect(seen.problems).toEqual(['damaged']);
  });

  it('survives any spoiling of any segment: what it returns was written there, what is missing is told', async () => {
    const spoiling = fc.record({
      file: fc.constantFrom('00000001.segment', '00000002.segment', LAST),
      mark: fc.boolean(),
      flips: fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 6 }),
      cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: 1, freq: 3 }),
      zeros: fc.option(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 400 })), {
        nil: null,
      }),
      junk: fc.uint8Array({ maxLength: 600, size: 'max' }),
    });
    await fc.assert(
      fc.asyncProperty(spoiling, async ({ file, mark, flips, cut, zeros, junk }) => {
        let before: Buffer = Buffer.alloc(0);
        let after: Buffer = Buffer.alloc(0);
        const copy = await spoil(
          mark,
          (bytes) => {
            before = bytes;
            let changed: Buffer = Buffer.from(bytes);
            for (const where of flips) changed = flip(changed, Math.floor(where * changed.length));
            if (zeros !== null) {
              const from = Math.floor(zeros[0] * changed.length);
              changed.fill(0, from, Math.min(changed.length, from + zeros[1]));
            }
            changed = changed.subarray(0, Math.floor(cut * changed.length));
            after = Buffer.concat([changed, junk]);
            return after;
          },
          file,
        );
        const seen = await survive(copy);
        // Without the mark nobody can tell an end that was cut off between two frames.
        if (missing(seen) > 0 && (mark || file !== LAST)) expect(seen.problems.length + seen.gaps).toBeGreaterThan(0);
        if (before.equals(after)) expect(seen.problems).toEqual([]);
      }),
      { numRuns: 120 },
    );
  });

  it('does not take data that looks like a frame for one', async () => {
    const place = join(folder, 'imitation');
    const options = { folder: place, clock, durability: 'os', io } as const;
    const bytes = await readFile(join(original, LAST));
    const log = await SegmentLog.open(options);
    for (let i = 0; i < 3; i++) await log.append([{ key: 'k', data: bytes.subarray(tailBegins) }]);
    await log.close();
    const path = join(place, '00000001.segment');
    const whole = await readFile(path);
    await writeFile(path, flip(whole, whole.indexOf(bytes.subarray(tailBegins)) - 40));
    const again = await SegmentLog.open(options);
    const { records, gap } = await again.read('p0', null, WIDE);
    expect(records.map((record) => record.position)).toEqual(['1', '2']);
    expect(gap?.first).toBe('1');
    await again.close();
  });

  it('refuses what it cannot mend, saying what to do', async () => {
    const place = join(folder, 'refusals');
    const copy = async (): Promise<void> => {
      await rm(place, { recursive: true, force: true });
      await cp(original, place, { recursive: true });
    };
    const open = (): Promise<SegmentLog> => SegmentLog.open({ folder: place, clock });
    await copy();
    await writeFile(join(place, 'log.json'), '{"schema":"mlm');
    await expect(open()).rejects.toThrow(/log\.json: damaged, got .* restore the file, or remove the folder/);
    await rm(join(place, 'log.json'));
    await expect(open()).rejects.toThrow(/log\.json: missing beside 3 segments/);
    await copy();
    const other = JSON.parse(await readFile(join(place, 'log.json'), 'utf8')) as Record<string, unknown>;
    await writeFile(
      join(place, 'log.json'),
      JSON.stringify({ ...other, identity: '00000000-0000-4000-8000-000000000000' }),
    );
    await expect(open()).rejects.toThrow('the files of two logs are mixed');
    await copy();
    await (await open()).close();
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  if (at >= 0 && at < changed.length) changed[at] = (changed[at] as number) ^ (1 << (at % 8));
  return changed;
}
