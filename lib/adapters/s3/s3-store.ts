/**
 * The object store on S3 and what speaks its protocol with conditional writes: `If-None-Match: *` and `If-Match`.
 *
 * The client is given, with its own retries and time-outs. A write that it repeated after a lost answer may meet itself: then the
 * bytes are compared, and a write that is there is no conflict. What two writers wrote alike counts as written by both.
 */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { ConflictError, type ObjectStore, type StoredObject, TransientError } from '../../pipeline/ports.ts';
import { portError, sdkError, statusOf, wasRepeated } from '../aws-error.ts';
import { checkKey, checkRange } from '../object-key.ts';

export interface S3StoreOptions {
  readonly client: Pick<S3Client, 'send'>;
  readonly bucket: string;
  /** Put before every key, with a slash between; ends in none. @default the keys are those of the bucket */
  readonly prefix?: string;
  /** Attempts of a conditional write that another one met while it was under way (409). @default 5 */
  readonly attempts?: number;
  /** Upper bound of the first wait between them, milliseconds; doubles each time. @default 20 */
  readonly firstWaitMs?: number;
}

const PAGE = 1_000;

export class S3Store implements ObjectStore {
  readonly #client: S3StoreOptions['client'];
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #attempts: number;
  readonly #firstWaitMs: number;

  constructor({ client, bucket, prefix, attempts = 5, firstWaitMs = 20 }: S3StoreOptions) {
    if (prefix !== undefined) checkKey(prefix);
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix === undefined ? '' : `${prefix}/`;
    this.#attempts = attempts;
    this.#firstWaitMs = firstWaitMs;
  }

  async get(key: string): Promise<StoredObject | null> {
    checkKey(key);
    try {
      const { Body, ETag } = await this.#client.send(new GetObjectCommand(this.#of(key)));
      const body = (await Body?.transformToByteArray()) ?? new Uint8Array();
      return { body, etag: etagOf(key, ETag) };
    } catch (error) {
      if (isAbsent(error)) return null;
      throw this.#failed('get', key, error);
    }
  }

  async getRange(key: string, start: number, end: number): Promise<Uint8Array | null> {
    checkKey(key);
    checkRange(key, start, end);
    // S3 cannot be asked for no bytes.
    if (start === end) return (await this.#etag(key)) === null ? null : new Uint8Array();
    try {
      const range = { ...this.#of(key), Range: `bytes=${start}-${end - 1}` };
      const { Body } = await this.#client.send(new GetObjectCommand(range));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    } catch (error) {
      if (isAbsent(error)) return null;
      // It begins behind the end of the object.
      if (statusOf(error) === 416 || sdkError(error).name === 'InvalidRange') return new Uint8Array();
      throw this.#failed('get', key, error);
    }
  }

  async list(prefix: string, options: { readonly after?: string; readonly limit?: number } = {}): Promise<string[]> {
    const { after, limit = PAGE } = options;
    const found: string[] = [];
    let token: string | undefined;
    while (found.length < limit) {
      try {
        const page = await this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#bucket,
            Prefix: this.#prefix + prefix,
            MaxKeys: Math.min(PAGE, limit - found.length),
            ...(token === undefined
              ? { StartAfter: after === undefined ? undefined : this.#prefix + after }
              : { ContinuationToken: token }),
          }),
        );
        for (const { Key } of page.Contents ?? []) if (Key !== undefined) found.push(Key.slice(this.#prefix.length));
        token = page.NextContinuationToken;
        if (page.IsTruncated !== true || token === undefined) break;
      } catch (error) {
        throw this.#failed('list', prefix, error, 'grant s3:ListBucket on the bucket');
      }
    }
    return found;
  }

  async putIfAbsent(key: string, body: Uint8Array): Promise<string> {
    return this.#put(key, body, { IfNoneMatch: '*' }, null);
  }

  async putIfUnchanged(key: string, body: Uint8Array, etag: string): Promise<string> {
    return this.#put(key, body, { IfMatch: etag }, etag);
  }

  async delete(key: string): Promise<void> {
    checkKey(key);
    try {
      await this.#client.send(new DeleteObjectCommand(this.#of(key)));
    } catch (error) {
      if (isAbsent(error)) return;
      throw this.#failed('delete', key, error);
    }
  }

  /** `expected`: the ETag that the object must have, `null` when there must be none. */
  async #put(
    key: string,
    body: Uint8Array,
    condition: Pick<PutObjectCommandInput, 'IfNoneMatch' | 'IfMatch'>,
    expected: string | null,
  ): Promise<string> {
    checkKey(key);
    for (let attempt = 1; ; attempt++) {
      try {
        const { ETag } = await this.#client.send(
          new PutObjectCommand({ ...this.#of(key), ...condition, Body: body, ContentLength: body.byteLength }),
        );
        return etagOf(key, ETag);
      } catch (error) {
        const status = statusOf(error);
        // The object to be replaced is gone.
        if (expected !== null && isAbsent(error)) throw new ConflictError(key);
        if (status === 412) {
          const own = wasRepeated(error) || attempt > 1 ? await this.#ownEtag(key, body) : null;
          if (own !== null) return own;
          throw new ConflictError(key);
        }
        if (status !== 409) throw this.#failed('put', key, error);
        if (attempt >= this.#attempts) return this.#decide(key, body, expected);
        await wait(Math.random() * this.#firstWaitMs * 2 ** (attempt - 1));
      }
    }
  }

  /** After writes that met others again and again: what is there says whether it was lost. */
  async #decide(key: string, body: Uint8Array, expected: string | null): Promise<string> {
    const present = await this.get(key);
    if (present !== null && equal(present.body, body)) return present.etag;
    if ((present?.etag ?? null) !== expected) throw new ConflictError(key);
    throw new TransientError(`s3://${this.#bucket}/${this.#prefix}${key}: met other writes ${this.#attempts} times`);
  }

  /** The ETag of the object if it holds exactly these bytes. */
  async #ownEtag(key: string, body: Uint8Array): Promise<string | null> {
    const present = await this.get(key);
    return present !== null && equal(present.body, body) ? present.etag : null;
  }

  async #etag(key: string): Promise<string | null> {
    try {
      const { ETag } = await this.#client.send(new HeadObjectCommand(this.#of(key)));
      return etagOf(key, ETag);
    } catch (error) {
      if (isAbsent(error)) return null;
      throw this.#failed('head', key, error);
    }
  }

  #of(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  #failed(what: string, key: string, error: unknown, fix?: string): Error {
    if (error instanceof ConflictError || error instanceof TransientError) return error;
    // Without the right to list, an absent object looks like a forbidden one: never taken for absent, since a cursor may be meant.
    const denied =
      statusOf(error) === 403
        ? 'grant the role the object, and s3:ListBucket on the bucket, without which an absent key is refused too'
        : undefined;
    return portError(`s3 ${what} s3://${this.#bucket}/${this.#prefix}${key}`, error, fix ?? denied);
  }
}

function isAbsent(error: unknown): boolean {
  const { name } = sdkError(error);
  if (name === 'NoSuchBucket') return false;
  return name === 'NoSuchKey' || name === 'NotFound' || statusOf(error) === 404;
}

function etagOf(key: string, etag: string | undefined): string {
  if (etag === undefined)
    throw new Error(`${key}: answered without an ETag; expected a server with conditional writes`);
  return etag;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && Buffer.compare(a, b) === 0;
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
