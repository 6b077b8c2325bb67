/** What a receiver does with a remote write request: unpacks the snappy block, decodes the protobuf. Written from the formats' texts. */

export function unsnappy(block: Uint8Array): Uint8Array {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = block[at++] as number;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  const out = new Uint8Array(length);
  let to = 0;
  const little = (count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++) value += (block[at++] as number) * 2 ** (8 * i);
    return value;
  };
  while (at < block.length) {
    const tag = block[at++] as number;
    const kind = tag & 3;
    if (kind === 0) {
      const small = tag >> 2;
      const count = (small < 60 ? small : little(small - 59)) + 1;
      out.set(block.subarray(at, at + count), to);
      at += count;
      to += count;
      continue;
    }
    const count = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    const offset = kind === 1 ? ((tag >> 5) << 8) + little(1) : little(kind === 2 ? 2 : 4);
    if (offset === 0 || offset > to) throw new Error(`a copy from ${offset} before ${to}`);
    for (let i = 0; i < count; i++, to++) out[to] = out[to - offset] as number;
  }
  if (to !== length) throw new Error(`${to} bytes, not ${length}`);
  return out;
}

export interface DecodedSeries {
  readonly labels: [string, string][];
  readonly samples: { readonly value: number; readonly stale: boolean; readonly time: number }[];
}

export function decodeWriteRequest(body: Uint8Array): DecodedSeries[] {
  return fields(body).map(({ number, bytes }) => {
    if (number !== 1) throw new Error(`field ${number} of WriteRequest`);
    const series: DecodedSeries = { labels: [], samples: [] };
    for (const part of fields(bytes)) {
      if (part.number === 1) {
        const [name, value] = fields(part.bytes).map((text) =>
          new TextDecoder('utf-8', { fatal: true }).decode(text.bytes),
        );
        series.labels.push([name ?? '', value ?? '']);
      } else if (part.number === 2) {
        const [value, time] = fields(part.bytes);
        const view = new DataView((value?.bytes ?? new Uint8Array()).slice().buffer);
        series.samples.push({
          value: view.getFloat64(0, true),
          stale: view.getBigUint64(0, true) === 0x7ff0000000000002n,
          time: Number(BigInt.asIntN(64, time?.integer ?? 0n)),
        });
      } else throw new Error(`field ${part.number} of TimeSeries`);
    }
    return series;
  });
}

interface Field {
  readonly number: number;
  readonly bytes: Uint8Array;
  readonly integer: bigint;
}

function fields(body: Uint8Array): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = body[at++] as number;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < body.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    let length = 0;
    let integer = 0n;
    if ((tag & 7) === 0) integer = varint();
    else if ((tag & 7) === 1) length = 8;
    else if ((tag & 7) === 2) length = Number(varint());
    else throw new Error(`wire type ${tag & 7}`);
    if (at + length > body.length) throw new Error('cut off');
    found.push({ number, bytes: body.subarray(at, at + length), integer });
    at += length;
  }
  return found;
}
