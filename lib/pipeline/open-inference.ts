/**
 * Tensors of the Open Inference Protocol (V2): as JSON, flat or nested, or as raw little-endian bytes behind the JSON (binary tensor
 * extension). Format: docs/predict-api/v2/required_api.md of KServe. Nothing is trusted: a tensor whose data do not fit its shape is none.
 */
import { noun } from '../contracts/noun.ts';

export interface Tensor {
  readonly name: string;
  /** Rows: the first dimension of the shape; 1 for a scalar. */
  readonly rows: number;
  /** Values of one row. */
  readonly width: number;
  /** Row after row. */
  readonly values: readonly unknown[];
}

interface Read {
  /** Little-endian value at an offset, `null` for a type of no fixed width. */
  readonly bytes: number;
  read(view: DataView, at: number): unknown;
}

const WIDE: Readonly<Record<string, Read>> = {
  BOOL: { bytes: 1, read: (view, at) => view.getUint8(at) !== 0 },
  UINT8: { bytes: 1, read: (view, at) => view.getUint8(at) },
  INT8: { bytes: 1, read: (view, at) => view.getInt8(at) },
  UINT16: { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  INT16: { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  FP16: { bytes: 2, read: (view, at) => halfFloat(view.getUint16(at, true)) },
  UINT32: { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  INT32: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  FP32: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  UINT64: { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  INT64: { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  FP64: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

/** `binary`: the bytes behind the JSON; tensors take from it in their order. @throws Error saying which tensor is wrong */
export function readTensors(list: readonly unknown[], binary: Uint8Array): Tensor[] {
  let offset = 0;
  return list.map((item, index) => {
    const { name, shape, datatype, data, parameters } = asObject(item);
    const path = typeof name === 'string' && name !== '' ? name.slice(0, 80) : `tensor ${index}`;
    const sizes = Array.isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && size >= 0) ? shape : null;
    if (typeof name !== 'string' || sizes === null) throw new Error(`${path}: expected a name and a shape`);
    const count = sizes.reduce((product: number, size: number) => product * size, 1);
    // A shape costs its sender nothing: rows without values are none.
    const rows = count === 0 ? 0 : sizes.length === 0 ? 1 : Number(sizes[0]);
    const size = asObject(parameters)['binary_data_size'];
    let values: unknown[];
    if (data === undefined && typeof size === 'number') {
      const bytes = binary.subarray(offset, offset + size);
      if (!Number.isSafeInteger(size) || size < 0 || bytes.length !== size)
        throw new Error(
          `${path}: ${size} bytes behind the JSON expected; list Inference-Header-Content-Length in metadataHeaders`,
        );
      offset += size;
      values = datatype === 'BYTES' ? texts(bytes) : numbers(bytes, String(datatype));
    } else values = Array.isArray(data) ? (data.flat(Number.POSITIVE_INFINITY) as unknown[]) : [];
    if (values.length !== count)
      throw new Error(`${path}: ${values.length} ${noun(values.length, 'value')}, ${count} by its shape`);
    return { name, rows, width: rows === 0 ? 0 : count / rows, values };
  });
}

function numbers(bytes: Uint8Array, datatype: string): unknown[] {
  const wide = Object.hasOwn(WIDE, datatype) ? WIDE[datatype] : undefined;
  if (wide === undefined || bytes.length % wide.bytes !== 0) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / wide.bytes }, (_, i) => wide.read(view, i * wide.bytes));
}

/** Each with its length before it, four bytes. */
function texts(bytes: Uint8Array): unknown[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: string[] = [];
  let at = 0;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + view.getUint32(at, true);
    if (end > bytes.length) return [];
    found.push(new TextDecoder().decode(bytes.subarray(at + 4, end)));
    at = end;
  }
  return at === bytes.length ? found : [];
}

/** IEEE 754 binary16. */
function halfFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
