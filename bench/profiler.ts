/**
 * How fast events are folded into profiles: records of 15 events of 50 features, base64 as Kinesis hands them over.
 * Ours (decode, read, check, fold) against decoding and JSON.parse of each line alone: the same bytes, in turn, in one run.
 * Prints one row of the table in docs/performance.md. Run: node --import tsx bench/profiler.ts
 */
import { performance } from 'node:perf_hooks';
import { readRecord } from '../lib/engine/event-reader.ts';
import { Profile } from '../lib/engine/profile.ts';
import { compileShape } from '../lib/engine/shape.ts';
import { benchBaseline, benchEvents, benchMonitor } from './profiler-data.ts';

const EVENTS = 6_000;
const LINES = 15;
const ROUNDS = Number(process.argv[2] ?? 41);

const shape = compileShape(benchMonitor(), benchBaseline(20_000, 1));
const lines = benchEvents(EVENTS, 2).map(({ line }) => line);
const records: string[] = [];
for (let i = 0; i < lines.length; i += LINES)
  records.push(Buffer.from(`${lines.slice(i, i + LINES).join('\n')}\n`).toString('base64'));
const bytes = lines.reduce((sum, line) => sum + line.length, 0) / lines.length;

/** Decoding and parsing, with nothing done to what was parsed but counting it. */
function parseOnly(): number {
  let parsed = 0;
  for (const record of records) {
    const text = Buffer.from(record, 'base64').toString('utf8');
    let start = 0;
    while (start < text.length) {
      const end = text.indexOf('\n', start);
      if (JSON.parse(text.slice(start, end)) !== null) parsed++;
      start = end + 1;
    }
  }
  return parsed;
}

function profileAll(): Profile {
  const profile = new Profile(shape);
  for (const record of records)
    readRecord(
      Buffer.from(record, 'base64'),
      (event) => profile.fold(event),
      ({ reason, detail }) => {
        throw new Error(`${reason}: ${detail}`);
      },
    );
  return profile;
}

function seconds(work: () => unknown): number {
  const from = performance.now();
  work();
  return (performance.now() - from) / 1_000;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Bytes that a filled profile holds: all that is not the shape. */
function profileMemory(): number {
  const copies = 20;
  const collect = globalThis.gc;
  if (collect === undefined) return Number.NaN;
  const encoded = profileAll().encode();
  Profile.decode(encoded, shape);
  collect();
  const held: Profile[] = [];
  const used = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
  const before = used();
  for (let i = 0; i < copies; i++) held.push(Profile.decode(encoded, shape));
  collect();
  return (used() - before) / held.length;
}

for (let i = 0; i < 5; i++) {
  parseOnly();
  profileAll();
}
const parse: number[] = [];
const fold: number[] = [];
for (let i = 0; i < ROUNDS; i++) {
  parse.push(seconds(parseOnly));
  fold.push(seconds(profileAll));
}
const ratio = median(parse.map((time, i) => time / fold[i]!));
const rate = (times: readonly number[]) => Math.round(EVENTS / median(times)).toLocaleString('en-US');
const encoded = profileAll().encode();
const memory = profileMemory();
const kilobytes = Number.isNaN(memory) ? 'not measured (needs --expose-gc)' : `${Math.round(memory / 1_000)} kB`;
process.stdout.write(
  [
    '| profiler | events/s, decode and parse alone | events/s, profiled | ratio | memory of a profile | encoded |',
    '| --- | --- | --- | --- | --- | --- |',
    `| 50 features, ${Math.round(bytes)} bytes an event, ${LINES} a record | ${rate(parse)} | ${rate(fold)} | ${(100 * ratio).toFixed(0)} % | ${kilobytes} | ${Math.round(encoded.length / 1_000)} kB |`,
    '',
  ].join('\n'),
);
