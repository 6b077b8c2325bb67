/**
 * Erasure in a versioned bucket of an S3 that somebody else wrote, by the command line as an operator would: what is current, what was replaced,
 * what expired, what lands later; and everything else stays.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DuckDbCaptureWriter } from '../../../lib/adapters/duckdb/capture-writer.ts';
import { type DuckDb, literal, openDuckDb } from '../../../lib/adapters/duckdb/load.ts';
import type { ErasureReport } from '../../../lib/contracts/erasure.ts';
import { keys } from '../../../lib/contracts/object-keys.ts';
import { MLMON, run } from '../programs.ts';
import { Clients } from './deployment.ts';
import { Emulator } from './emulator.ts';

const AT = Date.parse('2001-02-01T10:20:00Z');
const BUCKET = 'platform';
let folder: string;
let emulator: Emulator;
let clients: Clients;
let s3: S3Client;
let db: DuckDb;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'erase-'));
  [emulator, db] = await Promise.all([Emulator.start(), openDuckDb({ threads: 1 })]);
  clients = new Clients(emulator);
  s3 = clients.s3;
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await s3.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration: { Status: 'Enabled' } }));
});
afterAll(async () => {
  clients?.destroy();
  await db?.close();
  await emulator?.stop();
  await rm(folder, { recursive: true, force: true });
});

const put = (key: string, body: Uint8Array | string) =>
  s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body }));
const eventOf = (id: string, model = 'm') => ({
  id,
  type: 'inference',
  model,
  version: '1',
  time: '2001-02-01T10:19:00.5Z',
  numeric: { x: 0.1 },
  categorical: { origin: 'ÄÖ' },
});
const lineOf = (id: string, model?: string): string => `${JSON.stringify(eventOf(id, model))}\n`;

async function parquetOf(events: readonly object[]): Promise<Uint8Array> {
  const lines = events.map((event) => new TextEncoder().encode(JSON.stringify(event)));
  const writer = new DuckDbCaptureWriter(db);
  return (
    await writer.encode(
      lines,
      lines.map((_, i) => AT + i),
    )
  ).body;
}

async function rowsIn(body: Uint8Array): Promise<string[]> {
  const file = join(folder, 'read.parquet');
  await writeFile(file, body);
  return (await db.rows(`SELECT c::VARCHAR AS c FROM read_parquet(${literal(file)}) AS c`)).map(({ c }) => String(c));
}

/** Every version of every object, with what it holds. */
async function versions(): Promise<{ readonly key: string; readonly body: Uint8Array }[]> {
  const { Versions = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket: BUCKET }));
  return Promise.all(
    Versions.map(async ({ Key = '', VersionId }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key, VersionId }));
      return { key: Key, body: (await Body?.transformToByteArray()) ?? new Uint8Array() };
    }),
  );
}

async function erase(
  ...argv: string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const ended = await run(process.execPath, [MLMON, 'erase', ...argv, '--platform', `s3://${BUCKET}`], {
    cwd: folder,
    env: emulator.env,
  });
  return { code: ended.code ?? -1, out: ended.out, err: ended.err };
}

describe('mlmon erase on a bucket', () => {
  it('leaves no version of any object with the events, and every other event where it was', async () => {
    const ids = ['u-1', 'u-2', 'u-17', 'o"k'];
    const events = ids.flatMap((id) => [eventOf(id), eventOf(id, 'n')]);
    await put(keys.capture(AT, 'p', '1', '8'), await parquetOf(events));
    await put(keys.capture(AT - 86_400_000, 'p', '1', '8'), await parquetOf(events));
    // Expired by a rule of the bucket: a marker lies on it.
    await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: keys.capture(AT - 86_400_000, 'p', '1', '8') }));
    await put(keys.redriven(AT, 'r'), lineOf('u-17') + lineOf('u-2'));
    await put(
      keys.quarantine(AT, 'json', 'p', '1'),
      `${JSON.stringify({ excerpt: '{"id":"u-17","torn', detail: '' })}\n`,
    );
    const kinesis = { sequenceNumber: '1', data: Buffer.from(lineOf('u-17') + lineOf('u-1')).toString('base64') };
    await put(
      `${keys.onFailure()}a/shardId-0/x`,
      JSON.stringify({ payload: { Records: [{ eventID: 's:1', kinesis }] } }),
    );
    await put(keys.profile('m', '1', AT, 'b', 'd'), 'counts');

    await writeFile(join(folder, 'ids.txt'), 'u-17\no"k\n');
    const dry = await erase('--model', 'm', '--ids', 'ids.txt', '--dry-run', '--json');
    expect([dry.code, dry.err.replace(/^\(node:[\s\S]*/, '')]).toEqual([0, '']);
    const before = await versions();
    expect(before.filter(({ key }) => key.startsWith('erasures/'))).toEqual([]);

    const done = await erase('--model', 'm', '--ids', 'ids.txt', '--by', 'ann', '--json');
    expect(done.code).toBe(0);
    const { report } = JSON.parse(done.out) as { report: ErasureReport };
    expect(report).toMatchObject({ versions: true, problems: [], remembered: 1 });

    const after = await versions();
    const captured = after.filter(({ key }) => key.startsWith('capture/'));
    const whole = await rowsIn(await parquetOf(events));
    const isGone = (i: number): boolean => events[i]?.model === 'm' && ['u-17', 'o"k'].includes(String(events[i]?.id));
    expect(captured.map(({ key }) => key)).toEqual([keys.capture(AT, 'p', '1', '8')]);
    expect(await rowsIn(captured[0]?.body ?? new Uint8Array())).toEqual(whole.filter((_, i) => !isGone(i)));
    for (const { key, body } of after) {
      const text = Buffer.from(body).toString('utf8');
      const decoded = text.replace(/"data":"([^"]+)"/g, (_, data: string) => Buffer.from(data, 'base64').toString());
      if (!key.startsWith('capture/')) expect([key, decoded.includes('u-17')]).toEqual([key, false]);
    }
    const of = (prefix: string) =>
      after.filter(({ key }) => key.startsWith(prefix)).map(({ body }) => Buffer.from(body).toString());
    expect(of('capture-redriven/')).toEqual([lineOf('u-2')]);
    expect(of('profiles/')).toEqual(['counts']);
    expect(of('aws/lambda/')).toHaveLength(1);
  });

  it('finds what lands later, until the request ends', async () => {
    const late = keys.capture(Date.now(), 'p', '9', '9');
    await put(late, await parquetOf([eventOf('u-17'), eventOf('u-3')]));
    const again = await erase('--again', '--json');
    expect(again.code).toBe(0);
    expect((JSON.parse(again.out) as { report: ErasureReport }).report.reached[0]).toMatchObject({ erased: 2 });
    const left = (await versions()).filter(({ key }) => key === late);
    expect(left).toHaveLength(1);
    expect(await rowsIn(left[0]?.body ?? new Uint8Array())).toHaveLength(1);
    expect((await erase('--list')).out).toMatch(/^m {2}2 ids/);
    const audit = await clients.objects<{ readonly action: string; readonly by: string }>(BUCKET, 'audit/');
    expect(audit.map(({ action, by }) => [action, by])).toEqual([
      ['erasure.request', 'ann'],
      ['erasure.done', 'ann'],
      ['erasure.again', 'eraser'],
    ]);
    expect(await readFile(join(folder, 'ids.txt'), 'utf8')).toContain('u-17');
  });
});
