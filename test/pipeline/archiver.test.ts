import { describe, expect, it } from 'vitest';
import { CrashError, FaultInjector, type FaultyProcess } from '../../lib/adapters/memory/faults.ts';
import { MemoryLog } from '../../lib/adapters/memory/memory-log.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { type ArchiveProgress, Archiver, archivedThrough, splitLines } from '../../lib/pipeline/archiver.ts';
import { type CaptureWriter, ConflictError, TransientError } from '../../lib/pipeline/ports.ts';

const HOUR = 3_600_000;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Keeps lines as they are; a line that begins with `bad` is none. */
const plainWriter: CaptureWriter = {
  async encode(lines, appendTimes) {
    expect(appendTimes.length).toBe(lines.length);
    const good = lines.map(text).filter((line) => !line.startsWith('bad'));
    return { body: bytes(good.join('\n')), rows: good.length, failed: lines.length - good.length };
  },
};

async function captured(store: MemoryStore): Promise<Map<string, string[]>> {
  const objects = new Map<string, string[]>();
  for (const key of await store.list('capture/', { limit: 100_000 })) {
    const object = await store.get(key);
    objects.set(key, text(object?.body ?? new Uint8Array()).split('\n'));
  }
  return objects;
}

async function progressOf(log: MemoryLog, store: MemoryStore): Promise<ArchiveProgress[]> {
  const identity = await log.identity();
  const found: ArchiveProgress[] = [];
  for (const { id } of await log.partitions()) {
    const object = await store.get(keys.archive(identity, id));
    if (object !== null) found.push(JSON.parse(text(object.body)) as ArchiveProgress);
  }
  return found;
}

describe('archiver', () => {
  it('cuts at the hour, at the size and at the age, and waits otherwise', async () => {
    const clock = { time: 10 * HOUR, now: () => clock.time };
    const log = new MemoryLog({ clock, identity: 'log' });
    const store = new MemoryStore();
    const archiver = new Archiver({ log, store, writer: plainWriter, clock, maxBytes: 100, maxAgeMs: 60_000 });
    const put = (line: string): Promise<unknown> => log.append([{ key: 'k', data: bytes(line) }]);

    await put('a');
    expect(await archiver.step()).toEqual({ objects: 0, captured: 0, failed: 0, gaps: 0 });
    expect(await archivedThrough(log, store, clock)).toBe(Number.NEGATIVE_INFINITY);
    clock.time += 60_000;
    await put('b');
    expect((await archiver.step()).objects).toBe(1); // a and b: a is old enough
    expect(await archivedThrough(log, store, clock)).toBe(clock.time);

    await put('c');
    clock.time = 11 * HOUR - 1;
    await put('d');
    clock.time = 11 * HOUR;
    await put('e'.repeat(60));
    expect((await archiver.step()).objects).toBe(1); // c and d: their hour is over
    expect(await archivedThrough(log, store, clock)).toBe(11 * HOUR - 1);
    await put('f'.repeat(60));
    await put('g'.repeat(60));
    expect((await archiver.step()).objects).toBe(1); // e and f: the size
    const objects = [...(await captured(store)).values()].map((lines) => lines.map((line) => line[0]).join(''));
    expect(objects).toEqual(['ab', 'cd', 'ef']);
    expect([...(await captured(store)).keys()][2]).toBe(
      'capture/dt=1970-01-01/hr=11/log.0-4-5.parquet'.replace('.0-', `.${(await log.partitions())[0]?.id}-`),
    );
  });

  it('captures what a closed partition holds at once and goes on with its children', async () => {
    const clock = { time: HOUR, now: () => clock.time };
    const log = new MemoryLog({ clock });
    const store = new MemoryStore();
    const archiver = new Archiver({ log, store, writer: plainWriter, clock });
    await log.append([{ key: 'k', data: bytes('x\ny\n') }]);
    const [first] = await log.partitions();
    log.split(first?.id ?? '');
    expect(await archiver.step()).toEqual({ objects: 1, captured: 2, failed: 0, gaps: 0 });
  });

  it('counts lines that are no events, and writes no object for nothing', async () => {
    const clock = { time: HOUR, now: () => clock.time };
    const log = new MemoryLog({ clock });
    const store = new MemoryStore();
    const archiver = new Archiver({ log, store, writer: plainWriter, clock, maxAgeMs: 0 });
    await log.append([{ key: 'k', data: bytes('bad 1\n\n  \r\nbad 2') }]);
    await archiver.step();
    expect(await archiver.step()).toEqual({ objects: 0, captured: 0, failed: 2, gaps: 0 });
    await log.append([{ key: 'k', data: bytes('good\r\nbad 3\r\n') }]);
    await log.append([{ key: 'k', data: new Uint8Array(1_048_577) }]);
    await archiver.step();
    expect(await archiver.step()).toEqual({ objects: 1, captured: 1, failed: 2, gaps: 0 });
    expect((await progressOf(log, store))[0]).toMatchObject({ captured: 1, failed: 4, objects: 1, pending: null });
  });

  it('cuts a replay, whose hours pass in no time, by the hour alone', async () => {
    const clock = { time: 10 * HOUR, now: () => clock.time };
    const log = new MemoryLog({ clock });
    const store = new MemoryStore();
    const archiver = new Archiver({ log, store, writer: plainWriter, clock });
    let objects = 0;
    for (let i = 0; i < 80; i++) {
      await log.append([{ key: 'k', data: bytes(`${i}`) }]);
      clock.time += 0.75 * HOUR;
      objects += (await archiver.step()).objects;
    }
    expect(objects).toBe(new Set([...(await captured(store)).keys()].map((key) => key.slice(0, 30))).size);
  });

  it('notices what retention took before it was captured', async () => {
    const clock = { time: HOUR, now: () => clock.time };
    const log = new MemoryLog({ clock });
    const store = new MemoryStore();
    const archiver = new Archiver({ log, store, writer: plainWriter, clock, maxAgeMs: 0 });
    const put = (line: string): Promise<unknown> => log.append([{ key: 'k', data: bytes(line) }]);
    await put('a');
    await archiver.step();
    await archiver.step();
    await put('b');
    await put('c');
    await put('d');
    log.trim((await log.partitions())[0]?.id ?? '', '2');
    await archiver.step();
    expect((await archiver.step()).captured).toBe(1);
    expect((await progressOf(log, store))[0]).toMatchObject({ gaps: 1, latestGaps: [{ after: '0', first: '3' }] });
  });

  it('does not mistake a log made anew for the old one', async () => {
    const clock = { time: HOUR, now: () => clock.time };
    const log = new MemoryLog({ clock });
    const store = new MemoryStore();
    const archiver = new Archiver({ log, store, writer: plainWriter, clock, maxAgeMs: 0 });
    await log.append([{ key: 'k', data: bytes('old') }]);
    await archiver.step();
    await archiver.step();
    log.recreate();
    await log.append([{ key: 'k', data: bytes('new') }]);
    await archiver.step();
    await archiver.step();
    expect([...(await captured(store)).values()].flat().sort()).toEqual(['new', 'old']);
  });

  it('captures each record exactly once, whatever crashes, and with two archivers at once', async () => {
    let crashes = 0;
    for (let seed = 1; seed <= 150; seed++) {
      const clock = { time: 0, now: () => clock.time };
      const log = new MemoryLog({ clock, partitions: 2, firstPosition: 95n, stride: 3n });
      const store = new MemoryStore();
      const faults = new FaultInjector({
        seed,
        crash: 0.12,
        maxCrashes: 25,
        conflict: 0.05,
        transient: 0.05,
        delay: 2,
      });
      const expected: string[] = [];
      const start = (): { process: FaultyProcess; archiver: Archiver } => {
        const process = faults.process();
        const archiver = new Archiver({
          log: process.log(log),
          store: process.store(store),
          writer: plainWriter,
          clock,
          maxBytes: 40,
          maxAgeMs: Math.floor(faults.random() * HOUR),
        });
        return { process, archiver };
      };
      const pair = [start(), start()];
      const round = async (): Promise<void> => {
        await Promise.all(
          pair.map(async ({ archiver }, i) => {
            try {
              await archiver.step();
            } catch (error) {
              if (!(error instanceof CrashError || error instanceof TransientError || error instanceof ConflictError))
                throw error;
              if (pair[i]?.process.dead) pair[i] = start();
            }
          }),
        );
      };
      for (let i = 0; i < 40; i++) {
        clock.time += Math.floor(faults.random() * 0.4 * HOUR);
        const count = Math.floor(faults.random() * 4);
        for (let j = 0; j < count; j++) {
          const line = `${faults.random() < 0.1 ? 'bad' : 'line'} ${i}.${j}`;
          expected.push(line);
          await log.append([{ key: `${j}`, data: bytes(line) }]);
        }
        await round();
      }
      faults.disable();
      clock.time += 2 * HOUR;
      await round();
      await round();
      const objects = await captured(store);
      const found = [...objects.values()].flat().sort();
      expect(found).toEqual(expected.filter((line) => line.startsWith('line')).sort());
      const progress = await progressOf(log, store);
      expect(progress.reduce((sum, one) => sum + one.captured, 0)).toBe(found.length);
      expect(progress.reduce((sum, one) => sum + one.failed, 0)).toBe(expected.length - found.length);
      expect(progress.reduce((sum, one) => sum + one.objects, 0)).toBe(objects.size);
      expect(await archivedThrough(log, store, clock)).toBe(clock.time);
      crashes += faults.counts.crashes;
    }
    expect(crashes).toBeGreaterThan(1_000);
  });
});

describe('splitLines', () => {
  it('ends lines at LF or CRLF and drops blank ones', () => {
    expect(splitLines(bytes('a\n\nb\r\n \t\nc')).map(text)).toEqual(['a', 'b', 'c']);
    expect(splitLines(bytes(''))).toEqual([]);
    expect(splitLines(bytes('\r\n'))).toEqual([]);
  });
});
