/** Direct producers: what the collector writes passes, what carries a protected value in the clear does not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMonitor } from '../../lib/contracts/monitor.ts';
import { isRejection, type ReadEvent, readLine } from '../../lib/engine/event-reader.ts';
import { compileShape } from '../../lib/engine/shape.ts';
import { Batch } from '../../lib/pipeline/batch.ts';
import { eventLine, NO_ENVELOPE } from '../../lib/pipeline/event-line.ts';
import { compilePlan } from '../../lib/pipeline/field-policy.ts';
import { breachOf } from '../../lib/pipeline/policy-breach.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { Timeline } from '../../lib/pipeline/timeline.ts';
import { baselineOf, categorical, numeric } from '../engine/profile-data.ts';
import { monitorOf, World } from './simulation.ts';

const { monitor } = parseMonitor({
  model: 'secret',
  features: {
    plain: { type: 'numeric' },
    age: { type: 'numeric', policy: 'bucket' },
    city: { type: 'categorical', policy: 'bucket' },
    name: { type: 'categorical', policy: 'hash' },
    income: { type: 'numeric', policy: 'drop' },
  },
});
const baseline = baselineOf([numeric('plain'), numeric('age'), categorical('city'), numeric('unwatched')]);
const shape = compileShape(monitor!, baseline);
const timeline = new Timeline('secret', [], []);
const KEY = { version: 'k1', secret: Buffer.alloc(32, 7) };
const plan = compilePlan(monitor!, baseline, KEY);
const NOW = Date.parse('2001-02-01T12:00:00Z');
const head = { id: 'f-1', type: 'inference', model: 'secret', version: '1', time: '2001-02-01T10:00:00Z' };

function read(fields: object): ReadEvent {
  const event = readLine(JSON.stringify({ ...head, ...fields }));
  if (isRejection(event)) throw new Error(event.detail);
  return event;
}

const names = fc.constantFrom('plain', 'age', 'city', 'name', 'income', 'unwatched', 'nobody', '__proto_', 'valueOf');
const value = fc.oneof(
  fc.double(),
  fc.string(),
  fc.constantFrom<unknown>(null, true, [], {}, -0, 1e308, 'JFK', 'other'),
);
const map = fc.dictionary(names, value, { maxKeys: 6 });

describe('the field policy on the log', () => {
  it('is kept by whatever the collector writes', () => {
    fc.assert(
      fc.property(
        fc.record(
          { numeric: map, categorical: map, invalid: map, segment: fc.dictionary(names, fc.string(), { maxKeys: 3 }) },
          { requiredKeys: [] },
        ),
        (fields) => {
          const arrival = { ms: NOW, text: new Date(NOW).toISOString() };
          const outcome = eventLine({ ...head, ...fields }, null, NO_ENVELOPE, arrival, () => plan);
          if ('reason' in outcome) return;
          const event = readLine(outcome.line);
          expect(isRejection(event)).toBe(false);
          expect(breachOf(shape, event as ReadEvent, timeline)).toBeNull();
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('is broken by every way to carry a value in the clear', () => {
    for (const [fields, path] of [
      [{ numeric: { income: 1 } }, 'numeric.income'],
      [{ categorical: { income: 'much' } }, 'categorical.income'],
      [{ invalid: { income: '(string)' } }, 'invalid.income'],
      [{ segment: { income: '1' } }, 'segment.income'],
      [{ categorical: { name: 'Ada' }, policy_key: 'k1' }, 'categorical.name'],
      [{ categorical: { name: 'h'.repeat(43) } }, 'categorical.name'],
      [{ numeric: { name: 1 }, policy_key: 'k1' }, 'numeric.name'],
      [{ invalid: { name: 'Ada' } }, 'invalid.name'],
      [{ segment: { name: 'Ada' }, policy_key: 'k1' }, 'segment.name'],
      [{ numeric: { age: 41.25 } }, 'numeric.age'],
      [{ categorical: { age: '41' } }, 'categorical.age'],
      [{ invalid: { age: '41' } }, 'invalid.age'],
      [{ categorical: { city: 'Neverland' } }, 'categorical.city'],
      [{ segment: { city: 'Neverland' } }, 'segment.city'],
      [{ numeric: { nobody: 1 } }, 'numeric.nobody'],
      [{ categorical: { unwatched: 'x' } }, 'categorical.unwatched'],
      [{ segment: { nobody: 'x' } }, 'segment.nobody'],
    ] as const) {
      const breach = breachOf(shape, read(fields), timeline);
      expect(breach?.split(':')[0]).toBe(path);
      expect(breach).not.toMatch(/Ada|41|Neverland|much/);
    }
  });

  it('takes the buckets of any baseline of the model', () => {
    const edges = [0, 100, 200];
    const other = baselineOf([numeric('age', { bins: { edges, verdictBin: [0, 1, 2, 3] } })]);
    const bucket = 50;
    expect(breachOf(shape, read({ numeric: { age: bucket } }), timeline)).not.toBeNull();
    const published = { n: 1, version: '2', effectiveFrom: null, approved: null, by: 'x', at: '', baseline: other };
    const later = new Timeline('secret', [], [published as never]);
    expect(breachOf(shape, read({ numeric: { age: bucket } }), later)).toBeNull();
    expect(breachOf(shape, read({ numeric: { age: 51 } }), later)).not.toBeNull();
  });

  it('is nothing to a monitor that keeps every field', () => {
    const open = compileShape(
      parseMonitor({ model: 'secret', features: { name: { type: 'categorical' } } }).monitor!,
      null,
    );
    expect(
      breachOf(open, read({ categorical: { name: 'Ada', nobody: 'x' }, numeric: { income: 1 } }), timeline),
    ).toBeNull();
  });
});

describe('what is refused of a monitor that holds fields back', () => {
  it('is kept with its reason and without a word of it', async () => {
    const world = new World();
    await world.declare('open');
    await world.declare('secret', { monitor: monitorOf('secret', { features: monitor!.features }), baseline: false });
    const registry = new Registry({ store: world.store, clock: { now: () => NOW } });
    await registry.refresh();
    const batch = new Batch(registry, 'p');
    const lines = [
      { ...head, categorical: { name: 'Ada' } },
      { ...head, score: 'Ada' },
      { ...head, time: '2099-01-01T00:00:00Z', numeric: { income: 1 }, source: 'Ada' },
      { ...head, model: 'nobody', source: 'Ada' },
    ].map((line) => JSON.stringify(line));
    batch.add({ position: '1', appendTime: NOW, data: Buffer.from([...lines, 'Ada{'].join('\n')) });
    await batch.quarantine.write(world.store);
    const texts: string[] = [];
    for (const key of await world.store.list('quarantine/'))
      texts.push(Buffer.from((await world.store.get(key))!.body).toString('utf8'));
    expect(batch.totals().quarantined).toEqual({ policy: 1, schema: 1, future: 1, 'unknown-model': 1, json: 1 });
    expect(texts.join('')).not.toContain('Ada');
    expect(texts.join('')).toContain('score: is not valid; expected a finite number or null');
  });
});
