/** What is exported of the log and its profiling: totals as counters, lag by partition; and what was counted since the last time. Pure. */
import { type CloudWatchValue, PLATFORM_CLOUDWATCH_METRIC } from '../contracts/cloudwatch-metrics.ts';
import { QUARANTINE_REASONS } from '../contracts/event.ts';
import { METRIC } from '../contracts/metric-names.ts';
import { unsegment } from '../contracts/object-keys.ts';
import { addTotals, EMPTY_TOTALS, type LedgerTotals } from './cursor.ts';
import type { LogView } from './log-view.ts';
import { sample } from './model-samples.ts';
import type { Sample } from './ports.ts';

export function totalsOf({ cursors }: Pick<LogView, 'cursors'>): LedgerTotals {
  return cursors.reduce((sum, { cursor }) => addTotals(sum, cursor.totals), EMPTY_TOTALS);
}

export function logSamples(view: LogView, totals: LedgerTotals): Sample[] {
  const { now, progress, cursors } = view;
  const byPartition = new Map(cursors.map(({ partition, cursor }) => [unsegment(partition), cursor]));
  return [
    ...sample(METRIC.profilerProcessed, {}, totals.profiled),
    ...sample(METRIC.profilerBeyond, {}, totals.beyond),
    ...sample(METRIC.profilerLabels, {}, totals.labels),
    ...sample(METRIC.lost, {}, totals.lost),
    // Zeros too: a series that begins with the first event shows no increase, and the first is the one that matters.
    ...QUARANTINE_REASONS.flatMap((reason) => sample(METRIC.quarantined, { reason }, totals.quarantined[reason] ?? 0)),
    ...progress.flatMap(({ id, idle }) => {
      const appended = byPartition.get(id)?.appendTime ?? null;
      return [
        ...sample(METRIC.headAppended, { partition: id }, appended === null ? null : appended / 1_000),
        // Where nothing was profiled at all, nobody knows how old the oldest record is.
        ...sample(
          METRIC.lagAge,
          { consumer: 'profiler', partition: id },
          idle ? 0 : appended === null ? null : Math.max(0, now - appended) / 1_000,
        ),
      ];
    }),
    ...sample(METRIC.platformTime, {}, now / 1_000),
  ];
}

/** `before`: totals when this was told last; `null` tells nothing, since what was counted until then is not of this minute. */
export function logValues(
  { cursors, now }: LogView,
  totals: LedgerTotals,
  before: LedgerTotals | null,
): CloudWatchValue[] {
  const { profiledRecords, lateRecords, quarantinedRecords, policyBreaches, lostRecords, lastEventAge } =
    PLATFORM_CLOUDWATCH_METRIC;
  const since = (of: (totals: LedgerTotals) => number): number =>
    before === null ? 0 : Math.max(0, of(totals) - of(before));
  const appended = cursors.flatMap(({ cursor }) => cursor.appendTime ?? []);
  const newest = appended.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  return [
    { metric: profiledRecords, value: since(({ profiled }) => profiled) },
    { metric: lateRecords, value: since(({ beyond }) => beyond) },
    { metric: quarantinedRecords, value: since(quarantinedOf) },
    { metric: policyBreaches, value: since(({ quarantined }) => quarantined.policy ?? 0) },
    { metric: lostRecords, value: since(({ lost }) => lost) },
    ...(appended.length === 0 ? [] : [{ metric: lastEventAge, value: Math.max(0, now - newest) / 1_000 }]),
  ];
}

function quarantinedOf({ quarantined }: LedgerTotals): number {
  return Object.values(quarantined).reduce((sum, count) => sum + (count ?? 0), 0);
}
