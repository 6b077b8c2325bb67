import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENT_LIMITS, eventSchema } from '../../lib/contracts/event.ts';
import {
  isRejection,
  type ReadEvent,
  type Rejection,
  readEvent,
  readLine,
  readRecord,
  recordLine,
} from '../../lib/engine/event-reader.ts';
import { parseTime } from '../../lib/engine/event-time.ts';

const INFERENCE = { id: 'f-1', type: 'inference', model: 'flights', version: '3', time: '2001-02-01T10:05:00.000Z' };
const LABEL = { id: 'f-1', type: 'label', model: 'flights', time: '2001-02-01T13:40:00Z', truth: 'late' };

const times = fc.constantFrom(
  '2001-02-01T10:05:00Z',
  '2001-02-01T10:05:00.123Z',
  '2001-02-01T10:05:00.123456789+05:30',
  '2001-02-01T10:05:00-00:00',
  '2000-02-29T23:59:59.9Z',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '2001-02-29T00:00:00Z',
  '1900-02-29T00:00:00Z',
  '2001-04-31T00:00:00.000Z',
  '2001-02-01T24:00:00Z',
  '2001-02-01T10:05:60Z',
  '2001-02-01 10:05:00Z',
  '2001-02-01T10:05:00',
  '2001-02-01T10:05:00.Z',
  '2001-02-01T10:05:00z',
  '2001-13-01T10:05:00Z',
  '2001-2-01T10:05:00Z',
  '+2001-02-01T10:05:00Z',
  ' 001-02-01T10:05:00Z',
  '2001-02-01T1:05:00.000Z',
  '',
);
const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -0,
    1,
    -1,
    1.5,
    10_000,
    10_001,
    1e308,
    Number.POSITIVE_INFINITY,
    '',
    'a',
    {},
    [],
  ),
  fc.constantFrom(
    'x'.repeat(128),
    'x'.repeat(129),
    'x'.repeat(256),
    'x'.repeat(257),
    'y'.repeat(1_024),
    'y'.repeat(1_025),
  ),
  fc.constantFrom('a-b', '-a', 'a-', 'A', 'a'.repeat(63), 'a'.repeat(64), 'ü', '\ud800', '\u0000'),
);
const names = fc.constantFrom('a', '', 'constructor', 'n'.repeat(128), 'n'.repeat(129), '7', '\ud800');
const maps = (values: fc.Arbitrary<unknown>) =>
  fc.oneof(scalar, fc.dictionary(names, values, { maxKeys: 3, noNullPrototype: true }));

/** Objects that are events but for one or a few of their fields. */
const candidates = fc
  .tuple(
    fc.constantFrom<Record<string, unknown>>(
      INFERENCE,
      LABEL,
      { ...INFERENCE, type: 'request' },
      { ...INFERENCE, type: 'response' },
      { ...INFERENCE, type: 'other' },
      {},
    ),
    fc.record(
      {
        id: scalar,
        type: fc.oneof(scalar, fc.constantFrom('label', 'inference', 'request', 'response')),
        source: scalar,
        model: scalar,
        version: scalar,
        time: fc.oneof(times, scalar),
        arrival: fc.oneof(times, scalar),
        segment: maps(scalar),
        numeric: maps(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null))),
        categorical: maps(fc.oneof(fc.constantFrom('JFK', 'y'.repeat(1_024), 'y'.repeat(1_025)), fc.constant(null))),
        invalid: maps(scalar),
        score: scalar,
        predicted: scalar,
        latency_ms: scalar,
        weight: scalar,
        policy_key: scalar,
        truth: scalar,
        stranger: scalar,
      },
      { requiredKeys: [] },
    ),
    fc.array(fc.nat(17), { maxLength: 3 }),
  )
  .map(([base, fields, kept]) => {
    const keys = Object.keys(fields);
    const few = kept.flatMap((i) => (keys[i] === undefined ? [] : [keys[i]]));
    return { ...base, ...Object.fromEntries(few.map((key) => [key, (fields as Record<string, unknown>)[key]])) };
  });

describe('the hand-written checks', () => {
  it('accept and refuse what the schema does', () => {
    let accepted = 0;
    fc.assert(
      fc.property(candidates, (value) => {
        const bySchema = eventSchema.safeParse(value).success;
        accepted += bySchema ? 1 : 0;
        expect(!isRejection(readEvent(value))).toBe(bySchema);
      }),
      { numRuns: 6_000 },
    );
    expect(accepted).toBeGreaterThan(500);
  });

  it('agree on the times of events, to the millisecond', () => {
    const parts = fc.record({
      ms: fc.integer({ min: Date.parse('0000-01-01T00:00:00Z'), max: Date.parse('9999-12-31T23:59:59Z') }),
      digits: fc.integer({ min: 0, max: 9 }),
      offset: fc.integer({ min: -1_439, max: 1_439 }),
    });
    fc.assert(
      fc.property(parts, ({ ms, digits, offset }) => {
        const local = new Date(ms).toISOString();
        const fraction = `${local.slice(20, 23)}000000`.slice(0, digits);
        const sign = offset < 0 ? '-' : '+';
        const two = (n: number) => String(n).padStart(2, '0');
        const zone = `${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
        for (const end of ['Z', zone]) {
          const text = `${local.slice(0, 19)}${digits === 0 ? '' : `.${fraction}`}${end}`;
          const cut = digits >= 3 ? ms : Math.floor(ms / 10 ** (3 - digits)) * 10 ** (3 - digits);
          expect(parseTime(text)).toBe(cut - (end === 'Z' ? 0 : offset * 60_000));
          const { success } = eventSchema.safeParse({ ...INFERENCE, time: text });
          expect(success).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(times, fc.string({ maxLength: 26 }), fc.nat(25), (text, other, at) => {
        for (const candidate of [text, other, text.slice(0, at) + other.slice(0, 1) + text.slice(at + 1)])
          expect(Number.isNaN(parseTime(candidate))).toBe(
            !eventSchema.safeParse({ ...INFERENCE, time: candidate }).success,
          );
      }),
      { numRuns: 1_500 },
    );
  });

  it('take a feature of the wrong type, where the schema refuses it', () => {
    for (const bad of ['5', true, {}, [], [1]]) {
      const value = { ...INFERENCE, numeric: { a: bad } };
      expect(eventSchema.safeParse(value).success).toBe(false);
      expect(readEvent(value)).toMatchObject({ kind: 'inference', numeric: { a: bad } });
    }
    expect(readEvent({ ...INFERENCE, categorical: { c: 5 } })).toMatchObject({ categorical: { c: 5 } });
  });

  it('count all features of an event together', () => {
    const many = (count: number, prefix: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, null]));
    const full = { ...INFERENCE, numeric: many(1_000, 'n'), categorical: many(1_000, 'c') };
    expect(eventSchema.safeParse(full).success).toBe(true);
    expect(isRejection(readEvent(full))).toBe(false);
    const beyond = { ...full, invalid: { x: 'y' } };
    expect(eventSchema.safeParse(beyond).success).toBe(false);
    expect(readEvent(beyond)).toMatchObject({ reason: 'too-large' });
  });

  it('give every field a place', () => {
    const line = {
      ...INFERENCE,
      source: 'web',
      arrival: '2001-02-01T10:05:01+01:00',
      segment: { carrier: 'AA' },
      numeric: { a: 1, b: null },
      categorical: { c: 'JFK' },
      invalid: { d: 'x' },
      score: 0.5,
      predicted: 'late',
      latency_ms: 0,
      weight: 2.5,
      policy_key: 'k1',
    };
    expect(readLine(JSON.stringify(line))).toEqual({
      kind: 'inference',
      half: null,
      id: 'f-1',
      source: 'web',
      model: 'flights',
      version: '3',
      timeMs: Date.UTC(2001, 1, 1, 10, 5),
      arrivalMs: Date.UTC(2001, 1, 1, 9, 5, 1),
      segment: { carrier: 'AA' },
      numeric: { a: 1, b: null },
      categorical: { c: 'JFK' },
      invalid: { d: 'x' },
      score: 0.5,
      predicted: 'late',
      latencyMs: 0,
      weight: 2.5,
      policyKey: 'k1',
      truth: null,
    });
    expect(readLine(JSON.stringify(LABEL))).toMatchObject({ kind: 'label', version: null, truth: 'late', weight: 1 });
  });

  it('say where, what and what was expected', () => {
    const detail = (extra: object) => (readEvent({ ...INFERENCE, ...extra }) as Rejection).detail;
    expect(detail({ weight: 0 })).toBe('weight: 0 is not valid; expected a number above 0, at most 10000');
    expect(detail({ segment: { carrier: 5 } })).toBe(
      'segment.carrier: 5 is not valid; expected text of at most 1024 characters',
    );
    expect(detail({ numeric: { '': 1 } })).toBe('numeric: a name of 0 characters; expected 1 to 128');
    expect(detail({ version: undefined })).toBe('version: is missing; expected text of 1 to 256 characters');
    expect(detail({ scores: 1 })).toBe('"scores": unknown key');
    expect((readEvent([INFERENCE]) as Rejection).detail).toBe('an array instead of one JSON object a line');
  });
});

describe('a record', () => {
  const line = (id: string) => JSON.stringify({ ...INFERENCE, id });

  function read(data: string | Uint8Array) {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    const events: [string, number][] = [];
    const rejected: [string, number, Uint8Array][] = [];
    readRecord(
      bytes,
      (event: ReadEvent, index) => events.push([event.id, index]),
      ({ reason }, { index, bytes: own }) => rejected.push([reason, index, own]),
    );
    return { events, rejected };
  }

  it('is read line by line: a bad one is reported with its bytes, and the rest goes on', () => {
    const bad = ['{"id":', '', '\ufeff{}', '5', 'null', '[]', '{}', `${line('x')},${line('y')}`, '{"a":"b\tc"}', '   '];
    for (const text of bad) {
      const { events, rejected } = read(`${line('1')}\n${text}\n${line('2')}\n`);
      expect(events).toEqual([
        ['1', 0],
        ['2', 2],
      ]);
      expect(rejected.map(([, index, own]) => [index, Buffer.from(own).toString()])).toEqual([[1, text]]);
    }
  });

  it('ends its last line with or without a line break; an empty one is reported', () => {
    expect(read(line('1')).events).toEqual([['1', 0]]);
    expect(read(`${line('1')}\r\n`).events).toEqual([['1', 0]]);
    for (const empty of ['', '\n']) expect(read(empty).rejected.map(([reason]) => reason)).toEqual(['json']);
  });

  it('does not join lines: half an event a line is no event', () => {
    const [first, second] = [line('1').slice(0, 20), line('1').slice(20)];
    expect(read(`${first}\n${second}`)).toMatchObject({ events: [], rejected: [{}, {}] });
  });

  it('with bytes that are no UTF-8 loses their line only', () => {
    const bytes = Buffer.concat([
      Buffer.from(`${line('1')}\n{"a":"`),
      Buffer.from([0xff]),
      Buffer.from(`"}\n${line('2')}`),
    ]);
    const { events, rejected } = read(bytes);
    expect(events.map(([id]) => id)).toEqual(['1', '2']);
    expect(rejected.map(([reason, index]) => [reason, index])).toEqual([['json', 1]]);
  });

  it('with a line of 10 MiB loses that line only', () => {
    const { events, rejected } = read(`${line('1')}\n"${'x'.repeat(10 * 1_048_576)}"\n${line('2')}\n`);
    expect(events.map(([id]) => id)).toEqual(['1', '2']);
    expect(rejected.map(([reason, index]) => [reason, index])).toEqual([['too-large', 1]]);
  });

  it('with a million levels of nesting is read on', () => {
    for (const deep of ['['.repeat(1e6), '['.repeat(500_000) + ']'.repeat(500_000), '{"a":'.repeat(150_000)]) {
      const nested = JSON.stringify({ ...INFERENCE, numeric: { a: 'DEEP' } }).replace('"DEEP"', deep);
      for (const text of [deep, nested]) {
        const { events, rejected } = read(`${line('1')}\n${text}\n${line('2')}\n`);
        expect(events.map(([id]) => id).filter((id) => id !== 'f-1')).toEqual(['1', '2']);
        expect(events.length + rejected.length).toBe(3);
      }
    }
    expect(EVENT_LIMITS.recordBytes).toBeGreaterThan(1e6);
  });

  it('tells where its lines are', () => {
    const lines = ['a', '', 'ü', '\ud83d\ude00'];
    const bytes = Buffer.from(lines.join('\n'));
    expect([0, 1, 2, 3, 4].map((index) => Buffer.from(recordLine(bytes, index)).toString())).toEqual([...lines, '']);
  });

  it('pollutes no prototype', () => {
    const text = `{"__proto__":{"polluted":1},${line('1').slice(1)}`;
    expect(read(text).rejected).toHaveLength(1);
    expect(read(line('1').replace('{', '{"numeric":{"__proto__":5},')).events).toHaveLength(1);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
