/** Receivers to begin with: the committed configuration of Alertmanager, which users copy and change. */
import type { AlertmanagerFileOptions } from './alertmanager.ts';

const SECRETS = '/etc/alertmanager/secrets';

export const EXAMPLE_RECEIVERS: AlertmanagerFileOptions = {
  receivers: [
    { type: 'pagerduty', name: 'pager', routingKey: `${SECRETS}/pagerduty-routing-key` },
    { type: 'slack', name: 'room', url: `${SECRETS}/slack-url` },
  ],
  routes: [
    { match: { severity: 'critical' }, receivers: ['pager', 'room'] },
    { match: { severity: 'warning' }, receivers: ['room'] },
    { match: { severity: 'info' }, receivers: [] },
  ],
  heartbeat: { url: `${SECRETS}/heartbeat-url` },
};
