/**
 * For every alert that Prometheus has, the five points at which it is tested: below, above, at the edge of `for`, with missing data and with too
 * few rows. Inputs are written by hand; `promtool-tests.ts` makes tests of them. One sample a minute; the clock shows the time of evaluation.
 */
import type { AlertKey } from '../../lib/alerts/rules.ts';

/** Series by name, with values in the notation of promtool: `0x59 1x140` is 0 for the first hour and 1 from then on. */
export type Series = Readonly<Record<string, string>>;

export interface RulePoints {
  /** What it must not fire on, as near as can be; `null` for what always fires. */
  readonly below: Series | null;
  /** What it must fire on: quiet until the minute `begins`, in which the condition is true for the first time. */
  readonly above: Series;
  readonly begins: number;
  /** Nothing of what it looks at. `firing` where that is the alert. */
  readonly missing: 'quiet' | 'firing';
  /** A model of which too few rows are known to say anything; or why the alert is not about rows. */
  readonly few: Series | string;
  /** What else must not fire, by what it is called. */
  readonly besides?: Readonly<Record<string, Series>>;
  /** Series that stay when data are missing. @default the clock */
  readonly left?: Series;
}

const CLOCK: Series = { mlmon_platform_timestamp_seconds: '0+60x200' };
/** From this minute on it is true. */
const FROM = 60;
const step = (quiet: number | string, loud: number | string): string => `${quiet}x${FROM - 1} ${loud}x140`;
const always = (value: number | string): string => `${value}x200`;
const with_ = (series: Series): Series => ({ ...CLOCK, ...series });

/** A gauge that steps over its threshold. */
function gauge(name: string, quiet: number, loud: number, few: Series | string = NOT_OF_ROWS): RulePoints {
  return {
    below: with_({ [name]: always(quiet) }),
    above: with_({ [name]: step(quiet, loud) }),
    begins: FROM,
    missing: 'quiet',
    few,
  };
}

/** A counter that jumps: within the minute the increase of five minutes is there. `below` is as much as is not yet enough. */
function jump(name: string, by: number, below: number): RulePoints {
  return {
    below: with_({ [name]: step(0, below) }),
    above: with_({ [name]: step(0, by) }),
    begins: FROM,
    missing: 'quiet',
    few: NOT_OF_ROWS,
  };
}

/** A counter that goes on and on, by so much a minute; true from the minute after the first. */
function climb(name: string, by: number, below: number, begins: number): RulePoints {
  return {
    below: with_({ [name]: `0+${below}x200` }),
    above: with_({ [name]: `${step(0, `0+${by}`)}` }),
    begins,
    missing: 'quiet',
    few: NOT_OF_ROWS,
  };
}

const NOT_OF_ROWS = 'it watches the platform, whatever the rows of a model';
const state = (name: string): string => `mlmon_window_state{model="a",length="1h",state="${name}"}`;
const FEW_ROWS: Series = with_({
  'mlmon_window_rows{model="a",length="1h"}': always(3),
  [state('insufficient-data')]: always(1),
  [state('stale')]: always(0),
  [state('failed')]: always(0),
  'mlmon_episode_open{model="a",signal="drift",severity="warning"}': always(0),
});

function episodes(severity: string, other: string): RulePoints {
  const of = (one: string): string => `mlmon_episode_open{model="a",signal="drift",severity="${one}"}`;
  return {
    ...gauge(of(severity), 0, 1, FEW_ROWS),
    besides: { 'an episode of another severity': with_({ [of(other)]: always(1) }) },
  };
}

/** A moment that is compared with the clock: true when it lies more than `seconds` back. */
function moment(
  name: string,
  seconds: number,
  few: Series | string,
  missing: RulePoints['missing'] = 'quiet',
): RulePoints {
  return {
    below: with_({ [name]: `-${seconds}+60x200` }),
    above: with_({ [name]: always(0) }),
    begins: seconds / 60 + 1,
    missing,
    few,
  };
}

function captured(profiled: string, inCapture: string): Series {
  return with_({
    mlmon_profiler_records_processed_total: profiled,
    mlmon_profiler_late_records_total: always(0),
    mlmon_profiler_labels_total: always(0),
    mlmon_archiver_records_captured_total: inCapture,
  });
}

const HERE = 'job="mlmon",instance="a:9464"';
const BUILD = `mlmon_build_info{${HERE},version="1",node="v20"}`;

export const RULE_POINTS: Readonly<Partial<Record<AlertKey, RulePoints>>> = {
  'open-episodes-critical': episodes('critical', 'warning'),
  'open-episodes-warning': episodes('warning', 'critical'),
  'open-episodes-info': episodes('info', 'warning'),
  'windows-stale': gauge(state('stale'), 0, 1, FEW_ROWS),
  'windows-failed': gauge(state('failed'), 0, 1, FEW_ROWS),
  'windows-overdue': {
    ...moment('mlmon_window_due_timestamp_seconds{model="a",length="1h"}', 3_600, FEW_ROWS),
    above: with_({
      'mlmon_window_due_timestamp_seconds{model="a",length="1h"}': always(0),
      'mlmon_window_due_timestamp_seconds{model="b",length="1h"}': '0+60x200',
    }),
  },
  'labels-overdue': moment(
    'mlmon_labels_due_timestamp_seconds{model="a"}',
    3_600,
    with_({ 'mlmon_window_rows{model="a",length="1h"}': always(3) }),
  ),
  'no-events': moment('mlmon_consumer_append_timestamp_seconds{partition="0"}', 3_600, NOT_OF_ROWS, 'firing'),
  'profiler-behind': {
    ...gauge('mlmon_consumer_lag_seconds{consumer="profiler",partition="0"}', 600, 601),
    besides: {
      'another consumer': with_({ 'mlmon_consumer_lag_seconds{consumer="archiver",partition="0"}': always(601) }),
    },
  },
  'records-lost': jump('mlmon_lost_records_total', 5, 0),
  'capture-difference': {
    below: captured(always(100), always(100)),
    above: captured(always(100), always(99)),
    begins: 30,
    missing: 'quiet',
    few: NOT_OF_ROWS,
    besides: { 'a capture that is half an hour late': captured('0+10x200', '0x25 10+10x170') },
  },
  'policy-broken': {
    ...jump('mlmon_quarantined_records_total{reason="policy"}', 5, 0),
    besides: { 'another reason': with_({ 'mlmon_quarantined_records_total{reason="json"}': step(0, 5) }) },
  },
  'quarantine-growing': jump('mlmon_quarantined_records_total{reason="json"}', 100, 99),
  'events-rejected': jump('mlmon_collector_records_rejected_total{model="a",reason="json"}', 100, 99),
  'evaluation-silent': moment('mlmon_evaluator_last_run_timestamp_seconds', 900, NOT_OF_ROWS, 'firing'),
  'exporter-silent': {
    below: { mlmon_platform_timestamp_seconds: '0+60x112' },
    above: { mlmon_platform_timestamp_seconds: '0+60x100' },
    begins: 111,
    missing: 'firing',
    few: NOT_OF_ROWS,
    left: {},
  },
  'part-down': gauge('mlmon_part_up{part="labeler"}', 1, 0),
  'sink-failing': climb('mlmon_collector_delivery_failures_total{sink="log"}', 2, 0.5, 62),
  'notifications-late': gauge('mlmon_notifier_undelivered_age_seconds', 900, 901),
  'notifications-failed': {
    ...jump('mlmon_notifier_deliveries_total{outcome="failed"}', 5, 0),
    besides: { 'what was delivered': with_({ 'mlmon_notifier_deliveries_total{outcome="delivered"}': step(0, 30) }) },
  },
  watchdog: { below: null, above: {}, begins: 0, missing: 'firing', few: NOT_OF_ROWS },
  'part-absent': {
    below: with_({ 'mlmon_part_up{part="labeler"}': always(0) }),
    above: with_({ 'mlmon_part_up{part="labeler"}': `1x${FROM - 1} stale` }),
    begins: FROM,
    missing: 'quiet',
    few: NOT_OF_ROWS,
    besides: {
      'one of two processes that run it': with_({
        'mlmon_part_up{part="profiler",instance="a"}': `1x${FROM - 1} stale`,
        'mlmon_part_up{part="profiler",instance="b"}': always(1),
      }),
    },
  },
  'scrape-failing': {
    below: with_({ [`up{${HERE}}`]: always(1), [BUILD]: always(1) }),
    above: with_({ [`up{${HERE}}`]: step(1, 0), [BUILD]: `1x${FROM - 1} stale` }),
    begins: FROM,
    missing: 'quiet',
    few: NOT_OF_ROWS,
    besides: { 'what is not ours': with_({ 'up{job="other",instance="b:80"}': always(0), [BUILD]: always(1) }) },
  },
  'part-restarting': {
    below: with_({ [`mlmon_process_start_timestamp_seconds{${HERE}}`]: '0x59 1 2x140' }),
    above: with_({ [`mlmon_process_start_timestamp_seconds{${HERE}}`]: '0x59 1 2 3x140' }),
    begins: FROM + 2,
    missing: 'quiet',
    few: NOT_OF_ROWS,
  },
  'collector-shedding': climb('mlmon_collector_requests_shed_total{reason="queue_full"}', 1, 0, 61),
  'collector-queue-old': gauge('mlmon_collector_queue_oldest_record_age_seconds{tier="memory",instance="a"}', 30, 31),
  'lag-growing': {
    ...climb('mlmon_consumer_lag_records{consumer="profiler",partition="0"}', 120, 60, 68),
    besides: {
      'a lag that stands': with_({ 'mlmon_consumer_lag_records{consumer="profiler",partition="0"}': always(100_000) }),
      'a partition that two processes tell': with_({
        'mlmon_consumer_lag_records{consumer="profiler",partition="0",instance="a"}': '0+40x200',
        'mlmon_consumer_lag_records{consumer="profiler",partition="0",instance="b"}': '0+40x200',
      }),
    },
  },
  'archiver-behind': {
    ...gauge('mlmon_consumer_lag_seconds{consumer="archiver",partition="0"}', 3_600, 3_601),
    besides: {
      'another consumer': with_({ 'mlmon_consumer_lag_seconds{consumer="profiler",partition="0"}': always(3_601) }),
    },
  },
  'clock-skew': {
    ...jump('mlmon_quarantined_records_total{reason="future"}', 10, 9),
    besides: { 'another reason': with_({ 'mlmon_quarantined_records_total{reason="schema"}': step(0, 50) }) },
  },
  'configuration-refused': gauge('mlmon_configuration_problems', 0, 1),
  'learning-held': gauge('mlmon_learning_held{model="a",reason="rows"}', 0, 1, FEW_ROWS),
  'series-capped': gauge('mlmon_series_capped_total{model="a"}', 0, 1),
  'sidecar-disk-failing': gauge('mlmon_sidecar_disk_failing{instance="a"}', 0, 1),
  'sidecar-shedding': climb('mlmon_sidecar_records_shed_total{instance="a",reason="sampled"}', 1, 0, 61),
  'sidecar-queue-old': gauge('mlmon_sidecar_queue_oldest_record_age_seconds{instance="a",tier="disk"}', 600, 601),
  'sidecar-refused': jump('mlmon_sidecar_records_refused_total{instance="a",reason="payload"}', 10, 9),
  'sidecar-lost': jump('mlmon_sidecar_records_lost_total{instance="a"}', 1, 0),
  'model-unreachable': jump('mlmon_sidecar_upstream_failures_total{instance="a"}', 10, 9),
};

/** What is left when the metrics of a rule are gone. */
export function leftOf({ left }: RulePoints): Series {
  return left ?? CLOCK;
}
