import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { compareSamples, testNames, testTypes } from '../../lib/engine/two-sample.ts';
import { MOST_RAW_VALUES, readTestChoices, refuseTooManyValues } from '../../lib/local/chosen-tests.ts';
import type { Report } from '../../lib/local/report.ts';
import { runCommand, type Said } from './run-command.ts';

let folder: string;
let state = 7;
/** Uniform, repeatable. */
function random(): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

interface Sample {
  readonly age: number | null;
  readonly 'a=b': number;
  readonly plan: string | null;
}
const sample = (n: number, shift: number): Sample[] =>
  Array.from({ length: n }, (_, i) => ({
    age: i % 17 === 0 ? null : 20 + 40 * random() + shift,
    'a=b': Math.floor(6 * random()),
    plan: i % 23 === 0 ? null : ['basic', 'plus', 'pro'][Math.floor(3 * random() ** (1 + shift / 10))]!,
  }));
let reference: Sample[];
let current: Sample[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-tests-'));
  reference = sample(900, 0);
  current = sample(700, 5);
  await writeFile(join(folder, 'a.ndjson'), reference.map((row) => JSON.stringify(row)).join('\n'));
  await writeFile(join(folder, 'b.ndjson'), current.map((row) => JSON.stringify(row)).join('\n'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function report(...tests: string[]): Promise<Said> {
  const sides = tests.includes('--reference') ? [] : ['--reference', 'a.ndjson'];
  return runCommand(folder, ['report', ...sides, '--current', 'b.ndjson', ...tests]);
}

async function features(...tests: string[]): Promise<Report['features']> {
  const { out } = await report(...tests, '--json');
  return (JSON.parse(out) as Report).features;
}

function expected(test: string, column: keyof Sample): object {
  const { status, statistic, pValue, threshold, effect, score } = compareSamples({
    test,
    type: column === 'plan' ? 'categorical' : 'numeric',
    reference: reference.map((row) => row[column]),
    current: current.map((row) => row[column]),
  });
  return { test, status, statistic, pValue, threshold, effect, ...(score === undefined ? {} : { score }) };
}

describe('report --test', () => {
  it('answers with the numbers of compare, for our own tests and dialects', async () => {
    // Chunks of @nannyml ask for the order of the rows, missing ones included.
    for (const test of ['psi', 'default@evidently', 'jensen_shannon@nannyml', 'auto']) {
      const found = await features('--test', test);
      for (const column of ['age', 'a=b', 'plan'] as const)
        expect(
          found.find(({ name }) => name === column),
          `${test} ${column}`,
        ).toMatchObject(expected(test, column));
    }
  });

  it('takes one test for all columns of a type, another for one column, and says which are not for it', async () => {
    const found = await features('--test', 'ks', '--test', 'chi-square', '--test', 'a=b=wasserstein_distance@scipy');
    expect(found.map(({ name, test }) => [name, test])).toEqual([
      ['age', 'chi-square'],
      ['a=b', 'wasserstein_distance@scipy'],
      ['plan', 'chi-square'],
    ]);
    const numeric = await features('--test', 'chisquare@evidently', '--test', 'ks');
    expect(numeric.map(({ test }) => test)).toEqual(['ks', 'ks', 'chisquare@evidently']);
    const only = await features('--test', 'ks');
    expect(only[0]).toMatchObject(expected('ks', 'age'));
    expect(only[2]).toMatchObject({ test: 'ks', status: 'failed', statistic: null, pValue: null });
    expect((await report('--test', 'ks')).out).toContain('ks is for numeric columns only');
    const untouched = await features('--test', 'age=ks');
    expect(untouched.map(({ test }) => test)).toEqual(['ks', 'calibrated-scores', 'calibrated-scores']);
    expect(Object.keys(untouched[0] ?? {})).toEqual(Object.keys(untouched[1] ?? {}));
  });

  it('knows the test of SciPy by its short name too', async () => {
    const [age] = await features('--test', 'ks@scipy');
    expect(age).toEqual({ ...(await features('--test', 'ks_2samp@scipy'))[0], test: 'ks@scipy' });
    expect(age?.score).not.toBe(null);
  });

  it('decides the exit code', async () => {
    expect((await report('--test', 'age=ks', '--test', 'a=b=ks', '--test', 'plan=chi-square')).code).toBe(1);
    expect((await report('--test', 'ks_2samp@scipy', '--fail-on', 'quality')).code).toBe(0);
  });

  it('refuses unknown names with the nearest, all at once', async () => {
    const unknown = await report('--test', 'kss', '--test', 'age=psy');
    expect(unknown).toMatchObject({ code: 2, out: '' });
    expect(unknown.err).toMatch(/got kss; .+ did you mean ks\?\n--test: .+ got psy; .+ did you mean psi\?/);
    expect((await report('--test', 'agee=ks')).err).toMatch(/no column "agee" is compared; .+ did you mean age\?/);
    expect(() => readTestChoices([''])).toThrow(ProblemError);
  });

  it('refuses what does not fit in memory, and baselines', async () => {
    const side = (rows: number) => ({ rows }) as Parameters<typeof refuseTooManyValues>[0];
    expect(() => refuseTooManyValues(side(MOST_RAW_VALUES - 1), side(1))).not.toThrow();
    expect(() => refuseTooManyValues(side(MOST_RAW_VALUES), side(1))).toThrow(/do not fit in memory, got 20,000,001/);
    await writeFile(join(folder, 'm.yaml'), 'model: m\n');
    const profile = ['profile', 'a.ndjson', '--monitor', 'm.yaml', '-o', 'base.json'];
    expect((await runCommand(folder, profile)).code).toBe(0);
    const { code, err } = await report('--reference', 'base.json', '--test', 'ks');
    expect([code, err.split(',')[0]]).toEqual([2, '--test: needs the raw values of both sides']);
  });

  it('knows the type of every test', () => {
    for (const name of testNames()) expect(testTypes(name)?.length, name).toBeGreaterThan(0);
    expect(testTypes('toString')).toBe(null);
    expect(testTypes('ks@toString')).toBe(null);
    expect(testTypes('@scipy')).toBe(null);
  });
});
