/** Deployed stacks: their outputs, and the clients to look at what they made. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { AthenaClient } from '@aws-sdk/client-athena';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { ACCOUNT, type Emulator, REGION } from './emulator.ts';

export type Outputs = Readonly<Record<string, string>>;

/** Of every stack, from the file that `cdk deploy --outputs-file` wrote. */
export async function readOutputs(file: string): Promise<Readonly<Record<string, Outputs>>> {
  return JSON.parse(await readFile(file, 'utf8')) as Record<string, Outputs>;
}

/** Clients of the emulator; the environment of the tests stays as it is. */
export class Clients {
  readonly s3: S3Client;
  readonly kinesis: KinesisClient;
  readonly cloudwatch: CloudWatchClient;
  readonly athena: AthenaClient;

  constructor({ endpoint }: Emulator) {
    const config = { endpoint, region: REGION, credentials: { accessKeyId: ACCOUNT, secretAccessKey: 'emulator' } };
    this.s3 = new S3Client({ ...config, forcePathStyle: true });
    this.kinesis = new KinesisClient(config);
    this.cloudwatch = new CloudWatchClient(config);
    this.athena = new AthenaClient(config);
  }

  /** Keys below a prefix, in order. */
  async keys(bucket: string, prefix: string): Promise<string[]> {
    const found: string[] = [];
    for (let token: string | undefined; ; ) {
      const page = await this.s3.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
      );
      for (const { Key } of page.Contents ?? []) if (Key !== undefined) found.push(Key);
      token = page.NextContinuationToken;
      if (token === undefined) return found.sort();
    }
  }

  async bytes(bucket: string, key: string): Promise<Uint8Array> {
    const { Body } = await this.s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    if (Body === undefined) throw new Error(`${key}: empty`);
    return Body.transformToByteArray();
  }

  async json<T>(bucket: string, key: string): Promise<T> {
    return JSON.parse(new TextDecoder().decode(await this.bytes(bucket, key))) as T;
  }

  /** Objects below a prefix, read as JSON. */
  async objects<T>(bucket: string, prefix: string): Promise<T[]> {
    return Promise.all((await this.keys(bucket, prefix)).map((key) => this.json<T>(bucket, key)));
  }

  /** At most 500 a call, as a producer would; all must be taken. */
  async put(
    stream: string,
    records: readonly { readonly key: string; readonly data: string | Uint8Array }[],
  ): Promise<void> {
    for (let i = 0; i < records.length; i += 500) {
      const { FailedRecordCount } = await this.kinesis.send(
        new PutRecordsCommand({
          StreamName: stream,
          Records: records.slice(i, i + 500).map(({ key, data }) => ({
            PartitionKey: key,
            Data: typeof data === 'string' ? new TextEncoder().encode(data) : data,
          })),
        }),
      );
      if (FailedRecordCount !== 0) throw new Error(`${FailedRecordCount} records were not taken`);
    }
  }

  destroy(): void {
    for (const client of [this.s3, this.kinesis, this.cloudwatch, this.athena]) client.destroy();
  }
}

/**
 * A request to an address of the deployment. What it printed is a name of AWS, which resolves to AWS: the request goes to the emulator,
 * which tells addresses apart by the `Host` header.
 */
export function requestTo(
  emulator: Emulator,
  address: string,
  {
    method = 'POST',
    headers = {},
    body = '',
  }: { method?: string; headers?: Readonly<Record<string, string>>; body?: string },
): Promise<{ readonly status: number; readonly body: string }> {
  const { host, pathname, search } = new URL(address);
  const { hostname, port } = new URL(emulator.endpoint);
  // An HTTP API is told by its path there, and so is its stage.
  const api = /^([^.]+)\.execute-api\./.exec(host)?.[1];
  const path = api === undefined ? pathname : `/_aws/execute-api/${api}/$default${pathname}`;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        hostname,
        port,
        method,
        path: path + search,
        headers: { ...headers, host, 'content-length': Buffer.byteLength(body) },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }));
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
