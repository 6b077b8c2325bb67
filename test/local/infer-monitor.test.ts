import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DuckDb, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { openTable } from '../../lib/adapters/duckdb/table.ts';
import type { Monitor } from '../../lib/contracts/monitor.ts';
import { inferMonitor } from '../../lib/local/infer-monitor.ts';
import { readMonitorText } from '../../lib/local/monitor-file.ts';

let folder: string;
let db: DuckDb;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'infer-'));
  db = await openDuckDb({ threads: 1 });
});
afterAll(async () => {
  await db.close();
  await rm(folder, { recursive: true, force: true });
});

/** The monitor of a table with these rows; it is valid or this fails. */
async function inferred(rows: readonly Readonly<Record<string, unknown>>[]): Promise<Monitor | null> {
  await writeFile(join(folder, 'data.ndjson'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const table = await openTable(db, { files: ['data.ndjson'], cwd: folder });
  const { yaml } = await inferMonitor({ table, model: 'm', named: {}, baselineFrom: 'data.ndjson' });
  const { monitor, problems } = readMonitorText(yaml);
  expect(problems).toEqual([]);
  return monitor;
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
/** `perDay` rows a day over 30 days. */
const month = (perDay: number): { time: string; x: number }[] =>
  range(30 * perDay).map((i) => ({
    time: new Date(Date.UTC(2001, 0, 1) + (i * 86_400_000) / perDay).toISOString(),
    x: i % 11,
  }));

describe('the positive class', () => {
  it('is the one with the usual name, whatever the scores say', async () => {
    const rows = range(100).map((i) => ({ x: i % 7, score: i / 100, truth: i < 50 ? 'yes' : 'no' }));
    expect((await inferred(rows))?.positive).toBe('yes');
  });

  it('is the one with the higher scores where neither name tells', async () => {
    const rows = range(100).map((i) => ({ x: i % 7, score: i / 100, truth: i < 50 ? 'stays' : 'leaves' }));
    expect((await inferred(rows))?.positive).toBe('leaves');
    expect((await inferred(rows.map((row) => ({ ...row, score: 1 - row.score }))))?.positive).toBe('stays');
  });

  it('is not guessed without scores, nor from scores that do not tell', async () => {
    const rows = range(100).map((i) => ({ x: i % 7, truth: i < 50 ? 'stays' : 'leaves' }));
    expect((await inferred(rows))?.positive).toBeUndefined();
    expect((await inferred(rows.map((row) => ({ ...row, score: 0.5 }))))?.positive).toBeUndefined();
  });
});

describe('the fewest rows of a window', () => {
  it('are fewer than a window of the reference holds, so that windows like it are judged', async () => {
    expect((await inferred(month(1_000)))?.window.minimumRows).toBe(200);
    for (const perDay of [300, 100, 50]) {
      const least = (await inferred(month(perDay)))?.window.minimumRows ?? 0;
      expect(least).toBeLessThan(perDay);
      expect(least).toBeGreaterThanOrEqual(20);
    }
    expect((await inferred(month(6)))?.window).toMatchObject({ every: '7d', minimumRows: 21 });
  });
});
