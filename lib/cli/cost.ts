/** `mlmon cost`: money a month of a deployment on AWS, by part, before anything is deployed. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Baseline } from '../contracts/baseline.ts';
import { METRIC_DETAILS, type MetricDetail } from '../contracts/cloudwatch-metrics.ts';
import { ProblemError, shown } from '../contracts/problem.ts';
import { type Estimate, estimate } from '../cost/estimate.ts';
import { type ModelUsage, modelUsage, USAGE_DEFAULTS, USUAL_COLUMNS, usage } from '../cost/usage.ts';
import { type MonitorFile, readMonitorFiles } from '../local/monitor-file.ts';
import { type Command, EXIT, wrongUse } from './command.ts';
import { readOptions, wholeNumber } from './options.ts';

const help = `mlmon cost: money a month of a deployment on AWS, by part

Usage: mlmon cost --monitor FILE|DIR… --events-per-month N [options]

  --monitor FILE|DIR     monitors of the environment; may be given several times, or followed by more files
  --events-per-month N   inferences of all these models together; 250k, 100M and 1G are understood
  --stream MODE          provisioned or on-demand             (default: ${USAGE_DEFAULTS.stream})
  --events-per-record N  events that a producer puts into one record   (default: ${USAGE_DEFAULTS.eventsPerRecord})
  --metric-detail D      ${METRIC_DETAILS.join(', ')}: CloudWatch metrics of each model   (default: ${USAGE_DEFAULTS.metricDetail})
  --no-prometheus        without Managed Prometheus
  --capture-days N       how long captured events are kept     (default: ${USAGE_DEFAULTS.captureDays})
  --json                 the same as JSON

List prices of us-east-1, without free tiers, discounts and tax. A model whose monitor names neither features nor a baseline that
is at hand is reckoned with ${USUAL_COLUMNS} columns.
`;

export const command: Command = {
  name: 'cost',
  summary: 'money a month on AWS, by part, before anything is deployed',
  help,
  async run(argv, io) {
    const options = readOptions(
      argv,
      {
        monitor: { type: 'string', multiple: true, required: true },
        'events-per-month': { type: 'string', required: true },
        stream: { type: 'string', values: ['provisioned', 'on-demand'] },
        'events-per-record': { type: 'string' },
        'metric-detail': { type: 'string', values: METRIC_DETAILS },
        'no-prometheus': { type: 'boolean' },
        'capture-days': { type: 'string' },
        json: { type: 'boolean' },
      },
      { least: 0, most: 1_000, called: 'monitors' },
    );
    const files: MonitorFile[] = [];
    for (const path of [...options.list('monitor'), ...options.words])
      files.push(...(await readMonitorFiles(resolve(io.cwd, path))));
    if (files.length === 0) throw wrongUse('--monitor', 'there is no monitor', 'write one with `mlmon init`');
    const guessed: string[] = [];
    const models: ModelUsage[] = [];
    for (const { monitor, baselineFile } of files) {
      const columns = await baselineColumns(baselineFile);
      if (columns === undefined && monitor.features === undefined) guessed.push(monitor.model);
      models.push(modelUsage(monitor, columns));
    }
    const whole = (name: string, least: number, most: number): number | undefined => {
      const text = options.text(name);
      return text === undefined ? undefined : wholeNumber(text, `--${name}`, least, most);
    };
    const bill = estimate(
      usage({
        models,
        eventsPerMonth: amount(options.required('events-per-month'), '--events-per-month'),
        stream: options.text('stream') as 'provisioned' | 'on-demand' | undefined,
        eventsPerRecord: whole('events-per-record', 1, 10_000),
        metricDetail: options.text('metric-detail') as MetricDetail | undefined,
        prometheus: options.flag('no-prometheus') ? false : undefined,
        captureDays: whole('capture-days', 1, 36_500),
      }),
    );
    if (guessed.length > 0)
      io.stderr.write(
        `${guessed.join(', ')}: ${USUAL_COLUMNS} columns assumed, since neither features nor a baseline are at hand\n`,
      );
    io.stdout.write(options.flag('json') ? `${JSON.stringify(bill, null, 2)}\n` : table(bill));
    return EXIT.nothingFound;
  },
};

/** Columns of a baseline that `mlmon profile` made; a data file is not read for a price. */
async function baselineColumns(file: string | null): Promise<number | undefined> {
  if (file === null || !file.endsWith('.json')) return undefined;
  try {
    const { schema, columns } = JSON.parse(await readFile(file, 'utf8')) as Partial<Baseline>;
    return schema === 'mlmon.baseline/v1' && Array.isArray(columns) ? columns.length : undefined;
  } catch {
    // Not made yet: that is for `mlmon validate` and the deployment to say.
    return undefined;
  }
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 };

/** A number of events: `1000000`, `1_000_000`, `1e6`, `1M`. */
function amount(text: string, path: string): number {
  const [, digits = '', unit = ''] = /^(\d[\d_]*(?:\.\d+)?(?:e\d+)?)([kMG]?)$/.exec(text) ?? [];
  const value = digits === '' ? Number.NaN : Number(digits.replaceAll('_', '')) * UNITS[unit]!;
  if (Number.isSafeInteger(value) && value >= 0 && value <= 1e13) return value;
  throw new ProblemError([
    {
      code: 'wrong-value',
      path,
      message: 'is not a number of events',
      got: shown(text),
      expected: 'a whole number, or 250k, 100M, 1G',
    },
  ]);
}

function table({ parts, total, prices, models, eventsPerMonth }: Estimate): string {
  const money = (usd: number): string =>
    usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const wide = Math.max(...parts.map(({ title }) => title.length));
  const right = Math.max(...[...parts.map(({ usd }) => usd), total].map((usd) => money(usd).length));
  const line = (title: string, usd: number, basis: string): string =>
    `${title.padEnd(wide)}  ${money(usd).padStart(right)}  ${basis}`.trimEnd();
  return `${[
    `${prices.currency} a month for ${models} model(s) and ${eventsPerMonth.toLocaleString('en-US')} events: ${prices.kind} of ${prices.region}, ${prices.asOf}`,
    '',
    ...[...parts].sort((a, b) => b.usd - a.usd).map(({ title, usd, basis }) => line(title, usd, basis)),
    line('total', total, ''),
  ].join('\n')}\n`;
}
