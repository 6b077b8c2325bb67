/** Every few minutes: joins labels with predictions in Athena, writes how good the models were, and makes baselines that are learned. */
import { AthenaClient } from '@aws-sdk/client-athena';
import { AthenaQuery, QUERY_CHARACTERS } from '../../lib/adapters/athena/athena-query.ts';
import { captureDialect } from '../../lib/adapters/warehouse/capture-dialect.ts';
import { TRINO } from '../../lib/adapters/warehouse/trino-dialect.ts';
import { durationMs } from '../../lib/contracts/duration.ts';
import { EVENT_LIMITS } from '../../lib/contracts/event.ts';
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { baselineByQuery } from '../../lib/local/baseline-by-query.ts';
import { AuditLog } from '../../lib/pipeline/audit.ts';
import { announce } from '../../lib/pipeline/bulletins.ts';
import { DeliveredCapture } from '../../lib/pipeline/capture-reach.ts';
import { Completeness } from '../../lib/pipeline/completeness.ts';
import { APPEND_DELAY, Labeler } from '../../lib/pipeline/labeler.ts';
import { Learner } from '../../lib/pipeline/learner.ts';
import { PackReader } from '../../lib/pipeline/pack-reader.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { retryingStore } from '../../lib/pipeline/retry.ts';
import { episodeKeeper } from '../episode-keeper.ts';
import { logOf } from '../log.ts';
import { bucketStore, streamLog, wallClock } from '../ports.ts';
import { type LabelerRun, labelerHandler } from './handler.ts';

const HOUR = 3_600_000;
/** Windows of one query: what it returns is held in memory, at most some thousand short rows each. */
const WINDOWS = 1_000;

/** A statement that makes a baseline names the capture up to four times. */
const LEARNING_CHARACTERS = 150_000;

const dialect = captureDialect(TRINO, LEARNING_CHARACTERS);

const environment = readEnvironment('labeler', process.env);
const clock = wallClock;
const store = retryingStore(bucketStore(environment.MLMON_BUCKET));
const log = streamLog(environment.MLMON_STREAM_ARN);
const registry = new Registry({ store, clock, baselines: 'bins' });
const run: LabelerRun = { deadline: 0, scanned: 0 };
const query = new AthenaQuery({
  client: new AthenaClient({
    maxAttempts: 5,
    requestHandler: { connectionTimeout: 2_000, requestTimeout: 10_000 },
  }),
  workgroup: environment.MLMON_WORKGROUP,
  database: environment.MLMON_DATABASE,
  table: environment.MLMON_TABLE,
  clock,
  deadline: () => run.deadline,
  onScanned: (bytes) => {
    run.scanned += bytes;
  },
});
const capture = new DeliveredCapture({ store, clock, delayMs: environment.MLMON_CAPTURE_DELAY_SECONDS * 1_000 });
const episodes = episodeKeeper({ store, clock, registry, linkBase: environment.MLMON_LINK_BASE });

export const handler = labelerHandler({
  labeler: new Labeler({
    log,
    store,
    clock,
    capture,
    query,
    models: registry,
    resumes: true,
    aQuery: { windows: WINDOWS, characters: QUERY_CHARACTERS },
    onResult: async (result) => {
      await episodes.apply(result.model, [result]);
    },
    onStep: (results) => announce({ store, clock }, results),
  }),
  learner: new Learner({
    store,
    clock,
    registry,
    reader: new PackReader(store),
    capture,
    audit: new AuditLog({ store, clock }),
    make: async ({ monitor, version, span, leaveOut }) => {
      const through = await capture.through();
      // Whole hours, so that a run that takes up the query of another asks the same.
      const labelsUntil = Math.max(span.to + durationMs(monitor.window.lateness), Math.floor(through / HOUR) * HOUR);
      const objects = await capture.between(span.from - EVENT_LIMITS.futureMs, labelsUntil + APPEND_DELAY);
      return baselineByQuery({ query, objects, monitor, version, span: { ...span, labelsUntil, leaveOut }, dialect });
    },
  }),
  completeness: new Completeness({ log, store, clock, capture, query, models: registry }),
  run,
  environment: environment.MLMON_ENVIRONMENT,
  clock,
  log: logOf('labeler'),
});
