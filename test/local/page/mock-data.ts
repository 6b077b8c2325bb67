/** Made-up answers of the JSON interface, the same on every run: what the page is developed and tested against. */
import type {
  AlertView,
  BaselineInfo,
  FeatureAnswer,
  Health,
  ModelAnswer,
  ModelSummary,
  PerformanceView,
  WindowView,
} from '../../../lib/contracts/api.ts';
import type { LearningView } from '../../../lib/contracts/learning.ts';
import { parseMonitor } from '../../../lib/contracts/monitor.ts';
import type { FeatureResult, MetricResult, Verdict } from '../../../lib/contracts/result.ts';

export const DAY = 86_400_000;
const HOUR = 3_600_000;

/** mulberry32: small, good enough for pictures. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const iso = (at: number): string => new Date(at).toISOString();

export interface FeatureSpec {
  readonly name: string;
  readonly type: 'numeric' | 'categorical';
  readonly role: 'feature' | 'score' | 'prediction';
}

export interface Plan {
  readonly model: string;
  readonly features: readonly FeatureSpec[];
  /** Length of the shortest window, milliseconds. */
  readonly every: number;
  readonly from: number;
  readonly to: number;
  readonly timezone: string;
  readonly incident: { readonly start: number; readonly end: number; readonly features: readonly string[] } | null;
  readonly seed: number;
  /** Its windows have no verdict yet. */
  readonly learning?: LearningView;
}

const FLIGHT: readonly FeatureSpec[] = [
  { name: 'distance', type: 'numeric', role: 'feature' },
  { name: 'origin', type: 'categorical', role: 'feature' },
  { name: 'destination', type: 'categorical', role: 'feature' },
  { name: 'hour', type: 'numeric', role: 'feature' },
  { name: 'weekday', type: 'categorical', role: 'feature' },
  { name: 'carrier', type: 'categorical', role: 'feature' },
  { name: 'score', type: 'numeric', role: 'score' },
  { name: 'predicted', type: 'categorical', role: 'prediction' },
];

const FEBRUARY = Date.UTC(2001, 1, 1);
export const INCIDENT = { start: Date.UTC(2001, 2, 2), end: Date.UTC(2001, 2, 5) };

export const flights: Plan = {
  model: 'flight-delay',
  features: FLIGHT,
  every: DAY,
  from: FEBRUARY,
  to: Date.UTC(2001, 6, 1),
  timezone: 'UTC',
  incident: { ...INCIDENT, features: ['distance', 'origin'] },
  seed: 7,
};

export const NASTY = [
  '<img src=x onerror=alert(1)>',
  '__proto__',
  'constructor',
  '"><script>window.hacked=1</script>',
  '{{constructor.constructor("window.hacked=1")()}}',
  'مرحبا بالعالم',
  'rtl \u202Egnp.exe override',
  `a-very-long-name-${'that-goes-on-'.repeat(40)}end`,
  '  ',
  'zero\u200Bwidth',
  '日本語の特徴量',
  '../../../etc/passwd',
  '{a|rich} {value}',
  '\ud800 lone',
];

function summaryOf(status: Verdict, name: string, effect: number): string {
  if (status === 'drifted') return `${name} changed: effect ${effect.toFixed(2)}, far beyond what chance allows`;
  if (status === 'insufficient-data') return 'too few rows to say anything';
  return 'no change beyond chance';
}

export function windowsOf(plan: Plan, length: number): WindowView[] {
  const judged = judgedWindows(plan, length);
  if (plan.learning === undefined) return judged;
  return judged.map((window) => ({
    ...window,
    status: 'learning',
    reason: 'the baseline is learned from the first 7d',
    volume: null,
    quality: [],
    features: Object.fromEntries(
      Object.entries(window.features).map(([name, cell]) => [
        name,
        {
          ...cell,
          status: 'learning',
          effect: null,
          pValue: null,
          aspect: null,
          summary: 'the baseline is being learned',
        },
      ]),
    ),
  }));
}

function judgedWindows(plan: Plan, length: number): WindowView[] {
  const made: WindowView[] = [];
  const name = length % DAY === 0 ? `${length / DAY}d` : `${length / HOUR}h`;
  for (let start = plan.from; start + length <= plan.to; start += length) {
    const dice = random(plan.seed * 7919 + start / HOUR);
    const index = Math.round((start - plan.from) / length);
    const weekday = new Date(start).getUTCDay();
    const rows = Math.round(((weekday === 6 ? 13_500 : 16_000) + dice() * 900) * (length / DAY)) || 3;
    const few = index % 53 === 40;
    const stale = index % 97 === 60;
    const season = (start - plan.from) / (150 * DAY);
    const hit = plan.incident !== null && start < plan.incident.end && start + length > plan.incident.start;
    const features: [string, WindowView['features'][string]][] = plan.features.map((feature, f) => {
      const inIncident = hit && plan.incident?.features.includes(feature.name) === true;
      const slow = feature.name === 'hour' || f % 17 === 9 ? season * 0.12 : 0;
      const effect = Math.max(0, (dice() - 0.55) * 0.07) + slow + (inIncident ? 0.35 + dice() * 0.3 : 0);
      const status: Verdict = few ? 'insufficient-data' : stale ? 'stale' : effect > 0.075 ? 'drifted' : 'ok';
      const missing = (feature.name === 'origin' && hit ? 0.05 : 0.002) + dice() * 0.002;
      return [
        feature.name,
        {
          status,
          effect: few || stale ? null : Number(effect.toPrecision(12)),
          pValue: few || stale ? null : effect > 0.075 ? 3e-7 : 0.02 + dice() * 0.9,
          threshold: 0.00031,
          aspect: status === 'drifted' ? (feature.type === 'numeric' ? 'location' : 'missing') : null,
          summary: summaryOf(status, feature.name, effect),
          missing,
          mean: feature.type === 'numeric' ? (inIncident ? 1180 : 733) + dice() * 12 + season * 20 : null,
        },
      ];
    });
    const drifted = features.filter(([, cell]) => cell.status === 'drifted').map(([key]) => key);
    const status: Verdict = few ? 'insufficient-data' : stale ? 'stale' : drifted.length > 0 ? 'drifted' : 'ok';
    const shown = few ? 120 : rows;
    made.push({
      version: '3',
      start: iso(start),
      end: iso(start + length),
      length: name,
      rows: shown,
      status,
      reason: few ? 'fewer than 200 rows' : stale ? '1 of 2 partitions has not been profiled yet' : null,
      revision: index % 11 === 3 ? 1 : 0,
      features: Object.fromEntries(features),
      quality: hit
        ? [
            {
              check: 'missing',
              feature: 'origin',
              status: 'drifted',
              value: 0.051,
              expected: 0.002,
              breach: false,
              summary: 'origin is missing in 5.1 % of the rows; 0.2 % in the baseline',
            },
            {
              check: 'range',
              feature: 'distance',
              status: 'drifted',
              value: 0.11,
              expected: 0,
              breach: false,
              summary: '11 % of distance lies above every value of the baseline',
            },
          ]
        : [],
      volume: {
        status: few ? 'drifted' : 'ok',
        rows: shown,
        expected: Math.round(15_900 * (length / DAY)),
        pValue: few ? 1e-9 : 0.4,
        summary: few ? 'far fewer rows than on other days' : 'as many rows as on other days',
      },
      latency: {
        status: 'ok',
        count: shown,
        p50: 8 + dice() * 2,
        p90: 19 + dice() * 4,
        p99: (hit ? 160 : 62) + dice() * 25,
        threshold: 200,
        summary: '99 % of the answers took less than 200 ms',
      },
      segments: ['AA', 'DL', 'UA', 'WN'].map((segment) => ({
        segment: `carrier=${segment}`,
        rows: Math.round(shown / 5),
        status: hit ? 'drifted' : 'ok',
        drifted: hit ? ['distance'] : [],
      })),
    });
  }
  return made;
}

export function performanceOf(plan: Plan, length: number): PerformanceView[] {
  const made: PerformanceView[] = [];
  for (let start = plan.from; start + length <= plan.to; start += length) {
    const dice = random(plan.seed * 104_729 + start / HOUR);
    const end = start + length;
    const hit = plan.incident !== null && start < plan.incident.end && end > plan.incident.start;
    const age = plan.to - end;
    const mature = age >= 2 * DAY;
    const coverage = mature ? 0.985 + dice() * 0.012 : Math.min(0.97, 0.3 + 0.3 * (age / DAY) + dice() * 0.05);
    const accuracy = 0.803 + (dice() - 0.5) * 0.022 - (hit ? 0.07 : 0) - ((start - plan.from) / (150 * DAY)) * 0.012;
    const half = 0.008 / Math.sqrt(coverage);
    const metric = (name: string, value: number, floor: number | null, baseline: number): MetricResult => ({
      metric: name,
      status: floor !== null && value + half < floor ? 'drifted' : mature ? 'ok' : 'immature',
      value,
      interval: [value - half, value + half],
      baseline,
      threshold: floor,
    });
    made.push({
      version: '3',
      start: iso(start),
      end: iso(end),
      status: mature ? (hit ? 'drifted' : 'ok') : 'immature',
      mature,
      coverage,
      predictions: 16_000,
      labels: Math.round(16_000 * coverage),
      conflicts: dice() < 0.1 ? 2 : 0,
      metrics: [
        metric('accuracy', accuracy, 0.77, 0.806),
        metric('precision', accuracy - 0.1, null, 0.71),
        metric('recall', 0.41 + dice() * 0.02, null, 0.42),
        metric('f1', 0.52 + dice() * 0.02, null, 0.53),
        metric('log-loss', 0.44 + dice() * 0.02 + (hit ? 0.08 : 0), null, 0.44),
        metric('brier', 0.14 + dice() * 0.005, null, 0.141),
        metric('roc-auc', 0.735 + (dice() - 0.5) * 0.02 - (hit ? 0.05 : 0), 0.69, 0.741),
      ],
      confusion: {
        classes: ['on-time', 'late'],
        counts: [
          [11_214, 902],
          [2_210, 1_530],
        ],
      },
      calibration: Array.from({ length: 10 }, (_, i) => ({
        score: 0.05 + i * 0.1,
        truth: 0.04 + i * 0.094,
        rows: 1600,
      })),
    });
  }
  return made;
}

export function episodesOf(plan: Plan): AlertView[] {
  if (plan.incident === null) return [];
  const { start, end, features } = plan.incident;
  const base = {
    model: plan.model,
    version: '3',
    owner: 'team-flights',
    length: '1d',
    corrected: false,
    acknowledged: null,
    silenced: false,
    timezone: plan.timezone,
    link: `/#/models/${encodeURIComponent(plan.model)}`,
    context: [],
  };
  const sent = (id: string, kinds: readonly string[]): AlertView['deliveries'] =>
    kinds.flatMap((kind) => [
      { transition: `${id}/${kind}/1`, channel: 'inbox', state: 'delivered' as const, detail: null },
      {
        transition: `${id}/${kind}/1`,
        channel: 'slack',
        state: kind === 'opened' ? ('failed' as const) : ('delivered' as const),
        detail: kind === 'opened' ? 'gave up after 5 attempts: 503' : null,
      },
    ]);
  const drift: AlertView = {
    ...base,
    id: 'e-drift-1',
    signal: 'drift',
    severity: 'warning',
    opened: iso(start + DAY),
    closed: iso(end + 3 * DAY),
    since: iso(start),
    features: features.map((name, i) => ({
      name,
      aspect: i === 0 ? 'location' : 'missing',
      effect: i === 0 ? 0.61 : 0.21,
      summary:
        i === 0
          ? 'values are 1.6 times as large as in the baseline; 11 % lie above all of it.'
          : 'missing in 5.1 % of the rows instead of 0.2 %.',
      since: iso(start),
    })),
    summary: `${features.join(' and ')} changed: values of distance are 1.6 times as large, origin is missing in 5.1 % of the rows`,
    provisional: false,
    state: 'closed',
    notifiedAt: iso(start + DAY + HOUR),
    runbook: '/runbook#drift',
    deliveries: sent('e-drift-1', ['opened', 'closed']),
  };
  const slow: AlertView = {
    ...base,
    id: 'e-drift-2',
    signal: 'drift',
    severity: 'warning',
    opened: iso(plan.to - 9 * DAY),
    closed: null,
    since: iso(plan.to - 10 * DAY),
    features: [
      {
        name: plan.features[3]?.name ?? 'hour',
        aspect: 'spread',
        effect: 0.12,
        summary: 'more flights late in the evening than in the baseline.',
        since: iso(plan.to - 10 * DAY),
      },
    ],
    summary: 'hour moved slowly since April and now lies beyond what chance allows: more flights late in the evening',
    provisional: true,
    state: 'open',
    notifiedAt: iso(plan.to - 9 * DAY + HOUR),
    runbook: '/runbook#drift',
    context: ['baseline 2 took effect on 1 June'],
    deliveries: sent('e-drift-2', ['opened']),
  };
  const performance: AlertView = {
    ...base,
    id: 'e-performance-1',
    signal: 'performance',
    severity: 'critical',
    opened: iso(start + 3 * DAY),
    closed: iso(end + 5 * DAY),
    since: iso(start),
    features: [
      {
        name: 'accuracy',
        aspect: null,
        effect: null,
        summary: 'fell to 73.4 %, floor 77 %.',
        since: iso(start),
      },
    ],
    summary: 'accuracy fell to 73.4 % (interval 72.6 % to 74.2 %), below the floor of 77 %',
    provisional: false,
    state: 'closed',
    acknowledged: { by: 'Ada', at: iso(start + 4 * DAY), note: 'Producer fixed the unit.\nWaiting for recovery.' },
    notifiedAt: iso(start + 3 * DAY),
    runbook: '/runbook#performance',
    deliveries: sent('e-performance-1', ['opened', 'closed']),
  };
  return [slow, performance, drift];
}

export const baselinesOf = (plan: Plan): BaselineInfo[] =>
  plan.learning !== undefined
    ? []
    : [
        {
          version: '3',
          n: 1,
          rows: 502_113,
          source: 'examples/flight-delay/january.parquet',
          effectiveFrom: iso(plan.from),
          approved: { by: 'the demonstration', at: iso(plan.from) },
          findings: ['destination holds 2 categories with fewer than 5 rows'],
        },
      ];

export function summaryOfPlan(
  plan: Plan,
  windows: readonly WindowView[],
  episodes: readonly AlertView[],
): ModelSummary {
  const last = windows.at(-1);
  const open = episodes.filter((episode) => episode.state === 'open');
  return {
    model: plan.model,
    owner: 'team-flights',
    task: 'binary-classification',
    version: '3',
    state: last?.status ?? 'learning',
    reason: last?.reason ?? null,
    lastWindow: last === undefined ? null : { start: last.start, end: last.end, rows: last.rows },
    openEpisodes: open.length,
    severity: open.some(({ severity }) => severity === 'critical') ? 'critical' : (open[0]?.severity ?? null),
    headline: last === undefined ? null : { metric: 'accuracy', value: 0.794, mature: false, coverage: 0.62 },
    recentRows: windows.slice(-30).map(({ rows }) => rows),
    removed: false,
    ...(plan.learning === undefined ? {} : { learning: plan.learning }),
    timezone: plan.timezone,
  };
}

export function modelOf(plan: Plan, episodes: readonly AlertView[], windows: readonly WindowView[]): ModelAnswer {
  const { monitor } = parseMonitor({
    model: 'flight-delay',
    owner: 'team-flights',
    task: 'binary-classification',
    window: { every: plan.every === DAY ? '1d' : '1h', timezone: plan.timezone },
  });
  if (monitor === null) throw new Error('the monitor of the mock is not valid');
  return {
    now: iso(plan.to + 2 * HOUR),
    summary: summaryOfPlan(plan, windows, episodes),
    monitor,
    monitorNumber: 1,
    versions: ['3', '2'],
    lengths: plan.every === DAY ? ['1d', '7d'] : ['1h', '1d', '7d'],
    features: plan.features,
    baselines: baselinesOf(plan),
    episodes,
  };
}

export function featureOf(
  plan: Plan,
  name: string,
  windows: readonly WindowView[],
  start: string | null,
): FeatureAnswer | null {
  const spec = plan.features.find((feature) => feature.name === name);
  if (spec === undefined) return null;
  const window = start === null ? windows.at(-1) : windows.find((one) => one.start === start);
  if (window === undefined) return null;
  const cell = window.features[name];
  if (cell === undefined || !Object.hasOwn(window.features, name)) return null;
  const drifted = cell.status === 'drifted';
  const labels =
    spec.type === 'numeric'
      ? [
          'below 130',
          '130–230',
          '230–320',
          '320–400',
          '400–520',
          '520–640',
          '640–790',
          '790–980',
          '980–1,250',
          '1,250–2,475',
          'above 2,475',
          'missing',
        ]
      : [
          'ORD',
          'DFW',
          'ATL',
          'LAX',
          'PHX',
          'STL',
          NASTY[0] ?? '',
          'LAS',
          'MSP',
          'DEN',
          '<b>bold</b>',
          'other',
          'missing',
        ];
  const shape = labels.map((_, i) => (i === 0 || i >= labels.length - 2 ? 0.4 : 1 + Math.sin(i) * 0.2));
  const moved = shape.map((x, i) => x * (drifted ? 0.55 + (i / labels.length) * 1.1 : 1 + Math.sin(i * 3) * 0.02));
  const sum = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0);
  const result: FeatureResult = {
    ...spec,
    status: cell.status,
    test: spec.type === 'numeric' ? 'ks' : 'chi-square',
    statistic: drifted ? 0.214 : 0.011,
    pValue: cell.pValue,
    threshold: cell.threshold,
    effect: cell.effect,
    aspect: cell.aspect,
    detectable: 0.043,
    provisional: false,
    referenceCount: 502_113,
    currentCount: window.rows - Math.round(window.rows * (cell.missing ?? 0)),
    missingReference: 1_005,
    missingCurrent: Math.round(window.rows * (cell.missing ?? 0)),
    summary: drifted
      ? `Values of ${name} are about 1.6 times as large as in the baseline, and 11 % lie above all of it.`
      : `${name} looks as in the baseline; what differs is within what chance brings.`,
    changes: drifted
      ? [
          { what: 'above 2,475', reference: 0.001, current: 0.112 },
          { what: '<b>bold</b>', reference: 0.1, current: 0.04 },
          { what: 'missing', reference: 0.002, current: cell.missing ?? 0 },
        ]
      : [],
    others: [
      { test: 'psi', statistic: drifted ? 0.412 : 0.002, pValue: null, threshold: 0.2 },
      { test: 'jensen-shannon', statistic: drifted ? 0.21 : 0.01, pValue: null, threshold: null },
      { test: 'wasserstein', statistic: null, pValue: null, threshold: null, reason: 'not defined for categories' },
    ],
    mean: cell.mean,
    std: spec.type === 'numeric' ? 571 : null,
  };
  return {
    now: iso(plan.to),
    window: { version: '3', start: window.start, end: window.end, length: window.length, rows: window.rows },
    result,
    distribution: {
      bins: labels.map((label, i) => ({
        label,
        reference: (shape[i] ?? 0) / sum(shape),
        current: (moved[i] ?? 0) / sum(moved),
      })),
    },
    explanation: [
      'The largest gap between the two distributions is 21 percentage points; on ordinary days it stays under 2.',
      'Ordinary days differ more than pure chance would let them: that has been taken into account.',
      'An effect of 0.61 is large: a third of the flights would have to change places to undo it.',
    ],
    history: windows.map((one) => {
      const seen = Object.hasOwn(one.features, name) ? one.features[name] : undefined;
      return {
        start: one.start,
        status: seen?.status ?? 'insufficient-data',
        effect: seen?.effect ?? null,
        missing: seen?.missing ?? null,
        mean: seen?.mean ?? null,
        std: spec.type === 'numeric' ? 571 : null,
      };
    }),
  };
}

export function healthOf(kind: 'ok' | 'degraded'): Health {
  const bad = kind === 'degraded';
  return {
    status: kind,
    problems: bad
      ? [
          'partition 1 is 48,210 records behind: the profiler takes 1,900 events/s and 2,400 arrive',
          'channel slack: 5 deliveries failed (503)',
        ]
      : [],
    uptimeSeconds: 8_053,
    memoryBytes: 268_435_456,
    eventsPerSecond: bad ? 2_412 : 11_804,
    partitions: [0, 1].map((id) => ({
      id: String(id),
      head: '1204411',
      profiled: bad && id === 1 ? '1156201' : '1204411',
      archived: '1204380',
      lag: bad && id === 1 ? 48_210 : 0,
      closed: false,
    })),
    counts: {
      received: 2_408_822,
      profiled: bad ? 2_360_612 : 2_408_822,
      captured: 2_408_760,
      beyond: 41,
      labels: 2_377_214,
      quarantined: bad ? { json: 3, schema: 41, future: 2, 'unknown-model': 12, 'too-large': 0 } : {},
      lost: 0,
    },
    lastEvaluation: iso(Date.UTC(2001, 6, 1, 1, 12)),
    parts: ['collector', 'archiver', 'profiler', 'evaluator', 'labeler', 'notifier'].map((name) => ({
      name,
      state: bad && name === 'notifier' ? 'failing' : 'running',
      error: bad && name === 'notifier' ? 'slack answered 503 five times; tries again in 4 minutes' : null,
    })),
  };
}
