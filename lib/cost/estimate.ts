/** The bill of a month: by part, with its range, and all that it was reckoned from, so that it can be reckoned again with other prices. */
import { noun } from '../contracts/noun.ts';
import type { Problem } from '../contracts/problem.ts';
import { figuresAt, LEVELS } from './figures.ts';
import type { PriceChanges } from './price-changes.ts';
import { LIST_PRICES, type PriceTable } from './prices.ts';
import { type PartId, reckon } from './reckoning.ts';
import type { Usage } from './usage.ts';

export interface CostPart {
  readonly id: PartId;
  readonly title: string;
  /** A month. */
  readonly usd: number;
  /** The same with all figures at the low and at the high end of their ranges. */
  readonly low: number;
  readonly high: number;
  /** What it was reckoned from, in one line. */
  readonly basis: string;
}

export interface Estimate {
  readonly schema: 'mlmon.cost/v2';
  readonly prices: Pick<PriceTable, 'region' | 'currency' | 'kind' | 'asOf'>;
  /** Those that differ from the table, as a file says them. */
  readonly changedPrices: PriceChanges['prices'];
  readonly usage: Usage;
  readonly parts: readonly CostPart[];
  readonly total: number;
  readonly low: number;
  readonly high: number;
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, usd) => total + usd, 0);

export function estimate(usage: Usage, prices: PriceTable = LIST_PRICES): Estimate {
  const [low, middle, high] = LEVELS.map((level) => reckon(usage, prices, figuresAt(level)));
  const parts = middle!.map(
    (part, i): CostPart => ({
      ...part,
      low: Math.min(low![i]!.usd, part.usd),
      high: Math.max(high![i]!.usd, part.usd),
    }),
  );
  const { region, currency, kind, asOf } = prices;
  return {
    schema: 'mlmon.cost/v2',
    prices: { region, currency, kind, asOf },
    changedPrices: changesOf(prices),
    usage,
    parts,
    total: sum(parts.map(({ usd }) => usd)),
    low: sum(parts.map((part) => part.low)),
    high: sum(parts.map((part) => part.high)),
  };
}

function changesOf({ single, tiered }: PriceTable): PriceChanges['prices'] {
  const changed: Record<string, PriceChanges['prices'][string]> = {};
  for (const [name, { usd, source }] of Object.entries(single)) if (source === 'changed') changed[name] = usd;
  for (const [name, { steps, source }] of Object.entries(tiered))
    if (source === 'changed') changed[name] = steps.map(({ to, usd }) => (Number.isFinite(to) ? { to, usd } : { usd }));
  return changed;
}

/** No problem while the whole bill stays within its cap. */
export function guardBudget({ total, parts, usage, prices }: Estimate, budget: number | undefined): Problem[] {
  if (budget === undefined || total <= budget) return [];
  const dearest = [...parts].sort((a, b) => b.usd - a.usd).map(({ title, usd }) => `${title} ${dollars(usd)}`);
  return [
    {
      code: 'cost-budget',
      path: 'budget',
      message: `${usage.models.length} ${noun(usage.models.length, 'model')} and ${usage.eventsPerMonth.toLocaleString('en-US')} ${noun(usage.eventsPerMonth, 'event')} would cost ${dollars(total)} a month, ${prices.kind} of ${prices.region}, ${prices.asOf}: ${dearest.join('; ')}`,
      expected: `at most ${dollars(budget)} a month`,
      fix: 'raise budget, or choose what costs less: docs/explanation/cost.md',
    },
  ];
}

/** `$1,235`; below ten dollars with cents, so that what is small is not told as nothing. */
export function dollars(usd: number): string {
  const digits = usd < 10 ? 2 : 0;
  return `$${usd.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}
