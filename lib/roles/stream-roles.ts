/** The parts that read the log: profiler, archiver, and the evaluator with all that is done once for a platform. */

import { durationMs } from '../contracts/duration.ts';
import { EVENT_LIMITS } from '../contracts/event.ts';
import { judgeWindow } from '../engine/verdict.ts';
import { baselineFromCapture, capturedSince } from '../local/baseline-from-capture.ts';
import { capturedFeatures } from '../local/captured-features.ts';
import { Archiver } from '../pipeline/archiver.ts';
import { AuditLog } from '../pipeline/audit.ts';
import { announce } from '../pipeline/bulletins.ts';
import { ArchivedCapture } from '../pipeline/capture-reach.ts';
import { LagGauge, type PartitionLag } from '../pipeline/consumer-lag.ts';
import type { Exporter } from '../pipeline/exporter.ts';
import { FreshNews } from '../pipeline/fresh-news.ts';
import { Learner, type LearningRequest } from '../pipeline/learner.ts';
import { PackReader } from '../pipeline/pack-reader.ts';
import type { Part } from '../pipeline/run.ts';
import { streamParts } from '../pipeline/stream-parts.ts';
import { archiverPart, eraserPart, every, learnerPart, retentionPart } from '../pipeline/timed-parts.ts';
import { MonitorFolder } from './monitor-folder.ts';
import { type RoleParts, whenFailing } from './role.ts';
import type { Shared } from './shared.ts';

/** Packs that nothing names any more are kept as long as their records could be read again. */
const PACK_RETENTION = 8 * 86_400_000;
const NEVER = 2 ** 31 - 1;
/** Between two looks for what is to be erased, milliseconds. */
const ERASE_MS = 300_000;
/** Between two looks for what is older than it is to be kept, milliseconds. */
const RETAIN_MS = 3_600_000;

export async function archiverRole(shared: Shared): Promise<RoleParts> {
  const { log, store, clock, config, pace } = shared;
  const { maxAgeMs, maxBytes } = config.archive;
  const owner = await shared.owner('archiver');
  const gauge = new LagGauge(shared.sink, 'archiver');
  const onLag = (lags: readonly PartitionLag[]): void => void gauge.tell(lags);
  const archiver = new Archiver({
    onLag,
    log,
    store,
    clock,
    writer: await shared.captureWriter(),
    maxAgeMs,
    maxBytes,
    owner,
  });
  return {
    parts: [archiverPart(archiver, pace.archive)],
    notReady: whenFailing('archiver'),
    drain: async () => archiver.stop(),
  };
}

export async function profilerRole(shared: Shared): Promise<RoleParts> {
  const { log, store, clock, registry, pace } = shared;
  const owner = await shared.owner('profiler');
  const gauge = new LagGauge(shared.sink, 'profiler');
  const { profiler } = streamParts({
    log,
    store,
    clock,
    registry,
    judge: judgeWindow,
    commitEveryMs: pace.commit,
    owner,
    onLag: (lags) => void gauge.tell(lags),
  });
  return {
    parts: [profiler],
    // It tries every partition again and again, and says of which it cannot read or write.
    notReady: (state) => {
      const part = state('profiler');
      return part?.state === 'failing' ? `profiler: ${part.error ?? 'failing'}` : null;
    },
  };
}

export interface EvaluatorRole extends RoleParts {
  readonly lastEvaluation: () => number | null;
  readonly monitors: MonitorFolder | null;
}

/** `exporter` is made after the role: it tells of it. */
export async function evaluatorRole(shared: Shared, exporter: () => Exporter): Promise<EvaluatorRole> {
  const { log, store, clock, registry, pace, config, policyKey } = shared;
  const episodes = shared.episodes();
  const stream = streamParts({
    log,
    store,
    clock,
    registry,
    judge: judgeWindow,
    evaluateEveryMs: pace.evaluate,
    packRetentionMs: PACK_RETENTION,
    onResult: async (result) => {
      exporter().observe(result);
      await episodes.apply(result.model, [result]);
      await announce({ store, clock }, [result]);
    },
  });
  const audit = new AuditLog({ store, clock });
  const learner = new Learner({
    store,
    clock,
    cacheMs: registry.cacheMs,
    policyKey,
    registry,
    reader: new PackReader(store),
    capture: new ArchivedCapture({ log, store, clock }),
    audit,
    make: (request) => learn(shared, request),
  });
  const monitors =
    config.monitors === undefined
      ? null
      : new MonitorFolder({
          ...config.monitors,
          store,
          clock,
          policyKey,
          cacheMs: registry.cacheMs,
          everyMs: pace.refresh,
          onPublished: ({ models, published, removed }) => {
            registry.invalidate();
            shared.say(`monitors: ${models} in the folder, ${published} published, ${removed} removed`);
          },
        });
  const news = new FreshNews({ store, clock });
  const parts: Part[] = [
    ...(monitors === null ? [] : [monitors.part()]),
    stream.evaluator,
    ...(stream.cleaner === null ? [] : [stream.cleaner]),
    learnerPart(learner, registry, pace.learn),
    eraserPart(shared.eraser().eraser, ERASE_MS),
    retentionPart(
      {
        store,
        clock,
        audit,
        rewriter: shared.eraser().rewriter,
        ages: { events: msOf(config.retention.events), failed: msOf(config.retention.failed) },
      },
      RETAIN_MS,
    ),
    // What other processes judged, labelers above all.
    every('news', pace.export, () => news.each((result) => exporter().observe(result))),
    recovery(async () => {
      await registry.refresh();
      for (const model of registry.models()) await episodes.recover(model);
      await exporter().recover();
    }),
  ];
  return {
    parts,
    monitors,
    lastEvaluation: stream.lastEvaluation,
    notReady: whenFailing('monitors', 'evaluator'),
  };
}

function msOf(text: string | undefined): number | null {
  return text === undefined ? null : durationMs(text);
}

/** Once, until it has succeeded: a crash may have come between a result and its episode. */
function recovery(work: () => Promise<void>): Part {
  let done = false;
  return {
    name: 'recovery',
    step: async () => {
      if (!done) await work();
      done = true;
      return { waitMs: NEVER };
    },
  };
}

/** A baseline from the capture, whose objects may have to be fetched. */
export async function learn(
  shared: Shared,
  {
    model,
    monitor,
    span: { from, to },
    leaveOut = [],
  }: Omit<LearningRequest, 'version' | 'leaveOut'> & Partial<Pick<LearningRequest, 'leaveOut'>>,
) {
  const { store, registry, policyKey } = shared;
  const [db, files] = await Promise.all([shared.database(), shared.objects()]);
  const objects = await capturedSince(store, from - EVENT_LIMITS.futureMs);
  return files.hold(objects, (path) =>
    baselineFromCapture({
      db,
      store,
      path,
      monitor,
      ...capturedFeatures(registry, model, from, to),
      policyKey,
      from,
      to,
      leaveOut,
    }),
  );
}
