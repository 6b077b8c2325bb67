import { existsSync, readFileSync } from 'node:fs';
import { parseDocument } from 'yaml';
import { ProblemError } from '../../contracts/problem.ts';
import { changePrices, type PriceChanges } from '../../cost/price-changes.ts';
import { LIST_PRICES, type PriceTable } from '../../cost/prices.ts';

/** Prices of a file, checked: `asOf`, `region`, `kind` and `prices` by their names. @throws ProblemError with all problems of the file */
export function readPrices(file: string): PriceChanges {
  const problem = (path: string, message: string, expected: string): ProblemError =>
    new ProblemError([{ code: 'prices-file', path, message, expected }]);
  if (!existsSync(file)) throw problem(file, 'there is no such file', 'a file of prices, YAML or JSON');
  const document = parseDocument(readFileSync(file, 'utf8'));
  const [error] = document.errors;
  if (error !== undefined) throw problem(file, error.message.split('\n')[0] ?? 'is not readable', 'YAML or JSON');
  const input: unknown = document.toJS({ maxAliasCount: 20 });
  const { problems } = changePrices(input);
  if (problems.length > 0)
    throw new ProblemError(problems.map((one) => ({ ...one, path: one.path === '' ? file : `${file}: ${one.path}` })));
  return input as PriceChanges;
}

/** The table with these changes. @throws ProblemError with all problems */
export function priceTable(changes: PriceChanges | undefined): PriceTable {
  if (changes === undefined) return LIST_PRICES;
  const { prices, problems } = changePrices(changes);
  if (problems.length === 0) return prices;
  throw new ProblemError(
    problems.map((one) => ({ ...one, path: one.path === '' ? 'prices' : one.path.replace(/^(?!prices)/, 'prices.') })),
  );
}
