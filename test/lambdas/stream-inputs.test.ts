/** What comes in through the stream: poison, extremes, unknown models, changes of monitors; and when it is judged. */
import { describe, expect, it } from 'vitest';
import { keys } from '../../lib/contracts/object-keys.ts';
import { publishBaseline, publishMonitor } from '../../lib/pipeline/publisher.ts';
import { readQuarantine } from '../../lib/pipeline/quarantine.ts';
import {
  baselineOf,
  byWindow,
  countsOf,
  generate,
  HOUR,
  monitorOf,
  statistics,
  T0,
  wire,
} from '../pipeline/simulation.ts';
import { StreamWorld, type StreamWorldOptions } from './stream-world.ts';

const END = T0 + 60 * HOUR;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function worldOf(options?: StreamWorldOptions): Promise<StreamWorld> {
  const world = new StreamWorld(options);
  await world.world.declare('m');
  return world;
}

let events = 0;
function event(change: object = {}): object {
  const numeric = { amount: 15 };
  const time = new Date(T0).toISOString();
  return {
    id: `e-${++events}`,
    type: 'inference',
    model: 'm',
    version: '1',
    time,
    numeric,
    categorical: { kind: 'a' },
    ...change,
  };
}
const text = (change?: object): string => JSON.stringify(event(change));

describe('poison on the stream', () => {
  const good = text();
  const inputs: readonly (readonly [string, Uint8Array, string])[] = [
    ['cut JSON', bytes(good.slice(0, 40)), 'json'],
    ['bytes that are no text', Uint8Array.from([0xff, 0xfe, 0x80, 0x0a, 0xc3]), 'json'],
    ['a zipped record', Uint8Array.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), 'json'],
    ['an array', bytes(`[${good}]`), 'json'],
    ['a number', bytes('42'), 'json'],
    ['deep nesting', bytes(`${'['.repeat(200_000)}${']'.repeat(200_000)}`), 'json'],
    ['deep nesting in a member', bytes(`{"id":"1","x":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}}`), 'schema'],
    ['NUL', bytes(`${good.slice(0, -1)}\0}`), 'json'],
    ['no event', bytes('{"hello":"world"}'), 'schema'],
    ['more than a record may hold', bytes(`{"pad":"${'x'.repeat(3_500_000)}"}`), 'too-large'],
    ['a model that nobody declares', bytes(text({ model: 'who' })), 'unknown-model'],
    ['a time that is no time', bytes(text({ time: 'yesterday' })), 'schema'],
    ['a time in seconds', bytes(text({ time: 1_772_409_600 })), 'schema'],
    ['the year 9999', bytes(text({ time: '9999-12-31T23:59:59Z' })), 'future'],
  ];

  it('is quarantined with its reason, and its batch and its neighbours count (F16, F19, F22)', async () => {
    const world = await worldOf();
    world.world.clock.set(T0 + 1_000);
    const expected: Record<string, number> = {};
    for (const [, data, reason] of inputs) {
      world.stream.put('k', data);
      world.stream.put('k', bytes(text()));
      expected[reason] = (expected[reason] ?? 0) + 1;
    }
    await world.source.drain();
    const { received, profiled, quarantined } = await world.world.totals();
    // Where lines end in the midst of something, each is told; whatever was told, no neighbour is lost.
    expect(profiled).toBe(inputs.length);
    const told = Object.values(quarantined).reduce((sum: number, count) => sum + (count ?? 0), 0);
    expect(received).toBe(profiled + told);
    for (const [reason, count] of Object.entries(expected))
      expect([reason, (quarantined as Record<string, number>)[reason] ?? 0]).toEqual([
        reason,
        reason === 'json' ? expect.any(Number) : count,
      ]);
    expect(quarantined.json ?? 0).toBeGreaterThanOrEqual(expected['json'] ?? 0);
    const entries = await readQuarantine(world.world.store, { now: T0 + 1_000, limit: 1_000 });
    expect(entries.find(({ reason }) => reason === 'too-large')?.excerpt.startsWith('{"pad":"xxx')).toBe(true);
    expect(world.source.counts).toMatchObject({ failures: 0, givenUp: 0 });
  });

  it('reaches no prototype, and takes extreme values by rule (F20)', async () => {
    const world = await worldOf();
    world.world.clock.set(T0 + 1_000);
    const amounts = ['1e308', '-0', '5e-324', '9007199254740993', '1e999', 'null', '"NaN"', 'true', '"1,5"'];
    const head = text()
      .slice(0, -1)
      .replace(/"numeric":\{"amount":15\},/, '');
    for (const amount of amounts) world.stream.put('k', bytes(`${head},"numeric":{"amount":${amount}}}`));
    for (const name of ['__proto__', 'constructor', 'toString'])
      world.stream.put('k', bytes(`${head},"numeric":{"${name}":1},"segment":{"${name}":"x"}}`));
    world.stream.put('k', bytes(`${head},"categorical":{"kind":"${'\\ud800'}"}}`));
    for (let i = 0; i < 5_000; i++) world.stream.put('k', bytes(text({ categorical: { kind: `unseen-${i}` } })));
    await world.source.drain();
    const { received } = await world.world.totals();
    expect(received).toBe(amounts.length + 4 + 5_000);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
    expect(Object.hasOwn(Object.prototype, '1')).toBe(false);
    for (const key of await world.world.store.list('packs/'))
      expect((await world.world.store.get(key))?.body.byteLength ?? 0).toBeLessThan(20_000);
    expect(world.source.counts.failures).toBe(0);
  });
});

describe('many models', () => {
  it('with an event each are one pack and one commit (F23)', async () => {
    const world = await worldOf();
    const count = 1_000;
    await Promise.all(
      Array.from({ length: count }, (_, i) =>
        publishMonitor(world.world.publisher, monitorOf(`model-${i}`), { by: 'test', effectiveFrom: T0 }),
      ),
    );
    for (let i = 0; i < count; i++) world.append(event({ model: `model-${i}` }), T0 + 1_000, 'k');
    const { sequence, at } = world.stream.shards[0]?.records[0] ?? { sequence: '', at: 0 };
    expect(sequence).not.toBe('');
    expect(at).toBe(T0 + 1_000);
    await world.source.drain();
    expect((await world.world.totals()).profiled).toBe(count);
    const packs = await world.world.store.list('packs/');
    const sizes = await Promise.all(packs.map(async (key) => (await world.world.store.get(key))?.body.byteLength ?? 0));
    expect(sizes.reduce((sum, size) => sum + size, 0) / count).toBeLessThan(500);
  });
});

describe('changes of monitors and baselines', () => {
  it('apply by the time of events, whatever is retried around them (F29)', async () => {
    const run = async (options: StreamWorldOptions) => {
      const world = await worldOf(options);
      const generated = generate(11, { count: 150, models: ['m'] });
      for (const [id, one] of generated.entries()) {
        if (id === 40) {
          const of = { model: 'm', version: '1', by: 'test', approve: true };
          await publishBaseline(world.world.publisher, baselineOf('m', '1', ['a', 'b']), of);
        }
        world.append(wire(one, id), one.appendTime);
        if (id % 9 === 0) await world.source.step();
      }
      await world.source.drain();
      world.injector.disable();
      world.source.calm();
      await world.source.drain();
      await world.redriveAll();
      await world.finish(END);
      return statistics(await world.world.results());
    };
    const faults = { lostAnswer: 0.2, overlap: 0.2, zombie: 0.2, shortOfTime: 0.2 };
    const calm = await run({ source: { batchSize: 40 } });
    expect(calm.size).toBeGreaterThan(10);
    for (const seed of [1, 2])
      expect(
        await run({ seed, shards: 2, faults: { crash: 0.05, delay: 1 }, source: { batchSize: 9, retries: 1, faults } }),
      ).toEqual(calm);
  });
});

describe('a cursor of a newer release', () => {
  it('is left as it is, with a clear error (F32)', async () => {
    const world = await worldOf({ source: { retries: 1 } });
    world.append(event(), T0 + 1_000);
    const identity = `${world.stream.arn}@${world.stream.createdAt}`;
    const key = keys.cursor(identity, 'shardId-000000000000');
    await world.world.store.putIfAbsent(key, bytes('{"schema":"mlmon.cursor/v9"}'));
    await world.source.drain();
    expect(world.source.counts.givenUp).toBe(1);
    expect(world.said.join('')).toContain('use a newer release');
    expect(Buffer.from((await world.world.store.get(key))?.body ?? []).toString()).toBe('{"schema":"mlmon.cursor/v9"}');
  });
});

describe('windows and what was given up', () => {
  it('wait for a batch that was given up last, and are revised by one that was redriven later', async () => {
    let isDown = false;
    const world = await worldOf({
      source: { retries: 0 },
      invoke: (self, ...of) => (isDown ? Promise.reject(new Error('down')) : self.profile(...of)),
    });
    const at = (minutes: number) => T0 + minutes * 60_000;
    const append = (minutes: number) => world.append(event({ time: new Date(at(minutes)).toISOString() }), at(minutes));
    const rowsOf = async () => {
      const { first, last } = byWindow(await world.world.results(), '1h');
      const name = `m/1/${T0}`;
      return [first.get(name), last.get(name)].map((result) => (result === undefined ? null : countsOf(result).rows));
    };
    append(5);
    await world.source.drain();
    isDown = true;
    append(20);
    await world.source.drain();
    isDown = false;
    expect(world.source.counts.givenUp).toBe(1);
    // What was given up follows the cursor: the window is not complete.
    world.world.clock.set(at(100));
    await world.finish(at(100), 600_000);
    expect(await rowsOf()).toEqual([null, null]);
    append(110);
    await world.source.drain();
    await world.finish(at(300), HOUR);
    expect(await rowsOf()).toEqual([1, 1]);
    await world.redriveAll();
    await world.finish(END);
    expect(await rowsOf()).toEqual([1, 2]);
  });
});

describe('the redrive function', () => {
  it('says what it cannot redrive, once, and goes on with the rest', async () => {
    const world = await worldOf({ source: { retries: 0, faults: { lostAnswer: 1 } } });
    world.append(event(), T0 + 1_000);
    await world.source.drain();
    const { store } = world.world;
    const prefix = keys.onFailure();
    await store.putIfAbsent(`${prefix}not-json`, bytes('{'));
    await store.putIfAbsent(`${prefix}no-payload`, bytes('{"requestContext":{"condition":"RetryAttemptsExhausted"}}'));
    await world.redrive([
      `${prefix}not-json`,
      `${prefix}no-payload`,
      `${prefix}gone`,
      'capture/x',
      ...world.source.givenUp,
    ]);
    const said = world.said.join('');
    expect(said).toContain('expected the destination of the event source to be a bucket');
    expect(said).toContain('the object is gone');
    expect(said).toContain('"committed":0,"known":1');
    const metrics = world.said.filter((line) => line.includes('_aws')).map((line) => JSON.parse(line));
    expect(metrics.at(-1)).toMatchObject({ OnFailureObjects: 4, RedriveFailures: 2, Environment: 'test' });
  });

  it('finds the log that a batch was on before the stream was made again', async () => {
    let isDown = true;
    const world = await worldOf({
      source: { retries: 0 },
      invoke: (self, ...of) => (isDown ? Promise.reject(new Error('down')) : self.profile(...of)),
    });
    world.append(event(), T0 + 1_000);
    await world.source.drain();
    isDown = false;
    world.append(event(), T0 + 2_000);
    await world.source.drain();
    world.world.clock.set(T0 + 4_000);
    world.stream.recreate();
    world.source.recreate();
    world.append(event(), T0 + 5_000);
    await world.source.drain();
    await world.redriveAll();
    await world.redriveAll();
    expect((await world.world.totals()).received).toBe(3);
    const cursors = await world.world.store.list('cursors/');
    expect(cursors).toHaveLength(2);
    const sizes = await Promise.all(
      cursors.map(async (key) => JSON.parse(Buffer.from((await world.world.store.get(key))?.body ?? []).toString())),
    );
    expect(sizes.map(({ totals }) => totals.received)).toEqual([2, 1]);
  });
});
