/** The objects of a deployed platform, by its address `s3://bucket` or `s3://bucket/prefix`. The client is loaded where it is used. */
import { ProblemError, shown } from '../contracts/problem.ts';
import type { ObjectStore, ObjectVersions } from '../pipeline/ports.ts';
import { retryingStore } from '../pipeline/retry.ts';

export function isStoreAddress(text: string): boolean {
  return text.startsWith('s3://');
}

/**
 * Credentials and region come from where the AWS command line has them; `AWS_ENDPOINT_URL_S3` or `AWS_ENDPOINT_URL` name another service that
 * speaks its protocol.
 * @throws ProblemError for a bad address, a client that is not installed, a bucket that is not there or not open to the caller
 */
export async function openStore(address: string): Promise<ObjectStore> {
  return (await openVersionedStore(address)).store;
}

/** Also what the bucket keeps of objects that were replaced or deleted. @throws as `openStore` */
export async function openVersionedStore(
  address: string,
): Promise<{ readonly store: ObjectStore; readonly versions: ObjectVersions }> {
  const { bucket, prefix } = parsedAddress(address);
  const { S3Client, S3Store, S3Versions } = await loaded();
  const client = new S3Client({
    maxAttempts: 3,
    // A local service has no names for its buckets.
    forcePathStyle: (process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL']) !== undefined,
  });
  const store = new S3Store({ client, bucket, prefix });
  try {
    await store.list('monitors/', { limit: 1 });
  } catch (error) {
    throw new ProblemError([
      {
        code: 'no-store',
        path: address,
        message: 'cannot be read',
        got: error instanceof Error ? error.message : String(error),
        expected: 'the bucket of a platform, with credentials and a region that may read it',
        fix: 'check the name of the bucket, AWS_PROFILE and AWS_REGION',
      },
    ]);
  }
  return { store: retryingStore(store, { attempts: 3 }), versions: new S3Versions({ client, bucket, prefix }) };
}

export function parsedAddress(address: string): { readonly bucket: string; readonly prefix: string | undefined } {
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(address) ?? [];
  if (bucket === undefined)
    throw new ProblemError([
      { code: 'store-address', path: 'address', message: 'is not valid', got: shown(address), expected: 's3://bucket' },
    ]);
  const trimmed = prefix.replace(/^\/+|\/+$/g, '');
  return { bucket, prefix: trimmed === '' ? undefined : trimmed };
}

async function loaded(): Promise<
  typeof import('@aws-sdk/client-s3') &
    typeof import('../adapters/s3/s3-store.ts') &
    typeof import('../adapters/s3/s3-versions.ts')
> {
  try {
    const [sdk, adapter, versions] = await Promise.all([
      import('@aws-sdk/client-s3'),
      import('../adapters/s3/s3-store.ts'),
      import('../adapters/s3/s3-versions.ts'),
    ]);
    return { ...sdk, ...adapter, ...versions };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ProblemError([
      {
        code: 'no-client',
        path: 's3://…',
        message: 'the client of S3 is not installed',
        fix: 'install it beside this package: npm install @aws-sdk/client-s3',
      },
    ]);
  }
}
