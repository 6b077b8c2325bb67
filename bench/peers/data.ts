/**
 * Data for comparisons with other products: two files of the same laws but for a few columns. Of every fifty columns twenty are normal,
 * ten lognormal, ten whole numbers and ten categories with 2 to 50 levels; in the current file n03 has another mean, n11 another spread,
 * n22 and n33 other scales, c04 other shares. Values are functions of row, column and side, so they are the same in every run.
 */
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { literal, openDuckDb } from '../../lib/adapters/duckdb/load.ts';
import { cache } from './environment.ts';

export const DRIFTED: readonly string[] = ['n03', 'n11', 'n22', 'n33', 'c04'];
const LEVELS = [2, 3, 5, 8, 10, 15, 20, 30, 40, 50];

export interface DataFiles {
  readonly reference: string;
  readonly current: string;
}

/** Makes the files where they are missing. `columns` is a multiple of fifty. */
export async function dataFiles(rows: number, columns = 50): Promise<DataFiles> {
  const folder = join(cache, 'data');
  mkdirSync(folder, { recursive: true });
  const file = (side: string): string => join(folder, `${side}-${rows}x${columns}.parquet`);
  for (const side of ['reference', 'current'] as const) {
    if (existsSync(file(side))) continue;
    const db = await openDuckDb({ memoryLimit: '2GB' });
    try {
      const of = Array.from({ length: columns / 50 }, (_, block) => block).flatMap((block) => columnsOf(block, side));
      const draft = `${file(side)}.draft`;
      await db.run(
        `COPY (SELECT ${of.join(', ')} FROM range(${rows}) AS t(i)) TO ${literal(draft)} (FORMAT parquet, COMPRESSION snappy)`,
      );
      renameSync(draft, file(side));
    } finally {
      await db.close();
    }
  }
  return { reference: file('reference'), current: file('current') };
}

/** SQL of fifty columns. Names of all but the first fifty end with their block. */
function columnsOf(block: number, side: 'reference' | 'current'): string[] {
  const isDrifted = side === 'current' && block === 0;
  const seed = 2_000 * block + (side === 'reference' ? 0 : 1_000);
  /** Uniform on (0, 1). Numbers are written as doubles: decimals take ten times as long. */
  const uniform = (stream: number): string =>
    `((hash(i * 1000003 + ${seed + stream}) >> 11)::DOUBLE + 0.5e0) / 9007199254740992e0`;
  const normal = (stream: number): string =>
    `sqrt(-2e0 * ln(${uniform(stream)})) * cos(6.283185307179586e0 * ${uniform(stream + 1)})`;
  const name = (kind: string, at: number): string =>
    `AS ${kind}${String(at).padStart(2, '0')}${block === 0 ? '' : `_${block}`}`;
  const numbers = Array.from({ length: 40 }, (_, at) => {
    const stream = 2 * at;
    if (at < 20) {
      const spread = (1 + at) * (isDrifted && at === 11 ? 1.5 : 1);
      const mean = 10 * at + (isDrifted && at === 3 ? 0.3 * spread : 0);
      return `${mean}e0 + ${spread}e0 * ${normal(stream)} ${name('n', at)}`;
    }
    if (at < 30)
      return `${isDrifted && at === 22 ? 1.4 : 1}e0 * exp(${(at - 20) / 10}e0 + ${normal(stream)}) ${name('n', at)}`;
    if (at % 2 === 0)
      return `CAST(floor(${uniform(stream)} * ${10 ** (1 + (at - 30) / 2)}e0) AS BIGINT) ${name('n', at)}`;
    const mean = 3 * (at - 29) * (isDrifted && at === 33 ? 1.15 : 1);
    return `CAST(greatest(0, round(${mean}e0 + ${Math.sqrt(mean)}e0 * ${normal(stream)})) AS BIGINT) ${name('n', at)}`;
  });
  const categories = LEVELS.map((levels, at) => {
    // Weights of about 1/k, or all alike to the square root of it.
    const law =
      isDrifted && at === 4
        ? `${levels}e0 * ${uniform(100 + at)} * ${uniform(100 + at)}`
        : `exp(${uniform(100 + at)} * ln(${levels + 1}e0)) - 1e0`;
    return `'level_' || lpad(CAST(CAST(floor(${law}) AS INTEGER) AS VARCHAR), 2, '0') ${name('c', at)}`;
  });
  return [...numbers, ...categories];
}
