import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPlainEvent } from '../../../lib/adapters/duckdb/plain-event.ts';
import { eventSchema } from '../../../lib/contracts/event.ts';

const inference = {
  id: 'f-1',
  type: 'inference',
  source: 'examples/flight-delay',
  model: 'flight-delay',
  version: '1',
  time: '2001-03-31T10:05:00.000Z',
  arrival: '2001-04-01T10:05:01Z',
  segment: { carrier: 'AA' },
  numeric: { distance: 740, hour: null },
  categorical: { origin: 'JFK', destination: null },
  score: 0.31,
  predicted: 'late',
  latency_ms: 12.5,
  weight: 1,
  policy_key: '1',
};
const label = {
  id: 'f-1',
  type: 'label',
  source: 's',
  model: 'flight-delay',
  time: '2001-02-28T00:00:00Z',
  truth: 'late',
};

describe('isPlainEvent', () => {
  it.each([inference, label])('knows what producers send at first sight', (event) => {
    expect(isPlainEvent(event)).toBe(true);
  });

  it('accepts nothing that the schema refuses', () => {
    const odd = fc.oneof(
      fc.constantFrom<unknown>(
        null,
        '',
        'x',
        'x'.repeat(2_000),
        0,
        -1,
        1e308,
        Number.NaN,
        20_000,
        true,
        [],
        {},
        { a: 1 },
        { a: 'x' },
      ),
      fc.constantFrom<unknown>(
        '2001-02-29T00:00:00Z',
        '2001-02-30T00:00:00Z',
        '2001-04-31T00:00:00Z',
        '2001-13-01T00:00:00Z',
        '2001-01-31T24:00:00Z',
        '2001-12-31T23:59:59.999Z',
      ),
      fc.string(),
      fc.double(),
    );
    const key = fc.oneof(
      fc.constantFrom(...Object.keys(inference), 'truth', '__proto__', 'toString', 'other'),
      fc.string(),
    );
    fc.assert(
      fc.property(
        fc.constantFrom<object>(inference, label),
        fc.array(fc.tuple(key, odd), { maxLength: 3 }),
        (event, changes) => {
          const changed: Record<string, unknown> = { ...event };
          for (const [name, value] of changes)
            Object.defineProperty(changed, name, { value, enumerable: true, configurable: true, writable: true });
          if (isPlainEvent(changed)) expect(eventSchema.safeParse(changed).success, JSON.stringify(changed)).toBe(true);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});
