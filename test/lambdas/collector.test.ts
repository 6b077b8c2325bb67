/** The collector as it is deployed: its bundle, on a store and a stream behind HTTP. */
import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { HttpAnswer, HttpEvent } from '../../lambdas/http-event.ts';
import { type MonitorInput, parseMonitor } from '../../lib/contracts/monitor.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { type ReadEvent, readRecord } from '../../lib/engine/event-reader.ts';
import { publishMonitor } from '../../lib/pipeline/publisher.ts';
import { readQuarantine } from '../../lib/pipeline/quarantine.ts';
import { type Bundles, bundlesOf, environmentOf } from './bundle.ts';
import { BUCKET, type FakeAws, startFakeAws } from './fake-aws.ts';

type Handler = (event: HttpEvent) => Promise<HttpAnswer>;

const ROLE = 'arn:aws:iam::111122223333:role/team/scoring';
const CALLER = 'arn:aws:sts::111122223333:assumed-role/scoring/i-0123';
const POLICY_KEY = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:policy';
const PATH_SECRET = 'arn:aws:secretsmanager:eu-west-1:111122223333:secret:kserve';
const SEGMENT = 'current-0123456789abcdef0123';
const PREVIOUS = 'previous-0123456789abcdef012';
const HEX = '5a'.repeat(32);

const MONITORS: readonly MonitorInput[] = [
  {
    model: 'flights',
    features: { distance: { type: 'numeric' }, customer: { type: 'categorical', policy: 'hash' } },
    kserve: { output: 'score' },
  },
  { model: 'churn', features: { age: { type: 'numeric' } } },
];
const BINDINGS = {
  [ROLE]: { events: ['flights'], labels: [] },
  'arn:aws:iam::111122223333:role/labels-*': { events: [], labels: ['*'] },
  'arn:aws:iam::111122223333:role/idle': { events: [], labels: [] },
};

let bundles: Bundles;
let aws: FakeAws;
let handler: Handler;

beforeAll(async () => {
  bundles = await bundlesOf('collector');
  aws = await startFakeAws();
  aws.secrets.set(POLICY_KEY, JSON.stringify({ version: 'k1', key: HEX }));
  aws.secrets.set(PATH_SECRET, JSON.stringify({ current: SEGMENT, previous: PREVIOUS }));
  const clock = { now: () => Date.now() };
  for (const input of MONITORS) {
    const { monitor, problems } = parseMonitor(input);
    if (monitor === null) throw new Error(JSON.stringify(problems));
    await publishMonitor({ store: aws.store, clock }, monitor, { by: 'test', effectiveFrom: 0 });
  }
  await aws.store.putIfAbsent(keys.bindings(), Buffer.from(JSON.stringify(BINDINGS)));
  handler = await bundles.load<Handler>('collector', {
    ...environmentOf(aws, BUCKET),
    LOG_LEVEL: 'debug',
    MLMON_AUTH: 'iam',
    MLMON_POLICY_KEY_SECRET_ARN: POLICY_KEY,
    MLMON_KSERVE_SECRET_ARN: PATH_SECRET,
  });
});
afterAll(async () => {
  await aws.close();
  await bundles.remove();
});
beforeEach(() => {
  aws.records.length = 0;
  aws.refuse = null;
  aws.down = false;
});

const TIME = '2026-01-05T10:00:00.000Z';
const event = (more: object = {}): Record<string, unknown> => ({
  id: 'f-1',
  type: 'inference',
  model: 'flights',
  version: '3',
  time: TIME,
  numeric: { distance: 740 },
  ...more,
});
const cloudEvent = (data: unknown, more: object = {}): object => ({
  specversion: '1.0',
  id: 'e-1',
  source: '/svc',
  type: 'ml.inference.v1',
  ...more,
  data,
});

/** What the function wrote to its log. */
const logged: string[] = [];

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly caller?: string | null;
  readonly stage?: string;
}

async function ask({ path = '/v1/events', method = 'POST', headers, body = '', caller = CALLER, stage }: Asked) {
  const { write } = process.stdout;
  process.stdout.write = ((line: string) => logged.push(line) > 0) as typeof write;
  const answer = await handler({
    rawPath: path,
    headers: { 'content-type': 'application/cloudevents+json', ...headers },
    requestContext: {
      requestId: 'r-1',
      stage: stage ?? '$default',
      http: { method },
      ...(caller === null ? {} : { authorizer: { iam: { userArn: caller } } }),
    },
    body: typeof body === 'string' ? body : body.toString('base64'),
    isBase64Encoded: typeof body !== 'string',
  }).finally(() => {
    process.stdout.write = write;
  });
  return { ...answer, json: JSON.parse(answer.body) as Record<string, unknown> };
}

function taken(): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (const { data } of aws.records)
    readRecord(
      Buffer.from(data, 'utf8'),
      (one) => events.push(one),
      ({ detail }) => expect.unreachable(detail),
    );
  return events;
}

describe('POST /v1/events', () => {
  it('takes every form of CloudEvents, plain and as base64, compressed or not', async () => {
    const structured = JSON.stringify(cloudEvent(event()));
    const batch = JSON.stringify([
      cloudEvent(event({ id: 'a' })),
      cloudEvent([event({ id: 'b' }), event({ id: 'c' })]),
    ]);
    const binary = {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': 'e-1',
      'ce-source': '/svc/%C3%A9',
      'ce-type': 'ml.inference.v1',
    };
    for (const [headers, body, accepted] of [
      [{}, structured, 1],
      [{}, Buffer.from(structured), 1],
      [{ 'content-encoding': 'gzip' }, gzipSync(structured), 1],
      [{ 'content-type': 'application/cloudevents-batch+json' }, batch, 3],
      [binary, JSON.stringify(event({ id: 'é' })), 1],
    ] as const) {
      aws.records.length = 0;
      const answer = await ask({ headers, body });
      expect([answer.statusCode, answer.json]).toEqual([202, { accepted, quarantined: 0, reasons: [] }]);
      expect(taken().length).toBe(accepted);
    }
    expect(taken()[0]).toMatchObject({ id: 'é', source: '/svc/é', arrivalMs: expect.any(Number) });
    expect(answerOf(await ask({ body: structured, path: '/live/v1/events', stage: 'live' }))).toBe(202);
  });

  it('hashes what the policy hides before it is on the stream', async () => {
    await ask({ body: JSON.stringify(cloudEvent(event({ categorical: { customer: 'Ada' } }))) });
    const hash = createHmac('sha256', Buffer.from(HEX, 'hex')).update('Ada').digest('base64url');
    expect(taken()[0]).toMatchObject({ categorical: { customer: hash }, policyKey: 'k1' });
    expect(aws.records[0]!.data).not.toContain('Ada');
  });

  it('answers what is wrong as a problem document', async () => {
    for (const [asked, status, type] of [
      [{ body: '{}', headers: { 'content-type': 'text/plain' } }, 415, 'content-type'],
      [{ body: '{}', headers: { 'content-type': 'application/json' } }, 400, 'not-a-cloudevent'],
      [{ body: '{', headers: { 'content-type': 'application/cloudevents-batch+json' } }, 400, 'not-a-batch'],
      [{ body: '{"specversion":' }, 400, 'unreadable'],
      [{ body: Buffer.from([0xff, 0xfe]) }, 400, 'utf-8'],
      [{ body: Buffer.from('no gzip'), headers: { 'content-encoding': 'gzip' } }, 400, 'gzip'],
      [{ body: Buffer.from('x'), headers: { 'content-encoding': 'br' } }, 415, 'content-encoding'],
      [{ body: gzipSync(Buffer.alloc(9_000_000, 32)), headers: { 'content-encoding': 'gzip' } }, 413, 'body-too-large'],
      [{ path: '/v1/other' }, 404, 'no-such-path'],
      [{ path: '/' }, 404, 'no-such-path'],
      [{ method: 'GET' }, 405, 'method'],
      [{ caller: null }, 401, 'unauthenticated'],
      [{ caller: 'arn:aws:sts::111122223333:assumed-role/idle/x' }, 403, 'scope'],
      [{ caller: 'arn:aws:sts::999999999999:assumed-role/scoring/x' }, 403, 'scope'],
    ] as const) {
      const answer = await ask(asked as Asked);
      expect([answer.statusCode, answer.headers['content-type'], answer.json['type'], answer.json['status']]).toEqual([
        status,
        'application/problem+json',
        `urn:mlmon:${type}`,
        status,
      ]);
    }
    expect(aws.records).toEqual([]);
  });

  it('takes a body as large as a function gets', async () => {
    const many = Array.from({ length: 30_000 }, (_, i) => event({ id: `f-${i}`, source: 'x'.repeat(60) }));
    const body = JSON.stringify(cloudEvent(many));
    expect(body.length).toBeGreaterThan(5_900_000);
    expect(body.length).toBeLessThan(6_291_456);
    expect((await ask({ body })).json).toEqual({ accepted: 30_000, quarantined: 0, reasons: [] });
    expect(Math.max(...aws.records.map(({ data, key }) => data.length + key.length))).toBeLessThanOrEqual(1_048_576);
    expect(new Set(taken().map(({ id }) => id)).size).toBe(30_000);
  });

  it('answers only what is durable', async () => {
    const body = JSON.stringify(cloudEvent(event()));
    aws.refuse = (() => {
      let refusals = 2;
      return () => refusals-- > 0;
    })();
    expect((await ask({ body })).statusCode).toBe(202);
    expect(taken().length).toBe(1);
    aws.records.length = 0;
    aws.down = true;
    const answer = await ask({ body });
    expect([answer.statusCode, answer.json['type'], answer.headers['retry-after']]).toEqual([
      503,
      'urn:mlmon:not-durable',
      '5',
    ]);
    aws.down = false;
    expect((await ask({ body })).statusCode).toBe(202);
    expect(taken().length).toBe(1);
  });
});

describe('the binding of a sender', () => {
  it('refuses events of other models, one by one, and tells nothing of them', async () => {
    const body = JSON.stringify(
      cloudEvent([event(), event({ model: 'churn' }), event({ model: 'nobody' }), event({ id: 'f-2' })]),
    );
    const answer = await ask({ body });
    const detail = 'the sender is not bound to this model';
    expect([answer.statusCode, answer.json]).toEqual([
      202,
      {
        accepted: 2,
        quarantined: 0,
        reasons: [
          { index: 1, reason: 'scope', detail },
          { index: 2, reason: 'scope', detail },
        ],
      },
    ]);
    expect(taken().map(({ id, model }) => `${model} ${id}`)).toEqual(['flights f-1', 'flights f-2']);
    const other = await ask({ body: JSON.stringify(cloudEvent(event({ model: 'churn' }))) });
    expect([other.statusCode, other.json['type']]).toEqual([403, 'urn:mlmon:scope']);
  });

  it('keeps events and labels apart', async () => {
    const label = { id: 'f-1', model: 'flights', truth: 'late' };
    const plain = {
      path: '/v1/labels',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([label]),
    };
    expect((await ask(plain)).statusCode).toBe(403);
    const caller = 'arn:aws:sts::111122223333:assumed-role/labels-eu/x';
    expect((await ask({ ...plain, caller })).json).toMatchObject({ accepted: 1 });
    expect((await ask({ body: JSON.stringify(cloudEvent(event())), caller })).statusCode).toBe(403);
    expect(taken().map(({ kind }) => kind)).toEqual(['label']);
    const inside = cloudEvent({ ...label, type: 'label' }, { type: 'ml.label.v1' });
    expect((await ask({ body: JSON.stringify(inside) })).json['type']).toBe('urn:mlmon:scope');
  });
});

describe('POST /v1/kserve/<secret>', () => {
  const headers = {
    'content-type': 'application/json',
    'ce-specversion': '1.0',
    'ce-type': 'org.kubeflow.serving.inference.request',
    'ce-id': '6f2b',
    'ce-source': 'pod',
    'ce-time': TIME,
    'ce-inferenceservicename': 'flights',
    'ce-component': 'predictor',
  };
  const body = '{"instances":[{"distance":740,"customer":"Ada"}]}';
  const door = (secret: string, more: Asked = {}) =>
    ask({ path: `/v1/kserve/${secret}`, headers, body, caller: null, ...more });

  it('lets the logger in with either secret, and nobody else', async () => {
    for (const secret of [SEGMENT, PREVIOUS]) {
      const answer = await door(secret);
      expect([answer.statusCode, answer.json]).toEqual([200, { accepted: 1, quarantined: 0, reasons: [] }]);
    }
    const events = taken();
    expect(events.map(({ half }) => half)).toEqual(['request', 'request']);
    expect(events[0]!.categorical?.['customer']).not.toBe('Ada');
    aws.records.length = 0;
    for (const secret of ['', 'guess', `${SEGMENT}x`, SEGMENT.slice(1), `${SEGMENT}/more`, '%zz'])
      expect((await door(secret)).statusCode).toBe(404);
    expect((await door(SEGMENT, { method: 'GET' })).statusCode).toBe(404);
    // With the secret in the path nobody is a sender.
    expect((await ask({ caller: null, path: '/v1/events', headers, body })).statusCode).toBe(401);
    expect(aws.records).toEqual([]);
  });

  it('does not let those who guess drive up calls', async () => {
    const before = aws.calls.filter((call) => call === 'GetSecretValue').length;
    for (let i = 0; i < 50; i++) expect((await door(`guess-${i}-0123456789abcdef`)).statusCode).toBe(404);
    expect(aws.calls.filter((call) => call === 'GetSecretValue').length - before).toBeLessThanOrEqual(1);
  });
});

describe('whatever comes in', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.json({ maxDepth: 4 }),
    fc.constantFrom(
      '',
      'null',
      '[]',
      '[[]]',
      '0',
      '"x"',
      '\ufeff{}',
      '{"specversion":"1.0"',
      `${'['.repeat(100_000)}`,
      `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
      '{"__proto__":{"polluted":true}}',
      JSON.stringify(cloudEvent(event({ numeric: { distance: '1,5', a: 1e308 }, score: null }))).replace(
        '1e+308',
        '1e999',
      ),
      JSON.stringify(cloudEvent(event({ id: '\ud800', predicted: '\u0000' }))),
      JSON.stringify(cloudEvent(event())).replace('"numeric":{', '"numeric":{"__proto__":{"polluted":true},'),
      JSON.stringify(cloudEvent(event())).replace('{"id":"f-1"', '{"id":"f-1","id":"f-2"'),
    ),
  );
  const types = fc.constantFrom(
    'application/cloudevents+json',
    'application/cloudevents-batch+json; charset=utf-8',
    'application/json',
    'application/cloudevents+avro',
    'text/plain',
    '',
  );

  it('is answered, each in its way, and what is on the stream can be read', async () => {
    await fc.assert(
      fc.asyncProperty(
        hostile,
        types,
        fc.constantFrom('/v1/events', '/v1/labels', `/v1/kserve/${SEGMENT}`),
        fc.boolean(),
        fc.boolean(),
        async (text, type, path, encoded, attributes) => {
          const answer = await ask({
            path,
            headers: {
              'content-type': type,
              ...(attributes
                ? { 'ce-specversion': '1.0', 'ce-id': 'x', 'ce-source': 's', 'ce-type': 'ml.inference.v1' }
                : {}),
            },
            body: encoded ? Buffer.from(text, 'utf8') : text,
          });
          expect([200, 202, 400, 403, 413, 415]).toContain(answer.statusCode);
          expect((Object.prototype as Record<string, unknown>)['polluted']).toBeUndefined();
        },
      ),
      { numRuns: 400 },
    );
    taken();
  });

  it('is kept in quarantine with its reason, and without text that a policy may hide', async () => {
    await ask({ body: JSON.stringify(cloudEvent(event({ score: 'Ada' }))) });
    const entries = await readQuarantine(aws.store, { now: Date.now(), days: 1, limit: 1_000 });
    const of = entries.find(({ detail }) => detail === 'score: expected a number');
    expect(of).toMatchObject({ reason: 'schema', partition: 'collector', excerpt: '' });
  });
});

describe('the log', () => {
  it('is lines of JSON with counts and names, and never what was sent', async () => {
    logged.length = 0;
    await ask({ body: JSON.stringify(cloudEvent(event({ categorical: { customer: 'Ada' } }))) });
    await ask({ body: JSON.stringify(cloudEvent([event({ score: 'Ada' }), event({ model: 'churn', id: 'Ada' })])) });
    await ask({ body: 'Ada', headers: { 'content-type': 'application/cloudevents-batch+json' } });
    await ask({ path: '/v1/kserve/Ada-0123456789abcdef0123456', caller: null });
    const lines = logged.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(logged.join('')).not.toContain('Ada');
    expect(
      lines.filter(({ function: name }) => name === 'collector').map(({ message, requestId }) => [message, requestId]),
    ).toEqual([
      ['events taken', 'r-1'],
      ['events of models that the sender is not bound to', 'r-1'],
      ['events taken', 'r-1'],
      ['the request was refused', 'r-1'],
      ['the request was refused', 'r-1'],
    ]);
    const metrics = lines.filter(({ _aws }) => _aws !== undefined);
    expect(
      metrics.map(({ ReceivedEvents, RejectedEvents, Environment }) => [ReceivedEvents, RejectedEvents, Environment]),
    ).toEqual([
      [1, 0, 'test'],
      [0, 1, 'test'],
    ]);
    expect(metrics[0]!['_aws']).toMatchObject({
      CloudWatchMetrics: [{ Namespace: 'MLMonitoring', Dimensions: [['Environment']] }],
    });
  });
});

function answerOf({ statusCode }: { readonly statusCode: number }): number {
  return statusCode;
}
