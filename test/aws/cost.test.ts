/** Money a month at synthesis: counted in the stack, and the same as `mlmon cost` tells. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type App, CfnParameter, Duration, Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CollectorAccess } from '../../lib/aws/access/collector-access.ts';
import { costInventory } from '../../lib/aws/cost-inventory.ts';
import { CostReport, type CostReportProps } from '../../lib/aws/cost-report.ts';
import { addEnvironment } from '../../lib/aws/environment/environment.ts';
import { environmentOf, readEnvironment } from '../../lib/aws/environment/environment-file.ts';
import { readPrices } from '../../lib/aws/environment/prices-file.ts';
import { StreamCapacity } from '../../lib/aws/event-stream.ts';
import type { ModelMonitoring, ModelMonitoringProps } from '../../lib/aws/model-monitoring.ts';
import { Monitor } from '../../lib/aws/monitor.ts';
import { Prometheus } from '../../lib/aws/watching/prometheus.ts';
import type { Estimate } from '../../lib/cost/estimate.ts';
import { DEFAULT_INVENTORY, type Inventory } from '../../lib/cost/inventory.ts';
import { FREE_TYPES, PRICED_TYPES } from '../../lib/cost/resources.ts';
import { runCommand } from '../cli/run-command.ts';
import { RECOMMENDED, testApp } from './app.ts';
import { interfaces } from './interfaces.ts';
import { light } from './light.ts';
import { least, SUBJECTS } from './subjects.ts';
import './without-validation.ts';

const INVENTORY_FILE = resolve(import.meta.dirname, '../../lib/cost/inventory.ts');
const MONITOR = {
  model: 'churn',
  task: 'binary-classification',
  features: { age: { type: 'numeric' }, plan: { type: 'categorical' } },
} as const;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mlmon-cost-'));
  writeFileSync(join(folder, 'churn.json'), JSON.stringify(MONITOR));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function platform(props: Partial<ModelMonitoringProps> = {}): {
  readonly stack: Stack;
  readonly monitoring: ModelMonitoring;
} {
  const stack = new Stack(testApp({ context: RECOMMENDED }), 'Test');
  return { stack, monitoring: least(stack, { models: [Monitor.of(MONITOR)], ...props }) };
}

async function told(...argv: string[]): Promise<Estimate> {
  const { out, err, code } = await runCommand(folder, ['cost', ...argv, '--json']);
  expect({ err, code }).toEqual({ err: '', code: 0 });
  return JSON.parse(out) as Estimate;
}
/** As it is written down. */
const plain = (estimate: Estimate | undefined): unknown => JSON.parse(JSON.stringify(estimate ?? null));

describe('what a platform has that costs', () => {
  it('is what the reckoning takes for granted of one with nothing chosen', () => {
    const { monitoring } = platform();
    const found = costInventory(monitoring, monitoring.platform);
    if (process.env['UPDATE_GOLDEN'] !== undefined) return updateDefaults(found);
    expect(found).toEqual(DEFAULT_INVENTORY);
  });

  it('is counted wherever it stands below', () => {
    const { stack, monitoring } = platform({
      access: CollectorAccess.jwt({ issuer: 'https://issuer.example.com', audience: ['ml'] }),
      capacity: StreamCapacity.provisioned({ shards: 1, maximumShards: 4 }),
      batchWindow: Duration.seconds(10),
    });
    new kms.Key(stack, 'Other');
    const vpc = new ec2.Vpc(monitoring, 'Vpc', { maxAzs: 2, natGateways: 0 });
    vpc.addInterfaceEndpoint('Logs', { service: ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS });
    vpc.addGatewayEndpoint('S3', { service: ec2.GatewayVpcEndpointAwsService.S3 });
    const found = costInventory(monitoring, monitoring.platform);
    expect(found).toMatchObject({ httpApis: 1, keys: 0, endpointZones: 2, batchSeconds: 10 });
    expect(found.functions.scaler).toEqual({ memoryMb: 256, runsPerMonth: 43_800 / 5 });
  });

  it.each(
    SUBJECTS.filter(({ name }) => !name.startsWith('environment ')).map(({ name, make }) => [name, make] as const),
  )('has no type of resource that nobody reckons: %s', (_, make) => {
    const app = testApp({ context: RECOMMENDED });
    make(app);
    const types = app.node
      .findAll()
      .filter((one): one is Stack => Stack.isStack(one))
      .flatMap((stack) => Object.values(light(stack).template.Resources).map(({ Type }) => Type));
    expect(types.length).toBeGreaterThan(50);
    const known = new Set([...Object.keys(PRICED_TYPES), ...Object.keys(FREE_TYPES)]);
    expect([...new Set(types)].filter((type) => !known.has(type) && !type.startsWith('Custom::'))).toEqual([]);
  });
});

describe('the bill at synthesis', () => {
  const CHOICES: readonly (readonly [string, Partial<ModelMonitoringProps>, readonly string[]])[] = [
    ['nothing chosen', {}, []],
    [
      'provisioned shards',
      { capacity: StreamCapacity.provisioned({ shards: 2 }) },
      ['--stream', 'provisioned', '--shards', '2'],
    ],
    ['no Prometheus', { prometheus: Prometheus.none() }, ['--no-prometheus']],
    ['another detail', { metricDetail: 'summary' }, ['--metric-detail', 'summary']],
    ['events that go', { captureRetention: Duration.days(30) }, ['--capture-days', '30']],
    [
      'larger records over HTTP',
      { traffic: { eventsPerMonth: 1e8, eventsPerRecord: 50, overHttp: 0.5, eventBytes: 900 } },
      ['--events-per-record', '50', '--over-http', '0.5', '--event-bytes', '900'],
    ],
  ];
  it.each(CHOICES)('is that of `mlmon cost` with the same monitors and traffic: %s', async (_, props, argv) => {
    const { monitoring } = platform({ traffic: { eventsPerMonth: 1e8 }, ...props });
    expect(plain(monitoring.costs.estimate)).toEqual(
      await told('--monitor', 'churn.json', '--events-per-month', '100M', ...argv),
    );
  });

  it('is told, and written beside the template, from which `mlmon cost` reckons the same', async () => {
    const app = testApp({ context: RECOMMENDED });
    const { stack, monitoring } = addEnvironment(
      app,
      environmentOf(resolve(import.meta.dirname, '../../environments'), 'production'),
    );
    const { directory } = app.synth();
    const file = join(directory, 'ModelMonitoring-production-Monitoring.cost.json');
    const bill = await told('--from', file);
    expect(bill).toEqual(plain(monitoring.costs.estimate));
    expect(bill.total).toBeGreaterThan(50);
    const notes = stack.node
      .findAll()
      .flatMap(({ node }) => node.metadata.filter(({ type }) => type === 'aws:cdk:info'));
    expect(notes.map(({ data }) => String(data))).toEqual([
      expect.stringMatching(
        /^\$\d+ a month \(\$\d+ to \$\d+\) for 1 model and 100,000,000 events, list prices of us-east-1, .* is in ModelMonitoring-production-Monitoring\.cost\.json beside the template, which mlmon cost --from reads$/,
      ),
    ]);
  });

  it('says that its prices are those of another region than the stack', () => {
    const stack = new Stack(testApp({ context: RECOMMENDED }), 'Test', { env: { region: 'eu-central-1' } });
    const { costs } = least(stack, { traffic: { eventsPerMonth: 1e6 } });
    costs.node.validate();
    expect(String(costs.node.metadata[0]?.data)).toContain(
      'list prices of us-east-1, 2026-11-21 (the stack is in eu-central-1: say the prices that differ there)',
    );
  });

  it('counts the models of other stacks', () => {
    const { monitoring } = platform({ traffic: { eventsPerMonth: 1e6 } });
    const before = monitoring.costs.estimate!;
    monitoring.metricExport.watch([Monitor.of({ model: 'fraud', features: { sum: { type: 'numeric' } } })]);
    expect(monitoring.costs.estimate!.usage.models.map(({ model }) => model)).toEqual(['churn', 'fraud']);
    expect(monitoring.costs.estimate!.total).toBeGreaterThan(before.total);
  });

  it('is silent where nothing is said of traffic, or it is known only when deployed', () => {
    const { stack, monitoring } = platform();
    expect(monitoring.costs.estimate).toBeUndefined();
    const events = new CfnParameter(stack, 'Events', { type: 'Number' }).valueAsNumber;
    const later = new CostReport(stack, 'Later', {
      platform: monitoring.platform,
      of: monitoring,
      metrics: monitoring.metricExport,
      traffic: { eventsPerMonth: events },
      budget: 1,
      streamRetention: Duration.days(7),
      captureFormat: 'parquet',
    });
    expect(later.estimate).toBeUndefined();
    expect(later.node.validate()).toEqual([]);
    const { directory } = (stack.node.root as App).synth();
    expect(readdirSync(directory).filter((name) => name.endsWith('.cost.json'))).toEqual([]);
  });
});

describe('a cap', () => {
  it('fails synthesis with the parts, dearest first', () => {
    const { stack } = platform({ traffic: { eventsPerMonth: 1e9 }, budget: 50 });
    const { problems } = light(stack);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(
      /^budget: 1 model and 1,000,000,000 events would cost \$\d+ a month, list prices of us-east-1, [\d-]+: Kinesis \$\d+; .*; expected at most \$50 a month; raise budget/,
    );
  });

  it('is kept where the bill stays below, and takes prices of yours', () => {
    expect(light(platform({ traffic: { eventsPerMonth: 1e6 }, budget: 500 }).stack).problems).toEqual([]);
    const prices = { asOf: '2026-11-21', region: 'eu-central-1', prices: { kinesisOnDemandHour: 4 } };
    const { monitoring, stack } = platform({ traffic: { eventsPerMonth: 1e6 }, budget: 500, prices });
    expect(monitoring.costs.estimate).toMatchObject({
      prices: { region: 'eu-central-1' },
      changedPrices: prices.prices,
    });
    expect(light(stack).problems.join()).toContain('list prices of eu-central-1, 2026-11-21: Kinesis $2,920;');
  });

  it('needs the traffic', () => {
    expect(light(platform({ budget: 50 }).stack).problems).toEqual([
      'budget: cannot be held against anything, since nothing is said of the traffic; expected traffic with eventsPerMonth',
    ]);
  });

  it.each([
    [{ traffic: { eventsPerMonth: -1 } }, 'traffic.eventsPerMonth: is not right, got -1'],
    [
      { traffic: { eventsPerMonth: 1, overHttp: 2 } },
      'traffic.overHttp: is not right, got 2; expected a share, 0 to 1',
    ],
    [{ traffic: { eventsPerMonth: 1, eventsPerRecord: 0 } }, 'traffic.eventsPerRecord: is 0; expected at least 1'],
    [{ prices: { asOf: 'lately', prices: { kinesisShardHours: 1 } } }, 'prices.asOf: is not right, got "lately"'],
    [{ prices: { asOf: '2026-11-21', prices: { kinesisShardHours: 1 } } }, 'did you mean kinesisShardHour?'],
  ] as const)('refuses %j', (props, message) => {
    expect(() => platform(props)).toThrow(message);
  });
});

describe('prices of a file', () => {
  const file = (text: string): string => {
    const path = join(mkdtempSync(join(folder, 'prices-')), 'eu.yaml');
    writeFileSync(path, text);
    return path;
  };

  it('are those of the environment that names it, seen from its own file', () => {
    const prices = file('asOf: 2026-11-21\nregion: eu-central-1\nprices: { alarm: 7 }\n');
    const environment = join(dirname(prices), 'test.yaml');
    writeFileSync(environment, 'traffic: { eventsPerMonth: 1M }\nprices: eu.yaml\n');
    const { monitoring } = addEnvironment(testApp({ context: RECOMMENDED }), readEnvironment(environment));
    expect(monitoring.costs.estimate).toMatchObject({
      changedPrices: { alarm: 7 },
      prices: { region: 'eu-central-1' },
    });
  });

  it.each([
    ['asOf: 2026-11-21\nprices: { alarms: 7 }\n', 'eu.yaml: prices.alarms: is the name of no price'],
    ['asOf: [\n', 'eu.yaml: '],
  ])('are refused where they are wrong: %j', (text, message) => {
    expect(() => readPrices(file(text))).toThrow(message);
  });

  it('must be there', () => {
    expect(() => readPrices(join(folder, 'none.yaml'))).toThrow('there is no such file');
  });
});

describe('no prop of the report is dead', () => {
  const PROPS: Readonly<Record<keyof Required<CostReportProps>, (stack: Stack, other: ModelMonitoring) => unknown>> = {
    platform: (stack, other) => ({ ...other.platform, key: new kms.Key(stack, 'Key') }),
    of: (stack) => stack.node.children[0]!.node.findChild('Profiler'),
    metrics: (_, other) => {
      other.metricExport.watch([Monitor.of({ model: 'fraud' })]);
      return other.metricExport;
    },
    traffic: () => ({ eventsPerMonth: 1e9 }),
    prices: () => ({ asOf: '2026-11-21', prices: { alarm: 1 } }),
    budget: () => 1,
    capacity: () => StreamCapacity.provisioned({ shards: 3 }),
    streamRetention: () => Duration.days(1),
    captureFormat: () => 'json-lines',
    captureRetention: () => Duration.days(10),
  };

  it('has a value to try for every prop', () => {
    const found = interfaces().find(({ name }) => name === 'CostReportProps')!;
    expect(Object.keys(PROPS).sort()).toEqual(found.props.map(({ name }) => name).sort());
  });

  it('each changes what is told', () => {
    const { stack, monitoring } = platform();
    const dead: string[] = [];
    for (const [name, value] of Object.entries(PROPS)) {
      const told = (id: string, change: object): string => {
        const report = new CostReport(stack, id, {
          platform: monitoring.platform,
          of: monitoring,
          metrics: monitoring.metricExport,
          traffic: { eventsPerMonth: 1e8 },
          streamRetention: Duration.days(7),
          captureFormat: 'parquet',
          ...change,
        });
        return JSON.stringify([report.estimate, report.node.validate()]);
      };
      if (told(`${name}-before`, {}) === told(`${name}-after`, { [name]: value(stack, monitoring) })) dead.push(name);
    }
    expect(dead).toEqual([]);
  });
});

/** The numbers of the default inventory in its source, for a review. */
function updateDefaults(found: Inventory): void {
  const functions = Object.entries(found.functions).map(([name, { memoryMb, runsPerMonth }]) => {
    const key = /^\w+$/.test(name) ? name : `'${name}'`;
    const memory = memoryMb.toLocaleString('en-US').replaceAll(',', '_');
    const minutes = (43_800 / runsPerMonth).toLocaleString('en-US').replaceAll(',', '_');
    return `    ${key}: ${runsPerMonth === 0 ? `called(${memory})` : `every(${minutes}, ${memory})`},\n`;
  });
  const { functions: _, ...counts } = found;
  const text = readFileSync(INVENTORY_FILE, 'utf8');
  const begin = text.indexOf('export const DEFAULT_INVENTORY');
  writeFileSync(
    INVENTORY_FILE,
    `${text.slice(0, begin)}export const DEFAULT_INVENTORY: Inventory = {\n  functions: {\n${functions.join('')}  },\n${Object.entries(
      counts,
    )
      .map(([name, value]) => `  ${name}: ${value},\n`)
      .join('')}};\n`,
  );
}
