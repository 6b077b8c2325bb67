import { describe, expect, it } from 'vitest';
import {
  differences,
  finish,
  generate,
  HOUR,
  monitorOf,
  Platform,
  shrunkRevisions,
  statistics,
  T0,
  World,
  wire,
} from './simulation.ts';

const END = T0 + 48 * HOUR;

async function run(seed: number, { partitions = 1, records = 50, perRecord = 1, every = HOUR / 2 } = {}) {
  const events = generate(seed);
  const world = new World({ partitions });
  await world.declare('m');
  const platform = new Platform(world, { records });
  let tick = T0;
  for (let i = 0; i < events.length; i += perRecord) {
    const chunk = events.slice(i, i + perRecord);
    const event = chunk.at(-1) as (typeof events)[number];
    world.append(
      `p${event.partition % partitions}`,
      chunk.map((one, j) => wire(one, i + j)),
      event.appendTime,
    );
    if (event.appendTime > tick + every) {
      tick = event.appendTime;
      await platform.settle();
    }
  }
  await finish(world, platform, END);
  return { world, events, results: await world.results() };
}

describe('without faults', () => {
  it('counts every record once, in its window, on time or revising or beyond', async () => {
    for (const seed of [1, 2, 3]) {
      const { world, events, results } = await run(seed);
      expect(differences(results, events, monitorOf('m'))).toEqual([]);
      expect(await shrunkRevisions(world, results)).toEqual([]);
      const totals = await world.totals();
      expect(totals.received).toBe(events.length);
      expect(totals.profiled + totals.beyond).toBe(events.length);
    }
  });

  it('tells the same statistics for any partitions and batches', async () => {
    const one = statistics((await run(7)).results);
    for (const options of [{ partitions: 3 }, { records: 1 }, { partitions: 2, records: 7, every: 3 * HOUR }])
      expect(statistics((await run(7, options)).results)).toEqual(one);
  });
});
