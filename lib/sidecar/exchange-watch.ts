/**
 * Watches one connection between a caller and the model server: which response answers which request, and copies of the bodies of inferences.
 * It sees bytes after they were passed on, and holds no more of them than is allowed.
 */
import { randomUUID } from 'node:crypto';
import { bodyFrame, MessageReader, UnwatchableError } from './http-messages.ts';
import type { MemoryBudget } from './memory-budget.ts';

export interface WatchRules {
  readonly paths: readonly RegExp[];
  /** In lower case. */
  readonly idHeader: string;
  /** Of one body. */
  readonly copyBytes: number;
}

/** An inference that was asked for and answered. Its bytes are counted in the budget until it is dropped. */
export interface Exchange {
  readonly id: string;
  readonly path: string;
  /** When it was asked, milliseconds since 1970. */
  readonly time: number;
  readonly latencyMs: number;
  readonly request: Copy;
  readonly response: Copy;
  /** Bytes to give back to the budget. */
  readonly reserved: number;
}

export interface Copy {
  readonly pieces: readonly Buffer[];
  readonly encoding: string | undefined;
  /** Bytes of JSON where binary tensors follow it. */
  readonly jsonLength: number | undefined;
}

export type Outcome = 'aborted' | 'status' | 'no-inference' | 'cut' | 'full';

export interface WatchSink {
  inference(exchange: Exchange): void;
  /** One that is not kept, and why. */
  lost(outcome: Outcome): void;
}

interface OpenCopy {
  pieces: Buffer[];
  bytes: number;
  encoding: string | undefined;
  jsonLength: number | undefined;
}

interface Open {
  readonly method: string;
  readonly path: string;
  /** `null`: it is no inference. */
  readonly id: string | null;
  readonly time: number;
  requestEnded: number | null;
  readonly request: OpenCopy;
  readonly response: OpenCopy;
  status: number;
  reserved: number;
  /** Why it will not be kept. */
  spoilt: Outcome | null;
}

/** Requests that wait for a response on one connection; more are not watched. */
const MOST_OPEN = 1_000;
const ID_LENGTH = 200;

export class ExchangeWatch {
  readonly #rules: WatchRules;
  readonly #budget: MemoryBudget;
  readonly #sink: WatchSink;
  readonly #clock: { now(): number };
  readonly #requests: MessageReader;
  readonly #responses: MessageReader;
  #open: Open[] = [];
  #asking: Open | null = null;
  #over = false;

  constructor(rules: WatchRules, budget: MemoryBudget, clock: { now(): number }, sink: WatchSink) {
    this.#rules = rules;
    this.#budget = budget;
    this.#sink = sink;
    this.#clock = clock;
    this.#requests = new MessageReader({
      head: ({ line, headers }) => this.#requestHead(line, headers),
      body: (piece) => {
        if (this.#asking !== null) this.#copy(this.#asking, this.#asking.request, piece);
      },
      end: () => {
        if (this.#asking !== null) this.#asking.requestEnded = performance.now();
        this.#asking = null;
      },
    });
    this.#responses = new MessageReader({
      head: ({ line, headers }) => this.#responseHead(line, headers),
      body: (piece) => {
        const open = this.#open[0];
        if (open !== undefined) this.#copy(open, open.response, piece);
      },
      end: () => this.#answered(),
    });
  }

  /** Nothing is under way, as far as can be told. */
  get isIdle(): boolean {
    return !this.#over && this.#open.length === 0 && this.#requests.isIdle && this.#responses.isIdle;
  }

  fromCaller(chunk: Buffer): void {
    this.#try(() => this.#requests.feed(chunk));
  }

  fromModel(chunk: Buffer): void {
    this.#try(() => this.#responses.feed(chunk));
  }

  modelEnded(): void {
    this.#try(() => this.#responses.finish());
  }

  /** The connection is gone. */
  close(): void {
    if (this.#over) return;
    this.#giveUp();
  }

  #try(act: () => void): void {
    if (this.#over) return;
    try {
      act();
    } catch {
      // Not HTTP/1, or a protocol that took over: it passes unwatched from here on.
      this.#giveUp();
    }
  }

  #giveUp(): void {
    this.#over = true;
    for (const open of this.#open) this.#drop(open, open.spoilt ?? 'aborted');
    this.#open = [];
    this.#asking = null;
  }

  #requestHead(line: string, headers: ReadonlyMap<string, string>): ReturnType<typeof bodyFrame> {
    const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(line) ?? [];
    if (method === undefined || target === undefined) throw new UnwatchableError('a request line of another protocol');
    if (this.#open.length >= MOST_OPEN) throw new UnwatchableError('too many requests without a response');
    const path = target.replace(/[?#].*$/s, '').slice(0, 500);
    const infers = method === 'POST' && this.#rules.paths.some((pattern) => pattern.test(path));
    const given = headers.get(this.#rules.idHeader);
    const open: Open = {
      method,
      path,
      id: !infers ? null : given === undefined || given === '' ? randomUUID() : given.slice(0, ID_LENGTH),
      time: this.#clock.now(),
      requestEnded: null,
      request: openCopy(headers),
      response: openCopy(new Map()),
      status: 0,
      reserved: 0,
      spoilt: null,
    };
    this.#open.push(open);
    this.#asking = open;
    return bodyFrame(headers, { length: 0 });
  }

  #responseHead(line: string, headers: ReadonlyMap<string, string>): ReturnType<typeof bodyFrame> {
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line)?.[1] ?? Number.NaN);
    const open = this.#open[0];
    if (Number.isNaN(status) || open === undefined) throw new UnwatchableError('a response that answers no request');
    if (status === 101 || (open.method === 'CONNECT' && status < 300)) throw new UnwatchableError('another protocol');
    open.status = status;
    if (status < 200) return { length: 0 };
    Object.assign(open.response, openCopy(headers));
    if (open.id !== null && status !== 200) open.spoilt ??= 'status';
    if (open.method === 'HEAD' || status === 204 || status === 304) return { length: 0 };
    return bodyFrame(headers, 'close');
  }

  #copy(open: Open, copy: OpenCopy, piece: Buffer): void {
    if (open.id === null || open.spoilt !== null) return;
    copy.bytes += piece.length;
    if (copy.bytes > this.#rules.copyBytes) this.#spoil(open, 'cut');
    else if (!this.#budget.reserve(piece.length)) this.#spoil(open, 'full');
    else {
      open.reserved += piece.length;
      copy.pieces.push(piece);
    }
  }

  /** Nothing more of it is copied, and what was is given back. */
  #spoil(open: Open, why: Outcome): void {
    open.spoilt = why;
    open.request.pieces = [];
    open.response.pieces = [];
    this.#budget.release(open.reserved);
    open.reserved = 0;
  }

  #answered(): void {
    const open = this.#open[0];
    // An interim response: the final one follows.
    if (open === undefined || open.status < 200) return;
    this.#open.shift();
    if (open.id === null) return;
    if (open.requestEnded === null) {
      // Answered before it was asked to its end: nothing more of it is copied.
      if (this.#asking === open) this.#asking = null;
      this.#drop(open, open.spoilt ?? 'aborted');
    } else if (open.spoilt !== null) this.#drop(open, open.spoilt);
    else if (open.request.bytes === 0 || open.response.bytes === 0) this.#drop(open, 'no-inference');
    else
      this.#sink.inference({
        id: open.id,
        path: open.path,
        time: open.time,
        latencyMs: Math.max(0, performance.now() - open.requestEnded),
        request: open.request,
        response: open.response,
        reserved: open.reserved,
      });
  }

  #drop(open: Open, why: Outcome): void {
    this.#budget.release(open.reserved);
    open.reserved = 0;
    if (open.id !== null) this.#sink.lost(why);
  }
}

function openCopy(headers: ReadonlyMap<string, string>): OpenCopy {
  const length = Number(headers.get('inference-header-content-length'));
  return {
    pieces: [],
    bytes: 0,
    encoding: headers.get('content-encoding'),
    jsonLength: Number.isSafeInteger(length) && length > 0 ? length : undefined,
  };
}
