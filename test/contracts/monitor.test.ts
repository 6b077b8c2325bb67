import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { durationMs, durationText } from '../../lib/contracts/duration.ts';
import { monitorJsonSchema, parseMonitor } from '../../lib/contracts/monitor.ts';
import { formatProblem } from '../../lib/contracts/problem.ts';
import { version } from '../../lib/contracts/version.ts';

const problemsOf = (input: unknown): string[] => parseMonitor(input).problems.map(formatProblem);

describe('parseMonitor', () => {
  it('fills every default from a model name alone', () => {
    const { monitor } = parseMonitor({ model: 'flight-delay' });
    expect(monitor).toMatchObject({
      task: 'none',
      window: { every: '1d', timezone: 'UTC', lateness: '1h', revise: '7d', minimumRows: 200 },
      budget: '1 per 30d',
      drift: { smallestEffect: 'tiny' },
      alerts: { severity: { blind: 'critical', drift: 'warning' } },
    });
  });

  it('takes what it filled in itself: a monitor is checked again where it is published', () => {
    const { monitor } = parseMonitor({ model: 'flight-delay' });
    expect(parseMonitor(monitor)).toEqual({ monitor, problems: [] });
  });

  it('reports all problems at once, each with where, what, expected and the nearest key', () => {
    const problems = problemsOf({
      model: 'Flight_Delay',
      windw: {},
      window: { every: '1 day', evry: 1 },
      truth: { minimumCoverage: 2 },
      features: { distance: { type: 'number' } },
    });
    expect(problems).toHaveLength(6);
    expect(problems.join('\n')).toMatch(/windw: unknown key.*did you mean window\?/);
    expect(problems.join('\n')).toMatch(/window\.evry: unknown key.*did you mean every\?/);
    expect(problems.join('\n')).toMatch(
      /features\.distance\.type: is not valid, got "number"; expected one of numeric, categorical/,
    );
  });

  it('refuses keys that do not work yet, with the reason', () => {
    const problems = problemsOf({ model: 'm', fairness: {}, retrain: {} });
    expect(problems).toHaveLength(2);
    for (const problem of problems) expect(problem).toMatch(/not accepted yet; .+/);
  });

  it('keeps data at least as long as windows are judged and revised', () => {
    expect(problemsOf({ model: 'm', retention: { events: '400d', profiles: '90d', results: '5000d' } })).toEqual([]);
    expect(problemsOf({ model: 'm', retention: { profiles: '18d', results: '19d' } })).toEqual([
      expect.stringMatching(/^retention\.profiles: ends before .*got 18d; expected at least 19d/),
    ]);
    expect(problemsOf({ model: 'm', truth: { horizon: '90d' }, retention: { events: '90d' } })[0]).toMatch(
      /at least 107d/,
    );
    expect(problemsOf({ model: 'm', retention: { event: '90d' } })[0]).toMatch(/did you mean events/);
  });

  it('refuses metrics that the task does not have', () => {
    expect(
      problemsOf({ model: 'm', task: 'binary-classification', performance: { floor: { acuracy: 0.7 } } })[0],
    ).toMatch(/did you mean accuracy/);
    expect(problemsOf({ model: 'm', performance: { metrics: ['rmse'] } })[0]).toMatch(/a task other than none/);
  });

  it.each([null, 7, 'text', [], undefined])('refuses %j without an exception', (input) => {
    expect(problemsOf(input).length).toBeGreaterThan(0);
  });

  it('is not polluted by hostile keys', () => {
    expect(problemsOf(JSON.parse('{"model":"m","__proto__":{"task":"regression"},"constructor":1}')).join()).toMatch(
      /unknown key/,
    );
    expect(
      parseMonitor(JSON.parse('{"model":"m","features":{"toString":{"type":"numeric"}}}')).monitor?.features,
    ).toHaveProperty('toString');
  });
});

it('refuses hashes of numbers: nothing could be judged by them', () => {
  const features = { age: { type: 'numeric', policy: 'hash' }, name: { type: 'categorical', policy: 'hash' } };
  expect(problemsOf({ model: 'm', features })).toEqual([
    expect.stringMatching(
      /^features\.age\.policy: hash needs type categorical.*; declare type: categorical, or use bucket or drop$/,
    ),
  ]);
});

describe('baseline.learn', () => {
  const features = { age: { type: 'numeric' } };

  it('takes days to learn from', () => {
    const { monitor } = parseMonitor({ model: 'm', features, baseline: { learn: '7d' } });
    expect(monitor?.baseline).toEqual({ learn: '7d', fallback: 'last-approved' });
  });

  it.each([
    [
      { features, baseline: { learn: '3d' } },
      /^baseline\.learn: is too short, got 3d; expected 4d \(4 windows\) to 90d$/,
    ],
    [{ features, baseline: { learn: '1h' }, window: { every: '15m' } }, null],
    [{ features, baseline: { learn: '100d' } }, /^baseline\.learn: is too long/],
    [
      { features, baseline: { learn: '7d', from: 'b.json' } },
      /^baseline\.learn: a baseline is either given or learned/,
    ],
    [{ features, baseline: { learn: '7d', fallback: 'none' } }, /^baseline\.fallback: one baseline is learned/],
    [{ baseline: { learn: '7d' } }, /^features: nothing but the monitor says what is to be learned/],
    [
      { features: { age: { type: 'numeric', policy: 'bucket' } }, baseline: { learn: '7d' } },
      /^features\.age\.policy: buckets come from a baseline/,
    ],
  ])('says what cannot be learned: %j', (input, problem) => {
    const problems = problemsOf({ model: 'm', ...input });
    expect(problems).toEqual(problem === null ? [] : [expect.stringMatching(problem)]);
  });
});

it('publishes the JSON Schema that it validates by', () => {
  const published = JSON.parse(readFileSync('docs/reference/monitor.schema.json', 'utf8')) as unknown;
  expect(published).toEqual(JSON.parse(JSON.stringify(monitorJsonSchema())));
});

it('knows the version of the package', () => {
  expect(version).toBe((JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }).version);
});

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['7d', 604_800_000],
  ])('reads %s', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
    expect(durationText(ms)).toBe(text);
  });
  it.each(['', '1', 'd', '0h', '-1h', '1.5h', '1h30m', '1 h'])('refuses %j', (text) => {
    expect(() => durationMs(text)).toThrow(RangeError);
  });
});
