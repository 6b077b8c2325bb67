/** The platform on one machine: the five ports on one folder, every moving part, and the server, in one process. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { FolderStore } from '../adapters/disk/folder-store.ts';
import { SegmentLog } from '../adapters/disk/segment-log.ts';
import type { Durability } from '../adapters/disk/sync.ts';
import { DuckDbCaptureWriter } from '../adapters/duckdb/capture-writer.ts';
import { type DuckDb, openDuckDb } from '../adapters/duckdb/load.ts';
import { DuckDbQuery } from '../adapters/duckdb/query.ts';
import { PrometheusSink } from '../adapters/prometheus/prometheus-sink.ts';
import { runbookAnchor } from '../alerts/catalogue.ts';
import { renderRunbook } from '../alerts/runbook.ts';
import type { Demonstration } from '../contracts/api.ts';
import type { Episode } from '../contracts/episode.ts';
import type { Monitor } from '../contracts/monitor.ts';
import { judgeWindow } from '../engine/verdict.ts';
import { Archiver } from '../pipeline/archiver.ts';
import { AuditLog } from '../pipeline/audit.ts';
import { ArchivedCapture } from '../pipeline/capture-reach.ts';
import { changeContext } from '../pipeline/change-context.ts';
import { Collector } from '../pipeline/collector.ts';
import { collectorQuarantine } from '../pipeline/collector-quarantine.ts';
import { EpisodeKeeper } from '../pipeline/episodes.ts';
import { Exporter } from '../pipeline/exporter.ts';
import { KServeReader } from '../pipeline/kserve.ts';
import { Labeler } from '../pipeline/labeler.ts';
import { Learner } from '../pipeline/learner.ts';
import { learningView } from '../pipeline/learning-view.ts';
import { Notifier } from '../pipeline/notifier.ts';
import { PackReader } from '../pipeline/pack-reader.ts';
import { PlatformStatus } from '../pipeline/platform-status.ts';
import type { Clock } from '../pipeline/ports.ts';
import { readQuarantine } from '../pipeline/quarantine.ts';
import { Registry } from '../pipeline/registry.ts';
import { type Running, runParts } from '../pipeline/run.ts';
import { streamParts } from '../pipeline/stream-parts.ts';
import {
  afterwards,
  archiverPart,
  eraserPart,
  every,
  labelerPart,
  learnerPart,
  retentionPart,
} from '../pipeline/timed-parts.ts';
import { PlatformActions } from './actions.ts';
import { baselineFromCapture, type CaptureRequest } from './baseline-from-capture.ts';
import { capturedFeatures } from './captured-features.ts';
import { readRoutedChannels } from './channels.ts';
import { makeDataFolder } from './data-folder.ts';
import { DEFAULT_HOST } from './defaults.ts';
import { openEraser } from './open-eraser.ts';
import { loadPage } from './page/load.ts';
import { remembered, withCollector } from './platform-health.ts';
import { policyKey } from './policy-key.ts';
import { ReplayClock, wallClock } from './replay-clock.ts';
import { apiRoutes } from './server/api-routes.ts';
import { changeRoutes } from './server/change-routes.ts';
import { erasureRoutes } from './server/erasure-routes.ts';
import { HttpServer } from './server/http-server.ts';
import { kserveRoutes } from './server/kserve-routes.ts';
import { openApiDocument } from './server/open-api.ts';
import { operationRoutes } from './server/operation-routes.ts';
import { pageRoutes } from './server/page-routes.ts';
import { ReadModel } from './server/read-model.ts';
import { tokensFor } from './server/tokens.ts';
import { WindowColumns } from './server/window-columns.ts';

export interface PlatformOptions {
  /** Where everything is kept. */
  readonly folder: string;
  /** @default 127.0.0.1; any other address needs tokens */
  readonly host?: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Names under which it is reached besides: those of a proxy. */
  readonly names?: readonly string[];
  readonly tokenFile?: string;
  readonly channelsFile?: string;
  /** Start of simulated time, milliseconds: the clock then follows what producers tell. @default the wall clock */
  readonly replayFrom?: number;
  /** `os` leaves it to the operating system when data reach the disk: a power failure may lose the last seconds. @default fsync */
  readonly durability?: Durability;
  /** How long captured events are kept, milliseconds; labels must arrive within it. @default for ever */
  readonly keepEventsMs?: number;
  /** Told of failures of the parts and of the server. */
  readonly onFailure?: (what: string, error: unknown) => void;
}

/** Waits between steps that found nothing to do, milliseconds of real time. */
const EVERY = {
  commit: 250,
  evaluate: 250,
  archive: 500,
  label: 1_000,
  learn: 1_000,
  notify: 500,
  export: 5_000,
  refresh: 1_000,
  expire: 3_600_000,
  erase: 60_000,
  retain: 3_600_000,
} as const;
/** How long health and quarantine are believed, milliseconds of real time: the page asks every two seconds, from every tab. */
const HEALTH_MS = 500;
const QUARANTINE_MS = 5_000;
/** How long the log keeps records; the capture keeps them for good. */
const LOG_RETENTION = 7 * 86_400_000;
/** Simulated time for which published monitors and baselines are believed in a replay. */
const REPLAY_CACHE = 6 * 3_600_000;
/** Simulated time that the evaluator waits for a partition of a replay. */
const REPLAY_PATIENCE = 365 * 86_400_000;
/** Outboxes looked at without a hint, a round of the notifier: on a disk that costs nothing. */
const SWEEP = 100;
/** Packs that nothing names any more are kept as long as their records could be read again. */
const PACK_RETENTION = 8 * 86_400_000;

export interface Platform {
  /** `http://127.0.0.1:7007` */
  readonly url: string;
  readonly clock: Clock;
  readonly registry: Registry;
  readonly actions: PlatformActions;
  readonly store: FolderStore;
  /** A database in memory, for making baselines. */
  readonly db: DuckDb;
  /** What the demonstration tells the page. */
  tell(state: Demonstration): void;
  /** Stops taking events, lets the parts finish what they began, and closes the files. */
  stop(): Promise<void>;
}

/** @throws ProblemError for what is wrong in the options: an address that needs tokens, channels, a folder in use */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { folder, durability = 'fsync', onFailure = () => undefined } = options;
  const host = options.host ?? DEFAULT_HOST;
  const tokens = await tokensFor(host, options.tokenFile);
  await makeDataFolder(folder);
  const store = await FolderStore.open({ folder: join(folder, 'store'), durability });
  const replay = options.replayFrom === undefined ? null : new ReplayClock(options.replayFrom);
  const clock: Clock = replay ?? wallClock;
  const routed = await readRoutedChannels(options.channelsFile, store, clock);
  const log = await SegmentLog.open({
    folder: join(folder, 'log'),
    clock,
    durability,
    // In a replay days pass in seconds: nothing is thrown away that a part may still have to read.
    retention: replay === null ? { ageMs: LOG_RETENTION } : undefined,
  });
  const closing: (() => Promise<unknown>)[] = [() => log.close()];
  try {
    // A replay goes on where its log ends.
    for (const { headAppendTime } of await log.partitions())
      if (headAppendTime !== null) replay?.advanceTo(headAppendTime);
    const [captureDb, db] = await Promise.all([openDuckDb({ threads: 1 }), openDuckDb({ threads: 2 })]);
    closing.unshift(
      () => captureDb.close(),
      () => db.close(),
    );

    // In a replay a minute passes in a moment; what is published there takes effect a simulated day or so later.
    const registry = new Registry({ store, clock, cacheMs: replay === null ? undefined : REPLAY_CACHE });
    const key = await policyKey(folder);
    const audit = new AuditLog({ store, clock });
    const erasing = openEraser({ store, versions: null, clock, audit });
    closing.unshift(() => erasing.close());
    const collector = new Collector({
      log,
      registry,
      clock,
      quarantine: collectorQuarantine(store),
      policyKey: key,
    });
    const sink = new PrometheusSink();
    let url = `http://${host}:${options.port}`;
    const links = {
      runbook: ({ model, signal }: Episode) =>
        registry.monitorAt(model, clock.now())?.monitor.alerts.runbook ?? `${url}/runbook${runbookAnchor(signal)}`,
      page: ({ model }: Episode) => `${url}/#/models/${encodeURIComponent(model)}`,
    };
    const episodes = new EpisodeKeeper({
      store,
      clock,
      monitor: (model) => registry.monitorAt(model, clock.now())?.monitor ?? null,
      links,
      context: (model, from, to) => changeContext(registry, model, Date.parse(from), Date.parse(to)),
    });
    let running: Running | null = null;
    const stream = streamParts({
      log,
      store,
      clock,
      registry,
      judge: judgeWindow,
      commitEveryMs: EVERY.commit,
      evaluateEveryMs: EVERY.evaluate,
      packRetentionMs: PACK_RETENTION,
      // An hour of simulated time is a blink: in a replay a partition that is behind is busy, not stalled.
      stalledAfterMs: replay === null ? undefined : REPLAY_PATIENCE,
      onResult: async (result) => {
        exporter.observe(result);
        await episodes.apply(result.model, [result]);
      },
    });
    const status = new PlatformStatus({
      log,
      store,
      clock,
      registry,
      parts: () => running?.states() ?? [],
      lastEvaluation: stream.lastEvaluation,
    });
    const health = remembered(HEALTH_MS, () => status.health());
    const exporter = new Exporter({
      sink,
      store,
      clock,
      registry,
      collector,
      health,
      deliveries: () => notifier.counts,
      undeliveredMs: () => notifier.undeliveredMs,
      learning: (model, now) => learningView({ store, registry }, model, now),
    });
    const labeler = new Labeler({
      log,
      store,
      clock,
      models: registry,
      query: new DuckDbQuery(db, (key) => store.path(key)),
      onResult: async (result) => {
        exporter.observe(result);
        await episodes.apply(result.model, [result]);
      },
    });
    const ofCapture = (model: string, monitor: Monitor, span: Pick<CaptureRequest, 'from' | 'to' | 'leaveOut'>) =>
      baselineFromCapture({
        db,
        store,
        path: (object) => store.path(object),
        monitor,
        ...capturedFeatures(registry, model, span.from, span.to),
        policyKey: key,
        ...span,
      });
    const learner = new Learner({
      store,
      clock,
      cacheMs: registry.cacheMs,
      policyKey: key,
      registry,
      reader: new PackReader(store),
      capture: new ArchivedCapture({ log, store, clock }),
      audit,
      make: ({ model, monitor, span, leaveOut }) => ofCapture(model, monitor, { ...span, leaveOut }),
    });
    const archiver = new Archiver({ log, store, clock, writer: new DuckDbCaptureWriter(captureDb) });
    const notifier = new Notifier({ store, clock, ...routed, sweep: SWEEP });
    const actions = new PlatformActions({
      store,
      clock,
      registry,
      audit,
      channels: routed.channels,
      policyKey: key,
      baselineFromCapture: (model, monitor, from, to) => ofCapture(model, monitor, { from, to }),
    });
    await registry.refresh();
    for (const model of registry.models()) await episodes.recover(model);
    await exporter.recover();

    let demonstration: Demonstration | null = null;
    const read = new ReadModel({
      store,
      clock,
      registry,
      links,
      health: async () => withCollector(await health(), collector),
      columns: new WindowColumns({ store, registry, reader: new PackReader(store) }),
      quarantine: remembered(QUARANTINE_MS, () => readQuarantine(store, { now: clock.now() })),
      demonstration: () => demonstration,
    });
    const metrics = async (): Promise<string> => {
      await exporter.tick();
      return sink.render();
    };
    const server = new HttpServer({
      host,
      port: options.port,
      names: options.names,
      tokens,
      collector,
      advance: replay === null ? null : (ms) => replay.advanceTo(ms),
      routes: [
        ...apiRoutes(read),
        ...changeRoutes(actions, read),
        ...erasureRoutes(erasing.eraser),
        ...kserveRoutes({ collector, reader: new KServeReader({ collector, registry, clock }), tokens }),
        ...operationRoutes({ metrics, notReady: () => (stopping ? 'it is stopping' : collector.failure) }),
        ...pageRoutes({ page: await loadPage(), runbook: renderRunbook(), openApi: openApiDocument() }),
      ],
      onFailure: (error, what) => onFailure(what, error),
    });
    let stopping = false;
    url = await server.listen();

    const ending = new AbortController();
    // Every part that waits listens.
    setMaxListeners(64, ending.signal);
    running = runParts(
      [
        every('registry', EVERY.refresh, () => registry.refresh()),
        stream.profiler,
        stream.evaluator,
        ...(stream.cleaner === null ? [] : [stream.cleaner]),
        archiverPart(archiver, EVERY.archive),
        labelerPart(labeler, EVERY.label),
        learnerPart(learner, registry, EVERY.learn),
        eraserPart(erasing.eraser, EVERY.erase),
        afterwards(
          retentionPart(
            { store, clock, audit, rewriter: erasing.rewriter, ages: { events: options.keepEventsMs ?? null } },
            EVERY.retain,
          ),
          EVERY.retain,
        ),
        every('notifier', EVERY.notify, () => notifier.run()),
        every('exporter', EVERY.export, () => exporter.tick()),
        afterwards(
          every('log retention', EVERY.expire, () => log.expire()),
          EVERY.expire,
        ),
      ],
      { signal: ending.signal, onFailure: (part, error) => onFailure(part, error) },
    );
    const { stopped } = running;
    return {
      url,
      clock,
      registry,
      actions,
      store,
      db,
      tell: (state) => {
        demonstration = state;
      },
      stop: async () => {
        if (stopping) return;
        stopping = true;
        await server.close();
        ending.abort();
        archiver.stop();
        await stopped;
        exporter.stop();
        for (const close of closing) await close();
      },
    };
  } catch (error) {
    for (const close of closing) await close().catch(() => undefined);
    throw error;
  }
}
