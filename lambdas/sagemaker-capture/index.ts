/** Reads files of SageMaker Data Capture as they are written, and puts their invocations onto the stream. */
import { GetObjectCommand, NoSuchKey, S3Client } from '@aws-sdk/client-s3';
import { readEnvironment } from '../../lib/contracts/functions.ts';
import { parseSageMakerSources } from '../../lib/contracts/sagemaker.ts';
import { collecting } from '../collecting.ts';
import { logOf } from '../log.ts';
import { wallClock } from '../ports.ts';
import { captureHandler } from './handler.ts';

const environment = readEnvironment('sagemaker-capture', process.env);
const { store, registry, collector, refresh } = collecting(environment);
const client = new S3Client({ maxAttempts: 5 });

export const handler = captureHandler({
  collector,
  registry,
  refresh,
  sources: parseSageMakerSources(JSON.parse(environment.MLMON_SAGEMAKER_SOURCES)),
  store,
  open: async ({ bucket, key }) => {
    try {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return (Body as AsyncIterable<Uint8Array> | undefined) ?? null;
    } catch (error) {
      if (error instanceof NoSuchKey) return null;
      throw error;
    }
  },
  environment: environment.MLMON_ENVIRONMENT,
  clock: wallClock,
  log: logOf('sagemaker-capture'),
});
