/** What one batch makes of its records: poison, hostile times, policies, the ledger; and that bytes depend on the records alone. */
import { beforeAll, describe, expect, it } from 'vitest';
import { BATCH_LIMITS, Batch } from '../../lib/pipeline/batch.ts';
import type { LogRecord } from '../../lib/pipeline/ports.ts';
import { QUARANTINE_LIMITS, readQuarantine } from '../../lib/pipeline/quarantine.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { HOUR, lines, monitorOf, Platform, readAllPacks, T0, World } from './simulation.ts';

const event = (change: object = {}): object => ({
  id: 'e-1',
  type: 'inference',
  model: 'm',
  version: '1',
  time: new Date(T0).toISOString(),
  numeric: { amount: 15 },
  categorical: { kind: 'a' },
  ...change,
});
const at = (ms: number): string => new Date(ms).toISOString();
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const deep = (depth: number): string =>
  `{"id":"x","type":"inference","numeric":${'['.repeat(depth)}${']'.repeat(depth)}}`;

/** Name, the line, the reason it goes to quarantine with; `null`: it is profiled. */
const POISON: [string, Uint8Array, string | null][] = [
  ['truncated JSON', text('{"id":"e-1","type":"infer'), 'json'],
  ['an empty line', text(''), 'json'],
  ['NUL', text('\0\0'), 'json'],
  ['a byte order mark', text(`\uFEFF${JSON.stringify(event())}`), 'json'],
  ['an array', text('[1,2]'), 'json'],
  ['a number', text('17'), 'json'],
  ['null', text('null'), 'json'],
  ['not UTF-8', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), 'json'],
  ['base64 of something', text('H4sIAAAAAAAAA6tWKkktLlGyUlAqS8wpTVWqBQA='), 'json'],
  ['a million levels', text(deep(1_000_000)), 'too-large'],
  ['ten thousand levels', text(deep(10_000)), 'schema'],
  ['10 MiB', text(JSON.stringify(event({ id: 'x'.repeat(10 * 1_048_576) }))), 'too-large'],
  ['no model', text(JSON.stringify(event({ model: undefined }))), 'schema'],
  ['a model with a slash', text(JSON.stringify(event({ model: '../../etc' }))), 'schema'],
  ['an empty version', text(JSON.stringify(event({ version: '' }))), 'schema'],
  ['an unknown key', text(JSON.stringify(event({ extra: 1 }))), 'schema'],
  ['__proto__ as a key', text('{"id":"e","type":"inference","model":"m","version":"1","__proto__":{"x":1}}'), 'schema'],
  ['seconds for a time', text(JSON.stringify(event({ time: T0 / 1_000 }))), 'schema'],
  ['milliseconds for a time', text(JSON.stringify(event({ time: T0 }))), 'schema'],
  ['the 31st of February', text(JSON.stringify(event({ time: '2026-02-31T00:00:00Z' }))), 'schema'],
  ['NaN as JSON', text('{"id":"e","type":"inference","numeric":{"amount":NaN}}'), 'json'],
  ['year 9999', text(JSON.stringify(event({ time: '9999-12-31T23:59:59Z' }))), 'future'],
  ['a year 10000', text(JSON.stringify(event({ time: '+10000-01-01T00:00:00Z' }))), 'schema'],
  ['six minutes ahead', text(JSON.stringify(event({ time: at(T0 + 6 * 60_000) }))), 'future'],
  ['a model that nobody declared', text(JSON.stringify(event({ model: 'nobody' }))), 'unknown-model'],
  [
    'a label of such a model',
    text(JSON.stringify({ id: 'e', type: 'label', model: 'nobody', time: at(T0), truth: 'x' })),
    'unknown-model',
  ],
  [
    'a dropped field in the clear',
    text(JSON.stringify(event({ model: 'private', categorical: { secret: 'x' } }))),
    'policy',
  ],
  [
    'a hashed field in the clear',
    text(JSON.stringify(event({ model: 'private', categorical: { name: 'x' } }))),
    'policy',
  ],
  [
    'a feature that nobody declared, where fields are held back',
    text(JSON.stringify(event({ model: 'private', numeric: { other: 1 } }))),
    'policy',
  ],
  [
    'a hashed field that says it is and is not',
    text(JSON.stringify(event({ model: 'private', categorical: { name: 'x' }, policy_key: '1' }))),
    'policy',
  ],
  [
    'a hashed field, hashed',
    text(
      JSON.stringify(event({ model: 'private', numeric: {}, categorical: { name: 'h'.repeat(43) }, policy_key: '1' })),
    ),
    null,
  ],
  ['five minutes ahead', text(JSON.stringify(event({ time: at(T0 + 5 * 60_000) }))), null],
  [
    'a lone surrogate',
    text('{"id":"\\ud800","type":"inference","model":"m","version":"1","time":"2026-03-02T00:00:00Z"}'),
    null,
  ],
  ['NUL in a category', text(JSON.stringify(event({ categorical: { kind: '\0' } }))), null],
  ['a number as text', text(JSON.stringify(event({ numeric: { amount: '15' } }))), null],
  [
    '1e308 and a category as a number',
    text(JSON.stringify(event({ numeric: { amount: 1e308 }, categorical: { kind: 5 } }))),
    null,
  ],
  [
    '__proto__ as a feature',
    text(
      '{"id":"e","type":"inference","model":"m","version":"1","time":"2026-03-02T00:00:00Z","numeric":{"__proto__":5}}',
    ),
    null,
  ],
];

describe('input that is no event, or must not be kept', () => {
  it.each(POISON)('%s', async (_name, line, reason) => {
    const world = await worldOf();
    const [before, after] = ['before', 'after'].map((id) => lines([event({ id })]));
    const joined = Buffer.concat([before as Uint8Array, text('\n'), line, text('\n'), after as Uint8Array]);
    world.log.put('p0', joined, T0);
    await new Platform(world).profileAll();
    expect(await world.totals()).toEqual({
      received: 3,
      profiled: reason === null ? 3 : 2,
      beyond: 0,
      labels: 0,
      lost: 0,
      quarantined: reason === null ? {} : { [reason]: 1 },
    });
    const kept = await readQuarantine(world.store, { now: T0 });
    expect(kept.map((entry) => entry.reason)).toEqual(reason === null ? [] : [reason]);
    for (const { excerpt, detail } of kept) {
      expect(excerpt.length).toBeLessThanOrEqual(QUARANTINE_LIMITS.excerptBytes);
      expect(detail.length).toBeLessThanOrEqual(QUARANTINE_LIMITS.detailLength);
    }
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('adds up exactly when all of it arrives at once, and again when it is read again', async () => {
    const world = await worldOf();
    const random = [...POISON, ...POISON.toReversed(), ...POISON];
    for (const [, line] of random) world.log.put('p0', line, T0);
    world.log.put('p0', lines([{ id: 'e', type: 'label', model: 'm', time: at(T0), truth: 'x' }]), T0);
    world.log.put('p0', lines([event({ time: '1970-01-01T00:00:00Z' })]), T0);
    await new Platform(world, { records: 7 }).profileAll();
    const expected: Record<string, number> = {};
    let fine = 0;
    for (const [, , reason] of random)
      if (reason === null) fine++;
      else expected[reason] = (expected[reason] ?? 0) + 1;
    const totals = await world.totals();
    expect(totals).toEqual({
      received: random.length + 2,
      profiled: fine,
      beyond: 1,
      labels: 1,
      lost: 0,
      quarantined: expected,
    });
    const kept = await readQuarantine(world.store, { now: T0, limit: 1_000 });
    expect(kept.length).toBe(random.length - fine);
  });
});

describe('hostile event times', () => {
  it('open no grains outside of what may still be revised', async () => {
    const world = await worldOf();
    const platform = new Platform(world, { records: 500 });
    const times = Array.from({ length: 2_000 }, (_, i) => T0 - i * 31 * HOUR);
    world.log.put('p0', lines(times.map((time) => event({ time: at(time) }))), T0);
    await platform.profileAll();
    expect(await world.totals()).toMatchObject({ received: 2_000, profiled: 1, beyond: 1_999 });
    await platform.settle();
    expect((await readAllPacks(world)).length).toBe(1);
  });

  it('touch a bounded number of hours with one record, whatever the batch', async () => {
    const monitor = monitorOf('wide', { window: { every: '1h', lateness: '30m', revise: '400d' } });
    const world = await worldOf();
    await world.declare('wide', { monitor });
    const hours = BATCH_LIMITS.hoursPerRecord + 300;
    const record = lines(
      Array.from({ length: hours }, (_, i) =>
        event({ model: 'wide', numeric: {}, categorical: {}, time: at(T0 - i * HOUR) }),
      ),
    );
    for (let i = 0; i < 3; i++) world.log.put('p0', record, T0);
    await new Platform(world, { records: 50 }).profileAll();
    expect(await world.totals()).toMatchObject({
      received: 3 * hours,
      profiled: 3 * BATCH_LIMITS.hoursPerRecord,
      quarantined: { 'too-large': 900 },
    });
  }, 30_000);
});

describe('bytes', () => {
  let registry: Registry;
  beforeAll(async () => {
    const world = await worldOf();
    registry = new Registry({ store: world.store, clock: world.clock });
    await registry.refresh();
  });

  const records = Array.from(
    { length: 40 },
    (_, i): LogRecord => ({
      position: String(i),
      appendTime: T0 + i * 60_000,
      data: lines([event({ id: `e-${i}`, time: at(T0 + (i - 20) * 60_000), version: String(i % 3) }), 'poison']),
    }),
  );
  const packOf = (some: readonly LogRecord[]) => {
    const batch = new Batch(registry, 'p0');
    for (const record of some) batch.add(record);
    return batch.pack();
  };

  it('are equal for equal records, and so is the key', () => {
    const [one, again] = [packOf(records), packOf(records)];
    expect(again?.key).toBe(one?.key);
    expect(Buffer.compare(again?.body ?? text(''), one?.body ?? text('x'))).toBe(0);
    expect(packOf(records.slice(1))?.key).not.toBe(one?.key);
    expect(one?.key).toMatch(/^packs\/2026-03-02\/p0\/0-39-[0-9a-f]{64}\.pack$/);
  });

  it('need no pack where there is nothing', () => {
    expect(packOf([])).toBeNull();
  });
});

async function worldOf(): Promise<World> {
  const world = new World();
  await world.declare('m');
  await world.declare('private', {
    monitor: monitorOf('private', {
      features: { secret: { type: 'categorical', policy: 'drop' }, name: { type: 'categorical', policy: 'hash' } },
    }),
    baseline: false,
  });
  return world;
}
