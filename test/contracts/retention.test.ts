/** Every prefix of the store has its retention, once. */
import { describe, expect, it } from 'vitest';
import {
  ATHENA_RESULTS_PREFIX,
  CAPTURE_ERROR_PREFIX,
  CAPTURE_PREFIX,
  CAPTURE_REDRIVEN_PREFIX,
} from '../../lib/contracts/capture.ts';
import { PREFIXES } from '../../lib/contracts/object-keys.ts';
import { AGE_CLASSES, EVENT_PREFIXES, RETENTION } from '../../lib/contracts/retention.ts';

describe('retention', () => {
  it('says of every prefix, once, how long it is kept', () => {
    const all = [
      ...Object.values(PREFIXES),
      // `capture/` stands in both.
      ...[CAPTURE_ERROR_PREFIX, CAPTURE_REDRIVEN_PREFIX, ATHENA_RESULTS_PREFIX],
    ].sort();
    expect(PREFIXES.capture).toBe(CAPTURE_PREFIX);
    expect(RETENTION.map(({ prefix }) => prefix).sort()).toEqual(all);
  });

  it('uses every class of age', () => {
    const used = new Set(RETENTION.flatMap(({ goes }) => (goes.by === 'age' ? [goes.class] : [])));
    expect([...used].sort()).toEqual([...AGE_CLASSES].sort());
  });

  it('lets nothing be kept for good that holds single events', () => {
    for (const { prefix } of EVENT_PREFIXES)
      expect(RETENTION.find((one) => one.prefix === prefix)?.goes.by, prefix).toBe('age');
  });
});
