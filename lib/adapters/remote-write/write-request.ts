/**
 * The body of a remote write 1.0 request: `WriteRequest` in protobuf, by hand, since it has four messages and never changes.
 *
 *   WriteRequest { repeated TimeSeries timeseries = 1 }     Label  { string name = 1; string value = 2 }
 *   TimeSeries   { repeated Label labels = 1; repeated Sample samples = 2 }     Sample { double value = 1; int64 timestamp = 2 }
 */

export interface TimedValue {
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly time: number;
}

export interface SeriesSamples {
  /** Name and value, `__name__` included, in the order of `labelPairs`. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  /** In the order of time; `null` instead of a number says that the series has ended. */
  readonly samples: readonly (TimedValue | { readonly value: null; readonly time: number })[];
}

/** A signalling NaN with this payload ends a series; a plain NaN would be a value. */
const STALE = 0x7ff0_0000_0000_0002n;

const encoder = new TextEncoder();

/** Labels as the protocol wants them: the name among them, ascending by name, none empty. */
export function labelPairs(name: string, labels: Readonly<Record<string, string>>): SeriesSamples['labels'] {
  const pairs: (readonly [string, string])[] = [['__name__', name]];
  for (const [label, value] of Object.entries(labels)) if (value !== '') pairs.push([label, value]);
  return pairs.sort(([a], [b]) => (a < b ? -1 : 1));
}

export function encodeWriteRequest(series: readonly SeriesSamples[]): Uint8Array {
  return concatenated(series.map((one) => field(1, encodeSeries(one))));
}

export function encodeSeries({ labels, samples }: SeriesSamples): Uint8Array {
  return concatenated([
    ...labels.map(([name, value]) => field(1, concatenated([text(1, name), text(2, value)]))),
    ...samples.map(({ value, time }) => field(2, encodeSample(value, time))),
  ]);
}

function encodeSample(value: number | null, time: number): Uint8Array {
  const head = new Uint8Array(9);
  head[0] = (1 << 3) | 1;
  const view = new DataView(head.buffer);
  if (value === null) view.setBigUint64(1, STALE, true);
  else view.setFloat64(1, value, true);
  return concatenated([head, Uint8Array.of(2 << 3), varint(BigInt.asUintN(64, BigInt(time)))]);
}

/** A lone surrogate cannot be written as UTF-8 and becomes U+FFFD. */
function text(number: number, value: string): Uint8Array {
  return field(number, encoder.encode(value));
}

function field(number: number, body: Uint8Array): Uint8Array {
  return concatenated([Uint8Array.of((number << 3) | 2), varint(BigInt(body.length)), body]);
}

export function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
