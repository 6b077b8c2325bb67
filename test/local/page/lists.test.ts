import { describe, expect, it } from 'vitest';
import type { BaselineInfo, ModelSummary } from '../../../lib/contracts/api.ts';
import { spanned } from '../../../lib/local/page/charts/heatmap-model.ts';
import { bandsOf, timelineOf } from '../../../lib/local/page/words/bands.ts';
import { canGoBack, inForce, normalChoices } from '../../../lib/local/page/words/baselines.ts';
import { alertsByUrgency, byUrgency, matches, stateCounts } from '../../../lib/local/page/words/model-list.ts';
import { DAY, episodesOf, flights, INCIDENT, iso, windowsOf } from './mock-data.ts';

const model = (name: string, change: Partial<ModelSummary>): ModelSummary => ({
  model: name,
  owner: 'team',
  task: 'none',
  version: '1',
  state: 'ok',
  reason: null,
  lastWindow: null,
  openEpisodes: 0,
  severity: null,
  headline: null,
  recentRows: [],
  removed: false,
  ...change,
});

describe('list of models', () => {
  const list = [
    model('b-ok', {}),
    model('a-ok', {}),
    model('removed', { removed: true, openEpisodes: 1, severity: 'critical' }),
    model('stale', { state: 'stale' }),
    model('warned', { openEpisodes: 1, severity: 'warning', state: 'drifted' }),
    model('critical', { openEpisodes: 2, severity: 'critical' }),
    model('drifted', { state: 'drifted', owner: 'Team Flights' }),
  ];

  it('shows first what needs somebody', () => {
    expect([...list].sort(byUrgency).map((one) => one.model)).toEqual([
      'critical',
      'warned',
      'drifted',
      'stale',
      'a-ok',
      'b-ok',
      'removed',
    ]);
  });

  it('filters by words of name and owner, and by state', () => {
    const found = (filter: string, state: string): string[] =>
      list.filter((one) => matches(one, filter, state)).map((one) => one.model);
    expect(found('flights DRIFT', 'all')).toEqual(['drifted']);
    expect(found('', 'alert')).toEqual(['removed', 'warned', 'critical']);
    expect(found('', 'stale')).toEqual(['stale']);
    expect(found('ok', 'drifted')).toEqual([]);
    expect(stateCounts(list)).toEqual([
      ['alert', 3],
      ['drifted', 2],
      ['stale', 1],
      ['ok', 4],
    ]);
  });

  it('shows alerts nobody has taken before those that somebody has', () => {
    const taken = { by: 'a', at: iso(0), note: '' };
    const sorted = [
      { id: 1, acknowledged: taken, severity: 'critical' as const, opened: iso(9) },
      { id: 2, acknowledged: null, severity: 'warning' as const, opened: iso(1) },
      { id: 3, acknowledged: null, severity: 'warning' as const, opened: iso(5) },
      { id: 4, acknowledged: null, severity: 'critical' as const, opened: iso(0) },
    ].sort(alertsByUrgency);
    expect(sorted.map(({ id }) => id)).toEqual([4, 3, 2, 1]);
  });
});

describe('bands', () => {
  const incidents = [{ start: iso(INCIDENT.start), end: iso(INCIDENT.end), description: 'scripted' }];
  const episodes = episodesOf(flights);

  it('marks incidents as scripted and leads episodes to their alerts', () => {
    const bands = bandsOf(episodes, incidents, iso(flights.to), '3');
    expect(bands.filter(({ kind }) => kind === 'scripted')).toMatchObject([{ id: null, from: INCIDENT.start }]);
    expect(bands.filter(({ id }) => id !== null)).toHaveLength(3);
    // An open episode lasts until now.
    expect(bands.find(({ id }) => id === 'e-drift-2')?.to).toBe(flights.to);
  });

  it('leaves out other versions and what was taken back', () => {
    expect(bandsOf(episodes, [], iso(flights.to), '2')).toEqual([]);
    expect(
      bandsOf(
        episodes.map((one) => ({ ...one, corrected: true })),
        [],
        iso(flights.to),
        '3',
      ),
    ).toEqual([]);
    expect(bandsOf(episodes, [], undefined, '3').some(({ id }) => id === 'e-drift-2')).toBe(false);
  });

  it('gives the first windows room to come', () => {
    const two = spanned(windowsOf({ ...flights, to: flights.from + 2 * DAY }, DAY));
    expect(timelineOf(two)).toEqual({ from: flights.from - 18 * DAY, to: flights.from + 2 * DAY });
    const many = spanned(windowsOf(flights, DAY));
    expect(timelineOf(many)).toEqual({ from: flights.from, to: flights.to });
    expect(timelineOf([])).toEqual({ from: 0, to: 1 });
  });
});

describe('baselines', () => {
  const baseline = (n: number, effectiveFrom: number | null, approved: boolean, version = '1'): BaselineInfo => ({
    version,
    n,
    rows: n,
    source: '',
    effectiveFrom: effectiveFrom === null ? null : iso(effectiveFrom),
    approved: approved ? { by: 'a', at: iso(0) } : null,
    findings: [],
  });

  it('knows which one is in force', () => {
    const all = [
      baseline(1, 0, true),
      baseline(2, 5 * DAY, true),
      baseline(3, null, false),
      baseline(4, 50 * DAY, true),
      baseline(5, 8 * DAY, true, '2'),
    ];
    expect(all.map((one) => inForce(one, all, 10 * DAY))).toEqual([
      'replaced',
      'in force',
      'waits for approval',
      'comes into force',
      'in force',
    ]);
    expect(inForce(all[0]!, all, DAY)).toBe('in force');
  });

  it('knows that approval publishes again, and what can be gone back to', () => {
    const of = (n: number, rows: number, approved: boolean): BaselineInfo => ({
      ...baseline(n, n * DAY, approved),
      rows,
    });
    const all = [of(1, 10, true), of(2, 20, false), of(3, 20, true), of(4, 30, false)];
    expect(all.map((one) => inForce(one, all, 10 * DAY))).toEqual([
      'replaced',
      'taken over',
      'in force',
      'waits for approval',
    ]);
    expect(all.map((one) => canGoBack(one, all))).toEqual([false, false, true, false]);
    expect(canGoBack(of(5, 10, true), [of(1, 10, true), of(5, 10, true)])).toBe(false);
  });

  it('knows that a learned one is in force before it is approved, and marks it', () => {
    const learned: BaselineInfo = { ...baseline(1, 5 * DAY, false), provisional: true };
    expect([4, 6].map((at) => inForce(learned, [learned], at * DAY))).toEqual(['provisional', 'provisional']);
    const approved = { ...baseline(2, 8 * DAY, true), rows: 1 };
    expect([learned, approved].map((one) => inForce(one, [learned, approved], 7 * DAY))).toEqual([
      'taken over',
      'comes into force',
    ]);
    const other = baseline(2, 8 * DAY, true);
    expect([learned, other].map((one) => inForce(one, [learned, other], 7 * DAY))).toEqual([
      'provisional',
      'comes into force',
    ]);
    expect([learned, other].map((one) => inForce(one, [learned, other], 9 * DAY))).toEqual(['replaced', 'in force']);
    expect(canGoBack(learned, [learned])).toBe(false);
  });

  it('knows that the later of two approvals for one time wins', () => {
    const all = [baseline(1, 0, true), baseline(2, 9 * DAY, true), baseline(3, 9 * DAY, true)];
    expect(all.map((one) => inForce(one, all, DAY))).toEqual(['in force', 'replaced', 'comes into force']);
    expect(all.map((one) => inForce(one, all, 9 * DAY))).toEqual(['replaced', 'replaced', 'in force']);
  });

  it('suggests the windows since the open change, and marks scripted ones', () => {
    const windows = spanned(windowsOf(flights, DAY));
    const episodes = episodesOf(flights);
    const demonstration = {
      title: '',
      progress: 1,
      state: 'done' as const,
      message: '',
      incidents: [{ start: iso(INCIDENT.start), end: iso(INCIDENT.end), description: '' }],
    };
    const { choices, from } = normalChoices(windows, { episodes, demonstration }, 'UTC');
    expect(choices[from]!.start).toBe(iso(flights.to - 10 * DAY));
    expect(choices.filter(({ scripted }) => scripted)).toHaveLength(3);
    expect(normalChoices(windows, { episodes: [] }, 'UTC').from).toBe(windows.length - 28);
    expect(normalChoices([], { episodes }, 'UTC')).toEqual({ choices: [], from: 0 });
  });
});
