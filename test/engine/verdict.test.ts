import { describe, expect, test } from 'vitest';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import { type Monitor, type MonitorInput, parseMonitor } from '../../lib/contracts/monitor.ts';
import { categoricalBaseline } from '../../lib/engine/baseline-maker.ts';
import { readLine } from '../../lib/engine/event-reader.ts';
import { Profile } from '../../lib/engine/profile.ts';
import { compileShape, type Shape } from '../../lib/engine/shape.ts';
import { judgeWindow } from '../../lib/engine/verdict.ts';
import { DAY, drawNormal, normalBaseline, START, seededRandom } from './verdict-data.ts';

const days = Array.from({ length: 28 }, (_, day) => ({
  start: START + day * DAY,
  drawn: drawNormal(seededRandom(day + 1), 1_000, { missing: 0.02 }),
}));

function baseline(): Baseline {
  const origin = categoricalBaseline({
    name: 'origin',
    type: 'categorical',
    role: 'feature',
    rows: 28_000,
    missing: 0,
    distinct: 2,
    top: [
      ['JFK', 20_000],
      ['LAX', 8_000],
    ],
  });
  return {
    schema: 'mlmon.baseline/v1',
    model: 'm',
    version: '1',
    source: { kind: 'file', name: 'f', from: null, to: null },
    rows: 28_000,
    window: { every: '1d', timezone: 'UTC', count: 28 },
    columns: [normalBaseline(days, '1d'), origin],
    volume: { starts: days.map(({ start }) => start), rows: days.map(() => 1_000) },
    performance: null,
    findings: [],
  };
}

function monitor(more: Partial<MonitorInput> = {}): Monitor {
  const parsed = parseMonitor({ model: 'm', latency: { p99: '100ms' }, ...more });
  if (parsed.monitor === null) throw new Error(JSON.stringify(parsed.problems));
  return parsed.monitor;
}

const AT = START + 35 * DAY;

interface Traffic {
  readonly rows?: number;
  readonly shift?: number;
  readonly latency?: number;
  readonly origin?: (i: number) => unknown;
  readonly x?: (value: number, i: number) => unknown;
  readonly id?: (i: number) => string;
  readonly extra?: Record<string, number>;
}

function profileOf(shape: Shape, traffic: Traffic = {}): Profile {
  const {
    rows = 1_000,
    shift = 0,
    latency = 20,
    origin = (i) => (i % 7 < 5 ? 'JFK' : 'LAX'),
    x = (value) => value,
  } = traffic;
  const random = seededRandom(77);
  const profile = new Profile(shape);
  for (let i = 0; i < rows; i++) {
    const value = x(random.normal() + shift, i);
    const place = origin(i);
    const event = {
      id: traffic.id?.(i) ?? `e-${i}`,
      type: 'inference',
      model: 'm',
      version: '1',
      time: new Date(AT + i * 1_000).toISOString(),
      numeric: { ...(typeof value === 'number' && i % 50 > 0 ? { x: value } : {}), ...traffic.extra },
      categorical: typeof place === 'string' ? { origin: place } : {},
      invalid: typeof value === 'string' ? { x: value } : {},
      latency_ms: latency,
    };
    const read = readLine(JSON.stringify(event));
    if (!('kind' in read)) throw new Error(JSON.stringify(read));
    profile.fold(read);
  }
  return profile;
}

function judge(traffic: Traffic = {}, more: Partial<MonitorInput> = {}) {
  const shape = compileShape(monitor(more), baseline());
  return judgeWindow({ shape, profile: profileOf(shape, traffic), scale: { index: 0, start: AT, end: AT + DAY } });
}

const row = (result: ReturnType<typeof judge>, check: string, feature: string | null) =>
  result.quality.find((one) => one.check === check && one.feature === feature);

describe('a window', () => {
  test('in which nothing changed is ok, in all its parts', () => {
    const result = judge();
    expect(result).toMatchObject({
      status: 'ok',
      null: 'calibrated',
      volume: { status: 'ok' },
      latency: { status: 'ok' },
    });
    expect(result.features.map(({ name, status }) => [name, status])).toEqual([
      ['x', 'ok'],
      ['origin', 'ok'],
    ]);
    expect(result.quality.every(({ status }) => status === 'ok')).toBe(true);
    // 0.6 of 1 per 30 days, 0.7 of it at the window, over two columns.
    expect(result.features[0]!.threshold).toBeCloseTo((0.6 * 0.7) / 30 / 2, 12);
    expect(result.features[0]!.detectable).toBeGreaterThan(0.05);
  });

  test('names every change in a column as drift, missing included, and shows the rate as quality without alerting', () => {
    const result = judge({ origin: (i) => (i % 10 === 0 ? null : i % 7 < 5 ? 'JFK' : 'LAX') });
    expect(result.status).toBe('drifted');
    expect(result.features[1]).toMatchObject({ status: 'drifted', aspect: 'missing' });
    expect(result.features[1]!.summary).toMatch(/^missing rose from 0 % to 10 %/);
    expect(row(result, 'missing', 'origin')).toMatchObject({
      status: 'drifted',
      value: 0.1,
      expected: 0,
      breach: false,
    });
  });

  test('unseen and out of range are drift as well', () => {
    const result = judge({
      origin: (i) => (i % 20 === 0 ? 'XXX' : i % 7 < 5 ? 'JFK' : 'LAX'),
      x: (value, i) => (i % 25 === 3 ? 50 : value),
    });
    expect(row(result, 'unseen', 'origin')).toMatchObject({
      status: 'drifted',
      value: 0.05,
      summary: expect.stringContaining('XXX'),
    });
    expect(row(result, 'range', 'x')).toMatchObject({ status: 'drifted', breach: false });
    expect(result.features[0]!.aspect).toBe('highest values');
  });

  test.each([
    ['values of the wrong type', { x: (value: number, i: number) => (i % 20 === 0 ? 'far' : value) }, 'type', 'x'],
    ['an absent feature', { origin: () => null }, 'absent-feature', 'origin'],
    ['a new feature', { extra: { surprise: 1 } }, 'new-feature', 'surprise'],
    ['repeated ids', { id: (i: number) => `e-${i % 900}` }, 'duplicates', null],
  ] as const)('%s breach the contract', (_, traffic, check, feature) => {
    const result = judge(traffic);
    expect(result.status).toBe('drifted');
    expect(row(result, check, feature)).toMatchObject({ status: 'drifted', breach: true });
  });

  test('a column that hardly any row has may be in none of a window', () => {
    const seldom = days.map(({ start }, i) => ({
      start,
      drawn: drawNormal(seededRandom(100 + i), 1_000, { missing: 0.98 }),
    }));
    const known = baseline();
    const columns = [normalBaseline(seldom, '1d'), known.columns[1]!];
    const shape = compileShape(monitor(), { ...known, columns });
    const absentIn = (rows: number) => {
      const profile = profileOf(shape, { rows, x: () => null });
      const result = judgeWindow({ shape, profile, scale: { index: 0, start: AT, end: AT + DAY } });
      return row(result, 'absent-feature', 'x');
    };
    // Too few rows for a verdict: one row of fifty is expected to have it.
    expect(absentIn(50)).toMatchObject({ status: 'ok', value: 1 });
    expect(absentIn(250)).toMatchObject({ status: 'ok', value: 1 });
    expect(absentIn(1_000)).toMatchObject({ status: 'drifted', value: 1 });
  });

  test('one stray wrong value is no breach', () => {
    expect(row(judge({ x: (value, i) => (i === 5 ? 'far' : value) }), 'type', 'x')).toMatchObject({
      status: 'ok',
      value: 0.001,
    });
  });

  test('slow and few', () => {
    expect(judge({ latency: 500 })).toMatchObject({ status: 'drifted', latency: { status: 'drifted' } });
    expect(judge({ rows: 250 })).toMatchObject({ status: 'drifted', volume: { status: 'drifted', rows: 250 } });
  });

  test('too small a window is judged by nobody but volume', () => {
    const result = judge({ rows: 100 });
    expect(result.features.map(({ status }) => status)).toEqual(['insufficient-data', 'insufficient-data']);
    expect(result.features[0]!.reason).toMatch(/^100 rows, fewer than 200: only an effect above/);
    expect(judge({ rows: 0 }, { quality: 'off' })).toMatchObject({
      status: 'insufficient-data',
      quality: [],
      volume: null,
    });
  });

  test('without a baseline it is learning, with what is known', () => {
    const shape = compileShape(
      monitor({ features: { x: { type: 'numeric' }, origin: { type: 'categorical' } } }),
      null,
    );
    const result = judgeWindow({ shape, profile: profileOf(shape), scale: { index: 0, start: AT, end: AT + DAY } });
    expect(result).toMatchObject({
      status: 'learning',
      reason: 'no baseline is approved yet',
      null: 'independent',
      volume: null,
    });
    expect(result.features.find(({ name }) => name === 'x')).toMatchObject({ status: 'learning', currentCount: 980 });
  });

  test('a baseline that it cannot read fails the window, loudly', () => {
    const odd = baseline();
    const [x, origin] = odd.columns;
    const columns = [{ ...x!, calibration: { ...x!.calibration!, method: 'older/0' } }, origin!];
    const shape = compileShape(monitor(), { ...odd, columns });
    const result = judgeWindow({ shape, profile: profileOf(shape), scale: { index: 0, start: AT, end: AT + DAY } });
    expect(result).toMatchObject({ status: 'failed', reason: expect.stringContaining('x: ') });
  });

  test('a week is judged on its own, with its share of the budget', () => {
    const shape = compileShape(monitor(), baseline());
    const profile = profileOf(shape, { rows: 7_000, shift: 0.3 });
    const result = judgeWindow({ shape, profile, scale: { index: 1, start: AT, end: AT + 7 * DAY } });
    expect(result.features[0]).toMatchObject({ status: 'drifted', aspect: 'location' });
    expect(result.features[0]!.threshold).toBeCloseTo((0.6 * 0.3 * 7) / 30 / 2, 12);
  });
});
