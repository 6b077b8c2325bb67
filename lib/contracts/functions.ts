/**
 * The functions of a deployment on AWS, and what each is told through its environment: constructs write it with
 * `functionEnvironment`, handlers read it once with `readEnvironment`. Secrets never stand in it, only their ARNs.
 */
import { z } from 'zod';
import { expectedBy } from './expected.ts';
import { ProblemError, shown } from './problem.ts';

const text = z.string().min(1);
const arn = z.string().startsWith('arn:');
const whole = z.string().regex(/^\d+$/, 'a whole number').transform(Number);

/** What every function is told. */
const COMMON = {
  /** Bucket that holds everything: the object store port. */
  MLMON_BUCKET: text,
  /** Data stream that is the event log. */
  MLMON_STREAM_ARN: arn,
  /** Name of the environment, a dimension of metrics. */
  MLMON_ENVIRONMENT: text,
} as const;

/** Hashes fields: a secret with `{ "version": "1", "key": "<64 hexadecimal digits>" }`. */
const POLICY_KEY = { MLMON_POLICY_KEY_SECRET_ARN: arn.optional() } as const;

/** How senders prove who they are: the caller of a signed request (`iam`), or the context that an authorizer attached. */
const COLLECTOR_AUTH = ['iam', 'jwt', 'keys', 'path-secret'] as const;

export const FUNCTION_ENVIRONMENT = {
  /** HTTP in: events, labels, KServe. */
  collector: {
    ...COMMON,
    ...POLICY_KEY,
    MLMON_AUTH: z.enum(COLLECTOR_AUTH),
    /** JSON: principal (role ARN, key id or subject; `*` as the last character matches a prefix) → what it may send. */
    MLMON_BINDINGS_KEY: text.optional(),
    /** Path segment secret of the KServe door. */
    MLMON_KSERVE_SECRET_ARN: arn.optional(),
    /** Hashed keys, for `keys`. */
    MLMON_KEYS_SECRET_ARN: arn.optional(),
  },
  /** Answers an HTTP API whether a key is one of those in Secrets Manager. */
  authorizer: { ...COMMON, MLMON_KEYS_SECRET_ARN: arn },
  /** SageMaker Data Capture files, from notifications of their bucket, onto the stream. */
  'sagemaker-capture': {
    ...COMMON,
    ...POLICY_KEY,
    /** JSON: endpoint, and variant where it matters → model, version and columns (`SageMakerSource`). */
    MLMON_SAGEMAKER_SOURCES: text,
  },
  /** The batch source of the stream. */
  profiler: { ...COMMON },
  /** Batches that were given up, from notifications of the on-failure prefix. */
  redrive: { ...COMMON },
  /** Every minute: reads the cursors once, sends what is due to the queue. */
  dispatcher: { ...COMMON, MLMON_QUEUE_URL: text },
  /** Judges what a message of the queue names. */
  evaluator: { ...COMMON, MLMON_LINK_BASE: text.optional() },
  /** Every few minutes: joins labels in one query. */
  labeler: {
    ...COMMON,
    MLMON_LINK_BASE: text.optional(),
    MLMON_WORKGROUP: text,
    MLMON_DATABASE: text,
    MLMON_TABLE: text,
    /** Seconds after which what was appended is surely in the capture. */
    MLMON_CAPTURE_DELAY_SECONDS: whole,
  },
  /** Every minute: state gauges. */
  exporter: {
    ...COMMON,
    MLMON_METRIC_DETAIL: z.enum(['none', 'minimal', 'summary']),
    /** `https://aps-workspaces.<region>.amazonaws.com/workspaces/<id>/api/v1/remote_write` */
    MLMON_REMOTE_WRITE_URL: z.string().url().optional(),
  },
  /** Every minute, and on messages of alarms: delivers what the outboxes hold. Its channels and routes lie in the store (`keys.alerting`). */
  notifier: { ...COMMON, MLMON_HEARTBEAT_TOPIC_ARN: arn.optional() },
  /** On new results and baselines: puts them on the bus as events. */
  announcer: { ...COMMON, MLMON_EVENT_BUS_ARN: arn },
  /** The custom resource: publishes monitors, baselines and the alerting configuration. */
  publisher: { ...COMMON, ...POLICY_KEY },
  /** The custom resource that fills a Grafana, and every quarter of an hour: tries again what failed. Which one stands in the store. */
  grafana: { ...COMMON },
  /** Every hour: deletes what nothing names any more. */
  cleaner: { ...COMMON, MLMON_PACK_RETENTION_DAYS: whole },
  /** Every few minutes, where shards are provisioned within bounds: as many as the traffic takes. */
  scaler: { ...COMMON, MLMON_MINIMUM_SHARDS: whole, MLMON_MAXIMUM_SHARDS: whole },
} as const satisfies Readonly<Record<string, z.ZodRawShape>>;

export type FunctionName = keyof typeof FUNCTION_ENVIRONMENT;
export const FUNCTION_NAMES = Object.keys(FUNCTION_ENVIRONMENT) as readonly FunctionName[];

type Shape<N extends FunctionName> = z.ZodObject<(typeof FUNCTION_ENVIRONMENT)[N]>;
export type FunctionEnvironment<N extends FunctionName> = z.output<Shape<N>>;

/** The environment of a function as constructs write it: all values text, tokens allowed. The compiler knows the names. */
export type EnvironmentText<N extends FunctionName> = {
  readonly [K in keyof z.input<Shape<N>>]: string | Extract<z.input<Shape<N>>[K], undefined>;
};

/** @throws ProblemError naming every variable that is missing or wrong */
export function readEnvironment<N extends FunctionName>(
  name: N,
  environment: Readonly<Record<string, string | undefined>>,
): FunctionEnvironment<N> {
  const parsed = z.object(FUNCTION_ENVIRONMENT[name]).safeParse(environment);
  if (parsed.success) return parsed.data as unknown as FunctionEnvironment<N>;
  throw new ProblemError(
    parsed.error.issues.map((issue) => ({
      code: 'environment',
      path: `${name}: ${issue.path.join('.')}`,
      message: environment[String(issue.path[0])] === undefined ? 'is missing' : 'is not valid',
      got: environment[String(issue.path[0])] === undefined ? undefined : shown(environment[String(issue.path[0])]),
      expected: expectedBy(issue),
      fix: 'deploy again with the constructs of the release that the function came with',
    })),
  );
}

/** One message of the queue between dispatcher and evaluator: models of which something is due. JSON. */
export interface EvaluationMessage {
  readonly schema: 'mlmon.evaluate/v1';
  readonly models: readonly string[];
  /** Grains whose time has come are to be closed. */
  readonly close: boolean;
  /** When the dispatcher looked, RFC 3339. */
  readonly at: string;
}
