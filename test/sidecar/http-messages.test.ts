import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyFrame, MessageReader, UnwatchableError } from '../../lib/sidecar/http-messages.ts';

interface Read {
  line: string;
  headers: Record<string, string>;
  body: string;
  ended: boolean;
}

function reader(): { reader: MessageReader; read: Read[] } {
  const read: Read[] = [];
  return {
    read,
    reader: new MessageReader({
      head: ({ line, headers }) => {
        read.push({ line, headers: Object.fromEntries(headers), body: '', ended: false });
        return bodyFrame(headers, line.startsWith('HTTP') ? 'close' : { length: 0 });
      },
      body: (piece) => {
        read.at(-1)!.body += piece.toString('latin1');
      },
      end: () => {
        read.at(-1)!.ended = true;
      },
    }),
  };
}

const text = fc.string({ unit: fc.constantFrom('a', 'Z', '0', ' ', '{', '"', ':', 'é'), maxLength: 60 });

function framed(body: string, chunked: boolean, sizes: readonly number[]): string {
  if (!chunked) return `POST /x HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  let rest = body;
  let wire = 'POST /x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n';
  for (const size of sizes) {
    const piece = rest.slice(0, size);
    rest = rest.slice(size);
    if (piece !== '') wire += `${piece.length.toString(16)};ext="1"\r\n${piece}\r\n`;
  }
  if (rest !== '') wire += `${rest.length.toString(16).toUpperCase()}\r\n${rest}\r\n`;
  return `${wire}0\r\nTrailer: t\r\n\r\n`;
}

describe('messages', () => {
  it('are read alike however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(text, fc.boolean(), fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 })), {
          minLength: 1,
          maxLength: 4,
        }),
        fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
        (messages, cuts) => {
          let wire = Buffer.from(
            messages.map(([body, chunked, sizes]) => framed(body, chunked, sizes)).join(''),
            'latin1',
          );
          const { reader: messageReader, read } = reader();
          for (let i = 0; wire.length > 0; i++) {
            const size = cuts[i % cuts.length]!;
            messageReader.feed(wire.subarray(0, size));
            wire = wire.subarray(size);
          }
          expect(read.map(({ body, ended }) => [body, ended])).toEqual(messages.map(([body]) => [body, true]));
          expect(messageReader.isIdle).toBe(true);
        },
      ),
    );
  });

  it('of noise end the watching and nothing else', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array(),
            text.map((line) => Buffer.from(`${line}\r\n\r\n`)),
          ),
        ),
        (pieces) => {
          try {
            const { reader: messageReader } = reader();
            for (const piece of pieces) messageReader.feed(Buffer.from(piece));
          } catch (error) {
            expect(error).toBeInstanceOf(UnwatchableError);
          }
        },
      ),
    );
  });

  it('end with the connection where they say nothing of their length', () => {
    const { reader: messageReader, read } = reader();
    messageReader.feed(Buffer.from('HTTP/1.0 200 OK\r\n\r\nabc'));
    messageReader.feed(Buffer.from('def'));
    expect(read[0]).toMatchObject({ body: 'abcdef', ended: false });
    messageReader.finish();
    expect(read[0]!.ended).toBe(true);
  });

  it.each([
    ['a head without end', `GET / HTTP/1.1\r\nA: ${'x'.repeat(70_000)}`],
    ['an unknown coding', 'POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['a chunk without size', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ])('are not watched with %s', (_name, wire) => {
    expect(() => reader().reader.feed(Buffer.from(wire))).toThrow(UnwatchableError);
  });
});
