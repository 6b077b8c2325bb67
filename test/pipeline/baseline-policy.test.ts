import { describe, expect, it } from 'vitest';
import { MemoryStore } from '../../lib/adapters/memory/memory-store.ts';
import type { Baseline, CategoricalBaseline } from '../../lib/contracts/baseline.ts';
import { type Monitor, parseMonitor } from '../../lib/contracts/monitor.ts';
import { ProblemError } from '../../lib/contracts/problem.ts';
import { judgeColumn } from '../../lib/engine/column-verdict.ts';
import { compileShape } from '../../lib/engine/shape.ts';
import { baselineUnderPolicies } from '../../lib/pipeline/baseline-policy.ts';
import { hashedValue, type PolicyKey } from '../../lib/pipeline/field-policy.ts';
import { listAll } from '../../lib/pipeline/listing.ts';
import { approveBaseline, publishBaseline, publishMonitor, rollbackBaseline } from '../../lib/pipeline/publisher.ts';
import { Registry } from '../../lib/pipeline/registry.ts';
import { categoricalOf, categoryCounts, DAY, drawCategories, START, seededRandom } from '../engine/verdict-data.ts';
import { baselineOf, HOUR, ManualClock, T0 } from './simulation.ts';

const KEY: PolicyKey = { version: '1', secret: Buffer.from('a key of this platform') };
const OTHER: PolicyKey = { version: '1', secret: Buffer.from('a key of another one') };

/** Features `amount` and `kind` (categories a, b, c; baselineOf), as the baseline has them, with policies. */
function monitorOf(policies: { amount?: string; kind?: string } | null): Monitor {
  const { monitor, problems } = parseMonitor({
    model: 'm',
    window: { every: '1h', lateness: '30m', revise: '12h' },
    ...(policies === null
      ? {}
      : {
          features: {
            ...(policies.amount === undefined ? {} : { amount: { type: 'numeric', policy: policies.amount } }),
            ...(policies.kind === undefined ? {} : { kind: { type: 'categorical', policy: policies.kind } }),
          },
        }),
  });
  if (monitor === null) throw new Error(JSON.stringify(problems));
  return monitor;
}

const BASELINE: Baseline = {
  ...baselineOf('m', '1'),
  findings: [
    { code: 'constant', path: 'kind', message: 'has one value only', got: '"a"' },
    { code: 'few-rows', path: '', message: 'few', got: '400' },
  ],
};
const names = ({ columns }: Baseline): string[] => columns.map(({ name }) => name);
const kindOf = ({ columns }: Baseline): CategoricalBaseline => {
  const found = columns.find(({ name }) => name === 'kind');
  if (found?.type !== 'categorical') throw new Error('there is no kind');
  return found;
};

describe('a baseline under policies', () => {
  it('stays as it is where everything is kept', () => {
    for (const monitor of [monitorOf(null), monitorOf({ amount: 'keep', kind: 'keep' }), monitorOf({ kind: 'keep' })])
      expect(baselineUnderPolicies(BASELINE, monitor, null)).toEqual({ baseline: BASELINE, problems: [] });
  });

  it('names hashes instead of categories, once, and quotes nothing', () => {
    const monitor = monitorOf({ amount: 'keep', kind: 'hash' });
    const { baseline, problems } = baselineUnderPolicies(BASELINE, monitor, KEY);
    expect(problems).toEqual([]);
    const [before, after] = [kindOf(BASELINE), kindOf(baseline)];
    for (const [i, category] of before.categories.entries()) {
      const at = after.categories.indexOf(hashedValue(KEY, category));
      expect([after.counts[at], after.verdictBin[at]]).toEqual([before.counts[i], before.verdictBin[i]]);
    }
    const rank = (i: number): string => `${1e6 - after.counts[i]!} ${after.categories[i]}`;
    for (let i = 1; i < after.categories.length; i++) expect(rank(i) > rank(i - 1)).toBe(true);
    expect(baseline.findings.map(({ got }) => got)).toEqual([undefined, '400']);
    expect(baselineUnderPolicies(baseline, monitor, KEY).baseline).toEqual(baseline);
    expect(baselineUnderPolicies(baseline, monitor, OTHER).problems[0]?.code).toBe('other-policy-key');
    expect(baselineUnderPolicies(BASELINE, monitor, null).problems[0]?.code).toBe('no-policy-key');
    // Hashes are no names: without the policy nothing could be compared.
    const back = baselineUnderPolicies(baseline, monitorOf({ amount: 'keep', kind: 'keep' }), KEY);
    expect([back.problems[0]?.code, names(back.baseline)]).toEqual(['hashed-baseline', ['amount']]);
  });

  it('is judged like the raw one, season and calibration included', () => {
    const random = seededRandom(11);
    const shares = [0.3, 0.3, 0.2, 0.12, 0.05, 0.02, 0.01];
    const start = (day: number): number => START + day * DAY;
    const windows = Array.from({ length: 30 }, (_, day) => ({
      start: start(day),
      drawn: drawCategories(random, 700, shares),
    }));
    const pooled = shares.map((_, i) => windows.reduce((sum, { drawn }) => sum + drawn[i]!, 0));
    const order = [...shares.keys()].sort((a, b) => pooled[b]! - pooled[a]!);
    const byCount = (drawn: readonly number[]): number[] => order.map((i) => drawn[i]!);
    const raw = {
      ...categoricalOf(
        ['A', 'B', 'C', 'D', 'E', 'F', 'G'],
        windows.map(({ start: at, drawn }) => ({ start: at, drawn: byCount(drawn) })),
        '1d',
      ),
      name: 'kind',
    };
    const { baseline } = baselineUnderPolicies({ ...BASELINE, columns: [raw] }, monitorOf({ kind: 'hash' }), KEY);
    const hashed = kindOf(baseline);
    expect(raw.calibration).not.toBeNull();
    const options = { level: 0.001, smallestEffect: 0.05, minimumRows: 100, span: null, confirmation: { m: 1, n: 1 } };
    for (const drawn of [drawCategories(random, 700, shares), [90, 260, 150, 90, 60, 30, 20]]) {
      const moved = hashed.categories.map(
        (hash) => drawn[raw.categories.findIndex((one) => hashedValue(KEY, one) === hash)]!,
      );
      const a = judgeColumn(raw, categoryCounts(drawn), options);
      const b = judgeColumn(hashed, categoryCounts(moved), options);
      expect([b.status, b.statistic, b.pValue, b.effect]).toEqual([a.status, a.statistic, a.pValue, a.effect]);
    }
  });

  it('has no column that is dropped or not declared, and tells shapes that these are known', () => {
    const { baseline } = baselineUnderPolicies(BASELINE, monitorOf({ kind: 'drop' }), KEY);
    expect([names(baseline), baseline.withheld]).toEqual([[], ['amount']]);
    const shape = compileShape(monitorOf({ kind: 'drop' }), baseline);
    expect([[...shape.features.keys()], [...shape.ignored].sort()]).toEqual([[], ['amount', 'kind']]);
  });

  it('is not compared where its hashes, or its names, are not what events carry', () => {
    const hash = monitorOf({ amount: 'keep', kind: 'hash' });
    const { baseline } = baselineUnderPolicies(BASELINE, hash, KEY);
    const compared = (monitor: Monitor, one: Baseline): boolean =>
      compileShape(monitor, one).features.get('kind')?.baseline !== null;
    expect([compared(hash, baseline), compared(hash, BASELINE)]).toEqual([true, false]);
    expect(compared(monitorOf({ amount: 'keep', kind: 'keep' }), baseline)).toBe(false);
  });
});

describe('publishing under policies', () => {
  function setUp() {
    const store = new MemoryStore();
    const clock = new ManualClock(T0);
    return { store, clock, options: { store, clock, policyKey: KEY } };
  }
  const raw = (): Baseline => ({
    ...BASELINE,
    columns: BASELINE.columns.map((column) =>
      column.type === 'categorical' && column.name === 'kind'
        ? { ...column, categories: ['secret-1', 'secret-2', 'secret-3'] }
        : column,
    ),
  });
  const base = { model: 'm', version: '1', by: 'ann' };
  async function everything(store: MemoryStore): Promise<string> {
    const found: string[] = [];
    for await (const key of listAll(store, '')) found.push(new TextDecoder().decode((await store.get(key))?.body));
    return found.join('\n');
  }

  it('stores nothing raw, whether the monitor comes along or was there before', async () => {
    const monitor = monitorOf({ amount: 'bucket', kind: 'hash' });
    const { store, options } = setUp();
    await publishBaseline(options, raw(), { ...base, approve: true, monitor });
    await publishMonitor(options, monitor, { by: 'ann' });
    const second = await publishBaseline(options, { ...raw(), rows: 401 }, { ...base, approve: false });
    await approveBaseline(options, { ...base, n: second.n });
    expect(await everything(store)).not.toContain('secret');
    await expect(publishBaseline({ ...options, policyKey: null }, raw(), { ...base, approve: true })).rejects.toThrow(
      ProblemError,
    );
  });

  it('follows a change of policy from the moment that it applies, and goes back to what differs', async () => {
    const { store, clock, options } = setUp();
    const first = await publishBaseline(options, { ...raw(), rows: 399 }, { ...base, approve: true });
    await publishMonitor(options, monitorOf({ amount: 'keep', kind: 'keep' }), { by: 'ann' });
    await publishBaseline(options, raw(), { ...base, approve: true });
    clock.set(T0 + 5 * HOUR);
    const hash = monitorOf({ amount: 'keep', kind: 'hash' });
    const changed = await publishMonitor(options, hash, { by: 'ann' });
    const again = await publishMonitor(options, hash, { by: 'ann' });
    expect(again).toEqual(changed);
    const registry = new Registry({ store, clock });
    await registry.refresh();
    const at = Date.parse(changed.effectiveFrom);
    const seen = (t: number): unknown => {
      const shape = registry.shapeFor('m', '1', t)?.shape;
      const kind = shape?.features.get('kind')?.baseline;
      return [
        shape?.monitor.features?.['kind']?.policy,
        kind?.type === 'categorical' && kind.categories.includes('secret-1'),
      ];
    };
    expect([seen(at - 1), seen(at)]).toEqual([
      ['keep', true],
      ['hash', false],
    ]);
    expect(registry.shapeFor('m', '1', at)?.baseline?.n).toBe(3);
    expect(registry.holdsBack()).toBe(true);
    // The last but one is the same but for its hashes.
    const back = await rollbackBaseline(options, base);
    expect([back.n, back.baseline.rows]).toEqual([4, first.baseline.rows]);
    expect(JSON.stringify(back)).not.toContain('secret');
  });
});
