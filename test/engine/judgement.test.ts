import { describe, expect, test } from 'vitest';
import type { VolumeResult, WindowResult } from '../../lib/contracts/result.ts';
import { judgementOfWindow } from '../../lib/engine/judgement.ts';

const START = '2024-01-01T00:00:00.000Z';

function emptyWindow(volume: VolumeResult['status'] | null, more: Partial<WindowResult> = {}): WindowResult {
  return {
    schema: 'mlmon.result/v1',
    model: 'm',
    version: '1',
    start: START,
    end: '2024-01-01T01:00:00.000Z',
    length: '1h',
    base: true,
    status: 'insufficient-data',
    rows: 0,
    features: [],
    quality: [],
    volume: volume === null ? null : { status: volume, rows: 0, expected: 2, pValue: 0.1, summary: '0 rows' },
    latency: null,
    segments: [],
    provenance: { revision: 0, partitions: { seen: 1, all: 1 } },
    ...more,
  } as unknown as WindowResult;
}

describe('an empty window', () => {
  test.each(['drifted', 'learning', null] as const)('is blind where the volume says %s', (volume) => {
    expect(judgementOfWindow(emptyWindow(volume)).conditions.blind?.flagged).toMatchObject([{ aspect: 'no-events' }]);
  });

  test('is neither blind nor a sign of health where traffic is thin at that hour', () => {
    expect(judgementOfWindow(emptyWindow('ok')).conditions.blind).toBeUndefined();
    expect(judgementOfWindow(emptyWindow('ok', { rows: 5 })).conditions.blind).toMatchObject({ flagged: [] });
  });

  test('of a stream that is behind is blind all the same', () => {
    const stale = emptyWindow('ok', { status: 'stale', reason: 'a partition is behind' });
    expect(judgementOfWindow(stale).conditions.blind?.flagged).toMatchObject([{ aspect: 'stale' }]);
  });
});
