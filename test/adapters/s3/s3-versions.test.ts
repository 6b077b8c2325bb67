/** Old versions as S3 lists them: pages, markers of deletions, services without. */
import type { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { S3Versions } from '../../../lib/adapters/s3/s3-versions.ts';
import type { ObjectVersion } from '../../../lib/pipeline/ports.ts';

type Answer = object | Error;

function versionsOver(answers: Answer[]): { readonly versions: S3Versions; readonly asked: object[] } {
  const asked: object[] = [];
  const send = async ({ input }: { readonly input: object }): Promise<object> => {
    asked.push(input);
    const answer = answers.shift() ?? {};
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const client = { send } as unknown as Pick<S3Client, 'send'>;
  return { versions: new S3Versions({ client, bucket: 'b', prefix: 'p' }), asked };
}

async function all(versions: S3Versions): Promise<ObjectVersion[]> {
  const found: ObjectVersion[] = [];
  for await (const one of versions.list('capture/')) found.push(one);
  return found;
}

const failure = (name: string, httpStatusCode: number): Error =>
  Object.assign(new Error('no'), { name, $metadata: { httpStatusCode } });

describe('versions of objects', () => {
  it('are listed page by page, without markers of deletions', async () => {
    const { versions, asked } = versionsOver([
      {
        Versions: [
          { Key: 'p/capture/a', VersionId: '2', IsLatest: true },
          { Key: 'p/capture/a', VersionId: '1', IsLatest: false },
        ],
        DeleteMarkers: [{ Key: 'p/capture/b', VersionId: '9', IsLatest: true }],
        IsTruncated: true,
        NextKeyMarker: 'p/capture/a',
        NextVersionIdMarker: '1',
      },
      { Versions: [{ Key: 'p/capture/b', VersionId: '8', IsLatest: false }], IsTruncated: false },
    ]);
    expect(await all(versions)).toEqual([
      { key: 'capture/a', version: '2', current: true },
      { key: 'capture/a', version: '1', current: false },
      { key: 'capture/b', version: '8', current: false },
    ]);
    expect(asked).toEqual([
      { Bucket: 'b', Prefix: 'p/capture/' },
      { Bucket: 'b', Prefix: 'p/capture/', KeyMarker: 'p/capture/a', VersionIdMarker: '1' },
    ]);
  });

  it('are none where the service knows none, and a refusal says which right is missing', async () => {
    expect(await all(versionsOver([failure('NotImplemented', 501)]).versions)).toEqual([]);
    await expect(all(versionsOver([failure('AccessDenied', 403)]).versions)).rejects.toThrow(/s3:ListBucketVersions/);
  });

  it('are read and deleted by their own names; what is gone is gone', async () => {
    const { versions, asked } = versionsOver([
      { Body: { transformToByteArray: async () => new Uint8Array([1]) } },
      {},
      failure('NoSuchVersion', 404),
      failure('NoSuchVersion', 404),
      failure('AccessDenied', 403),
    ]);
    expect(await versions.get('a', '1')).toEqual(new Uint8Array([1]));
    await versions.delete('a', '1');
    expect(asked).toEqual([
      { Bucket: 'b', Key: 'p/a', VersionId: '1' },
      { Bucket: 'b', Key: 'p/a', VersionId: '1' },
    ]);
    expect(await versions.get('a', '1')).toBeNull();
    await versions.delete('a', '1');
    await expect(versions.delete('a', '1')).rejects.toThrow(/s3:DeleteObjectVersion/);
  });
});
