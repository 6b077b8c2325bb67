/**
 * A log read by a process that does not write it. Sees what the writer has acknowledged, no more.
 * Unlike for the writing process, "at the head" may be some milliseconds old.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type EventLog,
  type PartitionState,
  type Position,
  type ReadResult,
  TransientError,
} from '../../pipeline/ports.ts';
import { diskFailure, errorCode } from './disk-failure.ts';
import { type DurableMark, readDurableMark } from './durable-mark.ts';
import type { Place } from './frame-encoder.ts';
import { type LogDescription, readDescription } from './log-description.ts';
import { PartitionReader, type ReadLimit } from './partition-reader.ts';
import { partitionIndex, partitionStates, positionNumber } from './partition-states.ts';
import type { LogProblem, Segment } from './segment.ts';
import { findSegments, markPath } from './segment-writer.ts';

const READ_ATTEMPTS = 5;

interface Sight {
  readonly description: LogDescription;
  readonly mark: DurableMark;
  readonly segments: readonly Segment[];
}

export class SegmentLogView implements EventLog {
  readonly #folder: string;
  readonly #onProblem: (problem: LogProblem) => void;
  #reader: PartitionReader;
  #sight: Sight | null = null;

  /** `onProblem`: told of damaged bytes met while reading, possibly more than once. */
  constructor(options: { readonly folder: string; readonly onProblem?: (problem: LogProblem) => void }) {
    this.#folder = resolve(options.folder);
    this.#onProblem = options.onProblem ?? (() => undefined);
    this.#reader = new PartitionReader(this.#onProblem);
  }

  async identity(): Promise<string> {
    return (await this.#look()).description.identity;
  }

  async partitions(): Promise<PartitionState[]> {
    const { description, mark, segments } = await this.#look();
    return partitionStates(description.partitions, mark.heads, segments[0]);
  }

  async read(partition: string, after: Position | null, limit: ReadLimit): Promise<ReadResult> {
    const position = after === null ? null : positionNumber(after);
    for (let attempt = 1; ; attempt++) {
      const { description, mark, segments } = await this.#look();
      const index = partitionIndex(description.partitions, partition);
      if ((position ?? -1) + 1 >= (mark.heads.next[index] ?? 0)) return { records: [], gap: null };
      try {
        return await this.#reader.read(segments, index, position, limit);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT' || attempt >= READ_ATTEMPTS) {
          throw diskFailure(error, 'read the log', this.#folder);
        }
        this.#sight = null;
      }
    }
  }

  async append(): Promise<readonly Place[]> {
    throw new Error(`${this.#folder}: the log is open for reading here; expected a writer; append through its process`);
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }

  /** The log as it is now; files are looked at again only when the writer has gone on. */
  async #look(): Promise<Sight> {
    try {
      const description = await readDescription(this.#folder);
      if (description === null) {
        throw new TransientError(`${this.#folder}: no log here yet; expected log.json; start its writer`);
      }
      const mark = readDurableMark(markPath(this.#folder));
      if (mark === null) throw new TransientError(`${this.#folder}: the log is being opened; try again`);
      if (this.#sight !== null && this.#sight.description.identity !== description.identity) {
        await this.#reader.close();
        this.#reader = new PartitionReader(this.#onProblem);
        this.#sight = null;
      }
      const before = this.#sight;
      // Another segment was begun, or retention deleted the oldest one.
      const changed =
        before?.mark.segment !== mark.segment || (await sizeOf(before.segments[0]?.path ?? this.#folder)) === null;
      const segments = changed
        ? await this.#segments(description.identity, mark, before?.segments ?? [])
        : before.segments;
      const last = segments.at(-1);
      if (last !== undefined && last.head.sequence === mark.segment) last.end = mark.offset;
      this.#sight = { description, mark, segments };
      return this.#sight;
    } catch (error) {
      throw diskFailure(error, 'read the log', this.#folder);
    }
  }

  /** The acknowledged segments; those known before keep their index. */
  async #segments(identity: string, mark: DurableMark, known: readonly Segment[]): Promise<Segment[]> {
    const found = (await findSegments(this.#folder, identity, this.#onProblem)).segments;
    const segments: Segment[] = [];
    for (const segment of found.filter(({ head }) => head.sequence <= mark.segment)) {
      const before = known.find(({ head }) => head.sequence === segment.head.sequence);
      if (before !== undefined) before.end = (await sizeOf(before.path)) ?? before.end;
      segments.push(before ?? segment);
    }
    for (const segment of known) if (!segments.includes(segment)) await this.#reader.drop(segment);
    return segments;
  }
}

async function sizeOf(path: string): Promise<number | null> {
  return stat(path).then(
    (found) => found.size,
    () => null,
  );
}
