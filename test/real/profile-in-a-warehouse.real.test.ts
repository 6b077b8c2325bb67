/**
 * The statements of a profile on engines that read nasty data each in its own way: what Spark and Trino answer must make the baseline
 * that the rows make on this machine. Athena is asked what Trino is; Trino's own grammar takes all of it.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import type { Monitor } from '../../lib/contracts/monitor.ts';
import { expectSameBaseline } from '../local/expect-same-baseline.ts';
import { nastyMonitor, trinoTable, writeNastyTable } from '../local/nasty-table.ts';
import { CHECKOUT, endAll, run } from './programs.ts';
import { trinoProblems } from './query-engines/trino-problems.ts';

const CACHE = join(CHECKOUT, '.cache/query-engines');
const ROWS = 4_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'warehouse-'));
  const db = await openDuckDb({ memoryLimit: '512MB' });
  await writeNastyTable(db, join(folder, 'nasty.parquet'), ROWS);
  await db.close();
});
afterAll(async () => {
  endAll();
  await rm(folder, { recursive: true, force: true });
});

async function mlmon(...line: string[]): Promise<string> {
  const { code, out, err } = await run(join(CHECKOUT, 'bin/mlmon'), line, { cwd: folder });
  expect(code, err).toBe(0);
  return out;
}

async function keep(name: string, monitor: Monitor): Promise<void> {
  await writeFile(join(folder, `${name}.json`), JSON.stringify(monitor));
}

const asked = (name: string, dialect: string): string[] => [
  ...['profile', 'sql', '--monitor', `${name}.json`, '--dialect', dialect, '--table', 'nasty'],
];

/** An engine that stays for several statements. */
class Engine {
  private readonly process: ChildProcessWithoutNullStreams;
  private readonly lines: AsyncIterator<string>;
  private err = '';

  constructor(program: string, about: string) {
    this.process = spawn(join(CACHE, 'venv/bin/python'), [join(CHECKOUT, 'test/real/query-engines', program), about]);
    this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    this.process.stderr.on('data', (chunk: Buffer) => {
      this.err += chunk.toString();
    });
  }

  async run(asked: Readonly<Record<string, unknown>>): Promise<void> {
    this.process.stdin.write(`${JSON.stringify(asked)}\n`);
    const { value, done } = await this.lines.next();
    if (done === true || value !== 'answered') throw new Error(`the engine said ${value}: ${this.err.slice(-3_000)}`);
  }

  async end(): Promise<void> {
    this.process.stdin.end();
    if (this.process.exitCode === null) await once(this.process, 'exit');
  }
}

/** Both statements, and the baseline of their answers against that of the rows. `answer` tells where the answer is. */
async function expectSame(
  name: string,
  monitor: Monitor,
  dialect: string,
  answer: (sql: string) => Promise<string>,
): Promise<void> {
  await keep(name, monitor);
  const first = await answer(await mlmon(...asked(name, dialect)));
  const second = await answer(await mlmon(...asked(name, dialect), '--counts', first));
  await mlmon('profile', '--monitor', `${name}.json`, '--counts', first, '--counts', second, '-o', 'counts.json');
  await mlmon('profile', '--monitor', `${name}.json`, 'nasty.parquet', '-o', 'rows.json');
  const [counts, rows] = await Promise.all(
    ['counts.json', 'rows.json'].map(
      async (file) => JSON.parse(await readFile(join(folder, file), 'utf8')) as Baseline,
    ),
  );
  expect(rows?.window?.count, name).toBeGreaterThan(30);
  expectSameBaseline(counts as Baseline, rows as Baseline);
}

const ANSI = { 'spark.sql.ansi.enabled': 'true', 'spark.sql.session.timeZone': 'America/New_York' };
/** Compiled only where it pays. */
const LENIENT = {
  'spark.sql.ansi.enabled': 'false',
  'spark.sql.session.timeZone': 'Asia/Kolkata',
  'spark.sql.codegen.wholeStage': 'false',
};

/** Times of other types, in days, and few columns, so that the statements are short. */
const timed = (time: string): Monitor =>
  nastyMonitor({
    task: 'none',
    positive: undefined,
    columns: { time },
    features: { few: { type: 'numeric' }, tenths: { type: 'categorical' } },
  });

const regression = (): Monitor =>
  nastyMonitor({
    task: 'regression',
    positive: undefined,
    columns: { time: 'when_zoned', prediction: 'price', truth: 'single', weight: 'weight' },
    window: { every: '12h', timezone: 'Europe/Berlin' },
    features: { texts_as_numbers: { type: 'numeric' }, ratio: { type: 'categorical' } },
  });

describe('a profile made in a warehouse', () => {
  it('is on Spark, ANSI or not, what it is of the rows', async () => {
    const spark = new Engine('profile-spark.py', join(folder, 'nasty.parquet'));
    const on =
      (conf: Readonly<Record<string, string>>) =>
      async (sql: string): Promise<string> => {
        const to = await mkdtemp(join(folder, 'spark-'));
        await spark.run({ sql, conf, to: join(to, 'rows') });
        return join(to, 'rows', '*.csv');
      };
    try {
      await expectSame('nasty', nastyMonitor(), 'spark', on(ANSI));
      await expectSame('regression', regression(), 'spark', on(LENIENT));
      await expectSame('text', timed('when_text'), 'spark', on(LENIENT));
      await expectSame('seconds', timed('when_seconds'), 'spark', on(LENIENT));
    } finally {
      await spark.end();
    }
  }, 600_000);

  it('is on Trino what it is of the rows', async () => {
    const trino = new Engine('profile-trino.py', join(CACHE, 'trino'));
    const answer = async (sql: string): Promise<string> => {
      const to = join(await mkdtemp(join(folder, 'trino-')), 'rows.csv');
      await trino.run({ sql, to });
      return to;
    };
    try {
      const db = await openDuckDb({ memoryLimit: '512MB' });
      await trino.run({ sql: await trinoTable(db, join(folder, 'nasty.parquet')), to: null });
      await db.close();
      await expectSame('nasty', nastyMonitor(), 'trino', answer);
      await expectSame('regression', regression(), 'athena', answer);
      await expectSame('text', timed('when_text'), 'trino', answer);
      await expectSame('seconds', timed('when_seconds'), 'trino', answer);
    } finally {
      await trino.end();
    }
  }, 600_000);

  it('is asked for in the grammar of Trino', async () => {
    await keep('athena', timed('when'));
    const db = await openDuckDb({ memoryLimit: '256MB' });
    await db.run(`CREATE VIEW nasty AS SELECT * FROM '${join(folder, 'nasty.parquet')}'`);
    await db.run(`COPY (${await mlmon(...asked('athena', 'duckdb'))}) TO '${join(folder, '1.csv')}'`);
    await db.close();
    const statements = [
      await mlmon(...asked('athena', 'athena')),
      await mlmon(...asked('athena', 'athena'), '--counts', '1.csv'),
    ];
    const problems = await trinoProblems(folder, statements);
    expect(problems.slice(0, 2)).toEqual([[], []]);
    expect(problems[2]?.length).toBeGreaterThan(0);
  }, 120_000);
});
