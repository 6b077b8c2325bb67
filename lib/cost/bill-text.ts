/** A bill and a comparison as lines for people. */
import { noun } from '../contracts/noun.ts';
import type { CostPart, Estimate } from './estimate.ts';
import type { ComparedPart, Comparison } from './model-monitor.ts';

const money = (usd: number): string =>
  usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });

type Row = Pick<CostPart | ComparedPart, 'title' | 'usd' | 'low' | 'high' | 'basis'>;

/** Dearest first, then the sum. */
function rows(parts: readonly Row[], total: Row): readonly string[] {
  const all = [...[...parts].sort((a, b) => b.usd - a.usd), total];
  const wide = Math.max(...all.map(({ title }) => title.length));
  const right = Math.max(...all.map(({ usd }) => money(usd).length));
  return all.map(({ title, usd, low, high, basis }) =>
    `${title.padEnd(wide)}  ${money(usd).padStart(right)}  ${[low === high ? '' : `${money(low)} to ${money(high)}`, basis].filter((text) => text !== '').join('; ')}`.trimEnd(),
  );
}

export function billText({ parts, total, low, high, prices, usage, changedPrices }: Estimate): string {
  const changed = Object.keys(changedPrices);
  return `${[
    `${prices.currency} a month for ${usage.models.length} ${noun(usage.models.length, 'model')} and ${usage.eventsPerMonth.toLocaleString('en-US')} ${noun(usage.eventsPerMonth, 'event')}: ${prices.kind} of ${prices.region}, ${prices.asOf}`,
    ...(changed.length === 0 ? [] : [`prices of yours: ${changed.join(', ')}`]),
    '',
    ...rows(parts, { title: 'total', usd: total, low, high, basis: '' }),
  ].join('\n')}\n`;
}

export function comparisonText(ours: Estimate, theirs: Comparison): string {
  return `${[
    `${theirs.product} for the same models and traffic, USD a month`,
    '',
    ...rows(theirs.parts, { title: 'total', usd: theirs.total, low: theirs.low, high: theirs.high, basis: '' }),
    '',
    `ours is ${ratio(theirs.total / ours.total)} (${ratio(theirs.low / ours.high)} to ${ratio(theirs.high / ours.low)} over all ranges)`,
    '',
    'Compared:',
    ...theirs.scope.map((text) => `- ${text}`),
    'Assumed of it:',
    ...theirs.assumptions.map(
      ({ low, value, high, unit, by }) => `- ${value}${low === high ? '' : ` (${low} to ${high})`} ${unit}: ${by}`,
    ),
  ].join('\n')}\n`;
}

/** `3.2 times cheaper`, `1.4 times dearer`. */
function ratio(times: number): string {
  const one = (value: number): string => value.toLocaleString('en-US', { maximumSignificantDigits: 2 });
  return times >= 1 ? `${one(times)} times cheaper` : `${one(1 / times)} times dearer`;
}
