/**
 * What a platform tells programs: CloudEvents 1.0 in JSON, on an EventBridge bus the `detail` of an entry. Delivered at least once; `id` stays
 * the same however often one is sent, and `source` and `id` together name it for ever. Bounded: what is long is cut and counted, and `dataref`
 * names the whole object in the store (the claim check of CloudEvents).
 *
 * A change that would break a reader comes under a new type (`.v2`), beside the old one; members may be added to a type at any time.
 */
import { z } from 'zod';
import { SEVERITIES, SIGNALS, VERDICTS } from './result.ts';

/** `source` of entries on a bus: names of others never begin with it, and `aws.` belongs to AWS. */
export const BUS_SOURCE = 'ml-monitoring';

export const OUTGOING_TYPES = {
  /** An episode opened. */
  episodeOpened: 'ml.episode.opened.v1',
  /** It is over. */
  episodeClosed: 'ml.episode.closed.v1',
  /** What was told of it turned out otherwise: it is open again, or never was. */
  episodeCorrected: 'ml.episode.corrected.v1',
  /** A window was judged, or judged anew by a revision. */
  window: 'ml.result.window.v1',
  /** How good the model was in a window, as far as its labels are known. */
  performance: 'ml.result.performance.v1',
  /** A baseline that nobody has approved: it waits, or it was learned and is in force for now. */
  baselineProposed: 'ml.baseline.proposed.v1',
  /** From `effectiveFrom` on windows are compared with it. */
  baselineApproved: 'ml.baseline.approved.v1',
  /** `mlmon alert test`: nothing happened. */
  test: 'ml.test.v1',
} as const;
/** What an event is about. */
export type OutgoingType = (typeof OUTGOING_TYPES)[keyof typeof OUTGOING_TYPES];
export const EPISODE_TYPES = [
  OUTGOING_TYPES.episodeOpened,
  OUTGOING_TYPES.episodeClosed,
  OUTGOING_TYPES.episodeCorrected,
] as const;
export const RESULT_TYPES = [OUTGOING_TYPES.window, OUTGOING_TYPES.performance] as const;
export const BASELINE_TYPES = [OUTGOING_TYPES.baselineProposed, OUTGOING_TYPES.baselineApproved] as const;

/** Entries of a list within `data`; how many were left out stands beside it. With the next, an event stays below what a bus takes (256 KiB). */
export const MOST_LISTED = 25;
/** Characters of one text within `data`. */
export const LONGEST_TEXT = 500;

const time = z.string().describe('RFC 3339, UTC');
const count = z.number().int().min(0);
const verdict = z.enum(VERDICTS);
const number = z.number().nullable();

const episodeData = z.object({
  episode: z.string().describe('Id of the episode: the same from its opening to its closing.'),
  model: z.string(),
  version: z.string(),
  owner: z.string(),
  signal: z.enum(SIGNALS),
  severity: z.enum(SEVERITIES),
  opened: time.describe('Event time: end of the window that opened it.'),
  closed: time.nullable().describe('Event time: end of the window that closed it; null while it is open.'),
  since: time.describe('Start of the first window that showed it.'),
  length: z.string().describe('Length of the windows that it is of: `1h`, `1d`.'),
  provisional: z.boolean(),
  summary: z.string(),
  features: z
    .array(z.object({ name: z.string(), aspect: z.string().nullable(), effect: number, summary: z.string() }))
    .max(MOST_LISTED),
  featuresOmitted: count,
  context: z.array(z.string()).max(MOST_LISTED).describe('Changes in its span that may explain it.'),
  runbook: z.string(),
  link: z.string(),
  withheld: z
    .string()
    .nullable()
    .describe('Why people were not told: a mute, a silence, a maintenance window; null where they were.'),
});

const windowFields = {
  model: z.string(),
  version: z.string(),
  start: time,
  end: time,
  length: z.string(),
  revision: count.describe('0 for the first verdict; each later one replaces those before it.'),
  status: verdict,
  monitor: count.describe('Number of the monitor that was in force.'),
  baseline: z.object({ version: z.string(), n: count }).nullable(),
};

const windowData = z.object({
  ...windowFields,
  base: z.boolean().describe("True for the monitor's own window, false for longer scales."),
  reason: z.string().nullable(),
  rows: count,
  drifted: z.array(z.string()).max(MOST_LISTED).describe('Names of the features that drifted.'),
  driftedOmitted: count,
  breaches: z
    .array(z.object({ check: z.string(), feature: z.string().nullable(), status: verdict, summary: z.string() }))
    .max(MOST_LISTED)
    .describe('Checks of quality that are not ok.'),
  breachesOmitted: count,
  volume: verdict.nullable(),
  latency: verdict.nullable(),
});

const performanceData = z.object({
  ...windowFields,
  mature: z.boolean(),
  predictions: count,
  labels: count,
  coverage: number,
  metrics: z
    .array(
      z.object({
        metric: z.string(),
        status: verdict,
        value: number,
        interval: z.tuple([z.number(), z.number()]).nullable(),
        baseline: number,
      }),
    )
    .max(MOST_LISTED),
});

const baselineData = z.object({
  model: z.string(),
  version: z.string(),
  n: count.describe('Number among the baselines of this version.'),
  effectiveFrom: time.nullable().describe('null while it waits for approval.'),
  approved: z.object({ by: z.string(), at: time }).nullable(),
  provisional: z.boolean().describe('In force although nobody has approved it: it was learned.'),
  rows: count,
  columns: count,
  from: time.nullable().describe('Event time that it covers; null where the reference has no time.'),
  to: time.nullable(),
});

const testData = z.object({ summary: z.string() });

const envelope = <T extends OutgoingType, D extends z.ZodType>(type: T, data: D) =>
  z.object({
    specversion: z.literal('1.0'),
    id: z.string().min(1),
    source: z.string().min(1).describe('`/ml-monitoring/<environment>`'),
    type: z.literal(type),
    subject: z.string().describe('The model.'),
    time: time.describe('When it was decided, written or published.'),
    datacontenttype: z.literal('application/json'),
    dataref: z.string().optional().describe('The whole object: `s3://bucket/key`.'),
    data,
  });

export const outgoingEventSchema = z.discriminatedUnion('type', [
  envelope(OUTGOING_TYPES.episodeOpened, episodeData),
  envelope(OUTGOING_TYPES.episodeClosed, episodeData),
  envelope(OUTGOING_TYPES.episodeCorrected, episodeData),
  envelope(OUTGOING_TYPES.window, windowData),
  envelope(OUTGOING_TYPES.performance, performanceData),
  envelope(OUTGOING_TYPES.baselineProposed, baselineData),
  envelope(OUTGOING_TYPES.baselineApproved, baselineData),
  envelope(OUTGOING_TYPES.test, testData),
]);
export type OutgoingEvent = z.output<typeof outgoingEventSchema>;
export type EpisodeEventData = z.output<typeof episodeData>;
export type WindowEventData = z.output<typeof windowData>;
export type PerformanceEventData = z.output<typeof performanceData>;
export type BaselineEventData = z.output<typeof baselineData>;

/** `source` of the events of a platform. */
export function outgoingSource(environment: string): string {
  return `/${BUS_SOURCE}/${environment}`;
}

/** JSON Schema (draft 2020-12) of what is sent. Readers must allow members that it does not name. */
export function outgoingEventJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(outgoingEventSchema, { io: 'input' }) as Record<string, unknown>;
  return { title: 'mlmon outgoing event', ...schema };
}
