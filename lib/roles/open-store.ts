/** The object store that a configuration names: a folder, or S3 and what speaks its protocol, which is probed before anything is written. */
import { FolderStore } from '../adapters/disk/folder-store.ts';
import type { PathOf } from '../adapters/duckdb/object-files.ts';
import { ProblemError } from '../contracts/problem.ts';
import type { RunConfig, S3Config } from '../contracts/roles.ts';
import { makeDataFolder } from '../local/data-folder.ts';
import type { ObjectStore, ObjectVersions } from '../pipeline/ports.ts';
import { retryingStore } from '../pipeline/retry.ts';

export interface OpenedStore {
  readonly store: ObjectStore;
  /** Where objects are files. */
  readonly path: PathOf | null;
  /** Where it keeps what was replaced or deleted. */
  readonly versions: ObjectVersions | null;
  close(): void;
}

/**
 * @throws ProblemError for what waiting does not mend: a service without conditional writes, a client that is not installed; any other error
 * for what it may: a service that is away, credentials that are not taken
 */
export async function openStore(config: NonNullable<RunConfig['store']>): Promise<OpenedStore> {
  if ('s3' in config) return openS3(config.s3);
  await makeDataFolder(config.folder, 'store.folder');
  const store = await FolderStore.open({ folder: config.folder });
  return { store, path: (key) => store.path(key), versions: null, close: () => undefined };
}

async function openS3(config: S3Config): Promise<OpenedStore> {
  const [{ s3Client }, { S3Store }, { S3Versions }, { probeConditionalWrites }] = await loaded();
  const client = s3Client(config);
  const prefix = config.prefix?.replace(/^\/+|\/+$/g, '');
  const called = `${config.endpoint ?? 's3:/'}/${config.bucket}`;
  const place = { client, bucket: config.bucket, prefix: prefix === '' ? undefined : prefix };
  try {
    const store = new S3Store(place);
    await probeConditionalWrites(store, called);
    return {
      store: retryingStore(store),
      path: null,
      versions: new S3Versions(place),
      close: () => client.destroy(),
    };
  } catch (error) {
    client.destroy();
    throw error;
  }
}

async function loaded() {
  try {
    return await Promise.all([
      import('../adapters/s3/s3-client.ts'),
      import('../adapters/s3/s3-store.ts'),
      import('../adapters/s3/s3-versions.ts'),
      import('../adapters/s3/probe.ts'),
    ]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ProblemError([
      {
        code: 'missing-dependency',
        path: 'store.s3',
        message: 'the client of S3 is not installed',
        fix: 'install it beside this package: npm install @aws-sdk/client-s3',
      },
    ]);
  }
}
