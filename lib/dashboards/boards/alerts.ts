/** Alerts: what is open, what was sent and what was not, and how near the others are. */
import { METRIC } from '../../contracts/metric-names.ts';
import type { Board } from '../board.ts';
import { nearnessOfAlerts } from '../nearness.ts';
import { highest, of, rateOf, severityCode } from '../promql.ts';
import { thresholdOf } from '../thresholds.ts';

export const ALERTS_BOARD: Board = {
  key: 'alerts',
  title: 'Model monitoring: alerts',
  description:
    'Open episodes of all models, alerts of the platform, whether they are delivered, and how near the others are to firing.',
  variables: [],
  from: 'now-2d',
  refresh: '1m',
  sections: [
    {
      title: 'What is open?',
      panels: [
        {
          key: 'guide',
          draw: 'text',
          title: 'How to read this',
          description: 'Which alerts there are, and where each is explained.',
          width: 24,
          height: 3,
          text: '**Episodes** are about models and are sent by the notifier, once when they open and once when they close. **Alerts of the platform** are about monitoring itself and fire from Prometheus. Each has an entry in the runbook under its name. Start with what opened first: blindness explains drift, one model explains its features.',
        },
        {
          key: 'critical',
          draw: 'number',
          title: 'Critical episodes',
          description: 'Open episodes that page. Somebody should have acknowledged each: `mlmon alert list` says who.',
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
          title: 'Warning episodes',
          description: 'Open episodes for the next working day. Look for a common cause when there are many.',
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
          key: 'undelivered-now',
          draw: 'number',
          title: 'Oldest undelivered',
          description:
            'Age of the oldest transition that some channel has not taken; 0 when there is none. Try the channels with `mlmon alert test`.',
          width: 6,
          height: 4,
          unit: 's',
          warnAt: 60,
          alarmAt: 900,
          queries: [{ expr: `max(${of(METRIC.undeliveredAge)})`, legend: 'undelivered' }],
        },
        {
          key: 'problems',
          draw: 'number',
          title: 'Problems of the platform',
          description:
            'What the platform finds wrong with itself. The health view of the page lists each with its reason.',
          width: 6,
          height: 4,
          unit: 'short',
          warnAt: 1,
          queries: [{ expr: `max(${of(METRIC.healthProblems)})`, legend: 'problems' }],
        },
        {
          key: 'firing',
          draw: 'alerts',
          title: 'Alerts of the platform that fire',
          description:
            'Rules of the catalogue that are pending or firing, from the data sources of Grafana. Each has its runbook entry and its dashboard in its annotations.',
          width: 12,
          height: 9,
        },
        {
          key: 'open',
          draw: 'table',
          title: 'Open episodes',
          description:
            'What is open now, by model and signal. Click the model to see what happened. Empty is good news only while nothing above says that the platform is blind.',
          width: 12,
          height: 9,
          unit: 'none',
          sort: 'Severity',
          queries: [{ expr: `${severityCode('model, signal')} > 0`, legend: '' }],
          columns: [
            { of: 'model', title: 'Model', leadsTo: 'model' },
            { of: 'signal', title: 'Signal' },
            { of: 'A', title: 'Severity', words: 'severity' },
          ],
        },
        {
          key: 'timeline',
          draw: 'states',
          title: 'Episodes over time',
          description:
            'Rows are models and signals with an open episode. Read from left to right: what opened first, and what closed by itself.',
          width: 24,
          height: 9,
          unit: 'none',
          words: 'severity',
          queries: [{ expr: `${severityCode('model, signal')} > 0`, legend: '{{model}}: {{signal}}' }],
        },
      ],
    },
    {
      title: 'Do people hear of it?',
      panels: [
        {
          key: 'deliveries',
          draw: 'lines',
          title: 'Deliveries by outcome',
          description:
            'Attempts a second to deliver a transition. `failed` are dead letters: nobody there has heard of it. `retried`: the receiver does not answer just now.',
          width: 12,
          height: 8,
          unit: 'eps',
          queries: [{ expr: `sum by (outcome) (${rateOf(METRIC.notifications)})`, legend: '{{outcome}}' }],
        },
        {
          key: 'undelivered',
          draw: 'lines',
          title: 'Age of the oldest undelivered transition',
          description:
            'Above the dashed line an alert pages: a channel does not take what is sent, or the notifier does not run.',
          width: 12,
          height: 8,
          unit: 's',
          queries: [
            { expr: `max(${of(METRIC.undeliveredAge)})`, legend: 'undelivered' },
            thresholdOf('notifications-late'),
          ],
        },
      ],
    },
    {
      title: 'How near are the others?',
      panels: [
        {
          key: 'nearness',
          draw: 'lines',
          title: 'Alerts of the platform, as a share of their threshold',
          description:
            'What each rule compares, over its threshold: at the dashed line it fires once it has held for long enough. A line that climbs for days says what will page next.',
          width: 24,
          height: 10,
          unit: 'percentunit',
          queries: [...nearnessOfAlerts(), { expr: 'vector(1)', legend: 'threshold', isThreshold: true }],
        },
      ],
    },
  ],
};
