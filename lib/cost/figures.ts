/**
 * What a bill is reckoned with besides prices: figures of this software that were measured, and what has to be assumed of the services and
 * of traffic. Each with a low and a high end, from which the range of a bill follows, and with where it comes from. `test/cost/figures.test.ts`
 * holds the measured ones against the software itself.
 */
export interface Figure {
  readonly low: number;
  readonly value: number;
  readonly high: number;
  readonly unit: string;
  /** Assumed: of a service, or of how traffic comes. */
  readonly is: 'measured' | 'assumed';
  /** By what, or why. */
  readonly by: string;
}

const DAY = 'a day of all functions over objects in memory (test/cost/a-day.ts)';
const EVENTS = 'events of bench/profiler-data.ts';

function measured(value: number, unit: string, by: string, [low, high]: readonly [number, number] = [1, 1]): Figure {
  return { low: low * value, value, high: high * value, unit, is: 'measured', by };
}
function assumed(low: number, value: number, high: number, unit: string, by: string): Figure {
  return { low, value, high, unit, is: 'assumed', by };
}

export const FIGURES = {
  eventBytes: measured(170, 'bytes of an event as a line of JSON, without columns', EVENTS),
  eventBytesAColumn: measured(20.1, 'bytes that a column adds', EVENTS, [0.75, 1.5]),
  parquetShare: measured(
    0.25,
    'bytes in Parquet with Snappy for each byte of JSON',
    `${EVENTS} as the capture's columns`,
    [0.8, 1.6],
  ),
  gzipShare: measured(0.21, 'bytes compressed by gzip for each byte of JSON', EVENTS, [0.5, 1.5]),
  peak: assumed(2, 3, 5, 'times the mean: the hour that shards are made for', 'traffic of a day with a night'),
  shardFill: assumed(0.9, 0.8, 0.7, 'of 1 MB a second of a shard', 'room for partition keys that are not even'),
  secondsAnEvent: measured(
    8.1e-6,
    'seconds of a processor',
    'bench/profiler-handler.ts; the processor of Lambda is another',
    [1, 3],
  ),
  batchWrites: measured(4, 'PUT and LIST a batch', DAY),
  batchReads: measured(2, 'GET a batch', DAY),
  batchBytes: measured(
    4.6e6,
    'raw bytes that fit into one invocation',
    '6 MB with base64, by the event source of the tests (test/lambdas/event-source.ts)',
  ),
  hourWrites: measured(6, 'PUT and LIST to close an hour of a model', DAY),
  hourReads: measured(2, 'GET to close an hour of a model, packs apart', DAY),
  windowWrites: measured(16, 'PUT and LIST to judge a window', DAY, [0.7, 1.2]),
  windowReads: measured(6, 'GET to judge a window, packs apart', DAY),
  packsAnHour: assumed(
    64,
    64,
    64,
    'packs of an hour that an evaluation reads at most',
    'beyond that they are compacted',
  ),
  modelsAMessage: assumed(20, 20, 20, 'models that share what is read of packs', 'what the dispatcher sends'),
  judgingSecondsAColumn: measured(0.0008, 'seconds of a processor', 'bench/evaluator.ts, 1,769 MB', [1, 2]),
  dispatcherWrites: measured(2, 'PUT and LIST a run', DAY),
  dispatcherReads: measured(2, 'GET a run', DAY),
  exporterWrites: measured(4, 'PUT and LIST a run', DAY),
  exporterReads: measured(2, 'GET a run', DAY),
  notifierWrites: measured(3, 'PUT and LIST a run', DAY),
  notifierReads: measured(6, 'GET a run', DAY, [1, 2]),
  otherRequests: assumed(2, 4, 10, 'requests a run of any other function', 'they run rarely'),
  requestSeconds: assumed(
    0.015,
    0.03,
    0.06,
    'seconds that a function waits for a request to S3',
    'time to first byte of small objects',
  ),
  runSeconds: assumed(0.02, 0.05, 0.2, 'seconds of an invocation besides', 'starts of new copies among many warm ones'),
  logBytesARun: measured(1_000, 'bytes that an invocation writes to its log', DAY, [0.5, 2]),
  platformLogBytes: assumed(
    300,
    400,
    700,
    'bytes that Lambda adds to the log of an invocation',
    'START, END and REPORT',
  ),
  packBytesAColumn: measured(440, 'bytes of a profile for each column', DAY, [0.3, 2]),
  packBytesAnEvent: measured(
    4.2,
    'bytes of a pack for each column and event, until it is as large as a profile',
    DAY,
    [0.5, 1.5],
  ),
  resultBytesAColumn: measured(1_200, 'bytes of a result for each column', DAY, [0.5, 1.5]),
  cursorBytes: measured(7_400, 'bytes of a cursor; a version of it stays for a month', DAY, [0.8, 2]),
  accessLogBytes: assumed(400, 500, 700, 'bytes of the access log for each request', 'a line of S3'),
  joinedBytes: assumed(
    40,
    60,
    120,
    'bytes of an event that a join of labels reads',
    'id, time, score and predicted of Parquet',
  ),
  queriedSamples: assumed(
    1,
    1.5,
    3,
    'times all series of state that rules read every minute',
    'fifteen rules that read a tenth each',
  ),
  emptyReceives: assumed(
    10,
    15,
    20,
    'requests a minute to a queue that a function waits on',
    'five pollers of Lambda, 20 s each',
  ),
  traceReservoir: assumed(0.5, 1, 1, 'traces a second before sampling', 'the default rule of X-Ray'),
  traceShare: assumed(0.05, 0.05, 0.05, 'of what is beyond', 'the default rule of X-Ray'),
  keyRequests: assumed(
    0.5,
    1,
    3,
    'requests to the key for each invocation',
    'data keys are kept for minutes by the services',
  ),
  collectorSeconds: assumed(0.01, 0.03, 0.1, 'seconds of a request to the collector', 'it waits for one PutRecords'),
  busBytes: assumed(1_000, 4_000, 16_000, 'bytes of an event on the bus', 'a summary, not a whole result'),
} as const satisfies Readonly<Record<string, Figure>>;

export type FigureName = keyof typeof FIGURES;
export type Figures = Readonly<Record<FigureName, number>>;

export const LEVELS = ['low', 'value', 'high'] as const;
export type Level = (typeof LEVELS)[number];

/** All figures at one end of their ranges, or as they are. */
export function figuresAt(level: Level): Figures {
  return Object.fromEntries(Object.entries(FIGURES).map(([name, figure]) => [name, figure[level]])) as Figures;
}
