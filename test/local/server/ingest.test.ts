import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { cloudEvent, inference, lines, type Rig, type RigOptions, startRig } from './harness.ts';

const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
const BATCHED = { 'content-type': 'application/cloudevents-batch+json; charset=utf-8' };
const JSON_TYPE = { 'content-type': 'application/json' };

let rig: Rig;
afterEach(() => rig.close());

async function start(options?: RigOptions): Promise<Rig> {
  rig = await startRig(options);
  return rig;
}

describe('POST /v1/events', () => {
  it('takes a structured event and answers after it is durable', async () => {
    const { ask, log } = await start();
    const answer = await ask('POST', '/v1/events', {
      headers: STRUCTURED,
      body: JSON.stringify(cloudEvent(inference())),
    });
    expect([answer.status, answer.json()]).toEqual([202, { accepted: 1, quarantined: 0, reasons: [] }]);
    expect(await lines(log)).toEqual([{ arrival: '2001-02-10T12:00:00.000Z', source: '/svc', ...inference() }]);
  });

  it('takes an array as data, and a batch', async () => {
    const { ask, log } = await start();
    const many = await ask('POST', '/v1/events', {
      headers: STRUCTURED,
      body: JSON.stringify(cloudEvent([inference({ id: 'a' }), inference({ id: 'b' })]), null, 2),
    });
    expect(many.json().accepted).toBe(2);
    const batch = await ask('POST', '/v1/events', {
      headers: BATCHED,
      body: JSON.stringify([
        cloudEvent(inference({ id: 'c' })),
        cloudEvent({ id: 'c', model: 'flights', truth: 'late' }, { type: 'ml.label.v1', time: '2001-02-10T11:00:00Z' }),
      ]),
    });
    expect(batch.json().accepted).toBe(2);
    expect((await ask('POST', '/v1/events', { headers: BATCHED, body: '[]' })).json()).toEqual({
      accepted: 0,
      quarantined: 0,
      reasons: [],
    });
    expect((await lines(log)).map(({ id, type }) => [id, type])).toEqual([
      ['a', 'inference'],
      ['b', 'inference'],
      ['c', 'inference'],
      ['c', 'label'],
    ]);
  });

  it('takes binary mode, with coded headers', async () => {
    const { ask, log } = await start();
    const headers = {
      ...JSON_TYPE,
      'ce-specversion': '1.0',
      'ce-id': 'e%C3%A9',
      'ce-source': '"/a \\"b\\""',
      'ce-type': 'ml.inference.v1',
      'ce-time': '2001-02-10T10:00:00Z',
    };
    const answer = await ask('POST', '/v1/events', { headers, body: '{"model":"flights","version":"1"}' });
    expect(answer.status).toBe(202);
    expect((await lines(log))[0]).toMatchObject({
      id: 'eé',
      source: '/a "b"',
      time: '2001-02-10T10:00:00Z',
      type: 'inference',
    });
  });

  it('takes gzip and chunked bodies', async () => {
    const { ask } = await start();
    const body = gzipSync(JSON.stringify(cloudEvent(inference())));
    expect(
      (await ask('POST', '/v1/events', { headers: { ...STRUCTURED, 'content-encoding': 'gzip' }, body })).json()
        .accepted,
    ).toBe(1);
    const chunked = { ...STRUCTURED, 'transfer-encoding': 'chunked' };
    expect(
      (await ask('POST', '/v1/events', { headers: chunked, body: JSON.stringify(cloudEvent(inference())) })).json()
        .accepted,
    ).toBe(1);
    const bomb = gzipSync(Buffer.alloc(30_000_000, 32));
    expect(
      (await ask('POST', '/v1/events', { headers: { ...STRUCTURED, 'content-encoding': 'gzip' }, body: bomb })).status,
    ).toBe(413);
    expect(
      (await ask('POST', '/v1/events', { headers: { ...STRUCTURED, 'content-encoding': 'br' }, body: 'x' })).status,
    ).toBe(415);
  });

  it('answers 202 with reasons when only some are bad, and they are kept', async () => {
    const { ask, quarantined } = await start();
    const answer = await ask('POST', '/v1/events', {
      headers: BATCHED,
      body: `[${JSON.stringify(cloudEvent(inference()))},{oops},${JSON.stringify(cloudEvent(inference({ model: 'nobody' })))}]`,
    });
    expect(answer.status).toBe(202);
    expect(answer.json()).toMatchObject({
      accepted: 1,
      quarantined: 2,
      reasons: [
        { index: 1, reason: 'json' },
        { index: 2, reason: 'unknown-model', detail: 'no monitor declares nobody' },
      ],
    });
    expect(quarantined.map(({ reason }) => reason)).toEqual(['json', 'unknown-model']);
  });

  it.each([
    ['truncated', STRUCTURED, '{"specversion":"1.0","id":"1","source":"s","type":"ml.inference.v1","data":{"id":', 400],
    ['empty', STRUCTURED, '', 400],
    ['not an array', BATCHED, '{}', 400],
    ['no CloudEvent', JSON_TYPE, '{"id":"1"}', 400],
    ['not UTF-8', STRUCTURED, Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 400],
    ['another format', { 'content-type': 'application/cloudevents+xml' }, '<x/>', 415],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'a=b', 415],
    ['plain text', { 'content-type': 'text/plain' }, '{}', 415],
    ['no content type', {}, '{}', 415],
  ] as const)('refuses what is %s', async (_name, headers, body, status) => {
    const { ask, log } = await start();
    const answer = await ask('POST', '/v1/events', { headers: { ...headers }, body });
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.json()).toMatchObject({
      status,
      type: expect.stringMatching(/^urn:mlmon:/),
      detail: expect.any(String),
    });
    expect(await lines(log)).toEqual([]);
  });

  it('refuses bodies beyond 8 MiB, announced or not', async () => {
    const { ask, port } = await start();
    const announced = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(
          `POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cloudevents+json\r\nContent-Length: 9000000\r\n\r\n`,
        ),
      );
      socket.once('data', (data) => {
        resolve(data.toString());
        socket.destroy();
      });
    });
    expect(announced).toMatch(/^HTTP\/1.1 413 /);
    expect(announced).toMatch(/connection: close/i);
    const streamed = await new Promise<string>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(
          `POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cloudevents+json\r\nTransfer-Encoding: chunked\r\n\r\n`,
        );
        const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(1_048_576, 32), Buffer.from('\r\n')]);
        for (let i = 0; i < 9; i++) socket.write(chunk);
      });
      socket.on('error', () => undefined);
      socket.once('data', (data) => {
        resolve(data.toString());
        socket.destroy();
      });
    });
    expect(streamed).toMatch(/^HTTP\/1.1 413 /);
    expect((await ask('GET', '/healthz')).status).toBe(200);
  });

  it('takes the poison of one request and stays alive', async () => {
    const { ask } = await start();
    const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
    for (const body of [
      JSON.stringify(cloudEvent(inference())).replace('740', deep),
      JSON.stringify(cloudEvent([])).replace('[]', deep),
      deep,
      `{"data":${deep},"specversion":"1.0","id":"1","source":"s","type":"ml.inference.v1"}`,
      JSON.stringify(cloudEvent(inference())).replace('"numeric"', '"__proto__":{"x":1},"numeric"'),
      JSON.stringify(cloudEvent(inference({ categorical: { c: 'x'.repeat(1_100_000) } }))),
    ]) {
      const answer = await ask('POST', '/v1/events', { headers: STRUCTURED, body });
      expect([202, 400]).toContain(answer.status);
      if (answer.status === 202) expect(answer.json()).toMatchObject({ accepted: 0, quarantined: 1 });
    }
    expect(
      (await ask('POST', '/v1/events', { headers: STRUCTURED, body: JSON.stringify(cloudEvent(inference())) })).json()
        .accepted,
    ).toBe(1);
  });

  it('turns requests away when too much is under way', async () => {
    const { ask } = await start({ collector: { bytesInFlight: 0 } });
    const answer = await ask('POST', '/v1/events', { headers: STRUCTURED, body: '{}' });
    expect([answer.status, answer.headers['retry-after']]).toEqual([429, '1']);
    expect(rig.collector.counters.shed.queue_full).toBe(1);
  });

  it('answers 503 when nothing can be made durable', async () => {
    const log = {
      append: async () => {
        throw new Error('no space left on the device');
      },
    };
    const { ask } = await start({ collector: { log: log as never } });
    const answer = await ask('POST', '/v1/events', {
      headers: STRUCTURED,
      body: JSON.stringify(cloudEvent(inference())),
    });
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '5']);
    expect(answer.json().detail).toContain('no space left on the device');
  });

  it('keeps pipelined requests apart and in order', async () => {
    const { port, log } = await start();
    const one = (id: string): string => {
      const body = JSON.stringify(cloudEvent(id === 'bad' ? 5 : inference({ id })));
      return `POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/cloudevents+json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    };
    const text = await new Promise<string>((resolve) => {
      let received = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(one('a') + one('bad') + one('b')));
      socket.on('data', (data) => {
        received += data.toString();
        if (received.split('HTTP/1.1 ').length === 4 && received.endsWith('\n')) {
          resolve(received);
          socket.destroy();
        }
      });
    });
    expect([...text.matchAll(/"accepted":(\d)/g)].map(([, n]) => n)).toEqual(['1', '0', '1']);
    expect((await lines(log)).map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('moves the clock of a replay before it takes the events, and of no other platform', async () => {
    const headers = { ...STRUCTURED, 'mlmon-replay-clock': '2001-03-01T00:00:00.000Z' };
    const body = JSON.stringify(cloudEvent(inference({ time: '2001-02-28T23:59:00.000Z' })));
    await start();
    expect((await rig.ask('POST', '/v1/events', { headers, body })).json().reasons[0].reason).toBe('future');
    await rig.close();
    await start({ advance: true });
    expect((await rig.ask('POST', '/v1/events', { headers, body })).json().accepted).toBe(1);
    expect((await lines(rig.log))[0]?.['arrival']).toBe('2001-03-01T00:00:00.000Z');
  });
});

describe('POST /v1/labels', () => {
  it('takes one or many plain labels', async () => {
    const { ask, log } = await start();
    const label = { id: 'f-1', model: 'flights', truth: 'late' };
    expect((await ask('POST', '/v1/labels', { headers: JSON_TYPE, body: JSON.stringify(label) })).json().accepted).toBe(
      1,
    );
    const many = await ask('POST', '/v1/labels', {
      headers: JSON_TYPE,
      body: JSON.stringify([{ ...label, time: '2001-02-10T11:00:00Z' }, { id: 'x' }, { ...label, truth: 1 }]),
    });
    expect(many.json()).toMatchObject({ accepted: 2, quarantined: 1, reasons: [{ index: 1 }] });
    expect((await lines(log)).map(({ type, time, truth }) => [type, time, truth])).toEqual([
      ['label', '2001-02-10T12:00:00.000Z', 'late'],
      ['label', '2001-02-10T11:00:00Z', 'late'],
      ['label', '2001-02-10T12:00:00.000Z', 1],
    ]);
  });

  it('takes CloudEvents of labels and nothing else', async () => {
    const { ask } = await start();
    const body = JSON.stringify([
      cloudEvent({ id: '1', model: 'flights', truth: 'x' }, { type: 'ml.label.v1', time: '2001-02-10T11:00:00Z' }),
      cloudEvent(inference()),
    ]);
    expect((await ask('POST', '/v1/labels', { headers: BATCHED, body })).json()).toMatchObject({
      accepted: 1,
      reasons: [{ reason: 'scope' }],
    });
  });
});
