/**
 * What every EventLog must do. An adapter runs it as `eventLogConformance('kinesis', make)`; optional abilities of the
 * subject (reopen, recreate, split, expire) switch on the laws that need them.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { type Clock, comparePositions, type EventLog, type LogRecord } from '../../../lib/pipeline/ports.ts';

export interface EventLogSubject {
  /** The log under test, with the number of partitions and the clock asked for. */
  readonly log: EventLog;
  /** Whether the subject takes its append times from the clock given. */
  readonly controlsTime: boolean;
  /** Whether it tells the first and the newest position of a partition. @default true */
  readonly tellsHeads?: boolean;
  /** The same log after a restart. */
  reopen?(): Promise<EventLog>;
  /** The log after it was deleted and made again. */
  recreate?(): Promise<EventLog>;
  /** Closes a partition and opens children. */
  split?(partition: string): Promise<void>;
  /** Loses the oldest records of every partition but keeps at least the newest one. */
  expire?(): Promise<void>;
  close(): Promise<void>;
}

export interface EventLogSetup {
  readonly partitions: number;
  readonly clock: Clock;
}

const WIDE = { records: 1_000_000, bytes: 1 << 30 };
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (record: LogRecord): string => new TextDecoder().decode(record.data);

export async function readAll(log: EventLog, partition: string): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (;;) {
    const { records: more } = await log.read(partition, records.at(-1)?.position ?? null, {
      records: 7,
      bytes: 1 << 20,
    });
    if (more.length === 0) return records;
    records.push(...more);
  }
}

export function eventLogConformance(name: string, make: (setup: EventLogSetup) => Promise<EventLogSubject>): void {
  describe(`event log: ${name}`, () => {
    let time = 1_000_000;
    let subject: EventLogSubject | null = null;
    const open = async (partitions = 1): Promise<EventLogSubject> => {
      time = 1_000_000;
      subject = await make({ partitions, clock: { now: () => time } });
      return subject;
    };
    afterEach(async () => {
      await subject?.close();
      subject = null;
    });
    const only = async (log: EventLog): Promise<string> => (await log.partitions())[0]?.id as string;

    it('begins empty', async () => {
      const { log } = await open(3);
      const partitions = await log.partitions();
      expect(partitions).toHaveLength(3);
      expect(new Set(partitions.map((partition) => partition.id)).size).toBe(3);
      for (const partition of partitions) {
        expect(partition).toMatchObject({ parents: [], closed: false, first: null, head: null, headAppendTime: null });
        expect(await log.read(partition.id, null, WIDE)).toEqual({ records: [], gap: null });
      }
    });

    it('returns every record in order, byte for byte', async () => {
      const { log } = await open();
      const partition = await only(log);
      const sent = ['a', '', 'ü\n{}', '\0\xff'.repeat(9), 'z'.repeat(5000)];
      for (const data of sent) await log.append([{ key: 'k', data: bytes(data) }]);
      const got = await readAll(log, partition);
      expect(got.map(text)).toEqual(sent);
      for (let i = 1; i < got.length; i++) {
        expect(comparePositions((got[i - 1] as LogRecord).position, (got[i] as LogRecord).position)).toBeLessThan(0);
      }
    });

    it('says where each record went', async () => {
      const { log } = await open(4);
      const sent = Array.from({ length: 50 }, (_, i) => ({ key: `key ${i}`, data: bytes(`record ${i}`) }));
      const places = await log.append(sent);
      expect(places).toHaveLength(50);
      const stored = new Map<string, string>();
      for (const { id } of await log.partitions()) {
        for (const record of await readAll(log, id)) stored.set(`${id} ${record.position}`, text(record));
      }
      expect(stored.size).toBe(50);
      places.forEach((place, i) => {
        expect(stored.get(`${place.partition} ${place.position}`)).toBe(`record ${i}`);
      });
    });

    it('takes an empty append', async () => {
      const { log } = await open();
      expect(await log.append([])).toEqual([]);
      expect((await log.partitions())[0]?.head).toBeNull();
    });

    it('sends equal keys to one partition and uses all partitions', async () => {
      const { log } = await open(4);
      const used = new Map<string, Set<string>>();
      for (let round = 0; round < 3; round++) {
        const keys = Array.from({ length: 64 }, (_, i) => `key ${i}`);
        const places = await log.append(keys.map((key) => ({ key, data: bytes(key) })));
        places.forEach((place, i) => {
          const key = keys[i] as string;
          used.set(key, (used.get(key) ?? new Set()).add(place.partition));
        });
      }
      expect([...used.values()].every((partitions) => partitions.size === 1)).toBe(true);
      expect(new Set([...used.values()].flatMap((partitions) => [...partitions])).size).toBe(4);
    });

    it('keeps the order of one key', async () => {
      const { log } = await open(2);
      const places = await Promise.all(
        Array.from({ length: 40 }, (_, i) => log.append([{ key: 'same', data: bytes(String(i)) }])),
      );
      const partition = places[0]?.[0]?.partition as string;
      const got = await readAll(log, partition);
      expect(got.map((record) => Number(text(record)))).toEqual(Array.from({ length: 40 }, (_, i) => i));
    });

    it('does not see later changes of the bytes it was given', async () => {
      const { log } = await open();
      const data = bytes('before');
      await log.append([{ key: 'k', data }]);
      data.fill(0);
      expect((await readAll(log, await only(log))).map(text)).toEqual(['before']);
    });

    it('reads after a position', async () => {
      const { log } = await open();
      const partition = await only(log);
      for (let i = 0; i < 10; i++) await log.append([{ key: 'k', data: bytes(String(i)) }]);
      const all = await readAll(log, partition);
      for (let i = 0; i < 10; i++) {
        const { records, gap } = await log.read(partition, (all[i] as LogRecord).position, WIDE);
        expect(records).toEqual(all.slice(i + 1));
        expect(gap).toBeNull();
      }
    });

    it('respects the limits but always gives one record', async () => {
      const { log } = await open();
      const partition = await only(log);
      await log.append(Array.from({ length: 10 }, (_, i) => ({ key: 'k', data: bytes(String(i).repeat(1000)) })));
      expect((await log.read(partition, null, { records: 3, bytes: 1 << 20 })).records).toHaveLength(3);
      const few = (await log.read(partition, null, { records: 100, bytes: 3000 })).records.length;
      expect(few).toBeGreaterThanOrEqual(1);
      expect(few).toBeLessThanOrEqual(4);
      expect((await log.read(partition, null, { records: 100, bytes: 1 })).records).toHaveLength(1);
    });

    it('reports head and append time', async () => {
      const { log, controlsTime, tellsHeads } = await open();
      if (tellsHeads === false) return;
      const partition = await only(log);
      const [place] = await log.append([{ key: 'k', data: bytes('1') }]);
      time += 5000;
      const [last] = await log.append([{ key: 'k', data: bytes('2') }]);
      const state = (await log.partitions())[0];
      expect(state?.first).toBe(place?.position);
      expect(state?.head).toBe(last?.position);
      const records = await readAll(log, partition);
      expect(state?.headAppendTime).toBe(records[1]?.appendTime);
      if (controlsTime) expect(records.map((record) => record.appendTime)).toEqual([1_000_000, 1_005_000]);
    });

    it('never lets append times descend', async () => {
      const { log } = await open();
      for (const at of [2_000_000, 1_500_000, 1_999_999, 2_000_001]) {
        time = at;
        await log.append([{ key: 'k', data: bytes(String(at)) }]);
      }
      const times = (await readAll(log, await only(log))).map((record) => record.appendTime);
      expect(times).toEqual([...times].sort((a, b) => a - b));
    });

    it('refuses an unknown partition', async () => {
      const { log } = await open();
      await expect(log.read('no such partition', null, WIDE)).rejects.toThrow('no such partition');
    });

    it('keeps an identity', async () => {
      const { log } = await open();
      expect(await log.identity()).not.toBe('');
      expect(await log.identity()).toBe(await log.identity());
    });

    it('is the same after a restart', async () => {
      const made = await open(2);
      if (made.reopen === undefined) return;
      const identity = await made.log.identity();
      await made.log.append(Array.from({ length: 20 }, (_, i) => ({ key: `${i}`, data: bytes(`record ${i}`) })));
      const before = await made.log.partitions();
      const records = await Promise.all(before.map(({ id }) => readAll(made.log, id)));
      const log = await made.reopen();
      expect(await log.identity()).toBe(identity);
      expect(await log.partitions()).toEqual(before);
      expect(await Promise.all(before.map(({ id }) => readAll(log, id)))).toEqual(records);
      time -= 100_000;
      const [place] = await log.append([{ key: 'after', data: bytes('after') }]);
      const grown = await readAll(log, place?.partition as string);
      expect(grown.at(-1)?.position).toBe(place?.position);
      expect(grown.at(-1)?.appendTime).toBeGreaterThanOrEqual(grown.at(-2)?.appendTime ?? 0);
    });

    it('has another identity after recreation', async () => {
      const made = await open();
      if (made.recreate === undefined) return;
      const identity = await made.log.identity();
      await made.log.append([{ key: 'k', data: bytes('old') }]);
      const log = await made.recreate();
      expect(await log.identity()).not.toBe(identity);
      expect((await log.partitions())[0]?.head).toBeNull();
    });

    it('closes a partition and opens children', async () => {
      const made = await open();
      if (made.split === undefined) return;
      const { log } = made;
      const keys = Array.from({ length: 64 }, (_, i) => ({ key: `key ${i}`, data: bytes(`key ${i}`) }));
      const parent = await only(log);
      await log.append(keys);
      await made.split(parent);
      const places = await log.append(keys);
      const states = await log.partitions();
      expect(states.find((state) => state.id === parent)?.closed).toBe(true);
      const children = states.filter((state) => !state.closed);
      expect(children.length).toBeGreaterThanOrEqual(2);
      expect(children.every((child) => child.parents.includes(parent))).toBe(true);
      expect(places.every((place) => children.some((child) => child.id === place.partition))).toBe(true);
      expect(await readAll(log, parent)).toHaveLength(64);
      const moved = await Promise.all(children.map((child) => readAll(log, child.id)));
      expect(moved.flat().map(text).sort()).toEqual(keys.map(({ key }) => key).sort());
      if (made.reopen === undefined) return;
      expect(await (await made.reopen()).partitions()).toEqual(states);
    });

    it('reports what retention lost as a gap', async () => {
      const made = await open();
      if (made.expire === undefined) return;
      const { log } = made;
      const partition = await only(log);
      for (let i = 0; i < 30; i++) await log.append([{ key: 'k', data: bytes(String(i).repeat(500)) }]);
      const all = await readAll(log, partition);
      const [oldest] = all as [LogRecord];
      await made.expire();
      const state = (await log.partitions())[0];
      expect(state?.head).toBe(all.at(-1)?.position);
      expect(comparePositions(state?.first ?? '0', oldest.position)).toBeGreaterThan(0);
      const { records, gap } = await log.read(partition, oldest.position, WIDE);
      expect(gap).toEqual({ after: oldest.position, first: state?.first });
      expect(records[0]?.position).toBe(state?.first);
      expect(await log.read(partition, null, WIDE)).toEqual({ records, gap: null });
      const kept = records[0] as LogRecord;
      expect((await log.read(partition, kept.position, WIDE)).gap).toBeNull();
    });
  });
}
