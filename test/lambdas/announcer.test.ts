/** The announcer: its handler with injected parts. */
import { beforeAll, describe, expect, it } from 'vitest';
import { announcerHandler } from '../../lambdas/announcer/handler.ts';
import { logOf } from '../../lambdas/log.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import type { PublishedBaseline } from '../../lib/contracts/baseline.ts';
import { keys } from '../../lib/contracts/object-keys.ts';
import { OUTGOING_TYPES, type OutgoingEvent } from '../../lib/contracts/outgoing-events.ts';
import { encodeJson } from '../../lib/pipeline/json-object.ts';
import type { ObjectStore } from '../../lib/pipeline/ports.ts';

const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 };
const AT = '2026-03-01T10:00:00Z';
const BASELINE: PublishedBaseline = {
  n: 1,
  version: '1',
  effectiveFrom: AT,
  approved: { by: 'ann', at: AT },
  baseline: {
    schema: 'mlmon.baseline/v1',
    model: 'churn',
    version: '1',
    source: { kind: 'file', name: 'r.csv', from: null, to: null },
    rows: 5,
    window: null,
    columns: [],
    volume: null,
    performance: null,
    findings: [],
  },
};
const key = (model: string): string => keys.baseline(model, '1', 1);
const message = (messageId: string, object: string) => ({
  messageId,
  body: JSON.stringify({ time: AT, detail: { bucket: { name: 'store' }, object: { key: object } } }),
});

async function setUp(store: Pick<ObjectStore, 'get'>, refuses = false) {
  const put: OutgoingEvent[] = [];
  const lines: string[] = [];
  const handler = announcerHandler({
    store,
    bus: {
      put: async (events) => {
        if (refuses) throw new Error('AccessDenied');
        put.push(...events);
      },
    },
    ...{ bucket: 'store', environment: 'production' },
    log: logOf('announcer', { write: (line) => void lines.push(line) }),
  });
  return { handler, put, lines };
}

describe('announcer', () => {
  const store = new MemoryStore();
  beforeAll(async () => {
    await store.putIfAbsent(key('churn'), encodeJson(BASELINE));
    await store.putIfAbsent(key('broken'), new TextEncoder().encode('{'));
  });

  it('tells of what was written, and lets a message alone that cannot be told of', async () => {
    const { handler, put, lines } = await setUp(store);
    const Records = [message('1', key('churn')), message('2', key('broken')), { messageId: '3', body: '{}' }];
    expect(await handler({ Records }, context)).toEqual({
      batchItemFailures: [{ itemIdentifier: '2' }, { itemIdentifier: '3' }],
    });
    expect(put).toMatchObject([
      { id: key('churn'), type: OUTGOING_TYPES.baselineApproved, dataref: `s3://store/${key('churn')}` },
    ]);
    expect(lines.join('')).not.toContain('"ann"');
  });

  it('puts the same event again for the same object', async () => {
    const { handler, put } = await setUp(store);
    for (const messageId of ['1', '2']) await handler({ Records: [message(messageId, key('churn'))] }, context);
    expect(put).toHaveLength(2);
    expect(put[0]).toEqual(put[1]);
  });

  it('is done with an object that is gone or that nobody is told of', async () => {
    const { handler, put } = await setUp(store);
    const Records = [message('1', key('gone')), message('2', 'results-of-others')];
    expect(await handler({ Records }, context)).toEqual({ batchItemFailures: [] });
    expect(put).toEqual([]);
  });

  it('gives every message back that the bus did not take', async () => {
    const { handler } = await setUp(store, true);
    expect(await handler({ Records: [message('1', key('churn')), message('2', key('broken'))] }, context)).toEqual({
      batchItemFailures: [{ itemIdentifier: '2' }, { itemIdentifier: '1' }],
    });
  });
});
