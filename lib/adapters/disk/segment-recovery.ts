/** What the last segment really holds after its writer was killed. */
import { open } from 'node:fs/promises';
import { damaged, type LogProblem, type Segment } from './segment.ts';
import { Window } from './segment-file.ts';
import { type Frame, type Heads, isIntact, RECORD_HEAD } from './segment-format.ts';

const CHUNK = 1024 * 1024;

export interface Recovery {
  /** The good part ends here; an unfinished write, which is to be cut off, follows when the file is longer. */
  readonly end: number;
  /** How far the partitions go. */
  readonly heads: Heads;
  readonly problems: readonly LogProblem[];
  /** Acknowledged bytes at the end are damaged or missing: nothing may be added to this segment. */
  readonly spoilt: boolean;
}

/** A stretch that cannot be read. */
interface Fault {
  readonly from: number;
  readonly to: number;
  /** Present where only the records are damaged, so that their positions are known. */
  readonly frame: Frame | null;
}

/**
 * Walks the last segment and checks every record. `acknowledged`: where, at least, the acknowledged part ends.
 *
 * A fault that good frames follow, or that begins in the acknowledged part, is damage: it is kept and skipped by readers.
 * Any other is at the end and in nobody's knowledge: a torn write, cut off with all that was in its frame.
 * Fills the segment's index on the way. O(bytes of the segment); memory one chunk.
 */
export async function recoverSegment(segment: Segment, size: number, acknowledged: number): Promise<Recovery> {
  const heads: Heads = { next: [...segment.head.heads.next], time: [...segment.head.heads.time] };
  const faults: Fault[] = [];
  let suspects: Fault[] = [];
  const take = (frame: Frame): void => {
    advance(heads, frame);
    segment.index.add(frame);
  };
  const accept = (fault: Fault): void => {
    faults.push(fault);
    if (fault.frame === null) segment.index.skip(fault.from, fault.to);
    else take(fault.frame);
  };

  const handle = await open(segment.path, 'r');
  let offset = segment.head.bytes;
  try {
    const window = new Window(handle, size, CHUNK);
    while (offset < size) {
      const frame = await window.frame(offset, segment.head.salt);
      if (frame === null) {
        const next = await window.findFrame(offset + 1, segment.head.salt);
        const to = next?.offset ?? size;
        suspects.push({ from: offset, to, frame: null });
        offset = to;
        continue;
      }
      if (await intact(window, frame, segment.head.salt)) {
        suspects.forEach(accept);
        suspects = [];
        take(frame);
      } else {
        suspects.push({ from: offset, to: frame.end, frame });
      }
      offset = frame.end;
    }
  } finally {
    await handle.close();
  }

  const told = suspects.filter((fault) => fault.from < acknowledged);
  told.forEach(accept);
  const torn = suspects[told.length];
  const missing = size < acknowledged;
  const problems: LogProblem[] = faults.map((fault) =>
    damaged(segment.path, fault.from, `bytes ${fault.from} to ${fault.to} are damaged`),
  );
  if (missing) {
    problems.push({
      kind: 'lost',
      file: segment.path,
      offset: size,
      message: `${segment.path}: ends at byte ${size}, but records up to byte ${acknowledged} had been acknowledged; they are lost and show as a gap; durability "fsync" survives a power cut`,
    });
  }
  if (torn !== undefined) {
    problems.push({
      kind: 'torn',
      file: segment.path,
      offset: torn.from,
      message: `${segment.path}: an unfinished write at byte ${torn.from} was removed; nothing in it had been acknowledged`,
    });
  }
  return { end: torn?.from ?? size, heads, problems, spoilt: missing || told.length > 0 };
}

/** Moves the heads past a frame. */
function advance(heads: Heads, frame: Frame): void {
  for (const block of frame.blocks) {
    heads.next[block.partition] = block.first + block.records;
    heads.time[block.partition] = block.time;
  }
}

async function intact(window: Window, frame: Frame, salt: number): Promise<boolean> {
  for (const block of frame.blocks) {
    let offset = block.offset;
    const blockEnd = block.offset + block.bytes;
    for (let position = block.first; position < block.first + block.records; position++) {
      const head = window.peek(offset, RECORD_HEAD) ?? (await window.load(offset, RECORD_HEAD));
      if (head === null) return false;
      const length = RECORD_HEAD + head.readUInt32LE(4);
      if (offset + length > blockEnd) return false;
      const record = window.peek(offset, length) ?? (await window.load(offset, length));
      if (record === null || !isIntact(record, salt, position)) return false;
      offset += length;
    }
    if (offset !== blockEnd) return false;
  }
  return true;
}
