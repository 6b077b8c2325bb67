/** What a profile's bytes begin with: whether this release can read them, by which shape, and what follows. */
import { ByteReader, type ByteWriter, CHECKSUM_BYTES, checksum, sameBytes, UnsupportedVersionError } from './bytes.ts';
import type { Shape } from './shape.ts';

export const PROFILE_VERSION = 2;
/** Of a profile without halves. */
const WHOLE_VERSION = 1;
/** Flags. */
const WEIGHTED = 1;
const HALVED = 2;
const MAGIC = 0x464c4d70;
/** Magic, version, flags, shape. */
const HEADER_BYTES = 14;

/** Two profiles, or a profile and a shape, were made by different rules and cannot be joined. */
export class ShapeMismatchError extends Error {
  override readonly name = 'ShapeMismatchError';
}

export interface ProfileHeader {
  /** Weights other than 1 were counted. */
  readonly weighted: boolean;
  /** Requests or responses that came apart were counted. */
  readonly halved: boolean;
  /** Of the shape, 16 hexadecimal digits. */
  readonly digest: string;
}

export function writeProfileHeader(writer: ByteWriter, { weighted, halved, digest }: ProfileHeader): void {
  writer.uint32(MAGIC);
  // Without halves the bytes are those of the version before, which every release reads.
  writer.byte(halved ? PROFILE_VERSION : WHOLE_VERSION);
  writer.byte((weighted ? WEIGHTED : 0) | (halved ? HALVED : 0));
  writer.raw(Buffer.from(digest, 'hex'));
}

/** The reader stands behind the header. Throws CorruptPackError, UnsupportedVersionError or ShapeMismatchError. */
export function readProfileHeader(bytes: Uint8Array, shape: Shape): ProfileHeader & { readonly reader: ByteReader } {
  const body = bytes.subarray(0, Math.max(0, bytes.length - CHECKSUM_BYTES));
  const reader = new ByteReader(body, 'profile');
  if (reader.remaining < HEADER_BYTES || reader.uint32() !== MAGIC) throw reader.corrupt('this is no profile');
  const version = reader.byte();
  if (!sameBytes(checksum(body), bytes.subarray(body.length))) throw reader.corrupt('the checksum does not fit');
  if (version > PROFILE_VERSION)
    throw new UnsupportedVersionError(
      `profile: written in version ${version} of the format, this release reads up to ${PROFILE_VERSION}; upgrade it`,
    );
  const flags = reader.byte();
  if (version < WHOLE_VERSION || flags > (version === WHOLE_VERSION ? WEIGHTED : WEIGHTED | HALVED))
    throw reader.corrupt('the header makes no sense');
  const digest = Buffer.from(reader.raw(8)).toString('hex');
  if (digest !== shape.digest)
    throw new ShapeMismatchError(`a profile of shape ${digest} cannot be read with shape ${shape.digest}`);
  return { weighted: (flags & WEIGHTED) !== 0, halved: (flags & HALVED) !== 0, digest, reader };
}
