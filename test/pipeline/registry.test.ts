import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import type { Baseline } from '../../lib/contracts/baseline.ts';
import { publishBaseline, publishMonitor } from '../../lib/pipeline/publisher.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { baselineOf, ManualClock, monitorOf, T0 } from './simulation.ts';

describe('what a registry keeps of baselines', () => {
  it('folds with the same shape whether their fitted nulls are kept or not', async () => {
    const store = new MemoryStore();
    const clock = new ManualClock(T0);
    const options = { store, clock, cacheMs: 60_000 };
    const monitor = monitorOf('m');
    await publishMonitor(options, monitor, { by: 'ann' });
    const plain = baselineOf('m', '1');
    const calibration = {
      method: 'calibrated-scores',
      effectiveWindows: 20,
      provisional: false,
      fit: { bulk: 'x'.repeat(10_000) },
    };
    const columns = plain.columns.map((column) => ({ ...column, calibration })) as Baseline['columns'];
    await publishBaseline(
      options,
      { ...plain, columns },
      { model: 'm', version: '1', by: 'ann', approve: true, effectiveFrom: T0 },
    );
    const kept = await Promise.all(
      (['whole', 'bins', 'none'] as const).map(async (baselines) => {
        const registry = new Registry({ ...options, baselines });
        await registry.refresh();
        return registry.shapeFor('m', '1', T0)?.shape;
      }),
    );
    const [whole, bins, none] = kept;
    expect(whole?.baseline?.columns[0]?.calibration).toEqual(calibration);
    expect(bins?.baseline?.columns.every((column) => column.calibration === null)).toBe(true);
    expect(bins?.digest).toBe(whole?.digest);
    expect(none?.baseline).toBeNull();
  });
});
