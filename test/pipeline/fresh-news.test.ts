import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import type { PerformanceResult } from '../../lib/contracts/result.ts';
import { announce, keyOfResult } from '../../lib/pipeline/bulletins.ts';
import { FreshNews } from '../../lib/pipeline/fresh-news.ts';
import { encodeJson } from '../../lib/pipeline/json-object.ts';

const HOUR = 3_600_000;
const START = Date.parse('2001-02-01T00:00:00Z');

/** As much of a result as news looks at. */
function result(n: number): PerformanceResult {
  const start = new Date(START + n * HOUR).toISOString();
  const made = {
    schema: 'mlmon.performance/v1',
    model: 'm',
    version: '1',
    start,
    length: '1h',
    provenance: { revision: 0 },
  };
  return made as unknown as PerformanceResult;
}

describe('news for several readers', () => {
  const time = { now: START };
  const clock = { now: () => time.now };
  const store = new MemoryStore();
  const tell = async (...of: PerformanceResult[]): Promise<void> => {
    for (const one of of) await store.putIfAbsent(keyOfResult(one), encodeJson(one));
    await announce({ store, clock }, of);
  };
  const [one, two] = [new FreshNews({ store, clock }), new FreshNews({ store, clock })];
  const read = async (news: FreshNews): Promise<string[]> => {
    const starts: string[] = [];
    await news.each(({ start }) => starts.push(start.slice(11, 13)));
    return starts.sort();
  };

  it('comes once to each of them', async () => {
    await tell(result(1), result(2));
    expect(await read(one)).toEqual(['01', '02']);
    await tell(result(3));
    expect(await read(one)).toEqual(['03']);
    expect(await read(two)).toEqual(['01', '02', '03']);
    expect([await read(one), await read(two)]).toEqual([[], []]);
  });

  it('is removed when all have had the time, unread by nobody who looks', async () => {
    time.now += 2 * HOUR;
    const late = new FreshNews({ store, clock });
    expect(await read(late)).toEqual(['01', '02', '03']);
    expect(await store.list(keys.bulletins())).toEqual([]);
    expect(await read(one)).toEqual([]);
  });

  it('comes again when taking it failed, and passes over what cannot be read', async () => {
    await store.putIfAbsent(keys.bulletin(time.now, 'broken'), new TextEncoder().encode('{'));
    await tell(result(4));
    await expect(
      two.each(() => {
        throw new Error('not now');
      }),
    ).rejects.toThrow('not now');
    expect(await read(two)).toEqual(['04']);
  });
});
