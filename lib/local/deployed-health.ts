/** What the objects alone tell of a deployed platform: how far its cursors are. Its stream and its functions are watched by its alarms. */
import type { Health } from '../contracts/api.ts';
import { formatProblem } from '../contracts/problem.ts';
import { addTotals, EMPTY_TOTALS, readCursors } from '../pipeline/cursor.ts';
import type { ObjectStore } from '../pipeline/ports.ts';
import type { Registry } from '../pipeline/registry.ts';

export async function deployedHealth(store: ObjectStore, registry: Registry): Promise<Health> {
  const cursors = await readCursors(store);
  const totals = cursors.reduce((sum, { cursor }) => addTotals(sum, cursor.totals), EMPTY_TOTALS);
  const problems = registry.problems().map(formatProblem);
  return {
    status: problems.length > 0 ? 'degraded' : 'ok',
    problems,
    uptimeSeconds: 0,
    memoryBytes: process.memoryUsage().rss,
    eventsPerSecond: 0,
    partitions: cursors.map(({ partition, cursor }) => ({
      id: partition,
      head: cursor.position,
      profiled: cursor.position,
      archived: null,
      headAppendTime: timeText(cursor.appendTime),
      profiledThrough: timeText(cursor.appendTime),
      lag: 0,
      closed: false,
    })),
    counts: {
      received: totals.received,
      profiled: totals.profiled,
      captured: 0,
      beyond: totals.beyond,
      labels: totals.labels,
      quarantined: { ...totals.quarantined } as Record<string, number>,
      lost: totals.lost,
    },
    lastEvaluation: null,
    parts: [],
  };
}

function timeText(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
