/** Events for programs: of what is made, every one passes its published schema, is bounded, and carries the same id when it is made again. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PublishedBaseline } from '../../lib/contracts/baseline.ts';
import type { Transition } from '../../lib/contracts/episode.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import {
  LONGEST_TEXT,
  MOST_LISTED,
  OUTGOING_TYPES,
  outgoingEventJsonSchema,
  outgoingEventSchema,
} from '../../lib/contracts/outgoing-events.ts';
import {
  type PerformanceResult,
  type Provenance,
  SEVERITIES,
  SIGNALS,
  type WindowResult,
} from '../../lib/contracts/result.ts';
import { episodeEvent, objectEvent, testEvent } from '../../lib/pipeline/outgoing-events.ts';

/** What one entry of a bus takes, less its frame. */
const LARGEST = 240_000;
const AT = '2026-03-01T10:00:00.000Z';
const words = fc.string({ maxLength: 2 * LONGEST_TEXT, unit: 'grapheme' });
const moment = fc.integer({ min: 0, max: 4e12 }).map((ms) => new Date(ms).toISOString());
const number = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }), { nil: null });
const name = fc.string({ minLength: 1, maxLength: 128, unit: 'grapheme' });

const transition: fc.Arbitrary<Transition> = fc.record({
  key: fc.string({ minLength: 1 }),
  kind: fc.constantFrom('opened', 'closed', 'corrected'),
  at: moment,
  runbook: fc.string(),
  link: fc.string(),
  context: fc.array(words, { maxLength: 60 }),
  episode: fc.record({
    id: fc.string({ minLength: 1 }),
    model: name,
    version: name,
    signal: fc.constantFrom(...SIGNALS),
    severity: fc.constantFrom(...SEVERITIES),
    owner: name,
    opened: moment,
    closed: fc.option(moment, { nil: null }),
    since: moment,
    length: fc.constant('1d'),
    features: fc.array(
      fc.record({ name, aspect: fc.option(name, { nil: null }), effect: number, summary: words, since: moment }),
      { maxLength: 80 },
    ),
    summary: words,
    provisional: fc.boolean(),
  }),
});

const provenance: Provenance = {
  revision: 2,
  inputs: ['packs/a', 'packs/b'],
  monitor: 3,
  baseline: { version: '1', n: 4, fallback: false },
  engine: '1',
  evaluatedAt: AT,
  rows: { onTime: 10, revising: 0, otherBaseline: 0 },
  partitions: { seen: 1, all: 1 },
};
function windowResult(features: number, breaches = 1): WindowResult {
  return {
    schema: 'mlmon.result/v1',
    model: 'churn',
    version: '1',
    start: '2026-03-01T00:00:00.000Z',
    end: '2026-03-02T00:00:00.000Z',
    length: '1d',
    base: true,
    segment: null,
    rows: 1_000,
    weightedRows: 1_000,
    status: 'drifted',
    null: 'calibrated',
    features: Array.from({ length: features }, (_, i) => ({
      name: `feature-${i}`,
      type: 'numeric' as const,
      role: 'feature' as const,
      status: i % 2 === 0 ? ('drifted' as const) : ('ok' as const),
      test: 'psi',
      ...{ statistic: 1, pValue: 0, threshold: 0.01, effect: 1, aspect: 'location', detectable: 0.1 },
      provisional: false,
      ...{ referenceCount: 1, currentCount: 1, missingReference: 0, missingCurrent: 0 },
      summary: 'moved',
      changes: [],
      others: [],
      ...{ mean: 1, std: 1 },
    })),
    quality: [
      ...Array.from({ length: breaches }, () => ({
        check: 'type' as const,
        feature: 'a',
        status: 'drifted' as const,
        value: 1,
        expected: 0,
        breach: true,
        summary: 'x'.repeat(5_000),
      })),
      { check: 'missing', feature: 'a', status: 'ok', value: 0, expected: 0, breach: false, summary: '' },
    ],
    volume: { status: 'ok', rows: 1_000, expected: 900, pValue: 1, summary: '' },
    latency: null,
    segments: [],
    provenance,
  };
}
const performance: PerformanceResult = {
  schema: 'mlmon.performance/v1',
  model: 'churn',
  version: '1',
  start: '2026-03-01T00:00:00.000Z',
  end: '2026-03-02T00:00:00.000Z',
  length: '1d',
  status: 'ok',
  mature: true,
  predictions: 10,
  labels: 8,
  coverage: 0.8,
  conflicts: 0,
  metrics: [
    { metric: 'accuracy', status: 'ok', value: 0.9, interval: [0.8, 0.95], baseline: 0.9, threshold: null },
    { metric: 'f1', status: 'insufficient-data', value: null, interval: null, baseline: null, threshold: null },
  ],
  confusion: null,
  calibration: null,
  provenance: { ...provenance, baseline: null },
};
function published(approved: PublishedBaseline['approved'], provisional?: true): PublishedBaseline {
  return {
    n: 2,
    version: '1',
    effectiveFrom: approved === null && provisional === undefined ? null : AT,
    approved,
    ...(provisional === undefined ? {} : { provisional }),
    baseline: {
      schema: 'mlmon.baseline/v1',
      model: 'churn',
      version: '1',
      source: { kind: 'file', name: 'reference.csv', from: null, to: null },
      rows: 5,
      window: null,
      columns: [],
      volume: null,
      performance: null,
      findings: [],
    },
  };
}
const written = (key: string, value: unknown) => ({
  bucket: 'store',
  key,
  body: new TextEncoder().encode(JSON.stringify(value)),
  at: AT,
});
const resultKey = keys.result('churn', '1', Date.parse(AT), '1d', 2);

describe('an episode', () => {
  it('is told in bounds, whatever it says', () => {
    fc.assert(
      fc.property(transition, fc.option(words, { nil: null }), (one, withheld) => {
        const event = episodeEvent(one, 'production', withheld);
        expect(outgoingEventSchema.parse(event)).toEqual(event);
        expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(LARGEST);
        expect(event).toMatchObject({ id: one.key, source: '/ml-monitoring/production', subject: one.episode.model });
        if (!('featuresOmitted' in event.data)) throw new Error('no episode');
        expect(event.data.features.length + event.data.featuresOmitted).toBe(one.episode.features.length);
        expect(event.data.features.length).toBeLessThanOrEqual(MOST_LISTED);
        for (const { summary } of event.data.features) {
          expect(summary.length).toBeLessThanOrEqual(LONGEST_TEXT);
          expect(/[\ud800-\udbff]$/.test(summary)).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('has a type for each of its transitions, and a test has another', () => {
    const [one] = fc.sample(transition, 1);
    const types = (['opened', 'closed', 'corrected'] as const).map(
      (kind) => episodeEvent({ ...one!, kind }, 'p', null).type,
    );
    expect(types).toEqual([
      OUTGOING_TYPES.episodeOpened,
      OUTGOING_TYPES.episodeClosed,
      OUTGOING_TYPES.episodeCorrected,
    ]);
    const test = testEvent(one!, 'p');
    expect(outgoingEventSchema.parse(test)).toEqual(test);
    expect(types).not.toContain(test.type);
  });
});

describe('an object of the store', () => {
  it('that is a judged window is told with what drifted, and names the whole of it', () => {
    const event = objectEvent(written(resultKey, windowResult(300)), 'production');
    expect(outgoingEventSchema.parse(event)).toEqual(event);
    expect(event).toMatchObject({
      id: resultKey,
      type: OUTGOING_TYPES.window,
      time: AT,
      dataref: `s3://store/${resultKey}`,
      data: { status: 'drifted', revision: 2, rows: 1_000, driftedOmitted: 125, volume: 'ok', latency: null },
    });
    if (event === null || !('breaches' in event.data)) throw new Error('no window');
    expect(event.data.breaches.map(({ check }) => check)).toEqual(['type']);
    expect(event.data.breachesOmitted).toBe(0);
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(LARGEST);
  });

  it('that is a window with more breaches than are told says how many are not', () => {
    const event = objectEvent(written(resultKey, windowResult(1, MOST_LISTED + 3)), 'production');
    expect(outgoingEventSchema.parse(event)).toEqual(event);
    expect(event?.data).toMatchObject({ breachesOmitted: 3 });
    expect(Buffer.byteLength(JSON.stringify(event))).toBeLessThan(LARGEST);
  });

  it('that is performance is told with its metrics', () => {
    const event = objectEvent(written(resultKey, performance), 'production');
    expect(outgoingEventSchema.parse(event)).toEqual(event);
    expect(event).toMatchObject({ type: OUTGOING_TYPES.performance, data: { coverage: 0.8, baseline: null } });
  });

  it.each([
    ['waits', published(null), OUTGOING_TYPES.baselineProposed, { effectiveFrom: null, provisional: false }],
    ['was learned', published(null, true), OUTGOING_TYPES.baselineProposed, { effectiveFrom: AT, provisional: true }],
    [
      'was approved',
      published({ by: 'ann', at: AT }),
      OUTGOING_TYPES.baselineApproved,
      { approved: { by: 'ann', at: AT } },
    ],
  ] as const)('that is a baseline which %s says so', (_, value, type, data) => {
    const event = objectEvent(written(keys.baseline('churn', '1', 2), value), 'production');
    expect(outgoingEventSchema.parse(event)).toEqual(event);
    expect(event).toMatchObject({ type, data: { model: 'churn', n: 2, ...data } });
  });

  it('that is neither is not told of, and one that is not what its key says is refused', () => {
    expect(objectEvent(written('packs/a', {}), 'p')).toBeNull();
    expect(() => objectEvent(written(resultKey, { schema: 'other' }), 'p')).toThrow(/expected mlmon\.result\/v1/);
    expect(() => objectEvent(written(keys.baseline('a', '1', 1), {}), 'p')).toThrow(/expected a published baseline/);
    expect(() => objectEvent({ ...written(resultKey, 1), body: new Uint8Array([123]) }, 'p')).toThrow(/is no JSON/);
  });
});

describe('the reference', () => {
  const page = readFileSync(new URL('../../docs/reference/events-out.md', import.meta.url), 'utf8');

  it('holds the schema as it is: npx mlmon render schema -o docs/reference', () => {
    const file = new URL('../../docs/reference/events-out.schema.json', import.meta.url);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(outgoingEventJsonSchema())));
  });

  it('names every type and everything that it tells', () => {
    for (const { shape } of outgoingEventSchema.options) {
      expect(page).toContain(`| \`${shape.type.value}\` |`);
      for (const member of Object.keys(shape.data.shape)) expect(page).toContain(`\`${member}\``);
    }
  });

  it('tells the bounds', () => {
    expect(page).toContain(`at most ${MOST_LISTED} entries, texts at most ${LONGEST_TEXT} characters`);
  });
});
