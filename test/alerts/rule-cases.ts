/** For every alert that Prometheus has: series that make it fire, and such that must not. Times: the clock series shows the time of evaluation. */
import type { AlertKey } from '../../lib/alerts/rules.ts';

export interface RuleCase {
  readonly called: string;
  readonly series: Readonly<Record<string, string>>;
  readonly fires: boolean;
}

const CLOCK = { mlmon_platform_timestamp_seconds: '0+60x200' };
const counter = (name: string, fires: string, quiet: string): RuleCase[] => [
  { called: 'above', series: { ...CLOCK, [name]: fires }, fires: true },
  { called: 'below', series: { ...CLOCK, [name]: quiet }, fires: false },
  { called: 'missing', series: CLOCK, fires: false },
];
const gauge = (name: string, fires: string, quiet: string, missing = false): RuleCase[] => [
  { called: 'above', series: { ...CLOCK, [name]: `${fires}x200` }, fires: true },
  { called: 'edge or below', series: { ...CLOCK, [name]: `${quiet}x200` }, fires: false },
  { called: 'missing', series: CLOCK, fires: missing },
];
const episodes = (severity: string, other: string): RuleCase[] => [
  ...gauge(`mlmon_episode_open{model="a",signal="drift",severity="${severity}"}`, '1', '0'),
  {
    called: 'of another severity',
    series: { ...CLOCK, [`mlmon_episode_open{model="a",signal="drift",severity="${other}"}`]: '1x200' },
    fires: false,
  },
];

export const RULE_CASES: Readonly<Partial<Record<AlertKey, readonly RuleCase[]>>> = {
  'open-episodes-critical': episodes('critical', 'warning'),
  'open-episodes-warning': episodes('warning', 'critical'),
  'open-episodes-info': episodes('info', 'warning'),
  'windows-stale': gauge('mlmon_window_state{model="a",length="1h",state="stale"}', '1', '0'),
  'windows-failed': gauge('mlmon_window_state{model="a",length="1h",state="failed"}', '1', '0'),
  'windows-overdue': [
    ...gauge('mlmon_window_due_timestamp_seconds{model="a",length="1h"}', '0', '0+60'),
    {
      called: 'of one model among those on time',
      series: {
        ...CLOCK,
        'mlmon_window_due_timestamp_seconds{model="a",length="1h"}': '0x200',
        'mlmon_window_due_timestamp_seconds{model="b",length="1h"}': '0+60x200',
      },
      fires: true,
    },
  ],
  'labels-overdue': gauge('mlmon_labels_due_timestamp_seconds{model="a"}', '0', '0+60'),
  'no-events': gauge('mlmon_consumer_append_timestamp_seconds{partition="0"}', '0', '0+60', true),
  'profiler-behind': gauge('mlmon_consumer_lag_seconds{consumer="profiler",partition="0"}', '601', '600'),
  'records-lost': counter('mlmon_lost_records_total', '0x118 5x80', '5x200'),
  'capture-difference': [
    {
      called: 'one event short',
      series: captured('100x200', '99x200'),
      fires: true,
    },
    { called: 'complete', series: captured('100x200', '100x200'), fires: false },
    { called: 'half an hour behind at most', series: captured('0+10x200', '0x25 10+10x170'), fires: false },
    { called: 'missing', series: CLOCK, fires: false },
  ],
  'policy-broken': [
    ...counter('mlmon_quarantined_records_total{reason="policy"}', '0x118 5x80', '5x200'),
    {
      called: 'of another reason',
      series: { ...CLOCK, 'mlmon_quarantined_records_total{reason="json"}': '0x118 5x80' },
      fires: false,
    },
  ],
  'quarantine-growing': counter('mlmon_quarantined_records_total{reason="json"}', '0+30x200', '0+10x200'),
  'events-rejected': counter('mlmon_collector_records_rejected_total{model="a",reason="json"}', '0+30x200', '0+10x200'),
  'evaluation-silent': gauge('mlmon_evaluator_last_run_timestamp_seconds', '0', '0+60', true),
  'exporter-silent': [
    { called: 'silent for long', series: { mlmon_platform_timestamp_seconds: '0+60x100' }, fires: true },
    { called: 'silent for a while', series: { mlmon_platform_timestamp_seconds: '0+60x112' }, fires: false },
    { called: 'there', series: CLOCK, fires: false },
  ],
  'part-down': gauge('mlmon_part_up{part="labeler"}', '0', '1'),
  'sink-failing': counter('mlmon_collector_delivery_failures_total{sink="log"}', '0+2x200', '3x200'),
  'notifications-late': gauge('mlmon_notifier_undelivered_age_seconds', '901', '900'),
  'notifications-failed': [
    ...counter('mlmon_notifier_deliveries_total{outcome="failed"}', '0x118 5x80', '5x200'),
    {
      called: 'delivered',
      series: { ...CLOCK, 'mlmon_notifier_deliveries_total{outcome="delivered"}': '0+30x200' },
      fires: false,
    },
  ],
  watchdog: [{ called: 'always', series: {}, fires: true }],
};

function captured(profiled: string, inCapture: string): Readonly<Record<string, string>> {
  return {
    ...CLOCK,
    mlmon_profiler_records_processed_total: profiled,
    mlmon_profiler_late_records_total: '0x200',
    mlmon_profiler_labels_total: '0x200',
    mlmon_archiver_records_captured_total: inCapture,
  };
}

/** Constant from the start on: fires exactly when it has held for as long as the rule says. */
export const HELD_FROM_START: readonly AlertKey[] = [
  'open-episodes-critical',
  'windows-stale',
  'profiler-behind',
  'part-down',
  'capture-difference',
];
