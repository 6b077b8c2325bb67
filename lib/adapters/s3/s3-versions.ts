/** Old versions of objects in a versioned bucket. Of one that keeps none, every version is the current one. */
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3';
import type { ObjectVersion, ObjectVersions } from '../../pipeline/ports.ts';
import { portError, sdkError, statusOf } from '../aws-error.ts';
import { checkKey } from '../object-key.ts';
import type { S3StoreOptions } from './s3-store.ts';

export class S3Versions implements ObjectVersions {
  readonly #client: S3StoreOptions['client'];
  readonly #bucket: string;
  readonly #prefix: string;

  constructor({ client, bucket, prefix }: Pick<S3StoreOptions, 'client' | 'bucket' | 'prefix'>) {
    if (prefix !== undefined) checkKey(prefix);
    this.#client = client;
    this.#bucket = bucket;
    this.#prefix = prefix === undefined ? '' : `${prefix}/`;
  }

  async *list(prefix: string): AsyncIterable<ObjectVersion> {
    let after: { readonly KeyMarker?: string; readonly VersionIdMarker?: string } = {};
    for (;;) {
      let page: ListObjectVersionsCommandOutput;
      try {
        page = await this.#client.send(
          new ListObjectVersionsCommand({ Bucket: this.#bucket, Prefix: this.#prefix + prefix, ...after }),
        );
      } catch (error) {
        // A service that knows no versions has none.
        if (statusOf(error) === 501 || sdkError(error).name === 'NotImplemented') return;
        throw portError(
          `s3 list versions s3://${this.#bucket}/${this.#prefix}${prefix}`,
          error,
          'grant s3:ListBucketVersions on the bucket',
        );
      }
      for (const { Key, VersionId, IsLatest } of page.Versions ?? [])
        if (Key !== undefined && VersionId !== undefined)
          yield { key: Key.slice(this.#prefix.length), version: VersionId, current: IsLatest === true };
      if (page.IsTruncated !== true || page.NextKeyMarker === undefined) return;
      after = {
        KeyMarker: page.NextKeyMarker,
        ...(page.NextVersionIdMarker === undefined ? {} : { VersionIdMarker: page.NextVersionIdMarker }),
      };
    }
  }

  async get(key: string, version: string): Promise<Uint8Array | null> {
    try {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#of(key, version)));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    } catch (error) {
      if (isAbsent(error)) return null;
      throw this.#failed('get', key, error, 'grant s3:GetObjectVersion');
    }
  }

  async delete(key: string, version: string): Promise<void> {
    try {
      await this.#client.send(new DeleteObjectCommand(this.#of(key, version)));
    } catch (error) {
      if (isAbsent(error)) return;
      throw this.#failed('delete', key, error, 'grant s3:DeleteObjectVersion');
    }
  }

  #of(key: string, version: string): { readonly Bucket: string; readonly Key: string; readonly VersionId: string } {
    checkKey(key);
    return { Bucket: this.#bucket, Key: this.#prefix + key, VersionId: version };
  }

  #failed(what: string, key: string, error: unknown, fix: string): Error {
    return portError(`s3 ${what} version s3://${this.#bucket}/${this.#prefix}${key}`, error, fix);
  }
}

function isAbsent(error: unknown): boolean {
  const { name } = sdkError(error);
  return name !== 'NoSuchBucket' && (name === 'NoSuchKey' || name === 'NoSuchVersion' || statusOf(error) === 404);
}
