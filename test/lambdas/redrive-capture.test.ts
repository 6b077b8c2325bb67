import { describe, expect, it } from 'vitest';
import { logOf } from '../../lambdas/log.ts';
import { type RedriveParts, redriveHandler } from '../../lambdas/redrive/handler.ts';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import { keys } from '../../lib/contracts/object-keys.ts';

const AT = Date.parse('2001-02-01T10:20:00Z');
const KEY = `${keys.captureFailures()}dt=2001-02-01/hr=10/stream-1`;
const context = { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 };

describe('redrive of what the capture could not convert', () => {
  it('puts its good lines into the capture, and is no batch that the profiler gave up', async () => {
    const store = new MemoryStore();
    const line = '{"id":"secret-id","type":"label","model":"m","time":"2001-02-01T10:19:00Z","truth":1}';
    const failure = {
      attemptsMade: 1,
      arrivalTimestamp: AT,
      rawData: Buffer.from(`${line}\n{torn`).toString('base64'),
    };
    await store.putIfAbsent(KEY, new TextEncoder().encode(`${JSON.stringify(failure)}\n`));
    const logged: string[] = [];
    const metrics: Record<string, unknown>[] = [];
    const handler = redriveHandler({
      profiler: null as unknown as RedriveParts['profiler'],
      stream: { identity: async () => 'stream' },
      store,
      environment: 'test',
      clock: { now: () => AT },
      log: logOf('redrive', { write: (text) => logged.push(text) }),
      write: (text) => metrics.push(JSON.parse(text) as Record<string, unknown>),
    });
    const event = { Records: [{ s3: { object: { key: KEY } } }] };
    await handler(event, context);
    await handler(event, context);
    const objects = await store.list(keys.allRedriven());
    expect(objects.length).toBe(1);
    expect(new TextDecoder().decode((await store.get(objects[0] ?? ''))?.body)).toContain('secret-id');
    expect(metrics[0]).toMatchObject({ OnFailureObjects: 0, RedriveFailures: 0 });
    expect(JSON.parse(logged[0] ?? '')).toMatchObject({ level: 'warn', records: 1, kept: 1, dropped: 1 });
    expect(logged.join()).not.toContain('secret-id');
  });
});
