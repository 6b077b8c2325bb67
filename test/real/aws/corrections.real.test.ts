/** The emulator itself: does it do what AWS documents, where the deployment depends on it and ministack alone does otherwise? */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetQueryResultsCommand, StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endAll, eventually } from '../programs.ts';
import { Clients, type Outputs, readOutputs, requestTo } from './deployment.ts';
import { Emulator } from './emulator.ts';

const T0 = Date.UTC(2001, 2, 1, 12);
const MINUTE = 60_000;

let folder: string;
let emulator: Emulator;
let clients: Clients;
let out: Outputs;
const bucket = (): string => out['Bucket'] ?? '';
const put = (...records: object[]): Promise<void> =>
  clients.put(
    out['Stream'] ?? '',
    records.map((record) => ({ key: 'k', data: JSON.stringify(record) })),
  );
const seen = async (what: string): Promise<number> => (await clients.keys(bucket(), `seen/${what}/`)).length;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'corrections-'));
  emulator = await Emulator.start();
  clients = new Clients(emulator);
  const app = ['--app', 'npx tsx test/real/aws/corrections/app.ts', '--output', join(folder, 'cdk.out')];
  for (const argv of [
    ['bootstrap', 'aws://000000000000/us-east-1', ...app],
    ['deploy', ...app, ...['--require-approval', 'never', '--outputs-file', join(folder, 'out.json')]],
  ]) {
    const ran = await emulator.cdk(argv);
    expect([argv[0], ran.code, ran.code === 0 ? '' : ran.err]).toEqual([argv[0], 0, '']);
  }
  out = (await readOutputs(join(folder, 'out.json')))['Corrections'] ?? {};
  await emulator.clock(T0);
});
afterAll(async () => {
  clients?.destroy();
  await emulator?.stop();
  endAll();
  await rm(folder, { recursive: true, force: true });
});

describe.sequential('the emulator', () => {
  it('names the types that are only shells', async () => {
    expect((await emulator.state()).stubs).toEqual([
      { type: 'AWS::APS::Workspace', logicalId: 'Prometheus', stack: 'Corrections' },
    ]);
  });

  it('waits for the batching window, by its own clock, which functions and records share', async () => {
    await put({ id: 'first', do: 'ok' });
    await emulator.tick('none');
    expect(await seen('record/first')).toBe(0);
    await emulator.clock(T0 + MINUTE);
    await emulator.settled();
    const [one] = await clients.objects<{ now: string; record: { kinesis: { approximateArrivalTimestamp: number } } }>(
      bucket(),
      'seen/record/first/',
    );
    expect(one?.now).toMatch(/^2001-03-01T12:01:/);
    expect(one?.record.kinesis.approximateArrivalTimestamp).toBeCloseTo(T0 / 1000, -1);
  });

  it('goes back to the first failure of a batch, splits, gives up after its retries, and keeps the whole invocation record', async () => {
    await put({ id: 'a', do: 'ok' }, { id: 'b', do: 'fail' }, { id: 'c', do: 'ok' });
    await emulator.flush();
    // b: in the batch, then at its head, then alone: once and two retries.
    expect([await seen('record/a'), await seen('record/b'), await seen('record/c')]).toEqual([1, 5, 1]);
    const [given] = await clients.keys(bucket(), 'aws/lambda/');
    expect(given).toMatch(
      /^aws\/lambda\/[0-9a-f-]{36}\/shardId-000000000000\/2001\/03\/01\/2001-03-01T12\.01\.\d\d-[0-9a-f-]{36}$/,
    );
    const record = await clients.json<{ payload: string; KinesisBatchInfo: object; requestContext: object }>(
      bucket(),
      given ?? '',
    );
    expect(record).toMatchObject({
      requestContext: { condition: 'RetryAttemptsExhausted', approximateInvokeCount: 3 },
      KinesisBatchInfo: { batchSize: 1, shardId: 'shardId-000000000000' },
    });
    const { Records } = JSON.parse(record.payload) as { Records: { kinesis: { data: string } }[] };
    expect(Records.map(({ kinesis }) => JSON.parse(Buffer.from(kinesis.data, 'base64').toString()).id)).toEqual(['b']);
    // The notification of that object reached a function.
    await eventually(
      () => seen('s3'),
      (n) => n === 1,
    );
  });

  it('splits a batch that throws until the bad record is alone', async () => {
    await put(...['d', 'e', 'f', 'g'].map((id) => ({ id, do: id === 'f' ? 'throw' : 'ok' })));
    await emulator.flush();
    expect((await clients.keys(bucket(), 'aws/lambda/')).length).toBe(2);
    expect([await seen('record/d'), await seen('record/g')]).toEqual([2, 1]);
  });

  it('makes metrics of log lines, and an alarm of the dimensions it watches that needs two periods of three', async () => {
    const state = async (): Promise<string[]> => Object.values((await emulator.state()).alarms);
    const minute = async (at: number, record: object): Promise<void> => {
      await emulator.clock(T0 + at * MINUTE);
      await put({ id: `m${at}`, do: 'ok', ...record });
      await emulator.flush();
      await emulator.tick('none');
    };
    await minute(10, { kind: 'other', bad: 9 });
    await minute(11, { kind: 'other', bad: 9 });
    expect(await state()).toEqual(['OK']);
    await minute(12, { kind: 'watched', bad: 9 });
    expect(await state()).toEqual(['OK']);
    await minute(13, { kind: 'watched', bad: 9 });
    expect(await state()).toEqual(['ALARM']);
    // Silence is not breaching.
    await emulator.clock(T0 + 17 * MINUTE);
    await emulator.tick('none');
    expect(await state()).toEqual(['OK']);
    await emulator.settled();
    const said = await clients.objects<{ event: { Records: { Sns: { Message: string } }[] } }>(bucket(), 'seen/sns/');
    expect(said.map(({ event }) => JSON.parse(event.Records[0]?.Sns.Message ?? '{}').NewStateValue).sort()).toEqual([
      'ALARM',
      'OK',
    ]);
  });

  it('fires schedules by its clock, and answers at the address of a function on the Node.js of the functions', async () => {
    expect((await emulator.tick()).length).toBe(1);
    expect(await emulator.tick()).toEqual([]);
    await emulator.clock(T0 + 23 * MINUTE);
    expect((await emulator.tick()).length).toBe(1);
    expect(await seen('schedule')).toBe(2);
    const answer = await requestTo(emulator, out['Url'] ?? '', {
      headers: { authorization: 'AWS4-HMAC-SHA256 Credential=000000000000/20010301/us-east-1/lambda/aws4_request' },
    });
    expect([answer.status, answer.body]).toEqual([200, expect.stringMatching(/^2001-03-01T12:23:/)]);
    const [one] = await clients.objects<{ node: string }>(bucket(), 'seen/url/');
    expect(one?.node).toMatch(/^v24\./);
  });

  it('delivers Parquet by the schema and the hour of arrival, and refuses whole records', async () => {
    await emulator.clock(Date.UTC(2001, 2, 1, 14, 59));
    await clients.put(out['Stream'] ?? '', [
      { key: 'k', data: '{"id":"p1","kind":"x","bad":1.5,"more":{"A.b":2}}\n{"id":"p2","kind":7}\n' },
      { key: 'k', data: '{"id":"p3"}\n{"id":"p4","bad":"much"}\n' },
    ]);
    await emulator.clock(Date.UTC(2001, 2, 1, 15, 1));
    await emulator.tick('none');
    const parquet = await clients.keys(bucket(), 'capture/dt=2001-03-01/hr=14/');
    expect(parquet.length).toBe(1);
    expect((await clients.keys(bucket(), 'capture-errors/format-conversion-failed/')).length).toBe(1);
    const { QueryExecutionId } = await clients.athena.send(
      new StartQueryExecutionCommand({
        QueryString: `SELECT id, kind, element_at(more, 'A.b') AS more, to_unixtime(from_iso8601_timestamp('2001-03-01T01:00:00+01:00')) AS at FROM corrections.records WHERE dt = '2001-03-01' AND hr = '14' AND id LIKE 'p%' ORDER BY id`,
        WorkGroup: 'corrections',
      }),
    );
    const answer = await eventually(
      () => clients.athena.send(new GetQueryResultsCommand({ QueryExecutionId })),
      () => true,
      20_000,
    );
    expect(answer.ResultSet?.Rows?.slice(1).map(({ Data }) => Data?.map(({ VarCharValue }) => VarCharValue))).toEqual([
      ['p1', 'x', '2.0', '983404800.0'],
      ['p2', '7', undefined, '983404800.0'],
    ]);
  });
});
