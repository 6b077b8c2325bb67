import { createHash, createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RemoteWriteSink } from '../../../lib/adapters/remote-write/remote-write-sink.ts';
import { regionOfWorkspace, sigV4 } from '../../../lib/adapters/remote-write/sigv4.ts';
import { snappyBlock } from '../../../lib/adapters/remote-write/snappy.ts';
import { encodeWriteRequest, labelPairs } from '../../../lib/adapters/remote-write/write-request.ts';
import { type DecodedSeries, decodeWriteRequest, unsnappy } from './decoding.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('the body of a request', () => {
  const up = encodeWriteRequest([{ labels: labelPairs('up', {}), samples: [{ value: 1, time: 1_000 }] }]);

  it('has the bytes of the test vector', () => {
    expect(hex(up)).toBe('0a1e0a0e0a085f5f6e616d655f5f12027570120c09000000000000f03f10e807');
    expect(hex(snappyBlock(up))).toBe(`207c${hex(up)}`);
  });

  it('ends a series with the marker that Prometheus knows, byte for byte', () => {
    const body = encodeWriteRequest([{ labels: labelPairs('up', {}), samples: [{ value: null, time: 1_000 }] }]);
    expect(hex(body)).toContain('09020000000000f07f');
  });

  it('sorts labels, and leaves out empty ones, which are the same as none', () => {
    expect(labelPairs('up', { zone: 'a', Model: 'b', empty: '' })).toEqual([
      ['Model', 'b'],
      ['__name__', 'up'],
      ['zone', 'a'],
    ]);
  });

  it('says what was given, for any series', () => {
    const sample = fc.record({
      value: fc.double({ noNaN: true }),
      time: fc.integer({ min: -(2 ** 45), max: 2 ** 45 }),
    });
    const one = fc.record({
      labels: fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.string({ unit: 'grapheme', minLength: 1 })),
      samples: fc.array(sample, { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 5 }), (given) => {
        const series = given.map(({ labels, samples }) => ({ labels: labelPairs('mlmon_x', labels), samples }));
        const decoded = decodeWriteRequest(unsnappy(snappyBlock(encodeWriteRequest(series))));
        expect(decoded.map(({ labels }) => labels)).toEqual(
          series.map(({ labels }) => labels.map((pair) => [...pair])),
        );
        expect(decoded.map(({ samples }) => samples.map(({ value, time }) => ({ value, time })))).toEqual(
          series.map(({ samples }) => samples),
        );
      }),
    );
  });
});

describe('the snappy block', () => {
  it('unpacks to what was packed, whatever repeats', () => {
    const repeating = fc
      .array(fc.tuple(fc.uint8Array({ maxLength: 90 }), fc.integer({ min: 1, max: 40 })), { maxLength: 12 })
      .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => new Array<Uint8Array>(times).fill(bytes))));
    fc.assert(
      fc.property(fc.oneof(repeating, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        expect(hex(unsnappy(snappyBlock(bytes)))).toBe(hex(bytes));
      }),
    );
  });

  it('takes literals and distances of every length', () => {
    const noise = (length: number, seed: number): Uint8Array => {
      let state = seed;
      return Uint8Array.from({ length }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state >>> 24;
      });
    };
    for (const length of [0, 1, 3, 4, 59, 60, 61, 255, 256, 257, 65_535, 65_536, 65_537, 200_000]) {
      const bytes = noise(length, 7);
      expect(hex(unsnappy(snappyBlock(bytes)))).toBe(hex(bytes));
      const far = Buffer.concat([noise(2_000, 3), bytes, noise(2_000, 3)]);
      expect(hex(unsnappy(snappyBlock(far)))).toBe(hex(far));
    }
  });

  it('makes bodies of many like series small', () => {
    const series = Array.from({ length: 500 }, (_, i) => ({
      labels: labelPairs('mlmon_metric_value', {
        model: 'flight-delay',
        length: '1d',
        feature: `feature_${i}`,
        statistic: 'effect',
      }),
      samples: [{ value: i / 7, time: 1_772_409_600_000 }],
    }));
    const body = encodeWriteRequest(series);
    expect(snappyBlock(body).length).toBeLessThan(body.length / 3);
  });
});

interface Received {
  readonly series: DecodedSeries[];
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly raw: Buffer;
}

describe('the sink', () => {
  let server: Server;
  let url = '';
  let now = 1_772_409_600_000;
  const received: Received[] = [];
  let answers: (readonly [status: number, headers?: Record<string, string>])[] = [];

  beforeEach(async () => {
    received.length = 0;
    answers = [];
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const raw = Buffer.concat(parts);
        received.push({ raw, headers: request.headers, series: decodeWriteRequest(unsnappy(raw)) });
        const [status, headers = {}] = answers.shift() ?? [204];
        response.writeHead(status, headers).end(status < 300 ? '' : 'said the receiver');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/write`;
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  const clock = { now: () => now };
  const sinkOf = (options = {}): RemoteWriteSink => new RemoteWriteSink({ url, clock, firstWaitMs: 1, ...options });
  const sample = (feature: string, value = 1, time?: number) => ({
    name: 'mlmon_feature_drifted',
    labels: { model: 'm', length: '1d', feature },
    value,
    ...(time === undefined ? {} : { time }),
  });
  const names = (at: number): string[] =>
    (received[at]?.series ?? []).map(({ labels }) => Object.fromEntries(labels)['feature'] ?? '');

  it('sends what the protocol demands, stamped now', async () => {
    await sinkOf().set([sample('a', 0.5)]);
    expect(received[0]?.headers).toMatchObject({
      'content-encoding': 'snappy',
      'content-type': 'application/x-protobuf',
      'x-prometheus-remote-write-version': '0.1.0',
    });
    expect(received[0]?.series).toEqual([
      {
        labels: [
          ['__name__', 'mlmon_feature_drifted'],
          ['feature', 'a'],
          ['length', '1d'],
          ['model', 'm'],
        ],
        samples: [{ value: 0.5, stale: false, time: now }],
      },
    ]);
  });

  it('adds the labels of a scrape to every series, also where it ends', async () => {
    const sink = sinkOf({ labels: { job: 'mlmon', instance: 'production', model: 'never' } });
    await sink.set([sample('a')]);
    await sink.forget('m');
    expect(received.map(({ series }) => Object.fromEntries(series[0]!.labels))).toEqual(
      [1, 2].map(() => ({
        ...{ __name__: 'mlmon_feature_drifted', feature: 'a', length: '1d', model: 'm' },
        ...{ job: 'mlmon', instance: 'production' },
      })),
    );
    expect(received[1]?.series[0]?.samples).toMatchObject([{ stale: true }]);
  });

  it('bounds requests by samples and by bytes, and leaves none out', async () => {
    const all = Array.from({ length: 25 }, (_, i) => sample(`f${i}`));
    const sink = sinkOf({ samplesPerRequest: 10 });
    await sink.set(all);
    expect(received.map(({ series }) => series.length)).toEqual([10, 10, 5]);
    expect(sink.counts).toMatchObject({ sent: 25, requests: 3, dropped: 0 });
    received.length = 0;
    await sinkOf({ bytesPerRequest: 400 }).set(all);
    expect(received.every(({ raw }) => unsnappy(raw).length <= 400)).toBe(true);
    expect(received.flatMap((_, i) => names(i))).toEqual(all.map(({ labels }) => labels.feature));
  });

  it('sends the samples of a series in the order of time, over requests and calls that overlap', async () => {
    const sink = sinkOf({ samplesPerRequest: 2 });
    const at = [5, 1, 4, 2, 3, 3];
    await Promise.all([
      sink.set(at.map((minute, i) => sample('a', i, now + minute))),
      sink.set([sample('a', 10, now + 10)]),
      sink.set([sample('a', 11, now + 11)]),
    ]);
    const samples = received.flatMap(({ series }) => series.flatMap((one) => one.samples));
    expect(samples.map(({ time }) => time - now)).toEqual([1, 2, 3, 4, 5, 10, 11]);
    // Of two at one moment the last.
    expect(samples[2]?.value).toBe(5);
  });

  it('counts counters up', async () => {
    const sink = sinkOf();
    await sink.add([sample('a', 2)]);
    now += 60_000;
    await sink.add([sample('a', 3), sample('b', 1)]);
    expect(received[1]?.series.map(({ samples }) => samples[0]?.value)).toEqual([5, 1]);
  });

  it('ends series that a model has no more, of these families alone, and all when it is forgotten', async () => {
    const sink = sinkOf();
    const other = { name: 'mlmon_window_rows', labels: { model: 'm', length: '1d' }, value: 3 };
    await sink.set([sample('a'), sample('b'), other, { ...other, labels: { model: 'n', length: '1d' } }]);
    await sink.retain('m', ['mlmon_feature_drifted'], [sample('b')]);
    expect(names(1)).toEqual(['a']);
    expect(received[1]?.series[0]?.samples).toEqual([{ value: Number.NaN, stale: true, time: now + 1 }]);
    await sink.retain('m', ['mlmon_feature_drifted'], [sample('b')]);
    expect(received).toHaveLength(2);
    await sink.forget('m');
    const ended = received[2]?.series.map(({ labels }) => Object.fromEntries(labels));
    expect(ended?.map((labels) => [labels['__name__'], labels['model']])).toEqual([
      ['mlmon_feature_drifted', 'm'],
      ['mlmon_window_rows', 'm'],
    ]);
    expect(received[2]?.series.every(({ samples }) => samples[0]?.stale)).toBe(true);
  });

  it('ends series that another process sent', async () => {
    await sinkOf().end([sample('gone')]);
    expect(received[0]?.series).toMatchObject([{ samples: [{ stale: true, time: now }] }]);
  });

  it('tries again when the receiver is away or overloaded, with the same bytes', async () => {
    answers = [[503], [429, { 'retry-after': '0' }], [500]];
    const sink = sinkOf();
    await sink.set([sample('a')]);
    expect(received).toHaveLength(4);
    expect(new Set(received.map(({ raw }) => hex(raw))).size).toBe(1);
    expect(sink.counts).toMatchObject({ sent: 1, dropped: 0, failed: 0 });
  });

  it('gives up after the last attempt, says why, and goes on with the next call', async () => {
    answers = [[503], [503]];
    const sink = sinkOf({ attempts: 2 });
    await expect(sink.set([sample('a')])).rejects.toMatchObject({
      name: 'TransientError',
      message: expect.stringContaining('answered 503: said the receiver; 2 attempts') as string,
    });
    expect(sink.counts).toMatchObject({ failed: 1, sent: 0 });
    await sink.set([sample('a')]);
    expect(sink.counts).toMatchObject({ failed: 1, sent: 1 });
  });

  it('gives up a receiver that cannot be reached at all', async () => {
    const sink = new RemoteWriteSink({ url: 'http://127.0.0.1:9/x', clock, attempts: 2, firstWaitMs: 1 });
    await expect(sink.set([sample('a')])).rejects.toMatchObject({ name: 'TransientError' });
  });

  it('drops and counts what is refused, without trying again', async () => {
    answers = [[400]];
    const sink = sinkOf({ samplesPerRequest: 2 });
    await sink.set([sample('a'), sample('b'), sample('c')]);
    expect(received).toHaveLength(2);
    expect(sink.counts).toMatchObject({ dropped: 2, sent: 1, failed: 0 });
    expect(sink.lastFailure).toBe('answered 400: said the receiver');
  });

  it('signs every attempt, as the specification says', async () => {
    answers = [[500]];
    const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret', sessionToken: 'token' };
    const signer = sigV4({ service: 'aps', region: 'eu-west-1', credentials: async () => credentials });
    await sinkOf({ signer }).set([sample('a')]);
    expect(received).toHaveLength(2);
    for (const { headers, raw } of received) {
      const told = String(headers['authorization']);
      const [, day = '', signedHeaders = '', signature = ''] =
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/(\d{8})\/eu-west-1\/aps\/aws4_request, SignedHeaders=(\S+), Signature=([0-9a-f]{64})$/.exec(
          told,
        ) ?? [];
      // The algorithm once more, from the specification's text.
      const canonical = [
        'POST',
        '/api/v1/write',
        '',
        ...signedHeaders.split(';').map((name) => `${name}:${String(headers[name])}`),
        '',
        signedHeaders,
        createHash('sha256').update(raw).digest('hex'),
      ].join('\n');
      const scope = `${day}/eu-west-1/aps/aws4_request`;
      const toSign = [
        'AWS4-HMAC-SHA256',
        String(headers['x-amz-date']),
        scope,
        createHash('sha256').update(canonical).digest('hex'),
      ].join('\n');
      const key = [day, 'eu-west-1', 'aps', 'aws4_request'].reduce<Buffer>(
        (secret, part) => createHmac('sha256', secret).update(part).digest(),
        Buffer.from('AWS4secret'),
      );
      expect(signature).toBe(createHmac('sha256', key).update(toSign).digest('hex'));
      expect(signedHeaders.split(';')).toEqual(expect.arrayContaining(['host', 'x-amz-date', 'x-amz-security-token']));
    }
  });
});

it('reads the region of a workspace from its address', () => {
  expect(regionOfWorkspace('https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-1/api/v1/remote_write')).toBe(
    'eu-west-1',
  );
  expect(regionOfWorkspace('http://127.0.0.1:9090/api/v1/write')).toBeNull();
});
