import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import { readMonitorText } from '../../lib/local/monitor-file.ts';
import type { Report } from '../../lib/local/report.ts';
import { runCommand, type Said } from './run-command.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'commands-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (argv: readonly string[], stdin = ''): Promise<Said> => runCommand(folder, argv, stdin);

type Row = Readonly<Record<string, unknown>>;
const write = (name: string, rows: readonly Row[]): Promise<void> =>
  writeFile(join(folder, name), rows.map((row) => JSON.stringify(row)).join('\n'));

let state = 1;
/** Uniform, repeatable. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const START = Date.parse('2001-01-01T00:00:00Z');

/** A customer table; `shift` moves the age. */
function customers(n: number, shift = 0): Row[] {
  return range(n).map((i) => {
    const score = Math.round(random() * 1000) / 1000;
    return {
      id: `c-${i}`,
      when: new Date(START + i * 600_000).toISOString(),
      age: 20 + random() * 40 + shift,
      plan: ['basic', 'plus', 'pro'][Math.floor(random() * 3)],
      'odd "name"\n': i % 3,
      score,
      predicted: score > 0.5 ? 'stay' : 'churn',
      truth: random() < score ? 'stay' : 'churn',
    };
  });
}

const MONITOR = `model: churn
task: binary-classification
positive: stay
columns: { id: id, time: when, score: score, prediction: predicted, truth: truth }
`;

async function report(...argv: string[]): Promise<{ code: number; report: Report; err: string }> {
  const { code, out, err } = await run(['report', ...argv, '--format', 'json']);
  return { code, report: JSON.parse(out) as Report, err };
}

describe('report', () => {
  it('has exactly the documented shape', async () => {
    await write('a.ndjson', customers(3_000));
    await write('b.ndjson', customers(2_000));
    const { code, report: answer } = await report('--reference', 'a.ndjson', '--current', 'b.ndjson');
    expect(code).toBe(0);
    expect(Object.keys(answer)).toEqual([
      'schema',
      'model',
      'reference',
      'current',
      'null',
      'drift',
      'features',
      'quality',
      'performance',
    ]);
    expect(answer).toMatchObject({
      schema: 'mlmon.report/v1',
      model: null,
      reference: { rows: 3000 },
      current: { rows: 2000 },
      null: 'independent',
      drift: { drifted: false, driftedFeatures: 0 },
      performance: null,
    });
    expect(answer.drift.features).toBe(answer.features.length);
    expect(answer.features.map(({ name }) => name)).toEqual([
      'age',
      'plan',
      'odd "name"\n',
      'score',
      'predicted',
      'truth',
    ]);
    for (const feature of answer.features)
      expect(Object.keys(feature)).toEqual([
        'name',
        'type',
        'status',
        'test',
        'statistic',
        'pValue',
        'threshold',
        'effect',
        'referenceCount',
        'currentCount',
        'missingReference',
        'missingCurrent',
      ]);
    for (const check of answer.quality)
      expect(Object.keys(check)).toEqual(['check', 'feature', 'status', 'value', 'expected']);
  });

  it('finds a shift and names it first, and fails as asked', async () => {
    await write('a.ndjson', customers(3_000));
    await write('b.ndjson', customers(3_000, 6));
    const sides = ['--reference', 'a.ndjson', '--current', 'b.ndjson'];
    const { code, report: answer } = await report(...sides);
    expect(code).toBe(1);
    expect(answer.drift).toMatchObject({ drifted: true, driftedFeatures: 1 });
    expect(answer.features.filter(({ status }) => status === 'drifted').map(({ name }) => name)).toEqual(['age']);
    const { out } = await run(['report', ...sides]);
    const lines = out.split('\n');
    expect(lines[3]).toMatch(/^Drift: 1 drifted of 6 columns$/);
    expect(lines[4]).toMatch(/^ {2}✗ age +numeric +w 0\.\d\d +mean/);
    expect(out).toContain('odd "name"\\u000a');
    expect(out).not.toContain('\u001b');
    for (const [failOn, expected] of [
      ['never', 0],
      ['performance', 0],
      ['quality', 0],
      ['drift', 1],
    ] as const)
      expect((await run(['report', ...sides, '--fail-on', failOn])).code).toBe(expected);
  });

  it('reads a monitor, calibrates over time and measures performance', async () => {
    await writeFile(join(folder, 'm.yaml'), MONITOR);
    await write('a.ndjson', customers(4_000));
    await write('b.ndjson', customers(1_000));
    const { report: answer } = await report(
      '--reference',
      'a.ndjson',
      '--current',
      'b.ndjson',
      '--monitor',
      'm.yaml',
      '--fail-on',
      'never',
    );
    expect(answer).toMatchObject({ model: 'churn', null: 'calibrated' });
    expect(answer.features.map(({ name }) => name)).toEqual(['age', 'plan', 'odd "name"\n', 'score', 'predicted']);
    expect(answer.performance).toMatchObject({ status: 'ok', predictions: 1000, labels: 1000 });
    const timed = await report(
      '--reference',
      'a.ndjson',
      '--current',
      'b.ndjson',
      '--time',
      'when',
      '--fail-on',
      'never',
    );
    expect(timed.report.null).toBe('calibrated');
    const { out, err } = await run(['profile', 'a.ndjson', '--monitor', 'm.yaml', '-o', 'base.json']);
    expect([out, err.split('\n')[0]]).toEqual(['', 'base.json: 4,000 rows of a.ndjson, 5 columns']);
    const fromBaseline = await report(
      '--reference',
      'base.json',
      '--current',
      'b.ndjson',
      '--monitor',
      'm.yaml',
      '--fail-on',
      'never',
    );
    expect(fromBaseline.report).toEqual(answer);
  });

  it('tells columns that are absent, new, or of another type', async () => {
    await write(
      'a.ndjson',
      range(500).map((i) => ({ n: i % 50, t: `k${i % 5}`, gone: i % 3, both: i % 2 })),
    );
    await write(
      'b.ndjson',
      range(500).map((i) => ({ n: i % 50 === 7 ? 'seven' : i % 50, t: i % 5, fresh: i % 4, both: i % 2 })),
    );
    const { code, report: answer } = await report(
      '--reference',
      'a.ndjson',
      '--current',
      'b.ndjson',
      '--fail-on',
      'quality',
    );
    expect(code).toBe(1);
    const found = answer.quality
      .filter(({ status, check }) => status === 'drifted' && check !== 'unseen')
      .map(({ check, feature }) => `${check} ${feature}`);
    expect(found.sort()).toEqual(['absent-feature gone', 'missing gone', 'new-feature fresh', 'type n']);
    expect(answer.features.map(({ name, status }) => [name, status])).toEqual([
      ['n', 'ok'],
      ['t', 'drifted'],
      ['both', 'ok'],
    ]);
  });

  it('answers small, empty and foreign data plainly', async () => {
    await write(
      'a.ndjson',
      range(500).map((i) => ({ n: i % 50 })),
    );
    await write('one.ndjson', [{ n: 3 }]);
    await write('other.ndjson', [{ m: 3 }]);
    await writeFile(join(folder, 'none.csv'), 'n\n');
    const { report: answer } = await report('--reference', 'a.ndjson', '--current', 'one.ndjson');
    expect(answer.features[0]).toMatchObject({ status: 'insufficient-data', currentCount: 1 });
    expect((await report('--reference', 'one.ndjson', '--current', 'a.ndjson', '--fail-on', 'never')).code).toBe(0);
    expect(await run(['report', '--reference', 'a.ndjson', '--current', 'other.ndjson'])).toMatchObject({
      code: 2,
      out: '',
    });
    expect((await run(['report', '--reference', 'a.ndjson', '--current', 'none.csv'])).err).toMatch(
      /^none\.csv: has no rows/,
    );
    expect((await run(['report', '--reference', 'none.csv', '--current', 'a.ndjson'])).err).toMatch(
      /^none\.csv: has no rows/,
    );
    expect((await run(['report', '--reference', 'gone.csv', '--current', 'a.ndjson'])).err).toMatch(
      /^gone\.csv: there is no such file/,
    );
    expect((await run(['report', '--reference', 'a.ndjson', '--current', 'a.ndjson', '--time', 'whn'])).err).toMatch(
      /no column "whn"/,
    );
  });

  it('reads standard input, and refuses wrong use with the reason', async () => {
    await write(
      'a.ndjson',
      range(500).map((i) => ({ n: i % 50 })),
    );
    const piped = await run(
      ['report', '--reference', 'a.ndjson', '--current', '-', '--json'],
      `n\n${range(400)
        .map((i) => i % 50)
        .join('\n')}\n`,
    );
    expect([piped.code, (JSON.parse(piped.out) as Report).current.rows]).toEqual([0, 400]);
    expect((await run(['report', '--reference', 'a.ndjson'])).err).toBe('--current: is required\n');
    expect((await run(['report', '--reference', '-', '--current', '-'])).code).toBe(2);
    expect((await run(['report', '--reference', 'a.ndjson', '--current', 'a.ndjson', '--memory', 'lots'])).err).toMatch(
      /^--memory: is not a size/,
    );
  });
});

describe('profile', () => {
  it('writes a baseline to standard output, and only that with --json', async () => {
    await writeFile(join(folder, 'm.yaml'), MONITOR);
    await write('a.ndjson', customers(500));
    const { code, out, err } = await run([
      'profile',
      'a.ndjson',
      '--monitor',
      'm.yaml',
      '--model-version',
      '7',
      '--json',
    ]);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out) as Baseline).toMatchObject({
      schema: 'mlmon.baseline/v1',
      model: 'churn',
      version: '7',
      rows: 500,
    });
    expect((await run(['profile', 'a.ndjson', '--monitor', 'gone.yaml'])).code).toBe(2);
    expect((await run(['profile', '--monitor', 'm.yaml'])).err).toMatch(/FILE/);
  });
});

describe('init', () => {
  it('writes a monitor that is valid and finds its baseline', async () => {
    await write('a.ndjson', customers(3_000));
    const { code, err } = await run(['init', '--reference', 'a.ndjson', '--model', 'churn', '-o', 'init.yaml']);
    expect(code).toBe(0);
    expect(err).toMatch(/^init\.yaml: written/);
    const { monitor, problems } = readMonitorText(await readFile(join(folder, 'init.yaml'), 'utf8'));
    expect(problems).toEqual([]);
    expect(monitor).toMatchObject({
      model: 'churn',
      task: 'binary-classification',
      columns: { id: 'id', time: 'when', score: 'score', prediction: 'predicted', truth: 'truth' },
      baseline: { from: 'a.ndjson' },
      features: { age: { type: 'numeric' }, plan: { type: 'categorical' }, 'odd "name"\n': { type: 'numeric' } },
      window: { every: '1d' },
    });
    expect((await run(['profile', 'a.ndjson', '--monitor', 'init.yaml', '-o', 'b.json'])).code).toBe(0);
    const again = await run(['init', '--reference', 'a.ndjson', '--model', 'churn', '-o', 'init.yaml']);
    expect([again.code, again.err]).toEqual([2, 'init.yaml: exists already; give --force to write over it\n']);
  });

  it('tells tasks apart, and wrong names at once', async () => {
    const task = async (row: (i: number) => Row): Promise<string | undefined> => {
      await write('task.ndjson', range(300).map(row));
      const { out } = await run(['init', '--reference', 'task.ndjson', '--model', 'm']);
      return readMonitorText(out).monitor?.task;
    };
    expect(await task((i) => ({ x: i % 7, target: i % 2 }))).toBe('binary-classification');
    expect(await task((i) => ({ x: i % 7, target: i / 7 }))).toBe('regression');
    expect(await task((i) => ({ x: i % 7, target: `c${i % 5}` }))).toBe('multiclass-classification');
    expect(await task((i) => ({ x: i % 7, y: i * 3 }))).toBe('regression');
    expect(await task((i) => ({ x: i % 7 }))).toBe('none');
    await write('task.ndjson', [{ age: 1 }]);
    const { code, err } = await run(['init', '--reference', 'task.ndjson', '--model', 'My Model', '--truth', 'agee']);
    expect([code, err.trim().split('\n').length]).toEqual([2, 2]);
    expect(err).toMatch(/did you mean age\?/);
  });
});
