/** Our own rules over a template, beyond what cdk-nag knows. Each returns what breaks it, with the logical id. */
import { RULES } from '../../lib/alerts/rules.ts';
import {
  CLOUDWATCH_NAMESPACE,
  MODEL_CLOUDWATCH_METRIC,
  PLATFORM_CLOUDWATCH_METRIC,
} from '../../lib/contracts/cloudwatch-metrics.ts';

export interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}
export interface CloudFormationTemplate {
  readonly Resources: Readonly<Record<string, Resource>>;
}

type Rule = (template: CloudFormationTemplate) => readonly string[];
type Json = Readonly<Record<string, unknown>>;

function each(
  template: CloudFormationTemplate,
  type: string,
  check: (id: string, properties: Json) => readonly string[],
): string[] {
  return Object.entries(template.Resources)
    .filter(([, { Type }]) => Type === type)
    .flatMap(([id, { Properties }]) => check(id, Properties ?? {}));
}

const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as T];

function statements(template: CloudFormationTemplate): { readonly id: string; readonly statement: Json }[] {
  return Object.entries(template.Resources).flatMap(([id, { Type, Properties = {} }]) => {
    const documents = [
      Properties['PolicyDocument'],
      Properties['KeyPolicy'],
      ...(Type === 'AWS::IAM::Role' ? list(Properties['Policies'] as Json[]).map((one) => one['PolicyDocument']) : []),
    ];
    return documents.flatMap((document) =>
      list<Json>((document as { Statement?: Json | Json[] } | undefined)?.Statement).map((statement) => ({
        id,
        statement,
      })),
    );
  });
}

export const OWN_RULES: Readonly<Record<string, Rule>> = {
  'every event source of a stream has an on-failure destination, factor 1, bisects and is bounded': (template) =>
    each(template, 'AWS::Lambda::EventSourceMapping', (id, properties) => {
      if (
        JSON.stringify(properties['EventSourceArn']).includes('Queue') ||
        properties['StartingPosition'] === undefined
      )
        return [];
      const wrong = [
        properties['ParallelizationFactor'] !== 1 && 'ParallelizationFactor',
        properties['DestinationConfig'] === undefined && 'DestinationConfig',
        properties['BisectBatchOnFunctionError'] !== true && 'BisectBatchOnFunctionError',
        !((properties['MaximumRetryAttempts'] as number) >= 0) && 'MaximumRetryAttempts',
        !((properties['MaximumRecordAgeInSeconds'] as number) >= 60) && 'MaximumRecordAgeInSeconds',
      ].filter((name) => name !== false);
      return wrong.map((name) => `${id}: ${name}`);
    }),
  'every event source reports partial failures': (template) =>
    each(template, 'AWS::Lambda::EventSourceMapping', (id, properties) =>
      list(properties['FunctionResponseTypes'] as string[]).includes('ReportBatchItemFailures') ? [] : [id],
    ),
  'no role may do an action that is not named in full': (template) =>
    statements(template)
      .filter(
        ({ id, statement }) =>
          statement['Effect'] === 'Allow' && !isRootOfKey(template, id, statement) && !emptiesBuckets(statement),
      )
      .flatMap(({ id, statement }) =>
        list(statement['Action'] as string | string[])
          .filter((action) => action.includes('*'))
          .map((action) => `${id}: ${action}`),
      ),
  'no statement allows everybody': (template) =>
    statements(template)
      .filter(
        ({ statement }) => statement['Effect'] === 'Allow' && /"\*"/.test(JSON.stringify(statement['Principal'] ?? '')),
      )
      .map(({ id }) => id),
  'every alarm of ours has dimensions and a metric that is declared': (template) =>
    each(template, 'AWS::CloudWatch::Alarm', (id, properties) => {
      const dimensions = list(properties['Dimensions'] as { Name: string }[]).map(({ Name }) => Name);
      if (dimensions.length === 0) return [`${id}: no dimensions`];
      if (properties['Namespace'] !== CLOUDWATCH_NAMESPACE) return [];
      const declared = [...Object.values(PLATFORM_CLOUDWATCH_METRIC), ...Object.values(MODEL_CLOUDWATCH_METRIC)].some(
        (metric) =>
          metric.name === properties['MetricName'] &&
          [...metric.dimensions].sort().join() === [...dimensions].sort().join() &&
          metric.statistic === properties['Statistic'],
      );
      return declared ? [] : [`${id}: ${String(properties['MetricName'])} by ${dimensions.join()}`];
    }),
  'every alarm says how missing data are treated, and where its runbook entry lies': (template) =>
    each(template, 'AWS::CloudWatch::Alarm', (id, properties) => [
      ...(['breaching', 'notBreaching', 'ignore'].includes(String(properties['TreatMissingData']))
        ? []
        : [`${id}: missing data`]),
      ...(missingReason(properties['AlarmDescription']) === undefined
        ? [`${id}: runbook, or why missing data are treated so`]
        : []),
    ]),
  'an alarm looks back at most a day': (template) =>
    each(template, 'AWS::CloudWatch::Alarm', (id, properties) =>
      Number(properties['Period']) * Number(properties['EvaluationPeriods']) <= 86_400 ? [] : [id],
    ),
  'every function that is called without an answer has somewhere to leave what it fails on': (template) => {
    const kept = each(template, 'AWS::Lambda::EventInvokeConfig', (_, properties) => [
      JSON.stringify(properties['FunctionName']),
    ]);
    const called = [
      ...each(template, 'AWS::Scheduler::Schedule', (_, properties) => [
        JSON.stringify((properties['Target'] as Json)['Arn']),
      ]),
      ...each(template, 'AWS::SNS::Subscription', (_, properties) =>
        properties['Protocol'] === 'lambda' ? [JSON.stringify(properties['Endpoint'])] : [],
      ),
    ].map((arn) => JSON.stringify({ Ref: (JSON.parse(arn) as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0] }));
    return [...new Set(called)].filter((name) => !kept.includes(name));
  },
  'every function has a log group with a retention, and traces': (template) =>
    each(template, 'AWS::Lambda::Function', (id, properties) => {
      if (isOfTheLibrary(id)) return [];
      const group = (properties['LoggingConfig'] as { LogGroup?: { Ref?: string } } | undefined)?.LogGroup?.Ref;
      const retention = group === undefined ? undefined : template.Resources[group]?.Properties?.['RetentionInDays'];
      return [
        ...(retention === undefined ? [`${id}: logs`] : []),
        ...((properties['TracingConfig'] as { Mode?: string } | undefined)?.Mode === 'Active' ? [] : [`${id}: traces`]),
      ];
    }),
  'no secret stands in an environment: names that speak of one hold an ARN': (template) =>
    each(template, 'AWS::Lambda::Function', (id, properties) =>
      Object.entries((properties['Environment'] as { Variables?: Json } | undefined)?.Variables ?? {}).flatMap(
        ([name, value]) => {
          const text = JSON.stringify(value);
          if (/\{\{resolve:|SecretString/.test(text)) return [`${id}: ${name}`];
          return /SECRET|TOKEN|PASSWORD/.test(name) && !(name.endsWith('_ARN') && /arn:|"Ref"|Fn::GetAtt/.test(text))
            ? [`${id}: ${name}`]
            : [];
        },
      ),
    ),
  'no secret stands anywhere': (template) => {
    const text = JSON.stringify(template);
    return [/\{\{resolve:(?:secretsmanager|ssm-secure)/, /hooks\.slack\.com/, /AKIA[0-9A-Z]{16}/, /-----BEGIN/]
      .filter((pattern) => pattern.test(text))
      .map(String);
  },
};

/** By the key of the catalogue, which the address of the runbook entry ends in. */
function missingReason(description: unknown): string | undefined {
  const key = /#([a-z-]+)"?$/.exec(
    typeof description === 'string' ? description : JSON.stringify(description ?? '').replace(/[\]}"]+$/, ''),
  )?.[1];
  return RULES.find((rule) => rule.key === key)?.missing.reason;
}

/** The account may do everything with its own key: otherwise nobody could change it. */
function isRootOfKey(template: CloudFormationTemplate, id: string, statement: Json): boolean {
  return template.Resources[id]?.Type === 'AWS::KMS::Key' && JSON.stringify(statement['Principal']).includes(':root');
}

/** What the construct library itself brings to empty a bucket that goes with its stack (`data: delete`); by wildcards that we cannot change. */
function emptiesBuckets(statement: Json): boolean {
  return JSON.stringify(statement['Principal'] ?? '').includes('CustomS3AutoDeleteObjects');
}

/** Functions that the construct library itself brings. */
function isOfTheLibrary(id: string): boolean {
  return /^(?:CustomS3AutoDeleteObjects|BucketNotificationsHandler)/.test(id);
}
