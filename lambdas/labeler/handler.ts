/**
 * Joins labels with the predictions that they are of. A run does what is due, all models in one query; what its time does not suffice
 * for goes on in Athena without it and is taken up by the next run. Once a day it counts whether the capture is complete. Models that
 * learn their baseline get it here, when their first days are over.
 */
import { QueryUnfinishedError } from '../../lib/adapters/athena/query-failure.ts';
import { CLOUDWATCH_DIMENSION, PLATFORM_CLOUDWATCH_METRIC } from '../../lib/contracts/cloudwatch-metrics.ts';
import type { Completeness } from '../../lib/pipeline/completeness.ts';
import type { Labeler } from '../../lib/pipeline/labeler.ts';
import type { Learner } from '../../lib/pipeline/learner.ts';
import type { Clock } from '../../lib/pipeline/ports.ts';
import { type Measured, writeMetrics } from '../embedded-metrics.ts';
import type { Log } from '../log.ts';
import type { InvocationContext } from '../remaining-time.ts';

/** Left when waiting ends: for the rows of the query that was waited for, and what is written of them. A third of a short time. */
const RESERVE_MS = 60_000;

/** What the query port and the function share of one run. */
export interface LabelerRun {
  /** When to stop waiting for queries, milliseconds since 1970. */
  deadline: number;
  /** Read by the queries of this run, bytes. */
  scanned: number;
}

export interface LabelerParts {
  readonly labeler: Pick<Labeler, 'step'>;
  readonly completeness: Pick<Completeness, 'step'>;
  /** @default nothing is learned */
  readonly learner?: Pick<Learner, 'step'>;
  readonly run: LabelerRun;
  readonly environment: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Where lines of metrics go. @default standard output */
  readonly write?: (line: string) => void;
}

export function labelerHandler(parts: LabelerParts): (event: unknown, context: InvocationContext) => Promise<void> {
  const { labeler, completeness, run, environment, clock } = parts;
  return async (_event, context) => {
    const log = parts.log.for(context.awsRequestId);
    const remaining = context.getRemainingTimeInMillis();
    run.deadline = clock.now() + remaining - Math.min(RESERVE_MS, remaining / 3);
    run.scanned = 0;
    const measured: Measured[] = [];
    try {
      const { windows, written, queries, through } = await labeler.step();
      log.info('labels joined', {
        windows,
        written,
        queries,
        through: through === null ? null : new Date(through).toISOString(),
        scanned: run.scanned,
      });
      const counted = await completeness.step();
      if (counted !== null)
        measured.push({ metric: PLATFORM_CLOUDWATCH_METRIC.captureDifference, value: counted.missing });
      if (counted !== null && counted.missing > 0)
        log.warn('events were profiled and are not in the capture', {
          missing: counted.missing,
          profiled: counted.profiled,
          windows: counted.windows,
          countedAt: new Date(counted.at).toISOString(),
          model: counted.worst?.model,
          window: counted.worst?.start,
        });
      await learn(parts.learner, log);
    } catch (error) {
      if (!(error instanceof QueryUnfinishedError)) throw error;
      log.info('a query runs on and is taken up by the next run', { execution: error.execution });
    } finally {
      measured.push({ metric: PLATFORM_CLOUDWATCH_METRIC.scannedBytes, value: run.scanned });
      writeMetrics(measured, { environment, now: clock.now(), write: parts.write });
    }
    const of = { [CLOUDWATCH_DIMENSION.function]: 'labeler' };
    writeMetrics([{ metric: PLATFORM_CLOUDWATCH_METRIC.runs, value: 1, of }], {
      environment,
      now: clock.now(),
      write: parts.write,
    });
  };
}

/** One model that cannot be learned holds up no other. @throws its error in the end, so that it shows */
async function learn(learner: LabelerParts['learner'], log: Log): Promise<void> {
  if (learner === undefined) return;
  const { published, failed } = await learner.step();
  if (published > 0) log.info('baselines were learned', { published });
  let first: Error | null = null;
  for (const [model, error] of failed) {
    const runsOn = error instanceof QueryUnfinishedError;
    if (!runsOn) log.warn('a baseline could not be learned', { model, error: error.message });
    if (first === null || first instanceof QueryUnfinishedError) first = error;
  }
  if (first !== null) throw first;
}
