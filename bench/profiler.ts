/**
 * How fast events are folded into profiles: records of 15 events of 50 features, base64 as Kinesis hands them over.
 * Ours (decode, read, check, fold) against decoding and JSON.parse of each line alone: the same bytes, in turn, in one run.
 *
 *   node --import tsx bench/profiler.ts [rounds]
 */
import { readRecord } from '../lib/engine/event-reader.ts';
import { Profile } from '../lib/engine/profile.ts';
import { compileShape } from '../lib/engine/shape.ts';
import { compare, tell } from './measurement.ts';
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

const { ours, reference, ratio, noise } = await compare(ROUNDS, profileAll, parseOnly, 5);
const [profiled, parsed] = [EVENTS / ours, EVENTS / reference];
const rate = (events: number) => Math.round(events).toLocaleString('en-US');
process.stdout.write(
  `${Math.round(bytes)} bytes an event, ${LINES} a record: ${rate(profiled)} events a second profiled, ${rate(parsed)} decoded and parsed, ${(100 / ratio).toFixed(0)} %\n`,
);
tell({
  benchmark: 'profiler',
  measure: `events of 50 features (${Math.round(bytes)} bytes) in records of ${LINES}: decoded, read, checked, folded`,
  ours: profiled,
  reference: parsed,
  against: 'base64 and JSON.parse alone, of the same bytes',
  ratio: 1 / ratio,
  unit: 'events a second of processor time',
  target: 'ratio ≥ 0.70',
  met: 1 / ratio >= 0.7,
  noise,
  command: 'node --import tsx bench/profiler.ts',
});
