/** The catalogue of alerts as data: one entry a signal. Renderers, the page and the runbook read it; nobody spells these texts again. */
import type { Signal } from '../contracts/result.ts';

export interface AlertDefinition {
  readonly signal: Signal;
  readonly title: string;
  /** What it means, to a model owner. */
  readonly meaning: string;
  /** What its window shows first. */
  readonly look: readonly string[];
  /** What to do, most likely cause first. */
  readonly act: readonly string[];
  /** How it ends. */
  readonly recovery: string;
}

export const ALERTS: Readonly<Record<Signal, AlertDefinition>> = {
  drift: {
    signal: 'drift',
    title: 'Inputs or predictions drifted',
    meaning:
      'The distribution of one or more columns differs from the baseline by more than the stream ever varied on the baseline, and by at least the smallest effect worth waking for. The budget of false openings was kept when this was decided.',
    look: [
      'The features named first: they moved most. The feature view shows baseline against window and says which bins or categories carry the change.',
      'Whether several features began in the same window: that points to a producer, a release or an upstream job, not to the world.',
      'Whether the score moved with them: if not, the model does not use what changed.',
    ],
    act: [
      'A unit, a default value or a join changed upstream: mend the producer; the episode closes by itself after three quiet windows.',
      'A feature went missing: find the first window and the deployment at that time.',
      'The world changed and the model copes (performance is fine): make a baseline from recent windows, "this is the new normal", and approve it.',
      'The world changed and performance decays: retrain on recent data and give the new version its own baseline.',
    ],
    recovery:
      'Closes after three quiet windows; when a longer scale opened it, also after a quiet window of that scale.',
  },
  quality: {
    signal: 'quality',
    title: 'Events break their contract',
    meaning:
      'Events carry values of the wrong type, features that nobody declared, lack declared ones altogether, or arrive in duplicate.',
    look: [
      'The check and the feature in the alert; type errors keep the offending values as text in the capture.',
      'The quarantine on the health view: events that could not be read at all are there with their reason.',
    ],
    act: [
      'Compare the producer with the monitor: a renamed, retyped or dropped field.',
      'A new feature that is meant to be there: declare it in the monitor and make a new baseline.',
      'Duplicates: a producer retries with new records; give events stable ids. The batch path removes them exactly.',
    ],
    recovery: 'Closes after three windows without a breach.',
  },
  performance: {
    signal: 'performance',
    title: 'The model performs worse',
    meaning:
      'Over predictions whose truth arrived in time, a metric lies, with its whole confidence interval, below its floor or below the baseline by more than the smallest relevant loss.',
    look: [
      'The coverage: which share of the labels arrived, and whether those that are missing differ.',
      'The confusion matrix and the calibration curve of the window.',
      'Drift episodes that opened before: they often name the cause.',
    ],
    act: [
      'A broken input: mend it; predictions made meanwhile may need to be made again.',
      'A changed relation between inputs and truth: retrain on recent labelled data.',
      'A changed way of labelling: correct the labels; a later label wins and the window is revised.',
    ],
    recovery: 'Closes after three mature windows that are not worse.',
  },
  latency: {
    signal: 'latency',
    title: 'Predictions are slow',
    meaning: 'A percentile of the latency that events report lies above the limit in the monitor.',
    look: ['Volume in the same windows: a burst or a new caller.', 'The model version: a slower release.'],
    act: [
      'Scale the serving tier, or roll the release back.',
      'If the limit no longer fits, change it in the monitor.',
    ],
    recovery: 'Closes after three windows within the limit.',
  },
  volume: {
    signal: 'volume',
    title: 'Traffic is unusual',
    meaning: 'A window holds far fewer or far more events than windows of the baseline ever did.',
    look: [
      'Fewer: a caller, a region or a partition is missing.',
      'More: retries, a loop, a back-fill sent as live traffic.',
    ],
    act: [
      'Find the caller through the source of the events.',
      'If this is the new level, make a baseline from recent windows.',
    ],
    recovery: 'Closes after three windows of usual size.',
  },
  blind: {
    signal: 'blind',
    title: 'Monitoring does not see',
    meaning:
      'No events or labels arrive, a partition is stalled, or windows cannot be judged. Silence is not health: until this closes nothing is known of the model.',
    look: [
      'The health view: lag by partition, quarantine, parts that fail.',
      'Whether the model serves at all, and whether its events reach the collector (HTTP answers, credentials, network).',
      'For labels: when the last one came, and whether prediction ids still match.',
    ],
    act: [
      'Start what stopped. Records still on the log are read in order; nothing that was acknowledged is lost.',
      'Events in quarantine: mend the producer, then send them again.',
      'Labels that come later than the horizon: raise truth.horizon.',
    ],
    recovery: 'Closes with the first window that can be seen again.',
  },
};

/** Path of the runbook entry on a platform; the heading's anchor is the signal. */
export function runbookAnchor(signal: Signal): string {
  return `#${signal}`;
}
