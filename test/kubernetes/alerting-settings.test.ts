/** Receivers of Alertmanager in a file of settings are those of the construct. */
import { expect, it } from 'vitest';
import type { AlertingOptions } from '../../lib/alerts/receivers.ts';
import { Watching } from '../../lib/kubernetes/index.ts';
import { chartPropsOf, settingsSchema } from '../../lib/kubernetes/settings.ts';
import { CHURN, MINIMAL, objectsOf } from './objects.ts';

const alerting = <S>(where: (name: string) => S): AlertingOptions<S> => ({
  receivers: [
    { type: 'slack', name: 'room', url: where('slack'), channel: '#ml' },
    { type: 'pagerduty', name: 'pager', routingKey: where('pager') },
  ],
  routes: [{ match: { severity: 'critical' }, receivers: ['pager'] }],
  heartbeat: { url: where('heartbeat') },
});
const needed = {
  log: { kafka: { brokers: ['kafka:9092'] } },
  store: { s3: { bucket: 'ml-monitoring' } },
  monitors: [],
};
const objects = (watching: unknown): unknown =>
  objectsOf(chartPropsOf(settingsSchema.parse({ ...needed, watching }), [CHURN]));

it('with Prometheus Operator make its AlertmanagerConfig', () => {
  const receivers = alerting((key) => ({ secret: 'chat', key }));
  const labels = { release: 'prometheus' };
  const expected = objectsOf({ ...MINIMAL, watching: Watching.operator({ labels, receivers }) });
  expect(expected.map(({ kind }) => kind)).toContain('AlertmanagerConfig');
  expect(objects({ operator: { labels, ...receivers } })).toEqual(expected);
});

it('without operators make its file', () => {
  const receivers = alerting((name) => `/etc/alertmanager/${name}`);
  expect(objects({ files: receivers })).toEqual(objectsOf({ ...MINIMAL, watching: Watching.files({ receivers }) }));
  expect(objects({ files: {} })).toEqual(objects('files'));
});

it('stand beside changes of single alerts', () => {
  const options = { changes: { 'part-down': { for: '10m', severity: 'warning' } }, notifier: 'alarms' } as const;
  expect(objects({ operator: options })).toEqual(objectsOf({ ...MINIMAL, watching: Watching.operator(options) }));
  expect(objects({ files: options })).toEqual(objectsOf({ ...MINIMAL, watching: Watching.files(options) }));
  expect(objects({ operator: options })).not.toEqual(objectsOf());
  expect(() => objects({ operator: { changes: { 'part-dwn': { off: true } } } })).toThrow(/did you mean part-down/);
});

it('are refused where nobody would be told, and where a secret stands in them', () => {
  const { heartbeat } = alerting((key) => ({ secret: 'chat', key }));
  expect(settingsSchema.safeParse({ ...needed, watching: { operator: { heartbeat } } }).success).toBe(false);
  const named = { type: 'pagerduty', name: 'pager', routingKey: 'R0UT1NG' };
  expect(settingsSchema.safeParse({ ...needed, watching: { operator: { receivers: [named] } } }).success).toBe(false);
});
