/** All models at a glance: is one of them in trouble, which first, and since when? */
import { METRIC } from '../../contracts/metric-names.ts';
import type { Board } from '../board.ts';
import { highest, NOW, of, ownWindow, verdictCode } from '../promql.ts';
import { thresholdOf } from '../thresholds.ts';

const OWN_VERDICT = (labels: string): string => `max by (${labels}) (${ownWindow(verdictCode('model, length'))})`;

export const FLEET: Board = {
  key: 'fleet',
  title: 'Model monitoring: fleet',
  description: 'All monitored models: which of them drift, break their contract, perform worse, or cannot be seen.',
  variables: [],
  from: 'now-7d',
  refresh: '1m',
  sections: [
    {
      title: 'Is all well?',
      panels: [
        {
          key: 'guide',
          draw: 'text',
          title: 'How to read this',
          description: 'What to look at first, and where to go from here.',
          width: 24,
          height: 3,
          text: '**Red or purple** comes first: something was decided. **Grey and blue** is no verdict: too few rows, still learning, labels to come. Click a model to open it; from there, a feature. Nothing here is *ok* because nothing was heard: a model that cannot be seen is counted under *Not seen*.',
        },
        {
          key: 'models',
          draw: 'number',
          title: 'Models',
          description:
            'How many models are monitored. Fewer than yesterday: a monitor was removed, or the evaluator that tells of them stopped.',
          width: 6,
          height: 4,
          unit: 'short',
          queries: [{ expr: `count(${highest('model', of(METRIC.modelInfo))})`, legend: 'models' }],
        },
        {
          key: 'critical',
          draw: 'number',
          title: 'Open: critical',
          description:
            'Open episodes that page. Open the alerts dashboard, acknowledge, and follow the runbook of the signal.',
          width: 6,
          height: 4,
          unit: 'short',
          alarmAt: 1,
          none: '0',
          queries: [
            {
              expr: `sum(${highest('model, signal', of(METRIC.episodeOpen, 'severity="critical"'))})`,
              legend: 'critical',
            },
          ],
        },
        {
          key: 'warning',
          draw: 'number',
          title: 'Open: warning',
          description:
            'Open episodes for the next working day. Many at once point to one cause upstream, not to many models.',
          width: 6,
          height: 4,
          unit: 'short',
          warnAt: 1,
          none: '0',
          queries: [
            {
              expr: `sum(${highest('model, signal', of(METRIC.episodeOpen, 'severity="warning"'))})`,
              legend: 'warning',
            },
          ],
        },
        {
          key: 'unseen',
          draw: 'number',
          title: 'Not seen',
          description:
            'Models whose newest window is stale or failed: neither ok nor drifted is known. Look at the pipeline dashboard.',
          width: 6,
          height: 4,
          unit: 'short',
          alarmAt: 1,
          none: '0',
          queries: [
            {
              expr: `sum(${highest('model', of(METRIC.windowState, 'state=~"stale|failed"'))})`,
              legend: 'not seen',
            },
          ],
        },
        {
          key: 'verdicts',
          draw: 'states',
          title: 'Verdicts of all models',
          description:
            'One row a model: the verdict of the newest window of its own length at each moment. Several rows that change colour together share a cause: look upstream before looking at a model.',
          width: 24,
          height: 10,
          unit: 'none',
          words: 'verdict',
          queries: [{ expr: OWN_VERDICT('model'), legend: '{{model}}' }],
        },
      ],
    },
    {
      title: 'Which first?',
      panels: [
        {
          key: 'table',
          draw: 'table',
          title: 'Models',
          description: 'Every model with what its newest window says, worst first. Click a model to open it.',
          width: 24,
          height: 10,
          unit: 'short',
          sort: 'Worst open',
          queries: [
            { expr: highest('model, owner, version', of(METRIC.modelInfo)), legend: '' },
            { expr: OWN_VERDICT('model'), legend: '' },
            {
              expr: highest(
                'model',
                `${of(METRIC.episodeOpen, 'severity="critical"')} * 3 or ${of(METRIC.episodeOpen, 'severity="warning"')} * 2 or ${of(METRIC.episodeOpen, 'severity="info"')}`,
              ),
              legend: '',
            },
            { expr: highest('model', of(METRIC.driftedFeatures)), legend: '' },
            { expr: highest('model', ownWindow(of(METRIC.windowRows))), legend: '' },
            { expr: `${NOW} - ${highest('model', of(METRIC.windowEnd))}`, legend: '' },
            { expr: highest('model', of(METRIC.labelCoverage)), legend: '' },
          ],
          columns: [
            { of: 'model', title: 'Model', leadsTo: 'model' },
            { of: 'owner', title: 'Owner' },
            { of: 'version', title: 'Version' },
            { of: 'B', title: 'Verdict', words: 'verdict' },
            { of: 'C', title: 'Worst open', words: 'severity' },
            { of: 'D', title: 'Drifted features', unit: 'short' },
            { of: 'E', title: 'Rows', unit: 'short' },
            { of: 'F', title: 'Age of window', unit: 's' },
            { of: 'G', title: 'Label coverage', unit: 'percentunit' },
          ],
        },
      ],
    },
    {
      title: 'Since when?',
      panels: [
        {
          key: 'episodes',
          draw: 'lines',
          title: 'Open episodes by signal',
          description:
            'How many models have an open episode of each signal. A step up over many models at once is an incident upstream.',
          width: 12,
          height: 8,
          unit: 'short',
          queries: [
            { expr: `sum by (signal) (${highest('model, signal', of(METRIC.episodeOpen))})`, legend: '{{signal}}' },
          ],
        },
        {
          key: 'states',
          draw: 'lines',
          title: 'Models by verdict',
          description:
            'How many models are in each state. Growing insufficient-data or stale means that monitoring sees less than before: check volume and the pipeline.',
          width: 12,
          height: 8,
          unit: 'short',
          queries: [
            {
              expr: `sum by (state) (${highest('model, state', ownWindow(of(METRIC.windowState)))})`,
              legend: '{{state}}',
            },
          ],
        },
        {
          key: 'drifted',
          draw: 'lines',
          title: 'Models with the most drifted features',
          description:
            'The ten models with the most drifted features now. All features of one model at once: a broken join or a new producer.',
          width: 12,
          height: 8,
          unit: 'short',
          queries: [{ expr: `topk(10, ${highest('model', of(METRIC.driftedFeatures))})`, legend: '{{model}}' }],
        },
        {
          key: 'overdue',
          draw: 'lines',
          title: 'Windows that are overdue',
          description:
            'Time since a window could have been judged and was not, the ten longest. Above the dashed line an alert pages: look at the evaluator and at the lag of the profiler.',
          width: 12,
          height: 8,
          unit: 's',
          queries: [
            {
              expr: `topk(10, clamp_min(${NOW} - min by (model) (${of(METRIC.windowDue)}), 0))`,
              legend: '{{model}}',
            },
            thresholdOf('windows-overdue'),
          ],
        },
      ],
    },
  ],
};
