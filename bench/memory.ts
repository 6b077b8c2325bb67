/**
 * How much a profile of 50 features holds: bytes when encoded, and growth of heap and buffers for each live profile.
 *
 *   node --import tsx bench/memory.ts
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Profile } from '../lib/engine/profile.ts';
import { compileShape } from '../lib/engine/shape.ts';
import { calibratedBaseline, profileOf, recordsOf } from './evaluation-data.ts';
import { median, noiseOf, tell } from './measurement.ts';
import { type BenchEvent, benchEvents, benchMonitor } from './profiler-data.ts';

const COPIES = 8;
const ROUNDS = 3;
const LIMIT = 400;
const command = 'node --import tsx bench/memory.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const shape = compileShape(benchMonitor(), calibratedBaseline(benchEvents(20_000, 1), { rowsPerWindow: 60 }));
const records = (count: number, change: (event: BenchEvent, i: number) => object = (event) => event): Uint8Array[] =>
  recordsOf(benchEvents(count, 5).map((event, i) => ({ line: JSON.stringify(change(JSON.parse(event.line), i)) })));

/** What a sampler and a producer with a new vocabulary make of the same events. */
const hostile = (event: BenchEvent, i: number): object => {
  const unseen = Object.fromEntries(Object.keys(event.categorical).map((name) => [name, `never seen before ${i}`]));
  return { ...event, categorical: unseen, weight: 1 + (i % 7) / 2 };
};

/** Kilobytes of heap and buffers that each of some profiles holds, the shape left out. */
function held(make: () => Profile): number[] {
  const used = (): number => {
    collect();
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  make();
  return Array.from({ length: ROUNDS }, () => {
    const profiles: Profile[] = new Array<Profile>(COPIES);
    const before = used();
    for (let i = 0; i < COPIES; i++) profiles[i] = make();
    const bytes = used() - before;
    if (profiles.some(({ rows }) => rows === 0)) throw new Error('an empty profile was measured');
    return bytes / COPIES / 1_000;
  });
}

for (const { measure, of, limited } of [
  { measure: '1,000 events', of: records(1_000), limited: true },
  { measure: '20,000 events', of: records(20_000), limited: true },
  { measure: '20,000 events with weights, every category unseen', of: records(20_000, hostile), limited: false },
]) {
  const folded = profileOf(shape, of);
  const encoded = folded.encode();
  const live = held(() => profileOf(shape, of));
  const decoded = held(() => Profile.decode(encoded, shape));
  process.stdout.write(
    `${measure}: ${median(live).toFixed(0)} kB live, ${median(decoded).toFixed(0)} kB decoded, ${(encoded.length / 1_000).toFixed(1)} kB encoded\n`,
  );
  const common = { benchmark: 'memory', reference: null, ratio: null, unit: 'kB', command };
  tell({
    ...common,
    measure: `a live profile of 50 features, ${measure}`,
    ours: median(live),
    target: limited ? `≤ ${LIMIT} kB` : null,
    met: limited ? median(live) <= LIMIT : null,
    noise: noiseOf(live),
  });
  tell({
    ...common,
    measure: `the same, encoded`,
    ours: encoded.length / 1_000,
    target: null,
    met: null,
    noise: null,
  });
}
