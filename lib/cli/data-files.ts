/** What the commands that read data share: options for DuckDB, progress on a terminal, findings as text. */
import type { DuckDb } from '../adapters/duckdb/load.ts';
import { formatProblem, type Problem, ProblemError } from '../contracts/problem.ts';
import type { CommandIo } from './command.ts';
import { type OptionSpec, type Options, wholeNumber } from './options.ts';
import { plain } from './plain.ts';

export const DATA_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  memory: { type: 'string' },
  threads: { type: 'string' },
};

export const DATA_HELP = `Data: Parquet, CSV (plain or .gz) or NDJSON (plain or .gz); a file, a glob in quotes, or - for standard input.
  --memory SIZE       most memory for reading data, e.g. 4GB; what does not fit goes to disk; default 1GB
  --threads N         default 2`;

/** Runs `work` with a database that is closed whatever happens. */
export async function withDuckDb<T>(options: Options, work: (db: DuckDb) => Promise<T>): Promise<T> {
  const memory = options.text('memory') ?? '1GB';
  if (!/^[1-9]\d*(?:\.\d+)? ?(?:[KMGT]i?)B$/i.test(memory))
    throw new ProblemError([
      {
        code: 'wrong-value',
        path: '--memory',
        message: 'is not a size',
        got: memory,
        expected: 'a number and a unit: 512MB, 4GB',
      },
    ]);
  const { openDuckDb } = await import('../adapters/duckdb/load.ts');
  const db = await openDuckDb({
    memoryLimit: memory,
    threads: wholeNumber(options.text('threads') ?? '2', '--threads', 1, 1024),
  });
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** One line on a terminal that is written over; nothing when piped. */
export class Progress {
  private readonly io: CommandIo;
  private shown = false;

  constructor(io: CommandIo) {
    this.io = io;
  }

  readonly at = (what: string): void => {
    if (!this.io.terminal) return;
    this.io.stderr.write(`\r\u001b[K${plain(what)} …`);
    this.shown = true;
  };

  end(): void {
    if (this.shown) this.io.stderr.write('\r\u001b[K');
    this.shown = false;
  }
}

export function writeFindings(io: CommandIo, findings: readonly Problem[]): void {
  for (const finding of findings) io.stderr.write(`note: ${plain(formatProblem(finding))}\n`);
}
