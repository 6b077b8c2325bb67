/** An event log with what it brings into the process that opened it. */
import type { EventLog, PartitionOwner } from '../pipeline/ports.ts';
import type { Part } from '../pipeline/run.ts';

export interface OpenedLog {
  readonly log: EventLog;
  /** Partitions of this process among those who do the same; `undefined`: all. */
  owner(kind: 'profiler' | 'archiver'): Promise<PartitionOwner | undefined>;
  readonly upkeep: readonly Part[];
  close(): Promise<void>;
}
