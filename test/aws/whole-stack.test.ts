/** Whole apps, as users deploy them: security findings, rules, limits. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type App, CfnResource, Stack } from 'aws-cdk-lib';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { FUNCTIONS, RECOMMENDED } from './app.ts';
import { check as checkChosen, made, NAMES, SIZES } from './chosen.ts';
import type { ExampleReport } from './examples-report.ts';
import { light } from './light.ts';
import { type NagReport, nag } from './nag.ts';
import { type CloudFormationTemplate, OWN_RULES, type Resource } from './own-rules.ts';
import { newApp, STRICT, SUBJECTS } from './subjects.ts';

const GOLDEN = join(import.meta.dirname, 'golden/acknowledgements.json');

interface Checked {
  readonly report: NagReport;
  readonly templates: readonly CloudFormationTemplate[];
}

function check(make: (app: App) => void, context: Readonly<Record<string, unknown>>): Checked {
  const app = newApp(context);
  make(app);
  // Rules of CloudFormation and our own validations throw here.
  const assembly = app.synth();
  return {
    report: nag(app),
    templates: assembly.stacksRecursively.map(({ template }) => template as CloudFormationTemplate),
  };
}

/** The same in every stack: without ids of constructs above ours, which differ. */
function plainly(rule: string): string {
  return rule
    .replace(/\{"Fn::GetStackOutput".*?"\}\}|Other:ExportsOutput\w+/g, '<Store…Arn>')
    .replace(/<[A-Za-z0-9]*?(Store|Capture|Bucket|Key|Stream)[A-Za-z]*[0-9A-F]{8}\./g, '<$1…')
    .replace(/cdk-hnb659fds-assets-[^/]*/, '<assets>');
}

/** Apps made by chance; more for a release: PAIRS_RUNS=100. */
const RUNS = Number(process.env['PAIRS_RUNS'] ?? 2);
/** Of all subjects: finding → reasons. */
const acknowledged = new Map<string, Set<string>>();
const idle = new Set<string>();

function note(found: NagReport['acknowledged']): void {
  for (const { rule, reason } of found) {
    expect(reason.length).toBeGreaterThan(15);
    // By finding: not all wildcards at once.
    expect(rule).not.toBe('AwsSolutions-IAM5');
    const reasons = acknowledged.get(plainly(rule)) ?? new Set();
    acknowledged.set(plainly(rule), reasons.add(reason));
  }
}

describe.each(SUBJECTS)('$name', ({ make }) => {
  let checked: Checked;
  beforeAll(() => {
    checked = check(make, RECOMMENDED);
  });

  it('has no finding that nobody acknowledged', () => {
    expect(checked.report.findings).toEqual([]);
  });

  it('was looked at: it has at least a hundred resources', () => {
    const resources = checked.templates.reduce((sum, { Resources }) => sum + Object.keys(Resources).length, 0);
    expect(resources).toBeGreaterThanOrEqual(100);
  });

  it('says why for every finding that it acknowledges', () => {
    note(checked.report.acknowledged);
    for (const one of checked.report.idle) idle.add(one.replace(/ @ [^/]+\//, ' @ '));
  });

  it.each(Object.keys(OWN_RULES))('%s', (rule) => {
    for (const template of checked.templates) expect(OWN_RULES[rule]!(template)).toEqual([]);
  });

  it('stays within the limits of CloudFormation', () => {
    for (const template of checked.templates) {
      expect(Object.keys(template.Resources).length).toBeLessThan(500);
      expect(JSON.stringify(template).length).toBeLessThan(1_000_000);
    }
  });
});

describe('examples', () => {
  const folder = join(import.meta.dirname, '../../examples/aws');
  const apps = readdirSync(folder)
    .map((name) => join(folder, name, 'app.ts'))
    .filter((file) => existsSync(file));

  it('have no finding in what is ours, and break no rule', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', join(import.meta.dirname, 'examples-report.ts'), ...apps],
      {
        cwd: join(import.meta.dirname, '../..'),
        env: { ...process.env, CDK_CONTEXT_JSON: JSON.stringify({ ...RECOMMENDED, ...FUNCTIONS, [STRICT]: true }) },
        maxBuffer: 2 ** 26,
      },
    );
    const reports = JSON.parse(stdout) as readonly ExampleReport[];
    expect(reports).toHaveLength(apps.length);
    expect(apps.length).toBeGreaterThan(1);
    // Platforms, and small stacks of teams beside them.
    expect(reports.filter(({ resources }) => resources > 100).length).toBeGreaterThan(1);
    for (const { nag: found, broken, resources } of reports) {
      expect(found.findings.filter(({ where }) => where.includes('/Monitoring/'))).toEqual([]);
      expect(resources).toBeGreaterThan(0);
      for (const [rule, breaches] of Object.entries(broken)) expect({ rule, breaches }).toEqual({ rule, breaches: [] });
      note(found.acknowledged);
    }
  });
});

describe('the list of acknowledgements', () => {
  const sorted = (): Readonly<Record<string, readonly string[]>> =>
    Object.fromEntries([...acknowledged].sort().map(([rule, reasons]) => [rule, [...reasons].sort()]));

  it('is the one that was reviewed; UPDATE_GOLDEN=1 writes it', () => {
    if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(GOLDEN, `${JSON.stringify(sorted(), null, 2)}\n`);
    expect(sorted()).toEqual(JSON.parse(readFileSync(GOLDEN, 'utf8')));
  });

  it('holds nothing that is about no finding, but for queues that are dead letters of a queue', () => {
    expect([...idle].filter((one) => !one.startsWith('AwsSolutions-SQS3 @ '))).toEqual([]);
  });
});

describe('without any feature flag', () => {
  it.each(SUBJECTS)('$name has no findings and breaks no rule', ({ make }) => {
    const app = newApp({});
    make(app);
    for (const stack of app.node.findAll().filter((one) => one instanceof Stack)) {
      const { template, problems } = light(stack);
      expect(problems).toEqual([]);
      for (const [rule, breaches] of Object.entries(OWN_RULES))
        expect({ rule, broken: breaches(template) }).toEqual({ rule, broken: [] });
    }
    expect(nag(app).findings).toEqual([]);
  });
});

describe('options chosen by chance', () => {
  it(
    'are synthesised without a finding of CloudFormation, whatever is chosen',
    () => {
      fc.assert(
        fc.property(
          fc.record(Object.fromEntries(NAMES.map((name) => [name, fc.nat({ max: SIZES[name]! })]))),
          fc.constantFrom(RECOMMENDED, {}),
          (assignment, flags) => {
            // What costs too much is refused, which tests of the cost look at.
            const affordable = { metricBudget: 0, budget: 0, prices: 0 };
            const { stack, refused } = made({ ...assignment, ...affordable }, flags);
            expect(refused).toEqual([]);
            const template = (stack.node.root as ReturnType<typeof newApp>).synth().getStackByName('Test')
              .template as CloudFormationTemplate;
            checkChosen(stack, template);
          },
        ),
        { numRuns: RUNS },
      );
    },
    60_000 + 10_000 * RUNS,
  );
});

describe('the checks themselves', () => {
  it('stop what CloudFormation would refuse', () => {
    const app = newApp();
    new CfnResource(new Stack(app, 'Wrong'), 'Function', {
      type: 'AWS::Lambda::Function',
      properties: { Runtime: 'nodejs24.x', MemorySize: 'much' },
    });
    expect(() => app.synth()).toThrow();
  });

  it('find a wildcard, an alarm without dimensions, and a secret', () => {
    const broken = (resource: Resource): string[] =>
      Object.entries(OWN_RULES)
        .filter(([, breaches]) => breaches({ Resources: { It: resource } }).length > 0)
        .map(([rule]) => rule);
    const policy = { Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
    expect(broken({ Type: 'AWS::IAM::Policy', Properties: { PolicyDocument: policy } })).toContain(
      'no role may do an action that is not named in full',
    );
    expect(broken({ Type: 'AWS::CloudWatch::Alarm', Properties: { Period: 60, EvaluationPeriods: 1 } })).toEqual([
      'every alarm of ours has dimensions and a metric that is declared',
      'every alarm says how missing data are treated, and where its runbook entry lies',
    ]);
    const Environment = { Variables: { SLACK_TOKEN: 'xoxb-1' } };
    expect(broken({ Type: 'AWS::Lambda::Function', Properties: { Environment } })).toContain(
      'no secret stands in an environment: names that speak of one hold an ARN',
    );
    const source = {
      Type: 'AWS::Lambda::EventSourceMapping',
      Properties: { EventSourceArn: 'a', StartingPosition: 'LATEST', ParallelizationFactor: 4 },
    };
    expect(broken(source)).toContain(
      'every event source of a stream has an on-failure destination, factor 1, bisects and is bounded',
    );
  });
});
