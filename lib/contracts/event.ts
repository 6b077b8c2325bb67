/**
 * The log record (docs/reference/events.md): one event a line, UTF-8 NDJSON, lower snake case.
 * The schema is the definition; the engine's hand-written reader must agree with it and a property test says so.
 */
import { z } from 'zod';

/** Bounds of one event. Beyond them it is quarantined as `schema`, never cut. */
export const EVENT_LIMITS = {
  /** Bytes of one log record. */
  recordBytes: 1_048_576,
  /** Characters of an id or a version. */
  idLength: 256,
  /** Characters of a model name: `[a-z0-9-]`. */
  modelLength: 63,
  /** Characters of a feature name. */
  nameLength: 128,
  /** Characters of a category or a label. */
  categoryLength: 1_024,
  /** Features of one event, all kinds together. */
  features: 2_000,
  /** Largest sampling weight (the event stood for at most so many). */
  weight: 10_000,
  /** How far event time may lie after append time, milliseconds. */
  futureMs: 300_000,
} as const;

export const MODEL_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const id = z.string().min(1).max(EVENT_LIMITS.idLength);
const model = z.string().regex(MODEL_PATTERN, 'lower-case letters, digits and inner hyphens, at most 63');
/** RFC 3339 with an offset; the year has four digits. */
export const TIME_PATTERN =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const time = z
  .string()
  .regex(TIME_PATTERN, 'RFC 3339 with an offset, e.g. 2001-02-01T10:05:00.000Z')
  .refine(isCalendarDay, 'a day that its month has');
const name = z.string().min(1).max(EVENT_LIMITS.nameLength);
const category = z.string().max(EVENT_LIMITS.categoryLength);

export const inferenceEventSchema = z
  .object({
    id,
    type: z.literal('inference'),
    source: z.string().max(EVENT_LIMITS.idLength).optional(),
    model,
    version: id,
    time,
    /** Set by the collector: when it took the event. */
    arrival: time.optional(),
    segment: z.record(name, category).optional(),
    numeric: z.record(name, z.number().nullable()).optional(),
    categorical: z.record(name, category.nullable()).optional(),
    /** Feature values of the wrong type, as text: counted as type errors. */
    invalid: z.record(name, z.string()).optional(),
    /** Probability or score of the positive class, of the predicted class, or absent. */
    score: z.number().nullable().optional(),
    /** Class (text) or number predicted. */
    predicted: z.union([category, z.number()]).nullable().optional(),
    latency_ms: z.number().nonnegative().nullable().optional(),
    /** Inverse of the probability with which a sampler kept the event; 1 when absent. */
    weight: z.number().positive().max(EVENT_LIMITS.weight).optional(),
    policy_key: z.string().max(EVENT_LIMITS.idLength).optional(),
  })
  .strict()
  .refine(hasFewFeatures, `at most ${EVENT_LIMITS.features} features`);

/**
 * What came in, where request and response of one inference arrive apart (docs/decisions/0023-halves-of-an-inference.md): it has the id of the
 * response, and counts as the row. No weight: a sampler that drops one half drops the other.
 */
export const requestEventSchema = z
  .object({
    id,
    type: z.literal('request'),
    source: z.string().max(EVENT_LIMITS.idLength).optional(),
    model,
    version: id,
    time,
    arrival: time.optional(),
    segment: z.record(name, category).optional(),
    numeric: z.record(name, z.number().nullable()).optional(),
    categorical: z.record(name, category.nullable()).optional(),
    invalid: z.record(name, z.string()).optional(),
    policy_key: z.string().max(EVENT_LIMITS.idLength).optional(),
  })
  .strict()
  .refine(hasFewFeatures, `at most ${EVENT_LIMITS.features} features`);

/** What went out. */
export const responseEventSchema = z
  .object({
    id,
    type: z.literal('response'),
    source: z.string().max(EVENT_LIMITS.idLength).optional(),
    model,
    version: id,
    time,
    arrival: time.optional(),
    score: z.number().nullable().optional(),
    predicted: z.union([category, z.number()]).nullable().optional(),
    latency_ms: z.number().nonnegative().nullable().optional(),
  })
  .strict();

export const labelEventSchema = z
  .object({
    id,
    type: z.literal('label'),
    source: z.string().max(EVENT_LIMITS.idLength).optional(),
    model,
    version: id.optional(),
    /** When the truth became known. */
    time,
    arrival: time.optional(),
    truth: z.union([category, z.number()]),
  })
  .strict();

function hasFewFeatures(event: {
  readonly numeric?: object;
  readonly categorical?: object;
  readonly invalid?: object;
}): boolean {
  const { numeric, categorical, invalid } = event;
  return (
    [numeric, categorical, invalid].reduce((sum, map) => sum + Object.keys(map ?? {}).length, 0) <=
    EVENT_LIMITS.features
  );
}

/** Of a text that TIME_PATTERN accepts: no 30 February. The calendar repeats every 400 years. */
function isCalendarDay(text: string): boolean {
  const lastOfMonth = new Date(Date.UTC(2000 + (Number(text.slice(0, 4)) % 400), Number(text.slice(5, 7)), 0));
  return Number(text.slice(8, 10)) <= lastOfMonth.getUTCDate();
}

export const eventSchema = z.discriminatedUnion('type', [
  inferenceEventSchema,
  requestEventSchema,
  responseEventSchema,
  labelEventSchema,
]);

export type InferenceEvent = z.infer<typeof inferenceEventSchema>;
export type RequestEvent = z.infer<typeof requestEventSchema>;
export type ResponseEvent = z.infer<typeof responseEventSchema>;
export type LabelEvent = z.infer<typeof labelEventSchema>;
export type MonitoredEvent = z.infer<typeof eventSchema>;
export type EventType = MonitoredEvent['type'];
/** Types that carry a prediction: what a label is joined with. */
export const PREDICTION_TYPES = ['inference', 'response'] as const satisfies readonly EventType[];

/** Why something was put into quarantine. A closed set: it is a metric label. */
export const QUARANTINE_REASONS = [
  'json', // not readable as one JSON object a line
  'schema', // readable, but not an event
  'too-large', // beyond EVENT_LIMITS
  'future', // event time more than five minutes after append time
  'unknown-model', // no monitor declares it
  'policy', // carries in the clear what its policy hashes, buckets or drops
] as const;
export type QuarantineReason = (typeof QUARANTINE_REASONS)[number];
