/** Lines of an object on S3 as they arrive: a thousand baselines are never in memory at once. */
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { portError } from '../lib/adapters/aws-error.ts';

export async function* assetLines(
  client: Pick<S3Client, 'send'>,
  { bucket, key }: { readonly bucket: string; readonly key: string },
): AsyncGenerator<string> {
  try {
    const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    yield* linesOf((Body ?? []) as AsyncIterable<Uint8Array>);
  } catch (error) {
    throw portError(`s3://${bucket}/${key}`, error, 'the file of monitors cannot be read; deploy again');
  }
}

/** Chunks end anywhere, also within a character. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let parts: string[] = [];
  for await (const chunk of chunks) {
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n');
    parts.push(first);
    for (const line of others) {
      yield parts.join('');
      parts = [line];
    }
  }
  const last = parts.join('') + decoder.decode();
  if (last !== '') yield last;
}
