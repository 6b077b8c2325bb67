import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryLog } from '../../lib/adapters/memory/memory-log.ts';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import { eventSchema } from '../../lib/contracts/event.ts';
import { type Monitor, type MonitorInput, parseMonitor } from '../../lib/contracts/monitor.ts';
import { isRejection, type ReadEvent, readRecord } from '../../lib/engine/event-reader.ts';
import { takeBatch, takeStructured } from '../../lib/pipeline/cloud-events.ts';
import { Collector, type QuarantinedItem, Ticket } from '../../lib/pipeline/collector.ts';
import { NO_ENVELOPE } from '../../lib/pipeline/event-line.ts';
import type { PolicyKey } from '../../lib/pipeline/field-policy.ts';
import { arrayElements, eachElement, envelopeSpan } from '../../lib/pipeline/json-spans.ts';

const NOW = Date.parse('2001-02-01T12:00:00.000Z');
const clock = { now: () => NOW };

function monitorOf(input: MonitorInput): Monitor {
  const { monitor, problems } = parseMonitor(input);
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return monitor;
}

const OPEN = monitorOf({
  model: 'open',
  features: { distance: { type: 'numeric' }, origin: { type: 'categorical' } },
});
const SECRET = monitorOf({
  model: 'secret',
  features: {
    age: { type: 'numeric', policy: 'bucket' },
    city: { type: 'categorical', policy: 'bucket' },
    name: { type: 'categorical', policy: 'hash' },
    income: { type: 'numeric', policy: 'drop' },
    plain: { type: 'numeric' },
  },
});
const BASELINE = {
  columns: [
    {
      name: 'age',
      type: 'numeric',
      role: 'feature',
      unit: 0.25,
      bins: { edges: [10, 20, 30, 40, 50], verdictBin: [0, 0, 0, 1, 1, 1] },
    },
    { name: 'city', type: 'categorical', role: 'feature', categories: ['Rome', 'Oslo'] },
    { name: 'known', type: 'categorical', role: 'feature', categories: ['a'] },
  ],
  withheld: ['also known'],
} as unknown as Baseline;
const KEY: PolicyKey = { version: 'k7', secret: Buffer.from('0123456789abcdef') };

interface Rig {
  readonly log: MemoryLog;
  readonly collector: Collector;
  readonly quarantined: QuarantinedItem[];
}

function rig(
  options: {
    key?: PolicyKey | null;
    bytesInFlight?: number;
    append?: () => Promise<void>;
    recordBytes?: number;
    holdsBack?: boolean;
  } = {},
): Rig {
  const log = new MemoryLog({ clock, partitions: 2 });
  const quarantined: QuarantinedItem[] = [];
  const shapes: Record<string, { shape: { monitor: Monitor; baseline: Baseline | null } }> = {
    open: { shape: { monitor: OPEN, baseline: null } },
    secret: { shape: { monitor: SECRET, baseline: BASELINE } },
  };
  const collector = new Collector({
    log:
      options.append === undefined
        ? log
        : ({
            append: async (records: Parameters<MemoryLog['append']>[0]) => {
              await options.append?.();
              return log.append(records);
            },
          } as unknown as MemoryLog),
    clock,
    registry: { shapeFor: (model) => shapes[model] ?? null, holdsBack: () => options.holdsBack ?? false },
    quarantine: async (items) => {
      quarantined.push(...items);
    },
    policyKey: options.key === undefined ? KEY : options.key,
    bytesInFlight: options.bytesInFlight,
    recordBytes: options.recordBytes,
  });
  return { log, collector, quarantined };
}

async function stored(
  log: MemoryLog,
): Promise<{ events: ReadEvent[]; lines: Record<string, unknown>[]; rejected: string[]; records: number }> {
  const events: ReadEvent[] = [];
  const rejected: string[] = [];
  const lines: Record<string, unknown>[] = [];
  let records = 0;
  for (const { id } of await log.partitions()) {
    const read = await log.read(id, null, { records: 10_000, bytes: 1e9 });
    for (const { data } of read.records) {
      records++;
      readRecord(
        data,
        (event) => events.push(event),
        ({ detail }) => rejected.push(detail),
      );
      for (const line of new TextDecoder().decode(data).split('\n'))
        lines.push(JSON.parse(line) as Record<string, unknown>);
    }
  }
  return { events, lines, rejected, records };
}

function text(rigged: Rig, take: (ticket: Ticket) => void): Promise<Ticket> {
  return new Promise((resolve, reject) => {
    const ticket = new Ticket(null, 'cloudevents', (settled, failure) =>
      failure === null ? resolve(settled) : reject(failure),
    );
    take(ticket);
    rigged.collector.submit(ticket);
  });
}

function inference(more: Record<string, unknown> = {}): Record<string, unknown> {
  return { id: 'f-1', type: 'inference', model: 'open', version: '3', time: '2001-02-01T10:05:00.000Z', ...more };
}

describe('Collector', () => {
  it('appends what it accepts, with its arrival, and counts', async () => {
    const { collector, log } = rig();
    const answer = await collector.accept([
      inference({ numeric: { distance: 740 }, categorical: { origin: 'JFK' } }),
      { id: 'f-1', type: 'label', model: 'open', time: '2001-02-01T11:00:00Z', truth: 'late' },
    ]);
    expect(answer).toEqual({ accepted: 2, quarantined: 0, reasons: [] });
    const { events, rejected } = await stored(log);
    expect(rejected).toEqual([]);
    expect(events.map(({ kind, arrivalMs }) => [kind, arrivalMs])).toEqual([
      ['inference', NOW],
      ['label', NOW],
    ]);
    const counters = collector.counters.of('open');
    expect([counters.inference.json, counters.label.json, collector.counters.delivered]).toEqual([1, 1, 2]);
  });

  it('quarantines the bad with a reason each, and the rest goes on', async () => {
    const { collector, log, quarantined } = rig();
    const answer = await collector.accept([
      inference({ id: 'good-1' }),
      inference({ model: 'nobody' }),
      inference({ time: '2001-02-01T12:05:01.000Z' }),
      inference({ time: 981_021_900 }),
      inference({ score: '0.5' }),
      inference({ surprise: 1 }),
      'text',
      null,
      [1],
      inference({ numeric: Object.fromEntries(Array.from({ length: 2_001 }, (_, i) => [`f${i}`, i])) }),
      inference({ id: 'good-2' }),
    ]);
    expect(answer.accepted).toBe(2);
    expect(answer.quarantined).toBe(9);
    expect(answer.reasons.map(({ index, reason }) => [index, reason])).toEqual([
      [1, 'unknown-model'],
      [2, 'future'],
      [3, 'schema'],
      [4, 'schema'],
      [5, 'schema'],
      [6, 'schema'],
      [7, 'schema'],
      [8, 'schema'],
      [9, 'too-large'],
    ]);
    expect(quarantined).toHaveLength(9);
    expect((await stored(log)).events.map(({ id }) => id).sort()).toEqual(['good-1', 'good-2']);
  });

  it('takes an event dated exactly five minutes ahead', async () => {
    const { collector } = rig();
    expect((await collector.accept([inference({ time: '2001-02-01T12:05:00.000Z' })])).accepted).toBe(1);
  });

  it('moves features of the wrong type to invalid, as text', async () => {
    const { collector, log } = rig();
    await collector.accept([
      inference({
        numeric: { distance: '740', origin: 5, other: Number.POSITIVE_INFINITY },
        categorical: { origin: true, distance: 'far' },
      }),
    ]);
    const { events } = await stored(log);
    expect(events[0]?.invalid).toEqual({ distance: '740', origin: '5', other: 'Infinity' });
    expect(events[0]?.numeric).toBeNull();
  });

  it('never trusts the arrival and the key that a sender claims', async () => {
    const { collector, log } = rig();
    await collector.accept([inference({ arrival: '1999-01-01T00:00:00Z', policy_key: 'mine' })]);
    const { lines } = await stored(log);
    expect(lines[0]?.['arrival']).toBe('2001-02-01T12:00:00.000Z');
    expect(lines[0]).not.toHaveProperty('policy_key');
  });

  it('applies the field policy', async () => {
    const { collector, log } = rig();
    await collector.accept([
      inference({
        model: 'secret',
        segment: { name: 'Ada', city: 'Paris' },
        numeric: { age: 21, income: 9, plain: 1 },
        categorical: { city: 'Rome', name: 'Ada' },
      }),
    ]);
    const { lines } = await stored(log);
    const hash = createHmac('sha256', KEY.secret).update('Ada').digest('base64url');
    expect(lines[0]).toMatchObject({
      numeric: { age: 20, plain: 1 },
      categorical: { city: 'Rome', name: hash },
      segment: { name: hash, city: 'other' },
      policy_key: 'k7',
    });
    expect(JSON.stringify(lines[0])).not.toContain('Ada"');
    expect(JSON.stringify(lines[0])).not.toContain('income');
  });

  it('puts a number into the middle of its verdict bin, out of range stays out of range', async () => {
    const { collector, log } = rig();
    await collector.accept(
      [9, 10, 29.9, 30, 49, 50, 1e9].map((age) => inference({ model: 'secret', numeric: { age } })),
    );
    const { lines } = await stored(log);
    expect(lines.map((line) => (line['numeric'] as { age: number }).age)).toEqual([9.75, 20, 20, 40, 40, 50, 50]);
  });

  it('keeps nothing in the clear of what its policy hides, not even in quarantine', async () => {
    const { collector, log, quarantined } = rig();
    const answer = await collector.accept([
      inference({ model: 'secret', numeric: { name: 42, age: 'old Ada' }, categorical: { income: 'rich Ada' } }),
      inference({ model: 'secret', segment: { name: ['Ada'] } }),
    ]);
    expect(answer.quarantined).toBe(1);
    const all = JSON.stringify([(await stored(log)).lines, quarantined, answer.reasons]);
    expect(all).not.toMatch(/Ada|rich|42/);
  });

  it('keeps of a feature that a monitor with policies does not declare its name alone, and nothing of what it knows', async () => {
    const { collector, log } = rig();
    await collector.accept([
      inference({
        model: 'secret',
        segment: { other: 'Ada', name: 'Bob' },
        numeric: { shoe: 4242, known: 4242, plain: 1 },
        categorical: { nick: 'Ada', 'also known': 'Ada', void: null },
        invalid: { odd: 'Ada', income: 'Ada' },
      }),
    ]);
    const { lines, events } = await stored(log);
    expect(lines[0]).toMatchObject({
      numeric: { plain: 1 },
      invalid: { shoe: '(number)', nick: '(string)', odd: '(string)' },
    });
    expect(lines[0]).not.toHaveProperty('categorical');
    expect(Object.keys(events[0]?.invalid ?? {}).sort()).toEqual(['nick', 'odd', 'shoe']);
    expect(Object.keys(lines[0]?.['segment'] as object)).toEqual(['name']);
    expect(JSON.stringify(lines)).not.toMatch(/Ada|Bob|4242/);
  });

  it('keeps no text of an event that may be of a model with policies', async () => {
    const bad = (rigged: Rig): Promise<unknown> =>
      text(rigged, (one) => {
        rigged.collector.takeText(one, `{"model":"secret","categorical":{"name":"Ada`, NO_ENVELOPE);
        rigged.collector.takeText(one, `${'['.repeat(200)}"Ada"`, NO_ENVELOPE);
        rigged.collector.takeText(one, `"${'Ada'.repeat(500_000)}"`, NO_ENVELOPE);
        rigged.collector.takeText(one, '["Ada"]', NO_ENVELOPE);
        for (const more of [
          { model: 'secert', categorical: { name: 'Ada' } },
          { model: 'Ada Ada' },
          { type: 'Ada' },
          { model: 'secret', time: 'Ada' },
          { model: 'secret', version: ['Ada'] },
        ])
          rigged.collector.takeText(one, JSON.stringify(inference(more)), NO_ENVELOPE);
        takeStructured(rigged.collector, one, '{"specversion":"2.0","data":"Ada"}');
        takeStructured(rigged.collector, one, '["Ada"]');
      });
    const closed = rig({ holdsBack: true });
    await bad(closed);
    expect(closed.quarantined).toHaveLength(11);
    expect(JSON.stringify(closed.quarantined)).not.toContain('Ada');
    const open = rig();
    await bad(open);
    expect(open.quarantined.filter(({ text: kept }) => kept.includes('Ada'))).toHaveLength(9);
    // What names a model that keeps everything is kept all the same.
    await closed.collector.accept([inference({ time: 'Ada' })]);
    expect(closed.quarantined.at(-1)?.text).toContain('Ada');
  });

  it('refuses events of a hashed field when there is no key', async () => {
    const { collector } = rig({ key: null });
    const answer = await collector.accept([inference({ model: 'secret' }), inference()]);
    expect(answer.accepted).toBe(1);
    expect(answer.reasons[0]?.reason).toBe('policy');
  });

  it('cuts records at their limit', async () => {
    const { collector, log } = rig({ recordBytes: 2_000 });
    const answer = await collector.accept(
      Array.from({ length: 50 }, (_, i) => inference({ id: `e-${i}`, categorical: { origin: 'x'.repeat(100) } })),
    );
    expect(answer.accepted).toBe(50);
    const { records, events } = await stored(log);
    expect(events).toHaveLength(50);
    expect(records).toBeGreaterThan(4);
  });

  it('acknowledges nothing that is not durable', async () => {
    const { collector, log } = rig({
      append: async () => {
        throw new Error('the disk is full');
      },
    });
    await expect(collector.accept([inference()])).rejects.toThrow('the disk is full');
    expect(collector.failure).toBe('the disk is full');
    expect(collector.queue().bytes).toBe(0);
    expect((await stored(log)).events).toEqual([]);
  });

  it('is full when too many bytes are under way, and empties again', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { collector } = rig({ bytesInFlight: 200, append: () => held });
    const first = collector.accept([inference({ categorical: { origin: 'x'.repeat(200) } })]);
    expect(collector.full).toBe(true);
    release();
    await first;
    expect(collector.full).toBe(false);
    await collector.drain();
  });

  it('settles each request once, whatever shares its append', async () => {
    const rigged = rig();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        rigged.collector.accept([inference({ id: `r-${i}` }), i % 3 === 0 ? 7 : inference({ id: `s-${i}` })]),
      ),
    );
    expect(answers.map(({ accepted }) => accepted)).toEqual(
      Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? 1 : 2)),
    );
    const { events, records } = await stored(rigged.log);
    expect(events).toHaveLength(33);
    expect(records).toBe(1);
  });
});

describe('poison', () => {
  const deep = `${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`;
  const base = JSON.stringify(inference()).slice(0, -1);
  const poison: readonly [string, string, string][] = [
    ['truncated JSON', base, 'json'],
    ['empty', '', 'json'],
    ['a million deep', deep, 'too-large'],
    [
      'half a million deep within a feature',
      `${base},"numeric":{"distance":${'['.repeat(400_000)}${']'.repeat(400_000)}}}`,
      'schema',
    ],
    ['10 MiB', `${base},"categorical":{"origin":"${'x'.repeat(10_485_760)}"}}`, 'too-large'],
    ['__proto__ as a key', `${base},"__proto__":{"polluted":true}}`, 'schema'],
    ['__proto__ as a feature', `${base},"numeric":{"__proto__":{"polluted":true}}}`, 'schema'],
    ['a raw NUL', `${base},"categorical":{"origin":"a\u0000b"}}`, 'json'],
    ['year 9999', JSON.stringify(inference({ time: '9999-12-31T23:59:59.999Z' })), 'future'],
    ['milliseconds for a time', JSON.stringify(inference({ time: 981_021_900_000 })), 'schema'],
    ['a day that is none', JSON.stringify(inference({ time: '2001-02-30T00:00:00Z' })), 'schema'],
    ['a score that is text', JSON.stringify(inference({ score: '0.5' })), 'schema'],
    ['a score beyond doubles', `${base},"score":1e999}`, 'schema'],
    ['NaN', `${base},"score":NaN}`, 'json'],
    ['a model name of 64 characters', JSON.stringify(inference({ model: 'm'.repeat(64) })), 'schema'],
  ];
  it.each(poison)('%s is quarantined with its reason, and its neighbours go on', async (_name, bad, reason) => {
    const rigged = rig();
    const ticket = await text(rigged, (one) => {
      rigged.collector.takeText(one, JSON.stringify(inference({ id: 'before' })), NO_ENVELOPE);
      rigged.collector.takeText(one, bad, NO_ENVELOPE);
      rigged.collector.takeText(one, JSON.stringify(inference({ id: 'after' })), NO_ENVELOPE);
    });
    expect(ticket.accepted).toBe(2);
    expect(ticket.reasons?.map((item) => item.reason)).toEqual([reason]);
    expect(rigged.quarantined).toHaveLength(1);
    expect(rigged.quarantined[0]!.text.length).toBeLessThanOrEqual(65_536);
    expect((await stored(rigged.log)).events.map(({ id }) => id)).toEqual(['before', 'after']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('takes what is odd but right: 1970, lone surrogates, escaped NUL, numbers as text', async () => {
    const rigged = rig();
    const ticket = await text(rigged, (one) => {
      for (const event of [
        JSON.stringify(inference({ time: '1970-01-01T00:00:00Z' })),
        `${base},"categorical":{"origin":"\\ud800"}}`,
        `${base},"categorical":{"origin":"a\\u0000b"}}`,
        `${base},"numeric":{"distance":"740"}}`,
      ])
        rigged.collector.takeText(one, event, NO_ENVELOPE);
    });
    expect([ticket.accepted, ticket.quarantined]).toEqual([4, 0]);
    expect((await stored(rigged.log)).rejected).toEqual([]);
  });
});

/** Nineteen times in twenty of the first kind: most events are right, each may be wrong anywhere. */
function likely<T>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ arbitrary: right, weight: 19 }, { arbitrary: wrong, weight: 1 });
}

const name = likely(
  fc.constantFrom('distance', 'origin', 'age', 'city', 'name', 'income', 'x', 'constructor', 'é'),
  fc.oneof(fc.string({ maxLength: 12 }), fc.constant('__proto__')),
) as fc.Arbitrary<string>;
const scalar = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.string({ maxLength: 20, unit: 'binary' }),
  fc.boolean(),
  fc.constant(null),
  fc.constant([]),
  fc.constant({ a: 1 }),
);
const head = {
  id: likely(fc.constantFrom('a"\\b', 'x', 'é'), fc.oneof(fc.string({ maxLength: 5 }), fc.integer())),
  model: likely(fc.constantFrom('open', 'open', 'secret'), fc.constantFrom('nobody', 3)),
  version: likely(fc.constantFrom('3', 'v é'), fc.oneof(fc.string({ maxLength: 3 }), fc.constant(null))),
  time: likely(
    fc.constantFrom('2001-02-01T10:05:00.000Z', '2001-02-01T10:05:00+01:00'),
    fc.constantFrom('2001-02-31T00:00:00Z', 'now', 5),
  ),
  source: likely(fc.string({ maxLength: 5 }), fc.constant(null)),
  arrival: fc.constantFrom('2001-02-01T10:05:00.000Z', 3),
};
const requiredKeys = ['id', 'type', 'model', 'version', 'time'] as const;
const inferences = fc.record(
  {
    ...head,
    type: likely(fc.constant('inference'), fc.constantFrom('label', 'other', null)),
    segment: fc.dictionary(name, likely(fc.string({ maxLength: 4 }), scalar), { maxKeys: 2 }),
    numeric: fc.dictionary(name, scalar, { maxKeys: 4 }),
    categorical: fc.dictionary(name, scalar, { maxKeys: 4 }),
    invalid: fc.dictionary(name, likely(fc.string(), scalar), { maxKeys: 2 }),
    score: likely(fc.double({ noNaN: true, noDefaultInfinity: true }), scalar),
    predicted: likely(fc.string(), scalar),
    latency_ms: likely(fc.nat(), scalar),
    weight: likely(fc.constantFrom(1, 2.5), scalar),
    policy_key: fc.string({ maxLength: 3 }),
  },
  { requiredKeys: [...requiredKeys] },
);
const labels = fc.record(
  { ...head, type: fc.constant('label'), truth: likely(fc.constantFrom('late', 1), scalar) },
  { requiredKeys: [...requiredKeys, 'truth'] },
);
const anything: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: inferences, weight: 6 },
  { arbitrary: labels, weight: 3 },
  { arbitrary: fc.jsonValue(), weight: 1 },
);

describe('laws', () => {
  it('has samples of both kinds', async () => {
    const rigged = rig();
    const answer = await rigged.collector.accept(fc.sample(anything, { numRuns: 300, seed: 1 }));
    expect(answer.accepted).toBeGreaterThan(30);
    expect(answer.quarantined).toBeGreaterThan(30);
  });

  it('what is accepted is an event to the engine and to the schema, and the counts add up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(anything, fc.constantFrom(undefined, 1)), { maxLength: 8 }),
        async (events) => {
          const rigged = rig();
          const ticket = await text(rigged, (one) => {
            for (const [event, indent] of events)
              rigged.collector.takeText(one, JSON.stringify(event, null, indent), NO_ENVELOPE);
          });
          expect(ticket.accepted + ticket.quarantined).toBe(events.length);
          expect(rigged.quarantined).toHaveLength(ticket.quarantined);
          const { lines, events: read, rejected } = await stored(rigged.log);
          expect(rejected).toEqual([]);
          expect(read).toHaveLength(ticket.accepted);
          expect(read.every((event) => !isRejection(event))).toBe(true);
          for (const line of lines) expect(eventSchema.safeParse(line).error?.issues ?? []).toEqual([]);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('a line that travels as it was sent says the same as one written anew', async () => {
    await fc.assert(
      fc.asyncProperty(anything, async (event) => {
        const [asSent, anew] = [rig(), rig()];
        const written = JSON.stringify(event);
        await text(asSent, (one) => asSent.collector.takeText(one, written, NO_ENVELOPE));
        await text(anew, (one) => anew.collector.take(one, JSON.parse(written), null, NO_ENVELOPE));
        const [a, b] = [await stored(asSent.log), await stored(anew.log)];
        const plain = ({ numeric, categorical, invalid, segment, ...rest }: ReadEvent): unknown => ({
          ...rest,
          maps: [numeric, categorical, invalid, segment].map((map) =>
            Object.entries(map ?? {})
              .filter(([, value]) => value !== null)
              .sort(),
          ),
        });
        expect(a.events.map(plain)).toEqual(b.events.map(plain));
        expect(asSent.collector.counters.models).toEqual(anew.collector.counters.models);
      }),
      { numRuns: 300 },
    );
  });

  it('cuts an array where JSON.parse would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue({ maxDepth: 3 }), { maxLength: 6 }),
        fc.constantFrom(undefined, 1),
        (values, indent) => {
          const written = JSON.stringify(values, null, indent);
          expect(arrayElements(written)?.map((element) => JSON.parse(element))).toEqual(JSON.parse(written));
          const found: unknown[] = [];
          eachElement(written, (element, tentative) => {
            try {
              found.push(JSON.parse(element));
              return true;
            } catch (error) {
              if (!tentative) throw error;
              return false;
            }
          });
          expect(found).toEqual(JSON.parse(written));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('takes data out of an envelope only where JSON.parse finds the same', () => {
    const member = fc.tuple(
      fc.constantFrom('specversion', 'id', 'type', 'source', 'time', 'data', 'data', 'extra', 'da\\u0074a'),
      fc.oneof(
        fc.constantFrom('"1.0"', '"x"', '"a\\"b"', '1', '{}', '{"a":1}', '{"b":"},{"}', '[1]', 'null'),
        fc.json({ maxDepth: 2 }),
      ),
    );
    fc.assert(
      fc.property(fc.array(member, { maxLength: 8 }), fc.constantFrom('', ' ', '\n'), (members, space) => {
        const head = '"specversion":"1.0","id":"1","type":"t","source":"s"';
        const written = `{${space}${[head, ...members.map(([key, value]) => `"${key}"${space}:${space}${value}`)].join(',')}${space}}${space}`;
        const span = envelopeSpan(written);
        if (span === null) return;
        let data: unknown;
        try {
          data = JSON.parse(span.data);
        } catch {
          return;
        }
        const whole = JSON.parse(written) as Record<string, unknown>;
        expect(data).toEqual(whole['data']);
        expect([span.specversion, span.id, span.type, span.source]).toEqual([
          whole['specversion'],
          whole['id'],
          whole['type'],
          whole['source'],
        ]);
        expect(span.time ?? undefined).toEqual(whole['time']);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('CloudEvents', () => {
  const envelope = (data: unknown, more: Record<string, unknown> = {}): string =>
    JSON.stringify({ specversion: '1.0', id: 'e-1', source: '/svc', type: 'ml.inference.v1', ...more, data });

  it('fills from the envelope what the event leaves out', async () => {
    const rigged = rig();
    const bare = { model: 'open', version: '3' };
    for (const body of [
      envelope(bare, { time: '2001-02-01T10:00:00Z' }),
      // Members in another order take the long way.
      JSON.stringify({
        data: bare,
        specversion: '1.0',
        id: 'e-1',
        source: '/svc',
        type: 'ml.inference.v1',
        time: '2001-02-01T10:00:00Z',
      }),
    ])
      await text(rigged, (ticket) => takeStructured(rigged.collector, ticket, body));
    const { events } = await stored(rigged.log);
    expect(events.map(({ id, source, kind, timeMs }) => [id, source, kind, timeMs])).toEqual([
      ['e-1', '/svc', 'inference', Date.parse('2001-02-01T10:00:00Z')],
      ['e-1', '/svc', 'inference', Date.parse('2001-02-01T10:00:00Z')],
    ]);
  });

  it('does not lend the id of the envelope to several events', async () => {
    const rigged = rig();
    const ticket = await text(rigged, (one) =>
      takeStructured(rigged.collector, one, envelope([inference(), inference({ id: undefined })])),
    );
    expect([ticket.accepted, ticket.quarantined]).toEqual([1, 1]);
  });

  it('reads data_base64', async () => {
    const rigged = rig();
    const encoded = Buffer.from(JSON.stringify(inference({ categorical: { origin: 'é' } }))).toString('base64');
    await text(rigged, (ticket) =>
      takeStructured(
        rigged.collector,
        ticket,
        JSON.stringify({ specversion: '1.0', id: '1', source: 's', type: 'ml.inference.v1', data_base64: encoded }),
      ),
    );
    expect((await stored(rigged.log)).events[0]?.categorical).toEqual({ origin: 'é' });
  });

  it('goes on in a batch after an element that is broken', async () => {
    const rigged = rig();
    const batch = `[${envelope(inference({ id: 'a' }))},{"broken":},${envelope(inference({ id: 'b' }), { specversion: '0.3' })},${envelope(inference({ id: 'c' }), { type: 'com.example' })},7,${envelope(inference({ id: 'd' }))}]`;
    const ticket = await text(rigged, (one) => {
      expect(takeBatch(rigged.collector, one, batch)).toBe(true);
    });
    expect(ticket.reasons?.map(({ index, reason }) => [index, reason])).toEqual([
      [1, 'json'],
      [2, 'schema'],
      [3, 'schema'],
      [4, 'schema'],
    ]);
    expect((await stored(rigged.log)).events.map(({ id }) => id)).toEqual(['a', 'd']);
  });

  it('writes text beyond ASCII as it was', async () => {
    const rigged = rig();
    const ticket = new Promise<void>((resolve) => {
      const one = new Ticket(null, 'cloudevents', () => resolve());
      takeStructured(
        rigged.collector,
        one,
        envelope(inference({ categorical: { origin: 'São Paulo 🛫' } }), { source: '/é' }),
      );
      rigged.collector.submit(one);
    });
    await ticket;
    const { events } = await stored(rigged.log);
    expect([events[0]?.categorical?.['origin'], events[0]?.source]).toEqual(['São Paulo 🛫', '/é']);
  });
});
