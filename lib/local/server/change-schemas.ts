/** Bodies of the requests that change something. The OpenAPI document is made from the same schemas. */
import { z } from 'zod';
import { isDuration } from '../../contracts/duration.ts';
import { ERASURE_MOST_IDS, ERASURE_REMEMBERED } from '../../contracts/erasure.ts';
import { TIME_PATTERN } from '../../contracts/event.ts';
import { SIGNALS } from '../../contracts/result.ts';

const by = z.string().min(1).max(128).optional().describe('Who decides; with tokens, the name of the token is added.');
const time = z.string().regex(TIME_PATTERN, 'RFC 3339 with an offset, e.g. 2001-03-05T00:00:00Z');
const version = z.string().min(1).max(256);

export const acknowledgeSchema = z.object({ by, note: z.string().max(1_000).default('') }).strict();

export const silenceSchema = z
  .object({
    model: z.string().min(1),
    signal: z.enum(SIGNALS).nullable().default(null).describe('All signals when null.'),
    for: z.string().refine(isDuration, 'a duration, e.g. 4h').describe('How long, at most 30d.'),
    reason: z.string().min(1).max(1_000),
    by,
  })
  .strict();

export const makeBaselineSchema = z.union([
  z
    .object({
      from: time.describe('Start of the first window.'),
      to: time.nullable().default(null).describe('Start of the last window; the newest complete one when null.'),
      by,
    })
    .strict(),
  z
    .object({
      baseline: z.record(z.string(), z.unknown()).describe('A baseline made by `mlmon profile`.'),
      version,
      approve: z.boolean().default(false),
      monitor: z
        .record(z.string(), z.unknown())
        .optional()
        .describe(
          'As in a monitor file, when it is to be applied next: its field policies decide what of the baseline is stored. The newest when absent.',
        ),
      by,
    })
    .strict(),
]);

export const decideBaselineSchema = z
  .object({ version: version.optional().describe('The newest version when absent.'), by })
  .strict();

export const applyMonitorSchema = z
  .object({ monitor: z.record(z.string(), z.unknown()).describe('As in a monitor file.'), by })
  .strict();

export const eraseSchema = z
  .object({
    model: z.string().min(1),
    ids: z.array(z.string()).max(ERASURE_MOST_IDS).describe('Of predictions; their labels have the same.'),
    remember: z
      .string()
      .refine(isDuration, 'a duration, e.g. 30d')
      .optional()
      .describe(`How long records of them can still land; ${ERASURE_REMEMBERED} when absent.`),
    dryRun: z.boolean().default(false).describe('Says what would be erased, and changes nothing.'),
    by,
  })
  .strict();

export const removeMonitorSchema = z.object({ by }).strict();
