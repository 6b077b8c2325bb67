import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type KafkaPackage, loadKafka } from '../../../lib/adapters/kafka/load.ts';
import { decodeFramedSnappy } from '../../../lib/adapters/kafka/snappy-framing.ts';

let kafka: KafkaPackage;
beforeAll(async () => {
  kafka = await loadKafka();
});

/** As snappy-java frames it: magic, version 1, compatible with 1, then blocks with their length before them. */
function frame(blocks: readonly Buffer[]): Buffer {
  const header = Buffer.concat([Buffer.from('\x82SNAPPY\0', 'latin1'), Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);
  return Buffer.concat([
    header,
    ...blocks.flatMap((block) => {
      const length = Buffer.alloc(4);
      length.writeInt32BE(block.length);
      return [length, block];
    }),
  ]);
}

describe('snappy', () => {
  it('is decoded in frames and bare, by the table of the client too', async () => {
    await loadKafka();
    const { compressSync, decompressSync } = kafka.compressionsAlgorithms.snappy;
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 200 }), { minLength: 1, maxLength: 5 }), (texts) => {
        const blocks = texts.map((text) => compressSync(Buffer.from(text)));
        expect(decompressSync(frame(blocks)).toString()).toBe(texts.join(''));
        expect(decompressSync(blocks[0] as Buffer).toString()).toBe(texts[0]);
      }),
      { numRuns: 30 },
    );
  });

  it('is refused where a block goes beyond the end', () => {
    const cut = frame([Buffer.from('abcdef')]).subarray(0, -1);
    expect(() => decodeFramedSnappy(cut, (data) => data)).toThrow(/a block of 6 bytes at byte 16 of 25/);
    expect(decodeFramedSnappy(Buffer.from('bare'), (data) => data).toString()).toBe('bare');
    expect(decodeFramedSnappy(frame([]), (data) => data)).toHaveLength(0);
  });
});
