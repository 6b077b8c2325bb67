/**
 * A client of S3 or of a service that speaks its protocol, from what a configuration names: endpoint, certificate, credentials in files.
 * Without files credentials come from the identity of the workload, as the SDK finds it.
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';

export interface S3ClientOptions {
  readonly region: string;
  /** Of a compatible service, whose buckets are then the first segment of the path; absent: AWS. */
  readonly endpoint?: string;
  /** PEM. */
  readonly caFile?: string;
  readonly accessKeyIdFile?: string;
  readonly secretAccessKeyFile?: string;
  /** Attempts of one request. @default 3 */
  readonly maxAttempts?: number;
  /** How long credentials of files are believed, milliseconds. @default 10000 */
  readonly credentialsMs?: number;
}

const CONNECT_MS = 3_000;
const REQUEST_MS = 30_000;
const SOCKETS = 64;
/** The SDK asks for new credentials so long before they end. */
const SDK_WINDOW_MS = 300_000;

export function s3Client(options: S3ClientOptions): S3Client {
  const { region, endpoint, caFile, accessKeyIdFile, secretAccessKeyFile, maxAttempts = 3 } = options;
  const hasFiles = accessKeyIdFile !== undefined && secretAccessKeyFile !== undefined;
  const agent = { keepAlive: true, maxSockets: SOCKETS };
  const config: S3ClientConfig = {
    region,
    maxAttempts,
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: REQUEST_MS,
      httpAgent: agent,
      httpsAgent: caFile === undefined ? agent : new Agent({ ...agent, ca: readFileSync(caFile) }),
    },
    ...(endpoint === undefined
      ? {}
      : {
          endpoint,
          forcePathStyle: true,
          // Checksums that nobody asked for are unknown to many compatible services.
          requestChecksumCalculation: 'WHEN_REQUIRED',
          responseChecksumValidation: 'WHEN_REQUIRED',
        }),
    ...(hasFiles ? { credentials: fileCredentials(accessKeyIdFile, secretAccessKeyFile, options.credentialsMs) } : {}),
  };
  return new S3Client(config);
}

interface FileCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly expiration: Date;
}

/**
 * Credentials that are read again when they were read some time ago, so that rotated ones are taken without a restart. While a mounted secret is
 * being replaced the ones known before stay good.
 */
export function fileCredentials(
  accessKeyIdFile: string,
  secretAccessKeyFile: string,
  believedMs = 10_000,
): () => Promise<FileCredentials> {
  let known: { readonly accessKeyId: string; readonly secretAccessKey: string } | null = null;
  return async () => {
    try {
      const [accessKeyId, secretAccessKey] = await Promise.all([
        secretIn(accessKeyIdFile),
        secretIn(secretAccessKeyFile),
      ]);
      known = { accessKeyId, secretAccessKey };
    } catch (error) {
      if (known === null) throw error;
    }
    return { ...known, expiration: new Date(Date.now() + SDK_WINDOW_MS + believedMs) };
  };
}

/** @throws Error that names the file and never what is in it */
async function secretIn(file: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new Error(
      `${file}: the credentials cannot be read (${(error as NodeJS.ErrnoException).code}); check the secret that is mounted there`,
    );
  }
  if (text === '') throw new Error(`${file}: is empty; expected a credential; check the secret that is mounted there`);
  return text;
}
