/**
 * Maintenance windows: times in which alerts are recorded and people are not told. What is still so when a window is over is told then; what was
 * over by then is not. Stands in a monitor (of its model alone) and in the configuration of alerting (of everything).
 */
import { z } from 'zod';
import { durationMs, isDuration } from './duration.ts';

export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** The longest that CloudWatch mutes alarms for. */
export const LONGEST_MAINTENANCE_MS = 15 * DAY_MS;

const moment = z
  .string()
  .refine(
    (text) => /(?:Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text)),
    'RFC 3339: 2026-12-24T18:00:00Z',
  );
const reason = z.string().min(1).max(200).describe('Stands beside what was withheld.');

const once = z
  .object({ from: moment, until: moment, reason })
  .strict()
  .refine(({ from, until }) => Date.parse(from) < Date.parse(until), {
    path: ['until'],
    message: 'a time after `from`',
  })
  .refine(({ from, until }) => Date.parse(until) - Date.parse(from) <= LONGEST_MAINTENANCE_MS, {
    path: ['until'],
    message: 'at most 15 days after `from`; what is never to be told is a mute',
  });

const weekly = z
  .object({
    days: z.array(z.enum(WEEKDAYS)).min(1).max(7).optional().describe('Default: every day.'),
    at: z
      .string()
      .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'hours and minutes: 02:30')
      .describe('When it begins, in its time zone.'),
    for: z
      .string()
      .refine(
        (text) => isDuration(text) && durationMs(text) >= MINUTE_MS && durationMs(text) <= DAY_MS,
        'a duration from 1m to 1d: 90m',
      ),
    timezone: z.string().default('UTC').refine(isTimezone, 'an IANA time zone, e.g. Europe/Berlin'),
    reason,
  })
  .strict();

/** Once, `[from, until)`; or again and again, on these days from `at` on. */
export const maintenanceSchema = z.union([once, weekly]);
export type Maintenance = z.output<typeof maintenanceSchema>;
/** As its author writes it. */
export type MaintenanceInput = z.input<typeof maintenanceSchema>;

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
