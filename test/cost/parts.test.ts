/** The formulas against the table of monthly prices that was worked out by hand when the platform was designed. */
import { describe, expect, it } from 'vitest';
import { figuresAt } from '../../lib/cost/figures.ts';
import * as parts from '../../lib/cost/parts.ts';
import { LIST_PRICES, PRICE_SOURCES, tiered } from '../../lib/cost/prices.ts';
import { HOURS_A_MONTH } from '../../lib/cost/usage.ts';

const PRICES = LIST_PRICES;
const FIGURES = figuresAt('value');

/** An event of 50 features, as the table takes it. */
const eventBytes = 1_378;
const COLUMNS = [
  { events: 1e6, models: 1 },
  { events: 1e8, models: 10 },
  { events: 1e9, models: 50 },
  { events: 1e10, models: 200 },
];

function row(reckon: (column: (typeof COLUMNS)[number]) => number): number[] {
  return COLUMNS.map((column) => reckon(column));
}
/** As the table rounds: two digits after the point below 100, none above. */
const rounded = (value: number): number => (value < 100 ? Math.round(value * 100) / 100 : Math.round(value));

/** On demand counts steps of a kilobyte, which the table leaves out. */
const wholeKilobytes = ({ events }: { events: number }) => ({ events, eventBytes, eventsPerRecord: 1_024 });

describe('the table of prices', () => {
  const batched = ({ events }: { events: number }) => ({ events, eventBytes, eventsPerRecord: 15 });
  const single = ({ events }: { events: number }) => ({ events, eventBytes, eventsPerRecord: 1 });

  it('shards', () => expect(row((column) => parts.shards(batched(column), FIGURES))).toEqual([1, 1, 2, 20]));

  it.each([
    [
      'provisioned, batched',
      row((column) => parts.provisionedStream(PRICES, batched(column), parts.shards(batched(column), FIGURES))),
      [10.95, 11.04, 22.83, 228],
    ],
    [
      'provisioned, one event a record',
      row((column) => parts.provisionedStream(PRICES, single(column), parts.shards(single(column), FIGURES))),
      [10.96, 12.35, 35.9, 359],
    ],
    ['on demand', row((column) => parts.onDemandStream(PRICES, wholeKilobytes(column))), [29.41, 49.73, 235, 2_083]],
    [
      'Firehose, one event a record',
      row((column) => parts.capture(PRICES, single(column), 'parquet')),
      [0.22, 22.41, 224, 2_241],
    ],
    [
      // 25 µs an event and 80 ms a batch of one processor.
      'profiler',
      row((column) => {
        const traffic = batched(column);
        const batches = parts.batches({ ...traffic, eventsPerRecord: 1 }, parts.shards(traffic, FIGURES), 60, {
          ...FIGURES,
          batchBytes: 4.4e6,
        });
        return parts.lambda(PRICES, column.events * 25e-6 + batches * 0.08, 1.769, batches);
      }),
      [0.09, 0.15, 1.24, 12.43],
    ],
    [
      // 50 features with two scores each and ten of the model, a sample an hour.
      'Managed Prometheus',
      row(({ models }) => tiered(PRICES.tiered.prometheusSample, models * 110 * HOURS_A_MONTH)),
      [0.01, 0.07, 0.36, 1.45],
    ],
    [
      'six summary metrics a model',
      row(({ models }) => parts.cloudWatchMetrics(PRICES, 6 * models, 0)),
      [1.8, 18, 90, 360],
    ],
    [
      'every series a CloudWatch metric',
      row(({ models }) => parts.cloudWatchMetrics(PRICES, 110 * models, 0)),
      [33, 330, 1_650, 4_200],
    ],
    [
      'captured events, a month kept',
      row(({ events }) => parts.storage(PRICES, parts.keptBytes(events * 300, HOURS_A_MONTH / 24))),
      [0.01, 0.64, 6.43, 64.26],
    ],
  ])('%s', (_, found, expected) => {
    for (const [i, value] of found.entries()) expect(rounded(value)).toBeCloseTo(expected[i]!, 1.9);
  });

  it('Firehose, batched: the table leaves out that 15 events fill five steps of 5 kB only to four fifths', () => {
    const filled = (15 * eventBytes) / (5 * 5 * 1_024);
    for (const [i, expected] of [0.06, 6.03, 60.32, 603].entries())
      expect(rounded(parts.capture(PRICES, batched(COLUMNS[i]!), 'parquet') * filled)).toBeCloseTo(expected, 1.9);
  });

  it('210,000 series as CloudWatch metrics cost about 23,000 dollars', () => {
    expect(tiered(PRICES.tiered.cloudWatchMetric, 210_000)).toBeCloseTo(23_000, 6);
  });

  it('keeping seven days costs 14.60 a shard', () => {
    const traffic = { events: 1e6, eventBytes, eventsPerRecord: 15 };
    expect(parts.retention(PRICES, traffic, 1, 7)).toBeCloseTo(14.6, 6);
    expect(parts.retention(PRICES, traffic, 1, 1)).toBe(0);
  });
});

describe('tiers', () => {
  it('charge each step at its own price, without a jump between them', () => {
    for (const price of Object.values(PRICES.tiered))
      for (const { to } of price.steps.slice(0, -1)) {
        const below = tiered(price, to - 1);
        const above = tiered(price, to + 1);
        expect(above).toBeGreaterThan(below);
        expect(above - below).toBeLessThanOrEqual(2 * price.steps[0]!.usd);
      }
    expect(tiered(PRICES.tiered.cloudWatchMetric, 0)).toBe(0);
  });
});

describe('prices', () => {
  it('are all above zero, say what they buy, where they were read and when', () => {
    expect(PRICES.asOf).toMatch(/^\d{4}-\d{2}-\d{2}$/);
    for (const { usd, per, source } of Object.values(PRICES.single)) {
      expect(usd).toBeGreaterThan(0);
      expect(per).not.toBe('');
      expect(PRICE_SOURCES[source]).not.toBe('');
    }
  });
});
