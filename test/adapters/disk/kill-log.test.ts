/** The log under a real kill -9 at every kind of moment, against what the killed process had acknowledged. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SegmentLog } from '../../../lib/adapters/disk/segment-log.ts';
import { SegmentLogView } from '../../../lib/adapters/disk/segment-log-view.ts';
import { readAll } from '../../pipeline/conformance/event-log.ts';
import { bundleChild, faultSeeds, runChild } from './children/run-child.ts';

const clock = { now: () => Date.now() };
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kill-log-'));
});
afterAll(() => rm(folder, { recursive: true }));

interface Payload {
  readonly id: string;
  readonly index: number;
  readonly of: number;
}

/** Everything the log holds, after checking the laws that need no knowledge of the writer. */
async function contents(log: SegmentLog): Promise<Map<string, Payload>> {
  const records = new Map<string, Payload>();
  const calls = new Map<string, { of: number; seen: Set<number> }>();
  for (const { id, head } of await log.partitions()) {
    const partition = await readAll(log, id);
    partition.forEach((record, i) => {
      expect(record.position).toBe(String(i));
      if (i > 0) expect(record.appendTime).toBeGreaterThanOrEqual(partition[i - 1]?.appendTime ?? 0);
      const payload = JSON.parse(Buffer.from(record.data).toString()) as Payload;
      records.set(`${id} ${record.position}`, payload);
      const call = calls.get(payload.id) ?? { of: payload.of, seen: new Set() };
      expect(call.seen.has(payload.index), `${payload.id} twice`).toBe(false);
      call.seen.add(payload.index);
      calls.set(payload.id, call);
    });
    expect(head).toBe(partition.at(-1)?.position ?? null);
  }
  for (const [id, call] of calls) expect(call.seen.size, `all or none of ${id}`).toBe(call.of);
  return records;
}

describe('the log under kill -9', () => {
  const seeds = faultSeeds(24);
  const generations = 3;

  it(
    `keeps all that was acknowledged, and appends whole or not at all (${seeds} kills)`,
    async () => {
      const bundle = await bundleChild('append-and-die', folder);
      let acknowledged = 0;
      let torn = 0;
      const one = async (first: number): Promise<void> => {
        const place = join(folder, `log-${first}`);
        const acks = new Map<string, string>();
        let identity: string | null = null;
        for (let seed = first; seed < Math.min(first + generations, seeds); seed++) {
          const { lines, signal } = await runChild(bundle, [place, String(seed)]).ended;
          expect(signal).toBe('SIGKILL');
          for (const line of lines) {
            const match = /^ack (\S+) (\d+) (\S+) (\d+)$/.exec(line);
            if (match !== null) acks.set(`${match[3]} ${match[4]}`, `${match[1]} ${match[2]}`);
          }
          const log = await SegmentLog.open({ folder: place, clock, partitions: 3, durability: 'os' });
          identity ??= await log.identity();
          expect(await log.identity()).toBe(identity);
          const found = await contents(log);
          for (const [where, what] of acks) {
            const payload = found.get(where);
            expect(`${payload?.id} ${payload?.index}`, `seed ${seed}, ${where}`).toBe(what);
          }
          expect(log.problems.filter((problem) => problem.kind !== 'torn')).toEqual([]);
          torn += log.problems.length;
          await log.close();
        }
        acknowledged += acks.size;
        await rm(place, { recursive: true });
      };
      const firsts = Array.from({ length: Math.ceil(seeds / generations) }, (_, i) => i * generations);
      const lane = async (): Promise<void> => {
        for (let first = firsts.shift(); first !== undefined; first = firsts.shift()) await one(first);
      };
      await Promise.all([lane(), lane()]);
      // The test would prove nothing if nothing had been acknowledged or torn.
      expect(acknowledged).toBeGreaterThan(seeds);
      expect(torn).toBeGreaterThan(0);
    },
    60_000 + seeds * 1000,
  );

  it('has one writer; a killed one gives way at once; readers read meanwhile', async () => {
    const bundle = await bundleChild('hold-log', folder);
    const place = join(folder, 'held');
    const holder = runChild(bundle, [place]);
    await holder.until('open');
    await expect(SegmentLog.open({ folder: place, clock })).rejects.toThrow(
      `is being written by process ${holder.process.pid}`,
    );
    const second = await runChild(bundle, [place]).ended;
    expect(second.lines[0]).toContain(`refused ${place}: the log is being written by process ${holder.process.pid}`);

    const view = new SegmentLogView({ folder: place });
    expect((await readAll(view as never, 'p0')).map((record) => Buffer.from(record.data).toString())).toEqual([
      `held by ${holder.process.pid}`,
    ]);
    await expect(view.append()).rejects.toThrow('open for reading');

    holder.process.kill('SIGKILL');
    await holder.ended;
    const log = await SegmentLog.open({ folder: place, clock });
    await log.append([{ key: 'k', data: Buffer.from('next') }]);
    expect(await readAll(view as never, 'p0')).toHaveLength(2);
    expect(await view.identity()).toBe(await log.identity());
    await view.close();
    await log.close();
  });

  it('never has two writers, however many try at once', async () => {
    const bundle = await bundleChild('hold-log', folder);
    const place = join(folder, 'contended');
    const children = Array.from({ length: 4 }, () => runChild(bundle, [place]));
    const outcomes = await Promise.all(
      children.map((child) => Promise.race([child.until('open'), child.until('refused')])),
    );
    expect(outcomes.filter((line) => line === 'open').length).toBeLessThanOrEqual(1);
    for (const child of children) child.process.kill('SIGKILL');
    await Promise.all(children.map((child) => child.ended));
    await (await SegmentLog.open({ folder: place, clock })).close();
  });
});
