/** The eraser over a store, with a database of its own that is opened when the first Parquet object is read. */
import { DuckDbCaptureRewriter } from '../adapters/duckdb/capture-rewriter.ts';
import { type DuckDb, openDuckDb } from '../adapters/duckdb/load.ts';
import { AuditLog } from '../pipeline/audit.ts';
import { Eraser } from '../pipeline/eraser.ts';
import { applyEventRetention } from '../pipeline/event-retention.ts';
import type { Clock, ObjectStore, ObjectVersions } from '../pipeline/ports.ts';
import { wallClock } from './replay-clock.ts';

export interface OpenedEraser {
  readonly eraser: Eraser;
  /** What `retention.events` of monitors lets go, by model: for platforms none of whose parts can take events out of objects. */
  retain(): Promise<Readonly<Record<string, number>>>;
  /** The rewriter alone. */
  rewriter(): Promise<DuckDbCaptureRewriter>;
  close(): Promise<void>;
}

export function openEraser({
  store,
  versions,
  clock = wallClock,
  audit = new AuditLog({ store, clock }),
  temporary,
}: {
  readonly store: ObjectStore;
  readonly versions: ObjectVersions | null;
  readonly clock?: Clock;
  /** That of the platform, where there is one in the process. */
  readonly audit?: AuditLog;
  /** Where the database spills. @default the system's for temporary files */
  readonly temporary?: string | undefined;
}): OpenedEraser {
  let db: Promise<DuckDb> | null = null;
  const rewriter = async (): Promise<DuckDbCaptureRewriter> => {
    db ??= openDuckDb({ threads: 1, ...(temporary === undefined ? {} : { temporary }) }).catch((error: unknown) => {
      db = null;
      throw error;
    });
    return new DuckDbCaptureRewriter(await db);
  };
  return {
    eraser: new Eraser({ store, versions, clock, audit, rewriter }),
    retain: () => applyEventRetention({ store, clock, audit, rewriter }),
    rewriter,
    close: async () => {
      await (await db?.catch(() => null))?.close();
    },
  };
}
