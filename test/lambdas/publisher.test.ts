/** The custom resource: it answers always, in time, with what is wrong. */
import { describe, expect, it } from 'vitest';
import { linesOf } from '../../lambdas/asset-lines.ts';
import { answerBody, type CustomResourceEvent } from '../../lambdas/cloud-formation.ts';
import { logOf } from '../../lambdas/log.ts';
import { type PublisherParts, publisherHandler } from '../../lambdas/publisher/handler.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { listen } from '../adapters/transitions.ts';
import { ManualClock, monitorOf, T0 } from '../pipeline/simulation.ts';
import { bundlesOf, environmentOf } from './bundle.ts';
import { BUCKET, startFakeAws } from './fake-aws.ts';

const context = (ms = 60_000) => {
  const begun = performance.now();
  return { awsRequestId: 'r', getRemainingTimeInMillis: () => ms - (performance.now() - begun) };
};
const line = (model: string, more: Record<string, unknown> = {}): string =>
  JSON.stringify({ monitor: { model, features: monitorOf(model).features, ...more }, baseline: null });

function event(more: Partial<CustomResourceEvent> = {}, properties: Record<string, unknown> = {}): CustomResourceEvent {
  return {
    RequestType: 'Create',
    ResponseURL: 'https://cloudformation.example/signed',
    StackId: 'arn:aws:cloudformation:eu-west-1:111122223333:stack/s/1',
    RequestId: 'q1',
    LogicalResourceId: 'Publication',
    ResourceProperties: {
      ServiceToken: 't',
      AssetBucket: 'assets',
      AssetKey: 'a.ndjson',
      Owner: 'Platform/Publication',
      ...properties,
    },
    ...more,
  };
}

function setUp(lines: readonly string[], more: Partial<PublisherParts> = {}) {
  const store = new MemoryStore();
  const answers: { Status: string; Reason?: string; PhysicalResourceId: string; Data?: Record<string, string> }[] = [];
  const handler = publisherHandler({
    store,
    clock: new ManualClock(T0),
    lines: async function* () {
      yield* lines;
    },
    policyKey: async () => null,
    put: async (_url, body) => void answers.push(JSON.parse(body)),
    log: logOf('publisher', { write: () => undefined }),
    firstWaitMs: 1,
    ...more,
  });
  return { store, answers, handler };
}

describe('the custom resource', () => {
  it('publishes and answers with what it did, under an id of its owner', async () => {
    const { store, answers, handler } = setUp([line('a'), line('b')]);
    await handler(event(), context());
    expect(answers).toEqual([
      {
        Status: 'SUCCESS',
        PhysicalResourceId: 'publication:Platform/Publication',
        StackId: expect.any(String),
        RequestId: 'q1',
        LogicalResourceId: 'Publication',
        Data: { Models: '2', Published: '2', Removed: '0' },
      },
    ]);
    expect(await store.list(keys.monitors())).toHaveLength(2);
  });

  it('invoked again does nothing and answers the same', async () => {
    const { store, answers, handler } = setUp([line('a')]);
    await handler(event(), context());
    const size = store.size;
    await handler(event(), context());
    await handler(
      event({
        RequestType: 'Update',
        PhysicalResourceId: 'publication:Platform/Publication',
        OldResourceProperties: event().ResourceProperties,
      }),
      context(),
    );
    expect(answers.map(({ Status, PhysicalResourceId }) => [Status, PhysicalResourceId])).toEqual(
      Array.from({ length: 3 }, () => ['SUCCESS', 'publication:Platform/Publication']),
    );
    expect(store.size).toBe(size);
  });

  it('removes what it brought when it is deleted, whatever its properties say, and keeps the data', async () => {
    const { store, answers, handler } = setUp([line('a')]);
    await handler(event(), context());
    await handler(
      {
        ...event({ RequestType: 'Delete', PhysicalResourceId: 'publication:Platform/Publication' }),
        ResourceProperties: {},
      },
      context(),
    );
    expect(answers.at(-1)).toMatchObject({ Status: 'SUCCESS', PhysicalResourceId: 'publication:Platform/Publication' });
    expect(await store.list(keys.monitors('a'))).toHaveLength(2);
    expect(await store.list(keys.publications())).toEqual([]);
  });

  it('that never came to be is deleted without touching anything', async () => {
    const { store, answers, handler } = setUp([line('a')]);
    await handler(event(), context());
    for (const id of ['', 'something-else', undefined])
      await handler(event({ RequestType: 'Delete', PhysicalResourceId: id }), context());
    expect(answers.every(({ Status }) => Status === 'SUCCESS')).toBe(true);
    expect(await store.list(keys.monitors('a'))).toHaveLength(1);
  });

  it('is deleted when its bucket is gone', async () => {
    const { answers, handler } = setUp([], {
      store: new Proxy(new MemoryStore(), {
        get: () => async () => {
          throw new Error('get: NoSuchBucket (404)', {
            cause: Object.assign(new Error('x'), { name: 'NoSuchBucket' }),
          });
        },
      }),
    });
    await handler(event({ RequestType: 'Delete', PhysicalResourceId: 'publication:P' }), context());
    expect(answers).toMatchObject([{ Status: 'SUCCESS' }]);
  });
});

describe('an answer', () => {
  it('names everything that is wrong, and fits', async () => {
    const { answers, handler } = setUp(
      Array.from({ length: 200 }, (_, i) => line(`model-${i}`, { task: 'ü'.repeat(60) })),
    );
    await handler(event(), context());
    expect(answers[0]).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringMatching(/^nothing was published:\nmodel-0: task: is not valid/),
    });
    expect(Buffer.byteLength(JSON.stringify(answers[0]))).toBeLessThanOrEqual(4_096);
    expect(answers[0]!.Reason).toMatch(/… and more: see the log$/);
  });

  it('is cut to what CloudFormation takes, whatever the characters', () => {
    for (const reason of ['x'.repeat(10_000), '\u{1f600}'.repeat(5_000), '"\\\n'.repeat(4_000), 'short']) {
      const body = answerBody(event(), { status: 'FAILED', physicalId: 'p', reason });
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(4_096);
      expect((JSON.parse(body) as { Reason: string }).Reason.slice(0, 5)).toBe(reason.slice(0, 5));
    }
  });

  it('is given when properties are missing, when the asset cannot be read, and when the store fails', async () => {
    const missing = setUp([]);
    await missing.handler(event({}, { AssetKey: undefined, Owner: '' }), context());
    expect(missing.answers[0]).toMatchObject({
      Status: 'FAILED',
      Reason: expect.stringContaining('AssetKey: is required'),
    });
    const unread = setUp([], {
      lines: async function* () {
        yield '';
        throw new Error('s3://assets/a.ndjson: AccessDenied');
      },
    });
    await unread.handler(event(), context());
    expect(unread.answers[0]).toMatchObject({ Status: 'FAILED', Reason: 's3://assets/a.ndjson: AccessDenied' });
  });

  it('is given before the time is over, when the work hangs or is too much', async () => {
    const hanging = setUp([], {
      lines: async function* () {
        yield '';
        await new Promise(() => undefined);
      },
    });
    await hanging.handler(event(), context(200));
    expect(hanging.answers[0]).toMatchObject({ Status: 'FAILED', Reason: expect.stringContaining('not enough time') });
    const much = setUp(Array.from({ length: 50 }, (_, i) => line(`m${i}`)));
    let left = 60_000;
    await much.handler(event(), { awsRequestId: 'r', getRemainingTimeInMillis: () => (left -= 1_500) });
    expect(much.answers[0]).toMatchObject({ Status: 'FAILED', Reason: expect.stringMatching(/models are left/) });
    await much.handler(event(), context());
    expect(much.answers[1]).toMatchObject({ Status: 'SUCCESS' });
  });

  it('is sent again when it was not taken', async () => {
    let refusals = 2;
    const taken: string[] = [];
    const { handler } = setUp([line('a')], {
      put: async (_url, body) => {
        if (refusals-- > 0) throw new Error('503');
        taken.push(body);
      },
    });
    await handler(event(), context());
    expect(taken).toHaveLength(1);
  });
});

describe('lines of an asset', () => {
  it('are whole wherever chunks end', async () => {
    const text = '{"a":"ä"}\n\n{"b":"\u{1f600}"}\nlast';
    const bytes = new TextEncoder().encode(text);
    for (let size = 1; size <= bytes.length; size++) {
      const chunks = async function* () {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
      };
      const found: string[] = [];
      for await (const one of linesOf(chunks())) found.push(one);
      expect(found).toEqual(text.split('\n'));
    }
  });
});

describe('the bundle', () => {
  it('publishes an asset of another bucket, and answers to the signed address without a content type', async () => {
    const [aws, bundles, cloudFormation] = await Promise.all([
      startFakeAws(),
      bundlesOf('publisher'),
      listen({ status: 200 }),
    ]);
    try {
      aws.objects.set('assets/a.ndjson', Buffer.from(`${line('a')}\n${line('b')}\n`));
      const handler = await bundles.load<ReturnType<typeof publisherHandler>>('publisher', environmentOf(aws, BUCKET));
      await handler(event({ ResponseURL: `${cloudFormation.url}/signed?x=1` }), context());
      expect(cloudFormation.got).toMatchObject([{ path: '/signed?x=1' }]);
      expect(cloudFormation.got[0]!.headers['content-type'] ?? '').toBe('');
      expect(JSON.parse(cloudFormation.got[0]!.body)).toMatchObject({ Status: 'SUCCESS', Data: { Published: '2' } });
      expect(await aws.store.list(keys.monitors())).toHaveLength(2);
    } finally {
      cloudFormation.close();
      await Promise.all([aws.close(), bundles.remove()]);
    }
  });
});
