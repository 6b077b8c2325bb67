/** A function as it is deployed: its bundle, loaded in this process with an environment of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FunctionName } from '../../lib/contracts/functions.ts';
import { buildFunctions } from '../../scripts/build-functions.ts';

export interface Bundles {
  /** Loads a copy of its own, as Lambda starts one. */
  load<T>(name: FunctionName, environment: Readonly<Record<string, string>>): Promise<T>;
  remove(): Promise<void>;
}

let copies = 0;

export async function bundlesOf(...names: readonly FunctionName[]): Promise<Bundles> {
  const folder = await mkdtemp(join(tmpdir(), 'bundles-'));
  await buildFunctions(join(folder, 'functions'), names);
  return {
    load: async <T>(name: FunctionName, environment: Readonly<Record<string, string>>) => {
      Object.assign(process.env, environment);
      const url = pathToFileURL(join(folder, 'functions', name, 'index.mjs'));
      const { handler } = (await import(`${url.href}?copy=${copies++}`)) as { handler: T };
      return handler;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** What every function is told, and what its clients need to reach a server of the test. */
export function environmentOf(
  aws: { readonly url: string; readonly streamUrl: string },
  bucket: string,
): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: aws.url,
    AWS_ENDPOINT_URL_KINESIS: aws.streamUrl,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: 'eu-west-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    LOG_LEVEL: 'error',
    MLMON_BUCKET: bucket,
    MLMON_STREAM_ARN: 'arn:aws:kinesis:eu-west-1:111122223333:stream/events',
    MLMON_ENVIRONMENT: 'test',
  };
}
