/**
 * Reads HTTP/1 messages out of a stream of bytes that passes, without ever changing it (RFC 9112): where heads and bodies begin and end.
 * Whatever it does not understand ends the watching of that connection, never the connection.
 */

/** Longest head that is read. */
const HEAD_LIMIT = 65_536;
const CR = 13;
const LF = 10;
const END_OF_HEAD = Buffer.from('\r\n\r\n');
const NOTHING = Buffer.alloc(0);

/** What cannot be watched. */
export class UnwatchableError extends Error {
  override readonly name = 'UnwatchableError';
}

export interface MessageHead {
  /** Request line or status line. */
  readonly line: string;
  /** Names in lower case; values of repeated ones joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
}

/** How a body ends: `length` bytes, chunked, or with the connection. */
export type BodyFrame = { readonly length: number } | 'chunked' | 'close';

export interface MessageHandler {
  /** Says how the body of the message ends. */
  head(head: MessageHead): BodyFrame;
  /** A piece of the body, shared with what passes: it must not be changed. */
  body(piece: Buffer): void;
  end(): void;
}

type State = 'head' | 'length' | 'close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer';

export class MessageReader {
  readonly #handler: MessageHandler;
  #state: State = 'head';
  /** Bytes of a head, of the line of a chunk's size or of a trailer that are not whole yet. */
  #carry: Buffer = NOTHING;
  /** Of the body, or of the chunk. */
  #left = 0;

  constructor(handler: MessageHandler) {
    this.#handler = handler;
  }

  /** Between two messages. */
  get isIdle(): boolean {
    return this.#state === 'head' && this.#carry.length === 0;
  }

  /** @throws UnwatchableError */
  feed(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      switch (this.#state) {
        case 'head':
          rest = this.#readHead(rest);
          break;
        case 'length':
        case 'chunk':
          rest = this.#readBody(rest);
          break;
        case 'close':
          this.#handler.body(rest);
          return;
        default:
          rest = this.#readLine(rest);
      }
    }
  }

  /** The stream has ended. */
  finish(): void {
    if (this.#state !== 'close') return;
    this.#state = 'head';
    this.#handler.end();
  }

  #readHead(chunk: Buffer): Buffer {
    let all = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    // Empty lines before a message are allowed.
    let from = 0;
    while (from + 1 < all.length && all[from] === CR && all[from + 1] === LF) from += 2;
    if (from > 0) all = all.subarray(from);
    const end = all.indexOf(END_OF_HEAD);
    if (end === -1) {
      if (all.length > HEAD_LIMIT) throw new UnwatchableError('a head of more than 64 KiB');
      // A copy: the piece belongs to what passes.
      this.#carry = Buffer.from(all);
      return NOTHING;
    }
    this.#carry = NOTHING;
    const frame = this.#handler.head(parseHead(all.toString('latin1', 0, end)));
    if (frame === 'chunked') this.#state = 'chunk-size';
    else if (frame === 'close') this.#state = 'close';
    else if (frame.length === 0) this.#handler.end();
    else {
      this.#state = 'length';
      this.#left = frame.length;
    }
    return all.subarray(end + 4);
  }

  #readBody(chunk: Buffer): Buffer {
    const piece = chunk.length <= this.#left ? chunk : chunk.subarray(0, this.#left);
    this.#left -= piece.length;
    this.#handler.body(piece);
    if (this.#left === 0) {
      if (this.#state === 'chunk') this.#state = 'chunk-end';
      else {
        this.#state = 'head';
        this.#handler.end();
      }
    }
    return chunk.subarray(piece.length);
  }

  /** Lines between the data of chunks: sizes, the empty line after data, trailers. */
  #readLine(chunk: Buffer): Buffer {
    const end = chunk.indexOf(LF);
    const piece = end === -1 ? chunk : chunk.subarray(0, end);
    if (this.#carry.length + piece.length > HEAD_LIMIT) throw new UnwatchableError('a line of more than 64 KiB');
    if (end === -1) {
      this.#carry = Buffer.concat([this.#carry, piece]);
      return NOTHING;
    }
    const line = Buffer.concat([this.#carry, piece]).toString('latin1').replace(/\r$/, '');
    this.#carry = NOTHING;
    if (this.#state === 'chunk-end') {
      if (line !== '') throw new UnwatchableError('data after a chunk');
      this.#state = 'chunk-size';
    } else if (this.#state === 'chunk-size') {
      const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line)?.[1];
      if (size === undefined) throw new UnwatchableError('a chunk without a size');
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? 'trailer' : 'chunk';
    } else if (line === '') {
      this.#state = 'head';
      this.#handler.end();
    }
    return chunk.subarray(end + 1);
  }
}

function parseHead(text: string): MessageHead {
  const [line = '', ...fields] = text.split('\r\n');
  const headers = new Map<string, string>();
  for (const field of fields) {
    const colon = field.indexOf(':');
    if (colon <= 0) throw new UnwatchableError('a header without a name');
    const name = field.slice(0, colon).toLowerCase();
    const value = field.slice(colon + 1).trim();
    const present = headers.get(name);
    headers.set(name, present === undefined ? value : `${present}, ${value}`);
  }
  return { line, headers };
}

/** What the headers say of the body. `otherwise`: without any word on it. @throws UnwatchableError */
export function bodyFrame(headers: ReadonlyMap<string, string>, otherwise: BodyFrame): BodyFrame {
  const coding = headers.get('transfer-encoding');
  if (coding !== undefined) {
    if (!/(?:^|,)\s*chunked$/i.test(coding)) throw new UnwatchableError('a transfer coding that is not chunked');
    return 'chunked';
  }
  const length = headers.get('content-length');
  if (length === undefined) return otherwise;
  if (!/^\d{1,15}$/.test(length)) throw new UnwatchableError('a length that is none');
  return { length: Number(length) };
}
