/**
 * Questions on standard input, one JSON object a line, and answers on standard output, one a line, in order. A bad line is answered as
 * `failed` with its id, or its number, and the rest go on.
 *
 * What arrives is answered as it arrives, so that a caller may wait for each answer. Long input is shared out among the processor's cores: worker
 * threads have up to two batches each, this thread answers what they have no room for. Memory holds a line, the batches
 * under way, and what the reader has not taken yet: a reader that is slow stops the reading.
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { answerBatch, failedLine } from './answer-batch.ts';
import type { CommandIo } from './command.ts';
import type { AnswerOf } from './questions.ts';

/** Longest line, bytes. */
const LONGEST = 134_217_728;
/** Input after which it is worth starting threads, bytes. */
const MUCH = 98_304;
const MOST_WORKERS = 7;
/** Batches at a worker: one that it answers, one that waits there. */
const AT_A_WORKER = 2;
/** Batches whose answers are not written yet. */
const MOST_PENDING = 64;
const NEWLINE = 10;

/** What a thread is for: the modules that have `answer`, by name. */
export type Topic = 'compare' | 'measure';

interface Batch {
  readonly bytes: Buffer;
  readonly first: number;
}

/** Answers of one batch, or what they will be. */
type Slot = { text: string | Uint8Array | null };

/** `longest`: of a line, bytes. */
export async function answerLines(io: CommandIo, topic: Topic, answer: AnswerOf, longest = LONGEST): Promise<void> {
  const slots: Slot[] = [];
  const lanes = new Lanes(topic);
  const write = async (): Promise<void> => {
    while (slots.length > 0 && slots[0]!.text !== null) {
      const text = slots.shift()!.text!;
      if (text.length > 0 && !io.stdout.write(text)) await once(io.stdout, 'drain');
    }
  };
  try {
    let read = 0;
    for await (const batch of batchesOf(io.stdin, longest)) {
      const slot: Slot = { text: null };
      slots.push(slot);
      if (batch.bytes === null) slot.text = failedLine(batch.first, `the line is longer than ${longest} bytes`);
      else {
        read += batch.bytes.length;
        if (read > MUCH) lanes.start();
        if (!lanes.give(batch as Batch, slot)) slot.text = await answerBatch(batch.bytes, batch.first, answer);
      }
      await write();
      while (slots.length >= MOST_PENDING) {
        await lanes.something();
        await write();
      }
      if (io.signal.aborted) break;
    }
    while (slots.length > 0) {
      if (slots[0]!.text === null) await lanes.something();
      await write();
    }
  } finally {
    await lanes.end();
  }
}

/** Whole lines as they arrive; bytes `null` for a line that is too long. */
async function* batchesOf(
  input: AsyncIterable<Buffer | string>,
  longest: number,
): AsyncGenerator<{ readonly bytes: Buffer | null; readonly first: number }> {
  let parts: Buffer[] = [];
  let length = 0;
  let tooLong = false;
  let number = 1;
  for await (const chunk of input) {
    let rest: Buffer = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    if (tooLong) {
      const end = rest.indexOf(NEWLINE);
      if (end < 0) continue;
      yield { bytes: null, first: number++ };
      tooLong = false;
      rest = rest.subarray(end + 1);
    }
    const last = rest.lastIndexOf(NEWLINE);
    if (last >= 0) {
      const bytes =
        parts.length === 0 ? rest.subarray(0, last + 1) : Buffer.concat([...parts, rest.subarray(0, last + 1)]);
      yield { bytes, first: number };
      number += linesIn(bytes);
      parts = [];
      length = 0;
      rest = rest.subarray(last + 1);
    }
    if (rest.length === 0) continue;
    length += rest.length;
    if (length <= longest) parts.push(rest);
    else {
      tooLong = true;
      parts = [];
      length = 0;
    }
  }
  if (tooLong) yield { bytes: null, first: number };
  else if (parts.length > 0) yield { bytes: Buffer.concat(parts), first: number };
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}

interface Lane {
  readonly worker: Worker;
  readonly waiting: { readonly slot: Slot; readonly batch: { readonly first: number; readonly lines: number } }[];
  ready: boolean;
}

/** The worker threads. Source files have none: a thread does not inherit their loader. */
class Lanes {
  readonly #topic: Topic;
  #lanes: Lane[] | null = null;
  #wake: (() => void)[] = [];

  constructor(topic: Topic) {
    this.#topic = topic;
  }

  start(): void {
    if (this.#lanes !== null) return;
    this.#lanes = [];
    if (import.meta.url.endsWith('.ts')) return;
    const many = Math.min(MOST_WORKERS, availableParallelism() - 1);
    for (let i = 0; i < many; i++) this.#lanes.push(this.#lane());
  }

  #lane(): Lane {
    const worker = new Worker(new URL('./answer-worker.js', import.meta.url), { workerData: this.#topic });
    const lane: Lane = { worker, waiting: [], ready: false };
    worker.on('message', (text: Uint8Array | 'ready') => {
      if (text === 'ready') lane.ready = true;
      else {
        const done = lane.waiting.shift();
        if (done !== undefined) done.slot.text = text;
      }
      this.#woken();
    });
    const ended = (reason: string): void => {
      lane.ready = false;
      for (const { slot, batch } of lane.waiting.splice(0))
        slot.text = Array.from({ length: batch.lines }, (_, i) => failedLine(batch.first + i, reason)).join('');
      this.#woken();
    };
    worker.on('error', (error) => ended(`the thread that answered it ended: ${error.message}`));
    worker.on('exit', () => ended('the thread that answered it ended'));
    return lane;
  }

  /** False where no thread has room. The bytes are gone then, if it is true. */
  give({ bytes, first }: Batch, slot: Slot): boolean {
    const lane = this.#lanes?.find(({ ready, waiting }) => ready && waiting.length < AT_A_WORKER);
    if (lane === undefined) return false;
    lane.waiting.push({ slot, batch: { first, lines: linesIn(bytes) } });
    // A copy of its own that can be handed over: chunks share the memory of their pool.
    const copy = new Uint8Array(bytes);
    lane.worker.postMessage({ bytes: copy, first }, [copy.buffer]);
    return true;
  }

  /** Until a thread has answered, or ended. */
  async something(): Promise<void> {
    if (this.#lanes?.some(({ waiting }) => waiting.length > 0) !== true) return;
    await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #woken(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async end(): Promise<void> {
    await Promise.all((this.#lanes ?? []).map(({ worker, ready }) => (ready ? settled(worker) : worker.terminate())));
  }
}

/** Lets a thread that has worked end by itself, when its compiler is at rest (settle-compiler.ts). */
function settled(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once('exit', () => resolve());
    worker.postMessage('end');
  });
}
