/** `mlmon profile sql`: the statements that profile a table where its rows lie. */
import { resolve } from 'node:path';
import type { SqlDialect } from '../adapters/warehouse/dialect.ts';
import { DIALECTS, type DialectName } from '../adapters/warehouse/dialects.ts';
import { summaryStatement } from '../adapters/warehouse/summary-statement.ts';
import { windowsStatement } from '../adapters/warehouse/windows-statement.ts';
import { type Problem, ProblemError, shown } from '../contracts/problem.ts';
import {
  profileSource,
  SUMMARY_RULE,
  summaryLabel,
  type WarehouseTable,
  windowsLabel,
  windowsSource,
} from '../local/warehouse-profile.ts';
import { type CommandIo, EXIT } from './command.ts';
import { DATA_OPTIONS, withDuckDb } from './data-files.ts';
import { readMonitorFile } from './monitor-option.ts';
import { readOptions } from './options.ts';

export const SQL_USAGE =
  'mlmon profile sql --monitor monitor.yaml --table NAME --dialect athena|trino|spark|duckdb [--counts FILE…]';

export async function profileSql(argv: readonly string[], io: CommandIo): Promise<number> {
  const options = readOptions(argv, {
    monitor: { type: 'string', required: true },
    table: { type: 'string', required: true },
    dialect: { type: 'string', required: true, values: Object.keys(DIALECTS) },
    counts: { type: 'string', multiple: true },
    ...DATA_OPTIONS,
  });
  const dialect = DIALECTS[options.required('dialect') as DialectName];
  const monitor = await readMonitorFile(resolve(io.cwd, options.required('monitor')));
  const relation = relationOf(options.required('table'), dialect);
  const counts = options.list('counts');
  const again = `--monitor ${options.required('monitor')}`;
  if (counts.length === 0) {
    const source = profileSource(monitor, relation);
    const label = summaryLabel(source);
    write(
      io,
      statements(dialect, source.columns.length, (part) =>
        summaryStatement(dialect, source, SUMMARY_RULE, label, part),
      ),
      `then: mlmon profile sql ${again} … --counts RESULT`,
    );
    return EXIT.nothingFound;
  }
  const { columns, spans } = await withDuckDb(options, async (db) => {
    const [{ openTable }, { summarised }] = await Promise.all([
      import('../adapters/duckdb/table.ts'),
      import('../local/baseline-from-counts.ts'),
    ]);
    return summarised({ table: await openTable(db, { files: counts, cwd: io.cwd, stdin: io.stdin }), monitor });
  });
  const source = windowsSource(monitor, relation, columns, spans);
  const make = `mlmon profile ${again} ${counts.map((file) => `--counts ${file}`).join(' ')}`;
  if (source === null) {
    io.stderr.write(`nothing more to ask: ${make}\n`);
    return EXIT.nothingFound;
  }
  const label = windowsLabel(source);
  write(
    io,
    statements(dialect, source.columns.length, (part) => windowsStatement(dialect, source, label, part)),
    `then: ${make} --counts RESULT`,
  );
  return EXIT.nothingFound;
}

/** As few statements as the engine takes, each about some of the columns. */
function statements(
  dialect: SqlDialect,
  columns: number,
  render: (part: readonly [number, number]) => string,
): readonly string[] {
  const within = (from: number, to: number): string[] => {
    const sql = render([from, to]);
    const bytes = Buffer.byteLength(sql);
    if (dialect.longest === null || bytes <= dialect.longest) return [sql];
    if (to - from === 1)
      throw new ProblemError([
        {
          code: 'too-long',
          path: '--dialect',
          message: `the statement about one column alone is longer than ${dialect.name} takes`,
          got: `${bytes} bytes`,
          expected: `at most ${dialect.longest}`,
          fix: 'leave out the column with the longest categories, or bucket them',
        },
      ]);
    const middle = (from + to) >>> 1;
    return [...within(from, middle), ...within(middle, to)];
  };
  return within(0, columns);
}

function write(io: CommandIo, sql: readonly string[], next: string): void {
  io.stdout.write(`${sql.join('\n;\n')}\n`);
  io.stderr.write(
    `${sql.length === 1 ? 'one statement' : `${sql.length} statements, each to be run`}; keep all rows of the result with its header, as CSV, NDJSON or Parquet\n${next}\n`,
  );
}

/** A name of parts, or a query in parentheses. */
function relationOf(text: string, dialect: SqlDialect): WarehouseTable {
  const called = text.replace(/\s+/g, ' ').trim().slice(0, 200);
  if (/^\s*\([\s\S]*\)\s*$/.test(text)) return { sql: text.trim(), called };
  const problem: Problem = {
    code: 'wrong-value',
    path: '--table',
    message: 'is no name of a table',
    got: shown(text),
    expected:
      'parts joined by dots (database.flights), or a query in parentheses ("(SELECT * FROM flights WHERE dt >= \'2026-01-01\')")',
  };
  const parts = text.split('.');
  if (parts.some((part) => part === '' || /[\s"'`;()]/.test(part))) throw new ProblemError([problem]);
  return { sql: parts.map((part) => dialect.quoted(part)).join('.'), called };
}
