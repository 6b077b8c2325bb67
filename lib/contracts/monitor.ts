/**
 * The monitor: the declaration of what to watch on one model. One YAML or JSON file, or the same object in TypeScript.
 * The zod schema is the source; the JSON Schema for editors is generated from it. Defaults are filled by `parseMonitor`.
 */
import { z } from 'zod';
import { durationMs, durationText, isDuration } from './duration.ts';
import { MODEL_PATTERN } from './event.ts';
import { unlearnable } from './learning-limits.ts';
import { maintenanceSchema } from './maintenance.ts';
import { nearest, type Problem, shown } from './problem.ts';
import { SEVERITIES } from './result.ts';
import { undercut } from './retention-limits.ts';
import { schemaProblems } from './schema-problems.ts';

const duration = z.string().refine(isDuration, 'a whole number and a unit: 500ms, 30s, 15m, 1h, 7d');
const share = z.number().min(0).max(1);
const columnName = z.string().min(1).max(128);
const severity = z.enum(SEVERITIES);

export const FIELD_POLICIES = ['keep', 'hash', 'bucket', 'drop'] as const;
export type FieldPolicy = (typeof FIELD_POLICIES)[number];

export const EFFECTS = { tiny: 0.05, small: 0.1, medium: 0.3, large: 0.5 } as const;

/** Metrics by task; `auto` means all of the task's. Larger is better but for those in LOWER_IS_BETTER. */
export const METRICS = {
  'binary-classification': [
    'accuracy',
    'precision',
    'recall',
    'f1',
    'specificity',
    'log-loss',
    'brier',
    'roc-auc',
    'average-precision',
  ],
  'multiclass-classification': ['accuracy', 'precision', 'recall', 'f1'],
  regression: ['mae', 'rmse', 'mape', 'r2', 'bias'],
  none: [],
} as const;
export const LOWER_IS_BETTER: readonly string[] = ['log-loss', 'brier', 'mae', 'rmse', 'mape'];

export const monitorSchema = z
  .object({
    model: z
      .string()
      .regex(MODEL_PATTERN, 'lower-case letters, digits and inner hyphens, at most 63')
      .describe('What is monitored.'),
    owner: z.string().min(1).max(128).default('unowned').describe('Routes the alerts.'),
    task: z.enum(['binary-classification', 'multiclass-classification', 'regression', 'none']).default('none'),
    columns: z
      .object({
        id: columnName.optional(),
        time: columnName.optional(),
        prediction: columnName.optional(),
        score: columnName.optional(),
        truth: columnName.optional(),
        latency: columnName.optional(),
        weight: columnName.optional(),
        version: columnName.optional(),
      })
      .strict()
      .default({})
      .describe('Names of the columns in tabular data.'),
    positive: z
      .string()
      .optional()
      .describe('The class that `score` is the probability of, in a binary classification.'),
    baseline: z
      .object({
        from: z.string().min(1).optional().describe('A file made by `mlmon profile`; locally also a data file.'),
        learn: duration
          .optional()
          .describe(
            'Makes the baseline of the first days with events, instead of `from`; it is provisional until somebody approves it. Needs `features`.',
          ),
        fallback: z.enum(['last-approved', 'none']).default('last-approved'),
      })
      .strict()
      .default({ fallback: 'last-approved' }),
    features: z
      .record(
        columnName,
        z.object({ type: z.enum(['numeric', 'categorical']), policy: z.enum(FIELD_POLICIES).default('keep') }).strict(),
      )
      .optional()
      .describe('Inferred from the baseline when absent.'),
    truth: z
      .object({
        horizon: duration.default('48h').describe('How long after a window its labels are waited for.'),
        minimumCoverage: share.default(0.5),
        absent: z.enum(['unknown']).default('unknown'),
      })
      .strict()
      .default({ horizon: '48h', minimumCoverage: 0.5, absent: 'unknown' }),
    segments: z
      .array(
        z
          .object({
            by: columnName,
            top: z.number().int().min(1).max(100).default(20),
            minimumRows: z.number().int().min(1).default(200),
          })
          .strict(),
      )
      .max(4)
      .default([]),
    window: z
      .object({
        every: duration.default('1d'),
        timezone: z.string().default('UTC').refine(isTimezone, 'an IANA time zone, e.g. Europe/Berlin'),
        lateness: duration.default('1h'),
        revise: duration.default('7d'),
        minimumRows: z.number().int().min(1).default(200),
      })
      .strict()
      .default({ every: '1d', timezone: 'UTC', lateness: '1h', revise: '7d', minimumRows: 200 }),
    budget: z
      .string()
      .regex(/^\d+(?:\.\d+)? per \d+d$/, 'a number per days, e.g. "1 per 30d"')
      .default('1 per 30d')
      .describe('Openings of episodes accepted when nothing has changed, whatever the cause.'),
    drift: z
      .object({
        smallestEffect: z
          .union([z.enum(['tiny', 'small', 'medium', 'large']), z.number().positive().max(2)])
          .default('tiny'),
        tests: z.literal('auto').default('auto'),
        scales: z
          .array(duration)
          .max(3)
          .optional()
          .describe('Durations judged; the window, a day and a week where they are longer.'),
      })
      .strict()
      .default({ smallestEffect: 'tiny', tests: 'auto' }),
    quality: z.enum(['auto', 'off']).default('auto'),
    performance: z
      .object({
        metrics: z.union([z.literal('auto'), z.array(z.string()).min(1)]).default('auto'),
        floor: z.record(z.string(), z.number()).default({}),
        smallestLoss: share
          .default(0.02)
          .describe('Smallest loss against the baseline worth waking for, in the units of the metric.'),
      })
      .strict()
      .default({ metrics: 'auto', floor: {}, smallestLoss: 0.02 }),
    latency: z
      .object({ p50: duration.optional(), p90: duration.optional(), p99: duration.optional() })
      .strict()
      .optional(),
    kserve: z
      .object({
        service: z
          .string()
          .min(1)
          .max(253)
          .optional()
          .describe(
            "Name of the InferenceService whose logger sends this model's events. Default: the name of the model.",
          ),
        namespace: z.string().min(1).max(63).optional().describe('Its namespace. Default: any.'),
        component: z
          .enum(['predictor', 'transformer', 'explainer'])
          .default('predictor')
          .describe('The component whose inferences count; others log the same ones again.'),
        mode: z
          .enum(['all', 'request', 'response'])
          .default('all')
          .describe('What the logger is set to send. With response alone each answer counts as a row.'),
        version: z
          .string()
          .min(1)
          .max(256)
          .default('unversioned')
          .describe('Version of the model: requests name none, and both halves of an inference need the same.'),
        versionAnnotation: z
          .string()
          .min(1)
          .max(253)
          .optional()
          .describe("Annotation of the pod that holds the version; list it in the logger's metadataAnnotations."),
        inputs: z
          .array(columnName)
          .min(1)
          .max(2_000)
          .optional()
          .describe('Names of features by position, where requests carry none. Default: the order of features.'),
        output: z.enum(['predicted', 'score']).default('predicted').describe('What a bare number in a response is.'),
        score: columnName.optional().describe('Name of the output that holds the score.'),
        predicted: columnName.optional().describe('Name of the output that holds the prediction.'),
      })
      .strict()
      .optional()
      .describe("Takes this model's events from the inference logger of KServe."),
    retention: z
      .object({
        events: duration
          .optional()
          .describe('Of captured events and labels. Default: as long as the platform keeps them.'),
        profiles: duration.optional().describe('Of stored profiles. Default: for ever.'),
        results: duration.optional().describe('Of results. Default: for ever.'),
      })
      .strict()
      .optional()
      .describe('How long data of this model are kept, in whole days of UTC; at least as long as they are needed.'),
    alerts: z
      .object({
        severity: z
          .object({
            drift: severity.default('warning'),
            quality: severity.default('warning'),
            performance: severity.default('critical'),
            latency: severity.default('warning'),
            volume: severity.default('warning'),
            blind: severity.default('critical'),
          })
          .strict()
          .default({
            drift: 'warning',
            quality: 'warning',
            performance: 'critical',
            latency: 'warning',
            volume: 'warning',
            blind: 'critical',
          }),
        after: z
          .string()
          .regex(/^[1-9] of [1-9]$/, 'M of N windows, e.g. "2 of 3"')
          .refine((text) => Number(text[0]) <= Number(text[5]), 'M at most N')
          .optional()
          .describe(
            'Windows that must show the condition. Default: 2 of 3 for windows shorter than a day, else 1 of 1.',
          ),
        runbook: z.string().url().optional(),
        maintenance: z
          .array(maintenanceSchema)
          .min(1)
          .max(20)
          .optional()
          .describe('Times in which alerts are recorded and nobody is told; what is still so afterwards is told then.'),
      })
      .strict()
      .default({
        severity: {
          drift: 'warning',
          quality: 'warning',
          performance: 'critical',
          latency: 'warning',
          volume: 'warning',
          blind: 'critical',
        },
      }),
  })
  .strict();

/** A monitor with every default filled in. */
export type Monitor = z.output<typeof monitorSchema>;
/** A monitor as its author writes it. */
export type MonitorInput = z.input<typeof monitorSchema>;

/** A monitor as published: `monitors/<model>/<n>.json`. `removed` ends it. */
export interface PublishedMonitor {
  readonly n: number;
  /** RFC 3339; applies to events from here on. Aligned to a window of the model. */
  readonly effectiveFrom: string;
  readonly removed: boolean;
  readonly by: string;
  readonly monitor: Monitor;
}

/** Keys of the interface that do not work yet, with what to use meanwhile. */
const LATER: Readonly<Record<string, string>> = {
  fairness: 'fairness is not monitored yet; remove the key',
  segments:
    'segments are counted but not judged by themselves yet; remove the key and monitor the segment as a model of its own where it matters',
  retrain:
    'retraining is not started by the platform yet; remove the key and act on the alert (a webhook channel can start a pipeline)',
};

/** Checks a monitor and fills its defaults. All problems are returned together; nothing is thrown. */
export function parseMonitor(
  input: unknown,
): { monitor: Monitor; problems: [] } | { monitor: null; problems: Problem[] } {
  const problems: Problem[] = [];
  let candidate = input;
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) {
    const rest: Record<string, unknown> = { ...(input as Record<string, unknown>) };
    for (const [key, fix] of Object.entries(LATER)) {
      // An empty list is what a filled monitor holds, and a filled monitor is checked again where it is published.
      if (key in rest && !(Array.isArray(rest[key]) && rest[key].length === 0)) {
        problems.push({ code: 'not-yet', path: key, message: 'this key is not accepted yet', fix });
        delete rest[key];
      }
    }
    candidate = rest;
  }
  const parsed = monitorSchema.safeParse(candidate);
  if (!parsed.success) problems.push(...schemaProblems(monitorSchema, candidate, parsed.error.issues));
  else problems.push(...impossible(parsed.data));
  if (problems.length > 0 || !parsed.success) return { monitor: null, problems };
  return { monitor: parsed.data, problems: [] };
}

/** JSON Schema (draft 2020-12) of the file, for editors. */
export function monitorJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(monitorSchema, { io: 'input', unrepresentable: 'any' }) as Record<string, unknown>;
  return { title: 'mlmon monitor', ...schema };
}

function impossible(monitor: Monitor): Problem[] {
  const problems: Problem[] = [];
  if (monitor.latency !== undefined && Object.values(monitor.latency).every((value) => value === undefined))
    problems.push({ code: 'empty', path: 'latency', message: 'names no percentile', expected: 'p50, p90 or p99' });
  for (const [name, { type, policy }] of Object.entries(monitor.features ?? {}))
    if (policy === 'hash' && type === 'numeric')
      problems.push({
        code: 'hash-of-number',
        path: `features.${name}.policy`,
        message: 'hash needs type categorical: hashes of numbers have no order that could be judged',
        got: 'hash of a numeric feature',
        fix: 'declare type: categorical, or use bucket or drop',
      });
  problems.push(...unlearnable(monitor), ...undercut(monitor), ...unfilledScales(monitor));
  const metrics: readonly string[] = METRICS[monitor.task];
  const named = monitor.performance.metrics === 'auto' ? [] : monitor.performance.metrics;
  for (const [path, list] of [
    ['performance.metrics', named],
    ['performance.floor', Object.keys(monitor.performance.floor)],
  ] as const) {
    for (const metric of list) {
      if (metrics.includes(metric)) continue;
      const near = nearest(metric, metrics);
      problems.push({
        code: 'unknown-metric',
        path,
        message: `no such metric for the task ${monitor.task}`,
        got: shown(metric),
        expected: metrics.length > 0 ? `one of ${metrics.join(', ')}` : 'a task other than none',
        fix: near === undefined ? undefined : `did you mean ${near}?`,
      });
    }
  }
  return problems;
}

const DAY_MS = 86_400_000;
/** Scales are made of whole windows, each of whole spans of the one before; days of a time zone do not fill spans that are counted in hours. */
function unfilledScales(monitor: Monitor): Problem[] {
  const counted = (ms: number) => ms % DAY_MS !== 0 && DAY_MS % ms !== 0;
  let last = durationMs(monitor.window.every);
  for (const ms of (monitor.drift.scales ?? []).map(durationMs).sort((a, b) => a - b)) {
    if (ms <= last) continue;
    if (ms % last !== 0 || counted(ms) !== counted(last)) {
      const expected = `a whole multiple of ${durationText(last)}`;
      const message = `spans of ${durationText(last)} do not fill this scale`;
      return [{ code: 'scale-not-multiple', path: 'drift.scales', message, got: durationText(ms), expected }];
    }
    last = ms;
  }
  return [];
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
