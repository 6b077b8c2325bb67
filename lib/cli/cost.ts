/** `mlmon cost`: money a month of a deployment on AWS, by part, before anything is deployed. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { Baseline } from '../contracts/baseline.ts';
import { METRIC_DETAILS, type MetricDetail } from '../contracts/cloudwatch-metrics.ts';
import { type Problem, ProblemError, shown } from '../contracts/problem.ts';
import { billText, comparisonText } from '../cost/bill-text.ts';
import { type Estimate, estimate, guardBudget } from '../cost/estimate.ts';
import { DEFAULT_INVENTORY } from '../cost/inventory.ts';
import { MODEL_MONITOR_ASSUMPTIONS, modelMonitorCost } from '../cost/model-monitor.ts';
import { changePrices } from '../cost/price-changes.ts';
import { LIST_PRICES, type PriceTable } from '../cost/prices.ts';
import {
  eventCount,
  FOR_EVER_DAYS,
  type ModelUsage,
  modelUsage,
  USAGE_DEFAULTS,
  USUAL_COLUMNS,
  type Usage,
  usage,
} from '../cost/usage.ts';
import { type MonitorFile, readMonitorFiles } from '../local/monitor-file.ts';
import { type Command, type CommandIo, EXIT, wrongUse } from './command.ts';
import { readInput } from './input-file.ts';
import { type Options, readOptions, wholeNumber } from './options.ts';

const help = `mlmon cost: money a month of a deployment on AWS, by part

Usage: mlmon cost --monitor FILE|DIR… --events-per-month N [options]
       mlmon cost --from FILE [options]

  --monitor FILE|DIR     monitors of the environment; may be given several times, or followed by more files
  --events-per-month N   inferences of all these models together; 250k, 100M and 1G are understood
  --from FILE            what synthesis reckoned (cdk.out/<stack>.cost.json): models, traffic and all that the stack has;
                         other options change it

What the platform is made of, where it is not the default of the constructs:
  --stream MODE          provisioned or on-demand             (default: ${USAGE_DEFAULTS.stream})
  --shards N             of a provisioned stream              (default: as many as the traffic takes)
  --metric-detail D      ${METRIC_DETAILS.join(', ')}: CloudWatch metrics of each model   (default: ${USAGE_DEFAULTS.metricDetail})
  --no-prometheus        without Managed Prometheus
  --own-key              one KMS key for everything
  --capture-days N       how long captured events are kept     (default: for ever, reckoned after ${FOR_EVER_DAYS} days)

How events come:
  --events-per-record N  events that a producer puts into one record   (default: ${USAGE_DEFAULTS.eventsPerRecord})
  --event-bytes N        of an event as a line of JSON         (default: as measured, by the number of columns)
  --over-http SHARE      of the events to the collector, 0 to 1; the others are put on the stream   (default: ${USAGE_DEFAULTS.overHttp})

  --prices FILE          prices of another region, or yours, where they differ (YAML or JSON: asOf, region, kind, prices)
  --budget USD           exit with 1 above it
  --compare sagemaker    what SageMaker Model Monitor would cost for the same, and what that rests on
  --job-minutes N        how long one of its jobs takes        (default: ${MODEL_MONITOR_ASSUMPTIONS.jobMinutes.value})
  --json                 the same as JSON

List prices of us-east-1, without free tiers, discounts and tax. The range beside an amount has all that was assumed at its ends. A model
whose monitor names neither features nor a baseline that is at hand is reckoned with ${USUAL_COLUMNS} columns.
`;

export const command: Command = {
  name: 'cost',
  summary: 'money a month on AWS, by part, before anything is deployed',
  help,
  async run(argv, io) {
    const options = readOptions(
      argv,
      {
        monitor: { type: 'string', multiple: true },
        'events-per-month': { type: 'string' },
        from: { type: 'string' },
        stream: { type: 'string', values: ['provisioned', 'on-demand'] },
        shards: { type: 'string' },
        'events-per-record': { type: 'string' },
        'event-bytes': { type: 'string' },
        'over-http': { type: 'string' },
        'metric-detail': { type: 'string', values: METRIC_DETAILS },
        'no-prometheus': { type: 'boolean' },
        'own-key': { type: 'boolean' },
        'capture-days': { type: 'string' },
        prices: { type: 'string' },
        budget: { type: 'string' },
        compare: { type: 'string', values: ['sagemaker'] },
        'job-minutes': { type: 'string' },
        json: { type: 'boolean' },
      },
      { least: 0, most: 1_000, called: 'monitors' },
    );
    const from = await reckonedBefore(options, io);
    const whole = wholeNumbers(options);
    const prices = await pricesOf(options.text('prices'), from, io);
    const events = options.text('events-per-month');
    const shards = whole('shards', 1, 10_000);
    const given = {
      models: from === undefined ? await modelsOf(options, io) : from.usage.models,
      eventsPerMonth: events === undefined ? (from?.usage.eventsPerMonth ?? 0) : amount(events, '--events-per-month'),
      stream: options.text('stream') as Usage['stream'] | undefined,
      shards: shards === undefined ? undefined : { least: shards, most: shards },
      eventsPerRecord: whole('events-per-record', 1, 10_000),
      eventBytes: whole('event-bytes', 1, 1_048_576),
      overHttp: decimal(options, 'over-http', 1),
      metricDetail: options.text('metric-detail') as MetricDetail | undefined,
      prometheus: options.flag('no-prometheus') ? false : undefined,
      captureDays: whole('capture-days', 1, 36_500),
      inventory: options.flag('own-key') ? { ...(from?.usage.inventory ?? DEFAULT_INVENTORY), keys: 1 } : undefined,
    };
    const changed = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const bill = estimate(from === undefined ? usage(given) : ({ ...from.usage, ...changed } as Usage), prices);
    const theirs =
      options.text('compare') === undefined
        ? undefined
        : modelMonitorCost(bill.usage, { jobMinutes: whole('job-minutes', 1, 60) }, prices);
    io.stdout.write(
      options.flag('json')
        ? `${JSON.stringify(theirs === undefined ? bill : { ...bill, comparison: theirs }, null, 2)}\n`
        : `${billText(bill)}${theirs === undefined ? '' : `\n${comparisonText(bill, theirs)}`}`,
    );
    const above = guardBudget(bill, decimal(options, 'budget', 1e9));
    if (above.length === 0) return EXIT.nothingFound;
    io.stderr.write(`${new ProblemError(above).message}\n`);
    return EXIT.found;
  },
};

const wholeNumbers =
  (options: Options) =>
  (name: string, least: number, most: number): number | undefined => {
    const text = options.text(name);
    return text === undefined ? undefined : wholeNumber(text, `--${name}`, least, most);
  };

function decimal(options: Options, name: string, most: number): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= most) return value;
  throw new ProblemError([
    {
      code: 'wrong-value',
      path: `--${name}`,
      message: 'is not right',
      got: shown(text),
      expected: `a number from 0 to ${most}`,
    },
  ]);
}

/** What `--from` names; then neither monitors nor their traffic are asked for. */
async function reckonedBefore(options: Options, io: CommandIo): Promise<Estimate | undefined> {
  const from = options.text('from');
  const monitors = options.list('monitor').length + options.words.length;
  const problems: Problem[] = [];
  const wrong = (path: string, message: string): void => void problems.push({ code: 'missing-option', path, message });
  if (from === undefined) {
    if (monitors === 0) wrong('--monitor', 'is required, or --from');
    if (options.text('events-per-month') === undefined) wrong('--events-per-month', 'is required');
  } else if (monitors > 0) wrong('--from', 'names models already: give it, or --monitor');
  if (problems.length > 0) throw new ProblemError(problems);
  if (from === undefined) return undefined;
  const read = (await readYaml(from, '--from', io)) as Partial<Estimate> | null;
  if (read?.schema === 'mlmon.cost/v2' && read.usage !== undefined) return read as Estimate;
  throw new ProblemError([
    {
      code: 'wrong-file',
      path: '--from',
      message: 'is no reckoned cost of this release',
      got: shown(read?.schema),
      expected: '"schema": "mlmon.cost/v2", as `cdk synth` writes it',
    },
  ]);
}

async function pricesOf(file: string | undefined, from: Estimate | undefined, io: CommandIo): Promise<PriceTable> {
  const before =
    from === undefined ? LIST_PRICES : changePrices({ ...pick(from.prices), prices: from.changedPrices }).prices;
  if (file === undefined) return before;
  const { prices, problems } = changePrices(await readYaml(file, '--prices', io), before);
  if (problems.length === 0) return prices;
  throw new ProblemError(problems.map((one) => ({ ...one, path: one.path === '' ? file : `${file}: ${one.path}` })));
}

const pick = ({ region, kind, asOf }: Estimate['prices']): Omit<Estimate['prices'], 'currency'> => ({
  region,
  kind,
  asOf,
});

async function readYaml(file: string, option: string, io: CommandIo): Promise<unknown> {
  const text = await readInput(io, option, file);
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error === undefined) return document.toJS({ maxAliasCount: 20 });
  throw new ProblemError([
    { code: 'yaml', path: `${option} ${file}`, message: error.message.split('\n')[0] ?? '', expected: 'YAML or JSON' },
  ]);
}

async function modelsOf(options: Options, io: CommandIo): Promise<readonly ModelUsage[]> {
  const files: MonitorFile[] = [];
  for (const path of [...options.list('monitor'), ...options.words])
    files.push(...(await readMonitorFiles(resolve(io.cwd, path))));
  if (files.length === 0) throw wrongUse('--monitor', 'there is no monitor', 'write one with `mlmon init`');
  const named = files.map(({ monitor }) => monitor.model);
  const twice = files.filter(({ monitor }, i) => named.indexOf(monitor.model) !== i);
  if (twice.length > 0)
    throw new ProblemError(
      twice.map(({ file, monitor }) => ({
        code: 'twice',
        path: `--monitor ${file}`,
        message: `the model ${monitor.model} has a monitor already`,
        got: files.find((one) => one.monitor.model === monitor.model)?.file,
        expected: 'one monitor a model',
        fix: 'leave one of them out',
      })),
    );
  const guessed: string[] = [];
  const models: ModelUsage[] = [];
  for (const { monitor, baselineFile } of files) {
    const columns = await baselineColumns(baselineFile);
    if (columns === undefined && monitor.features === undefined) guessed.push(monitor.model);
    models.push(modelUsage(monitor, columns));
  }
  if (guessed.length > 0)
    io.stderr.write(
      `${guessed.join(', ')}: ${USUAL_COLUMNS} columns assumed, since neither features nor a baseline are at hand\n`,
    );
  return models;
}

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

function amount(text: string, path: string): number {
  const value = eventCount(text);
  if (value !== undefined) return value;
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
