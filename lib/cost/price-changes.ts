/** Prices of another region or of your own, as a file says them: what stands there replaces the table's, the rest stays. */
import { nearest, type Problem, shown } from '../contracts/problem.ts';
import { LIST_PRICES, type Price, type PriceTable, type TieredPrice } from './prices.ts';

/** As a file of YAML or JSON holds it; a single price is a number of USD, a tiered one a list of steps whose last has no `to`. */
export interface PriceChanges {
  readonly region?: string;
  /** What they are, e.g. `list prices` or `prices of our agreement`. */
  readonly kind?: string;
  /** YYYY-MM-DD: when they were read. */
  readonly asOf: string;
  readonly prices: Readonly<Record<string, number | readonly { readonly to?: number; readonly usd: number }[]>>;
}

const KEYS = ['region', 'kind', 'asOf', 'prices'];

/** The table with these changes; all problems are returned together. */
export function changePrices(
  input: unknown,
  table: PriceTable = LIST_PRICES,
): { readonly prices: PriceTable; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const wrong = (path: string, message: string, got: unknown, expected: string, fix?: string): void =>
    void problems.push({
      code: 'wrong-price',
      path,
      message,
      got: got === undefined ? got : shown(got),
      expected,
      fix,
    });
  if (!isRecord(input)) {
    wrong('', 'is no list of prices', input, '`asOf` and `prices`');
    return { prices: table, problems };
  }
  for (const key of Object.keys(input))
    if (!KEYS.includes(key)) wrong(key, 'is unknown', key, `one of ${KEYS.join(', ')}`);
  const text = (key: string, fallback: string, fits: (value: string) => boolean, expected: string): string => {
    const value = input[key];
    if (value === undefined) return fallback;
    if (typeof value === 'string' && fits(value)) return value;
    wrong(key, 'is not right', value, expected);
    return fallback;
  };
  if (input['asOf'] === undefined)
    wrong('asOf', 'is missing', undefined, 'the day on which the prices were read, YYYY-MM-DD');
  const asOf = text('asOf', table.asOf, (value) => /^\d{4}-\d{2}-\d{2}$/.test(value), 'a day, YYYY-MM-DD');
  const region = text(
    'region',
    table.region,
    (value) => /^[a-z0-9-]{1,40}$/.test(value),
    'a region, e.g. eu-central-1',
  );
  const kind = text('kind', table.kind, (value) => value.length > 0 && value.length <= 100, 'some words');
  const single: Record<string, Price> = { ...table.single };
  const steps: Record<string, TieredPrice> = { ...table.tiered };
  const changes = input['prices'];
  if (!isRecord(changes)) wrong('prices', 'is no list of prices', changes, 'prices by their names');
  else
    for (const [name, value] of Object.entries(changes)) {
      const path = `prices.${name}`;
      if (name in table.single) {
        if (isPrice(value)) single[name] = { ...single[name]!, usd: value, source: 'changed' };
        else wrong(path, 'is no price', value, 'a number of USD, 0 or more');
      } else if (name in table.tiered) {
        const found = stepsOf(value);
        if (found === undefined)
          wrong(path, 'has wrong steps', value, 'a list of { to, usd } with ascending `to`, the last without one');
        else steps[name] = { ...steps[name]!, steps: found, source: 'changed' };
      } else {
        const names = [...Object.keys(table.single), ...Object.keys(table.tiered)];
        const near = nearest(name, names);
        wrong(
          path,
          'is the name of no price',
          name,
          near === undefined ? `one of ${names.join(', ')}` : 'a name of the table',
          near === undefined ? undefined : `did you mean ${near}?`,
        );
      }
    }
  return {
    prices: {
      region,
      currency: table.currency,
      kind,
      asOf,
      single: single as PriceTable['single'],
      tiered: steps as PriceTable['tiered'],
    },
    problems,
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isPrice = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 1e6;

function stepsOf(value: unknown): TieredPrice['steps'] | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > 20) return undefined;
  const steps: { to: number; usd: number }[] = [];
  for (const [i, step] of value.entries()) {
    if (!isRecord(step) || !isPrice(step['usd'])) return undefined;
    const last = i === value.length - 1;
    const to = last && step['to'] === undefined ? Number.POSITIVE_INFINITY : step['to'];
    if (typeof to !== 'number' || to <= (steps.at(-1)?.to ?? 0) || (last && to !== Number.POSITIVE_INFINITY))
      return undefined;
    steps.push({ to, usd: step['usd'] });
  }
  return steps;
}
