/** The store of objects, as a container is told of it. */
import type { Problem } from '../contracts/problem.ts';
import { shown } from '../contracts/problem.ts';
import { isWebAddress, portOf } from './object-rules.ts';
import { Peer } from './peer.ts';
import { type SecretKey, secretFile } from './secret-key.ts';

export interface S3Options {
  readonly bucket: string;
  /** What keys begin with. @default none */
  readonly prefix?: string;
  /** @default 'us-east-1' */
  readonly region?: string;
  /** Address of a compatible service with conditional writes: `https://minio.storage:9000`. @default AWS */
  readonly endpoint?: string;
  /** PEM of the authority that signed the certificate of `endpoint`. @default the system's authorities */
  readonly ca?: SecretKey;
  /** With `secretAccessKey`. @default the identity of the workload: see `serviceAccountAnnotations` of the chart */
  readonly accessKeyId?: SecretKey;
  /** With `accessKeyId`. @default the identity of the workload */
  readonly secretAccessKey?: SecretKey;
  /** Where it is, for network policies; the port is that of `endpoint`. @default anywhere */
  readonly peers?: readonly Peer[];
}

/** Made by its factories. */
export class Store {
  /** A bucket of S3 or of a service that speaks it and writes conditionally. */
  static s3(options: S3Options): Store {
    return new Store(options);
  }

  readonly options: S3Options;

  private constructor(options: S3Options) {
    this.options = options;
  }

  get region(): string {
    return this.options.region ?? 'us-east-1';
  }

  get peers(): readonly Peer[] {
    return this.options.peers ?? [Peer.anywhere()];
  }

  get ports(): readonly number[] {
    const { endpoint } = this.options;
    return [endpoint === undefined ? 443 : portOf(endpoint)];
  }

  get secrets(): readonly SecretKey[] {
    const { ca, accessKeyId, secretAccessKey } = this.options;
    return [ca, accessKeyId, secretAccessKey].filter((one) => one !== undefined);
  }

  /** What stands under `store` in the configuration of a run. */
  get config(): { readonly s3: Readonly<Record<string, unknown>> } {
    const { bucket, prefix, endpoint, ca, accessKeyId, secretAccessKey } = this.options;
    return {
      s3: {
        bucket,
        region: this.region,
        ...(prefix === undefined ? {} : { prefix }),
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(ca === undefined ? {} : { caFile: secretFile(ca) }),
        ...(accessKeyId === undefined ? {} : { accessKeyIdFile: secretFile(accessKeyId) }),
        ...(secretAccessKey === undefined ? {} : { secretAccessKeyFile: secretFile(secretAccessKey) }),
      },
    };
  }

  problems(): Problem[] {
    const { bucket, region, endpoint, accessKeyId, secretAccessKey } = this.options;
    const problems: Problem[] = [];
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket))
      problems.push({
        code: 'store',
        path: 'store.bucket',
        message: 'is no name of a bucket',
        got: shown(bucket),
        expected: '3 to 63 lower-case letters, digits, dots and hyphens',
      });
    if (region !== undefined && !/^[A-Za-z0-9_-]{1,63}$/.test(region))
      problems.push({
        code: 'store',
        path: 'store.region',
        message: 'is no name of a region',
        got: shown(region),
        expected: 'for example eu-central-1',
      });
    if (endpoint !== undefined && !isOrigin(endpoint))
      problems.push({
        code: 'store',
        path: 'store.endpoint',
        message: 'is no address',
        got: shown(endpoint.replace(/\/\/[^/@]*@/, '//…@')),
        expected: 'https://host:port, or http:// inside the cluster, without credentials and path',
      });
    if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
      problems.push({
        code: 'store',
        path: 'store',
        message: 'has one half of its credentials',
        got: accessKeyId === undefined ? 'secretAccessKey alone' : 'accessKeyId alone',
        expected: 'accessKeyId and secretAccessKey, or neither',
      });
    return problems;
  }
}

/** An address and nothing behind it: buckets are asked for by path. */
function isOrigin(url: string): boolean {
  if (!isWebAddress(url)) return false;
  const { pathname, search, hash } = new URL(url);
  return pathname === '/' && search === '' && hash === '';
}
