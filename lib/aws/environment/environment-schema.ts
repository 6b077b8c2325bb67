/** An environment as a file says it: `environments/<name>.yaml`. */
import { z } from 'zod';
import { alertingSchema } from '../../contracts/alerting.ts';
import { isDuration } from '../../contracts/duration.ts';
import { SEVERITIES } from '../../contracts/result.ts';
import { sageMakerSourceSchema } from '../../contracts/sagemaker.ts';
import { eventCount } from '../../cost/usage.ts';
import { existingSchema, networkSchema } from './environment-brought.ts';
import { grafanaSchema } from './environment-grafana.ts';
import { peopleSchema, producersSchema, senderSchema } from './environment-people.ts';

const duration = z.string().refine(isDuration, 'a whole number and a unit: 30s, 5m, 400d');
const secretName = z.string().min(1).describe('Name of a secret in Secrets Manager of the same account and region.');
const topicArn = z.string().startsWith('arn:').optional().describe('ARN of a topic that lets CloudWatch publish.');
const name = z
  .string()
  .regex(/^[a-z0-9-]{1,40}$/, 'lower-case letters, digits and hyphens, at most 40')
  .optional();

const channelSchema = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['slack', 'teams', 'webhook']), name, secret: secretName }).strict(),
  z
    .object({ type: z.enum(['pagerduty', 'opsgenie']), name, secret: secretName, url: z.string().url().optional() })
    .strict(),
  z.object({ type: z.literal('email'), name, address: z.string().email() }).strict(),
  z.object({ type: z.literal('https'), name, url: z.string().url() }).strict(),
  z
    .object({ type: z.literal('slack-channel'), name, workspace: z.string().min(1), channel: z.string().min(1) })
    .strict(),
  z.object({ type: z.literal('sqs'), name, queueArn: z.string().startsWith('arn:') }).strict(),
]);
/** A channel of an environment's file. */
export type EnvironmentChannel = z.output<typeof channelSchema>;

const collectorSchema = z.discriminatedUnion('access', [
  z.object({ access: z.literal('iam'), kserveSecret: secretName.optional() }).strict(),
  z
    .object({
      access: z.literal('jwt'),
      issuer: z.string().url(),
      audience: z.array(z.string().min(1)).min(1),
      kserveSecret: secretName.optional(),
    })
    .strict(),
  z.object({ access: z.literal('keys'), keysSecret: secretName, kserveSecret: secretName.optional() }).strict(),
  z.object({ access: z.literal('kserve-only'), kserveSecret: secretName }).strict(),
]);

/** What may stand in the file of an environment: docs/reference/environments.md says each key. */
export const environmentSchema = z
  .object({
    account: z
      .string()
      .regex(/^\d{12}$/, 'twelve digits')
      .optional()
      .describe('Absent: that of whoever deploys.'),
    region: z
      .string()
      .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'a region, e.g. eu-central-1')
      .optional(),
    stackName: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{0,127}$/, 'letters, digits and hyphens')
      .optional(),
    tags: z.record(z.string().min(1).max(128), z.string().max(256)).default({}),
    models: z.array(z.string().min(1)).default([]).describe('Monitor files and folders of them, seen from this file.'),
    encryption: z.enum(['service-keys', 'own-key']).default('service-keys'),
    permissionsBoundary: z
      .string()
      .regex(/^(?:arn:aws[a-z-]*:iam::\d{12}:policy\/)?[\w+=,.@/-]{1,512}$/, 'the name of a managed policy, or its ARN')
      .optional()
      .describe('The most that any role of the stack may do.'),
    bootstrapQualifier: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,10}$/, 'letters, digits, hyphens and underscores, at most 10')
      .optional()
      .describe('Of `cdk bootstrap --qualifier`. Absent: that of the CDK.'),
    network: networkSchema.optional().describe('A VPC for the functions. Absent: the network of Lambda.'),
    existing: existingSchema.default({}).describe('Used instead of being made, and never deleted.'),
    data: z.enum(['keep', 'delete']).default('keep').describe('What becomes of the data when the stack goes.'),
    stream: z
      .union([
        z.object({ capacity: z.literal('on-demand') }).strict(),
        z
          .object({
            capacity: z.literal('provisioned'),
            shards: z.number().int().min(1).max(10_000),
            maximumShards: z.number().int().min(1).max(10_000).optional(),
          })
          .strict(),
      ])
      .default({ capacity: 'on-demand' }),
    collector: collectorSchema.default({ access: 'iam' }),
    sageMaker: z
      .object({
        bucket: z
          .string()
          .min(3)
          .describe('Name of the bucket of Data Capture; it must send its events to EventBridge.'),
        prefix: z.string().optional(),
        sources: z.array(sageMakerSourceSchema).min(1),
      })
      .strict()
      .optional(),
    senders: z.array(senderSchema).default([]).describe('Who may send what, besides what constructs grant.'),
    producers: producersSchema,
    people: peopleSchema,
    capture: z
      .object({
        format: z.enum(['parquet', 'json-lines']).default('parquet'),
        buffer: duration.optional(),
        retention: duration.optional(),
      })
      .strict()
      .default({ format: 'parquet' }),
    profiler: z.object({ batchWindow: duration.optional() }).strict().default({}),
    alerting: z
      .object({
        channels: z.array(channelSchema).max(50).default([]),
        routes: alertingSchema.shape.routes,
        mutes: alertingSchema.shape.mutes,
        maintenance: alertingSchema.shape.maintenance,
        modelAlarms: z
          .record(
            z.string().min(1),
            z
              .object({ critical: topicArn, warning: topicArn, info: topicArn })
              .strict()
              .refine(
                (topics) => Object.values(topics).some((one) => one !== undefined),
                'a topic for a severity at least',
              ),
          )
          .optional()
          .describe('CloudWatch alarms of a model of this file on topics of its team.'),
        alerts: z
          .record(
            z.string(),
            z
              .object({
                threshold: z.number().positive().optional(),
                severity: z.enum(SEVERITIES).optional(),
                for: duration.optional(),
                off: z.boolean().optional(),
              })
              .strict(),
          )
          .optional()
          .describe('Changes to alerts on the platform, by their keys in the runbook.'),
        notifiedBy: z.enum(['episodes', 'alarms']).default('episodes'),
        linkBase: z.string().url().optional(),
        runbookBase: z.string().url().optional(),
        silent: z
          .string()
          .min(1)
          .optional()
          .describe('Why nobody need hear of anything, or of blindness: stops the warning.'),
      })
      .strict()
      .default({ channels: [], routes: [], mutes: [], notifiedBy: 'episodes' }),
    eventBus: z
      .object({
        name: z
          .string()
          .regex(/^[A-Za-z0-9._/-]{1,256}$/, 'the name of a bus of this account and region')
          .optional()
          .describe('A bus that there is. Absent: one of its own.'),
        archive: z
          .string()
          .regex(/^[1-9]\d{0,3}d$/, 'whole days: 30d')
          .optional()
          .describe('How long events are kept for a replay.'),
        carries: z
          .array(z.enum(['episodes', 'results', 'baselines']))
          .min(1)
          .optional(),
      })
      .strict()
      .optional()
      .describe('Tells programs of episodes, results and baselines.'),
    traffic: z
      .object({
        eventsPerMonth: z
          .union([
            z.number().min(0).max(1e13),
            z.string().refine((text) => eventCount(text) !== undefined, 'a number of events: 1000000, 250k, 100M, 1G'),
          ])
          .describe('Inferences of all models together.'),
        eventBytes: z.number().int().min(1).max(1_048_576).optional(),
        eventsPerRecord: z.number().int().min(1).max(10_000).optional(),
        overHttp: z.number().min(0).max(1).optional().describe('Share of the events that come to the collector.'),
        grafanaEditors: z.number().int().min(0).max(1e6).optional(),
        grafanaViewers: z.number().int().min(0).max(1e6).optional(),
      })
      .strict()
      .optional()
      .describe('What comes in a month: synthesis tells what it costs.'),
    prices: z.string().min(1).optional().describe('A file of prices that differ from the table, seen from this file.'),
    budget: z.number().positive().optional().describe('USD a month; synthesis fails above it.'),
    grafana: grafanaSchema.default({ type: 'none' }),
    metrics: z
      .object({
        detail: z.enum(['none', 'minimal', 'summary']).optional(),
        prometheus: z.enum(['managed', 'none']).default('managed'),
        budget: z.number().positive().optional(),
      })
      .strict()
      .default({ prometheus: 'managed' }),
  })
  .strict();

type Parsed = z.output<typeof environmentSchema>;
/** A checked environment; `folder` is where its paths are seen from. */
export interface EnvironmentConfig extends Parsed {
  readonly name: string;
  readonly folder: string;
}
/** An environment as its author writes it. */
export type EnvironmentInput = z.input<typeof environmentSchema>;
