/** The same data in files of other formats gives the same report, number by number. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DuckDb, literal, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { runCommand } from './run-command.ts';

const FORMATS = { parquet: 'FORMAT parquet', csv: 'FORMAT csv, HEADER', ndjson: 'FORMAT json' } as const;

let folder: string;
let db: DuckDb;

/** Ties, missing values, decimals, dates, booleans, whole numbers beyond 32 bits, and far more digits than fit into twelve. */
const columns = (shift: number): string => `
  CASE WHEN u1 < 0.05 THEN NULL ELSE sqrt(-2e0 * ln(u2)) * cos(6.283185307179586e0 * u3) + ${shift}e0 END AS amount,
  exp(9e0 * u4) * 1e-200 AS tiny,
  -1e250 * u5 AS huge,
  CAST(floor(8e0 * u6 * u6) AS INTEGER) AS children,
  CAST(floor(1e15 * u7) AS BIGINT) AS big,
  CAST(round(100e0 * u8) / 4e0 AS DECIMAL(8, 2)) AS price,
  u9 < 0.3 AS active,
  CASE WHEN u10 < 0.02 THEN NULL ELSE 'plan ' || CAST(floor(${4 + shift}e0 * u10 * u10) AS INTEGER) END AS plan,
  'städte, "' || CAST(floor(40e0 * u11 * u11) AS INTEGER) || '"' AS city,
  DATE '2024-01-01' + CAST(floor(28e0 * i / 3000) AS INTEGER) AS day,
  TIMESTAMP '2024-01-01' + to_seconds(CAST(floor(2419200e0 * i / 3000) AS BIGINT)) AS at`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'report-files-'));
  db = await openDuckDb({ threads: 1 });
  for (const [side, shift] of [
    ['reference', 0],
    ['current', 1],
  ] as const) {
    const uniforms = Array.from(
      { length: 11 },
      (_, k) => `((hash(i * 100 + ${k + 50 * shift}) >> 11)::DOUBLE + 0.5e0) / 9007199254740992e0 AS u${k + 1}`,
    );
    const rows = `SELECT ${columns(shift)} FROM (SELECT i, ${uniforms.join(', ')} FROM range(3000) AS t(i))`;
    for (const [format, how] of Object.entries(FORMATS))
      await db.run(`COPY (${rows}) TO ${literal(join(folder, `${side}.${format}`))} (${how})`);
  }
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

async function mlmon(...argv: readonly string[]): Promise<string> {
  const { code, out } = await runCommand(folder, argv);
  expect(code).toBeLessThan(2);
  return out;
}

const report = (reference: string, current: string, ...more: readonly string[]): Promise<string> =>
  mlmon('report', '--reference', `reference.${reference}`, '--current', `current.${current}`, '--json', ...more);

describe('a report of Parquet, CSV and NDJSON', () => {
  for (const [what, more] of [
    ['with rows taken as independent', []],
    ['calibrated', ['--time', 'at']],
    ['decided by tests', ['--test', 'ks@scipy', '--test', 'plan=chi-square', '--test', 'huge=default@evidently']],
  ] as const)
    it(`is the same, ${what}`, async () => {
      const expected = await report('parquet', 'parquet', ...more);
      const { features } = JSON.parse(expected) as { readonly features: readonly { name: string; status: string }[] };
      expect(features.find(({ name }) => name === 'amount')?.status).toBe('drifted');
      expect(features.length).toBeGreaterThanOrEqual(9);
      for (const [a, b] of [
        ['csv', 'ndjson'],
        ['ndjson', 'csv'],
      ] as const)
        expect(await report(a, b, ...more), `${a} and ${b}`).toBe(expected);
    });

  it('comes from the same baseline', async () => {
    await writeFile(join(folder, 'monitor.yaml'), 'model: files\ncolumns: { time: at }\n');
    const baselines: unknown[] = [];
    for (const format of Object.keys(FORMATS)) {
      await mlmon('profile', `reference.${format}`, '--monitor', 'monitor.yaml', '--output', 'baseline.json', '--json');
      const { source, ...baseline } = JSON.parse(await readFile(join(folder, 'baseline.json'), 'utf8')) as {
        readonly source: { readonly name: string };
      };
      expect(source.name).toContain(format);
      baselines.push(baseline);
    }
    expect(baselines[1]).toEqual(baselines[0]);
    expect(baselines[2]).toEqual(baselines[0]);
  });
});
