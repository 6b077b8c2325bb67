/** Pages that tell what it costs tell what the code reckons. UPDATE_GOLDEN=1 writes the tables anew. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSection, writeSection } from '../../bench/page-section.ts';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { type Estimate, estimate } from '../../lib/cost/estimate.ts';
import { FIGURES } from '../../lib/cost/figures.ts';
import { modelMonitorCost } from '../../lib/cost/model-monitor.ts';
import { LIST_PRICES } from '../../lib/cost/prices.ts';
import { PART_TITLES } from '../../lib/cost/reckoning.ts';
import { modelUsage, type Usage, usage } from '../../lib/cost/usage.ts';
import { readMonitorFiles } from '../../lib/local/monitor-file.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const PAGE = resolve(ROOT, 'docs/explanation/cost.md');
const COLUMNS = [
  { title: '1 M events, 1 model', events: 1e6, models: 1 },
  { title: '100 M, 10', events: 1e8, models: 10 },
  { title: '1 G, 50', events: 1e9, models: 50 },
  { title: '10 G, 200', events: 1e10, models: 200 },
];

const { monitor } = parseMonitor({
  model: 'm',
  task: 'binary-classification',
  positive: 'yes',
  columns: { score: 'score', prediction: 'predicted' },
  window: { every: '1h' },
});

function asked({ events, models }: (typeof COLUMNS)[number], more: Partial<Usage> = {}): Usage {
  return usage({
    models: Array.from({ length: models }, (_, i) => ({ ...modelUsage(monitor!, 52), model: `m-${i}` })),
    eventsPerMonth: events,
    ...more,
  });
}

const money = (usd: number): string => {
  const digits = usd < 10 ? 2 : 0;
  return usd.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
};
const ranged = ({ total, low, high }: Pick<Estimate, 'total' | 'low' | 'high'>): string =>
  `**${money(total)}** (${money(low)} to ${money(high)})`;
/** `right`: columns that are aligned to the right, from the one numbered `from` on. */
const table = (head: readonly string[], rows: readonly (readonly string[])[], right: number, from = 1): string =>
  [head, head.map((_, i) => (i >= from && i < from + right ? '---:' : '---')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

function bills(): string {
  const provisioned = COLUMNS.map((column) => estimate(asked(column, { stream: 'provisioned' })));
  const onDemand = COLUMNS.map((column) => estimate(asked(column)));
  const unbatched = COLUMNS.map((column) => estimate(asked(column, { stream: 'provisioned', eventsPerRecord: 1 })));
  const kept = COLUMNS.map((column) => estimate(asked(column, { stream: 'provisioned', captureDays: 30 })));
  const theirs = COLUMNS.map((column) => modelMonitorCost(asked(column)));
  const rows = Object.entries(PART_TITLES).flatMap(([id, title]) => {
    const amounts = provisioned.map(({ parts }) => parts.find((part) => part.id === id)?.usd);
    return amounts.every((usd) => usd === undefined) ? [] : [[title, ...amounts.map((usd) => money(usd ?? 0))]];
  });
  return table(
    ['', ...COLUMNS.map(({ title }) => title)],
    [
      ...rows,
      ['**provisioned shards**', ...provisioned.map(ranged)],
      ['on demand', ...onDemand.map(ranged)],
      ['provisioned, one event a record', ...unbatched.map(ranged)],
      ['provisioned, captured events kept 30 days', ...kept.map(ranged)],
      ...theirs[0]!.parts.map(({ title }, i) => [
        `Model Monitor: ${title}`,
        ...theirs.map(({ parts }) => money(parts[i]!.usd)),
      ]),
      ['**SageMaker Model Monitor**', ...theirs.map(ranged)],
    ],
    COLUMNS.length,
  );
}

/** Without the last bits of what was divided by a million. */
const exact = (value: number): string => String(Number(value.toPrecision(12)));
const number = (value: number): string => (value < 0.001 ? value.toExponential(1) : value.toLocaleString('en-US'));

function figures(): string {
  const rows = Object.entries(FIGURES).map(([name, { value, low, high, unit, is, by }]) => [
    `\`${name}\``,
    unit,
    number(value),
    low === high ? '' : `${number(low)} to ${number(high)}`,
    is,
    by,
  ]);
  return table(['figure', 'of', 'value', 'range', 'is', 'by'], rows, 2, 2);
}

function prices(): string {
  const rows = [
    ...Object.entries(LIST_PRICES.single).map(([name, { usd, per, source }]) => [
      `\`${name}\``,
      exact(usd),
      per,
      source,
    ]),
    ...Object.entries(LIST_PRICES.tiered).map(([name, { steps, per, source }]) => [
      `\`${name}\``,
      steps
        .map(({ to, usd }) =>
          Number.isFinite(to) ? `${exact(usd)} up to ${to.toLocaleString('en-US')}` : `then ${exact(usd)}`,
        )
        .join(', '),
      per,
      source,
    ]),
  ];
  return table([`price of ${LIST_PRICES.region}, ${LIST_PRICES.asOf}`, 'USD', 'for', 'source'], rows, 1);
}

describe('the page on costs', () => {
  it.each([
    ['bills', bills],
    ['figures', figures],
    ['prices', prices],
  ])('has the table that the code makes: %s', (name, make) => {
    if (process.env['UPDATE_GOLDEN'] !== undefined) return writeSection(name, make(), PAGE);
    expect(readSection(name, PAGE)).toBe(make());
  });
});

describe('amounts that other pages tell', () => {
  const example = async (more: Partial<Usage>): Promise<number> => {
    const files = await readMonitorFiles(resolve(ROOT, 'examples/aws/monitors'));
    return estimate(usage({ models: files.map((file) => modelUsage(file.monitor)), eventsPerMonth: 1e6, ...more }))
      .total;
  };
  const told = (path: string, sentence: RegExp): readonly number[] => {
    const found = sentence.exec(readFileSync(resolve(ROOT, path), 'utf8'));
    expect({ path, sentence: String(sentence), found: found !== null }).toEqual({
      path,
      sentence: String(sentence),
      found: true,
    });
    return found!.slice(1).map(Number);
  };

  it('are those of the example: the first page', async () => {
    const [small, large] = told(
      'README.md',
      /One model with a million events a month is some (\d+) \$ a month on one provisioned shard and without Managed Prometheus.* with a billion events, on demand and with it, some (\d+) \$/,
    );
    expect(Math.abs(small! - (await example({ stream: 'provisioned', prometheus: false })))).toBeLessThan(2);
    expect(Math.abs(large! - (await example({ eventsPerMonth: 1e9 })))).toBeLessThan(5);
  });

  it('are those of the example: the tutorial', async () => {
    const [amount] = told('docs/tutorial/deploy-on-aws.md', /It costs some (\d+) \$ a month/);
    expect(Math.abs(amount! - (await example({ stream: 'provisioned', prometheus: false })))).toBeLessThan(4);
  });
});
