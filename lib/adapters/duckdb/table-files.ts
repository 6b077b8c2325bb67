/** Which files a user means and what is in them: globs, several files, standard input; Parquet, CSV and NDJSON, plain or gzip. */
import { createWriteStream } from 'node:fs';
import { open, rename, stat } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Problem, ProblemError } from '../../contracts/problem.ts';
import { type DuckDb, literal } from './load.ts';

export type TableFormat = 'parquet' | 'csv' | 'ndjson';

export interface TableFile {
  /** As the user named it. */
  readonly shown: string;
  readonly path: string;
  readonly format: TableFormat;
}

const EXTENSIONS: Readonly<Record<string, TableFormat>> = {
  parquet: 'parquet',
  pq: 'parquet',
  csv: 'csv',
  tsv: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
};
const EXPECTED = 'Parquet (.parquet), CSV (.csv, .tsv) or NDJSON (.ndjson, .jsonl), the latter two plain or with .gz';
/** Bytes read to tell a format. */
const HEAD_BYTES = 4_096;

/**
 * Finds the files of `sources`: paths, globs, or `-` for standard input, which is kept in the folder of the database.
 * @throws ProblemError naming every source that is missing, empty or of no known format
 */
export async function findFiles(
  db: DuckDb,
  sources: readonly string[],
  from: { readonly cwd: string; readonly stdin?: Readable },
): Promise<TableFile[]> {
  const problems: Problem[] = [];
  const files: TableFile[] = [];
  for (const source of sources) {
    if (source === '-') {
      if (from.stdin === undefined) throw new RangeError('standard input is not given');
      files.push(await spooled(db, from.stdin));
      continue;
    }
    const paths = await matches(db, source, from.cwd);
    if (paths.length === 0)
      problems.push({
        code: 'no-such-file',
        path: source,
        message: 'there is no such file',
        expected: 'a file, a glob such as data/*.parquet, or - for standard input',
      });
    for (const { shown, path } of paths) {
      const checked = await check(shown, path);
      if ('format' in checked) files.push(checked);
      else problems.push(checked);
    }
  }
  if (problems.length === 0 && new Set(files.map(({ format }) => format)).size > 1)
    problems.push({
      code: 'mixed-formats',
      path: sources.join(' '),
      message: 'the files are of different formats',
      got: [...new Set(files.map(({ format }) => format))].join(' and '),
      expected: 'files of one format',
    });
  if (problems.length > 0) throw new ProblemError(problems);
  return files;
}

/** A path as DuckDB must be given it: what looks like a glob in a real name is escaped. */
export function plainPath(path: string): string {
  return path.replace(/[[*?]/g, (character) => `[${character}]`);
}

async function matches(db: DuckDb, source: string, cwd: string): Promise<{ shown: string; path: string }[]> {
  const path = isAbsolute(source) ? source : join(cwd, source);
  // A file whose very name holds a star is meant as such.
  if (
    await stat(path).then(
      () => true,
      () => false,
    )
  )
    return [{ shown: source, path }];
  if (!/[*?[]/.test(source)) return [];
  const pattern = isAbsolute(source) ? source : `${plainPath(cwd)}/${source}`;
  const rows = await db.rows(`SELECT file FROM glob(${literal(pattern)}) ORDER BY file`);
  return rows.map(({ file }) => ({ shown: basename(String(file)), path: String(file) }));
}

async function check(shown: string, path: string): Promise<TableFile | Problem> {
  const problem = (code: string, message: string, got?: string): Problem => ({
    code,
    path: shown,
    message,
    got,
    expected: EXPECTED,
  });
  let head: Buffer;
  try {
    if ((await stat(path)).isDirectory()) return problem('is-folder', 'is a folder', `${shown}/`);
    head = await headOf(path);
  } catch (error) {
    return problem('unreadable', 'cannot be read', (error as NodeJS.ErrnoException).code);
  }
  if (head.length === 0) return problem('empty-file', 'is empty', '0 bytes');
  const extension = /\.([a-z]+)(?:\.gz)?$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  const named = EXTENSIONS[extension];
  const found = sniff(head);
  if (named === undefined && found === null) return problem('unknown-format', 'is of no known format', excerpt(head));
  if (named === 'parquet' && found !== 'parquet')
    return problem('not-parquet', 'is not a Parquet file', `a file that begins with ${excerpt(head)}`);
  if (found === 'parquet' && named !== undefined && named !== 'parquet') return { shown, path, format: 'parquet' };
  return { shown, path, format: named ?? (found as TableFormat) };
}

async function headOf(path: string): Promise<Buffer> {
  const handle = await open(path);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** By the first bytes; `null` for what is certainly no table. gzip says nothing of what is inside. */
function sniff(head: Buffer): TableFormat | null {
  if (head.subarray(0, 4).toString('latin1') === 'PAR1') return 'parquet';
  if (isGzip(head) || head.includes(0)) return null;
  const text = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  if (text.startsWith('{')) return 'ndjson';
  return text.startsWith('[') || text.startsWith('<') ? null : 'csv';
}

const isGzip = (head: Buffer): boolean => head[0] === 0x1f && head[1] === 0x8b;

function excerpt(head: Buffer): string {
  return JSON.stringify(head.subarray(0, 16).toString('latin1'));
}

/** Keeps standard input in a file, unpacked, since every table is read more than once. */
async function spooled(db: DuckDb, stdin: Readable): Promise<TableFile> {
  const path = join(db.folder, db.name('stdin'));
  await pipeline(stdin, createWriteStream(path));
  let head = await headOf(path);
  if (isGzip(head)) {
    const handle = await open(path);
    await pipeline(handle.createReadStream(), createGunzip(), createWriteStream(`${path}.plain`));
    await rename(`${path}.plain`, path);
    head = await headOf(path);
  }
  const format = sniff(head);
  if (head.length === 0 || format === null)
    throw new ProblemError([
      {
        code: head.length === 0 ? 'empty-file' : 'unknown-format',
        path: 'standard input',
        message: head.length === 0 ? 'is empty' : 'is of no known format',
        got: head.length === 0 ? undefined : excerpt(head),
        expected: EXPECTED,
      },
    ]);
  return { shown: 'standard input', path, format };
}
