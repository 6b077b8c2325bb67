/** Alerts about sidecars: what they cannot keep, cannot send, or cannot reach. */
import { METRIC } from '../contracts/metric-names.ts';
import type { AlertRule } from './rule.ts';

const NOTHING_HAPPENED = 'the metric is written when it happens: no data is the normal state';
const NO_SIDECARS = 'there are sidecars on clusters alone';
const GONE = 'a sidecar ends with its pod, and its spool is read by the next one';
const BLIND = { signal: 'blind', owner: 'alarms' } as const;

export const SIDECAR_RULES = [
  {
    ...BLIND,
    key: 'sidecar-disk-failing',
    name: 'MlmonSidecarDiskFailing',
    severity: 'warning',
    for: '2m',
    summary: 'A sidecar cannot use its disk',
    description:
      'It is full, or refuses writes. Events wait in memory alone: while the collector answers none is lost, but a restart loses what waits.',
    threshold: { value: 1, unit: 'count', meaning: '1 while the spool cannot use its disk' },
    missing: { treatment: 'notBreaching', reason: GONE },
    prometheus: {
      value: `max by (instance) (${METRIC.sidecarDiskFailing.name})`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: NO_SIDECARS },
    look: [
      'The log of the sidecar: no space, read-only, not permitted.',
      'The size of its volume and what else writes there.',
    ],
    act: [
      'Full since the collector is away: bring the collector back first, see sidecar-queue-old.',
      'Otherwise a larger volume, or mend its rights; the sidecar goes back to the disk by itself.',
    ],
  },
  {
    ...BLIND,
    key: 'sidecar-shedding',
    name: 'MlmonSidecarShedding',
    severity: 'warning',
    for: '5m',
    summary: 'Sidecars keep a sample of the events alone',
    description:
      'Their spool is nearly full. Events are kept by the hash of their id, with the probability as their weight, so that statistics stay unbiased but less is seen. The model is not slowed.',
    threshold: { value: 1, unit: 'count', meaning: 'events not kept in five minutes' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: {
      value: `sum by (instance) (increase(${METRIC.sidecarShed.name}[5m]))`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: NO_SIDECARS },
    look: [
      'Whether the collector takes what sidecars send: age of the oldest event, failures of delivery.',
      'Traffic of the model: more than the limits of the sidecar were made for.',
    ],
    act: [
      'Mend the way to the collector; the spool empties by itself.',
      'More traffic: raise the limits of memory and disk.',
    ],
  },
  {
    ...BLIND,
    key: 'sidecar-queue-old',
    name: 'MlmonSidecarQueueOld',
    severity: 'critical',
    for: '5m',
    summary: 'Events wait beside the model for too long',
    description:
      'The collector is away, refuses, or cannot be reached. Events wait on the disk of the pod; when it is full they are sampled, and windows are judged without them.',
    threshold: { value: 600, unit: 'seconds', meaning: 'age of the oldest event that waits' },
    missing: { treatment: 'notBreaching', reason: GONE },
    prometheus: {
      value: `max by (instance) (${METRIC.sidecarQueueAge.name})`,
      compare: '>',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: NO_SIDECARS },
    look: [
      'One sidecar or all of them: one points to its pod, all to the collector.',
      'Its log: what the collector answers; its token; network policies on the way.',
    ],
    act: [
      'Bring the collector back; what waits is sent at least at twice the rate of live traffic.',
      'A token that changed: put the new one into the secret.',
    ],
  },
  {
    ...BLIND,
    key: 'sidecar-refused',
    name: 'MlmonSidecarRefused',
    severity: 'warning',
    for: '0m',
    summary: 'What sidecars took cannot be monitored',
    description:
      'The monitor cannot read the bodies, or the collector refuses the events however often they are sent. They count nowhere.',
    threshold: { value: 10, unit: 'count', meaning: 'events in five minutes' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: {
      value: `sum by (instance, reason) (increase(${METRIC.sidecarRefused.name}[5m]))`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: NO_SIDECARS },
    look: ['The reason: `unknown-model`, `payload` or `collector`; the log of the sidecar has an example.'],
    act: [
      '`unknown-model`: apply its monitor, or correct the name that the sidecar was given.',
      '`payload`: compare names and types of the tensors with the monitor.',
      '`collector`: its rights, or the quarantine of the collector.',
    ],
  },
  {
    ...BLIND,
    key: 'sidecar-lost',
    name: 'MlmonSidecarLost',
    severity: 'critical',
    for: '0m',
    summary: 'A sidecar lost events that it had acknowledged',
    description: 'What it had written cannot be read from its disk any more: the checksums do not hold.',
    threshold: { value: 1, unit: 'count', meaning: 'events in five minutes' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: {
      value: `sum by (instance) (increase(${METRIC.sidecarLost.name}[5m]))`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: NO_SIDECARS },
    look: ['The node of the pod: a failing disk, or a power failure.'],
    act: ['Replace the disk. The producer may send the span again: `mlmon backfill`.'],
  },
  {
    ...BLIND,
    key: 'model-unreachable',
    name: 'MlmonModelUnreachable',
    severity: 'critical',
    for: '2m',
    summary: 'The model server behind a sidecar does not take connections',
    description:
      'Callers of the model get 502 from the proxy. The model itself is down, starting, or listens elsewhere.',
    threshold: { value: 10, unit: 'count', meaning: 'connections in five minutes' },
    missing: { treatment: 'notBreaching', reason: NOTHING_HAPPENED },
    prometheus: {
      value: `sum by (instance) (increase(${METRIC.sidecarUnreachable.name}[5m]))`,
      compare: '>=',
      absent: null,
      on: ['machines'],
    },
    cloudwatch: { absent: NO_SIDECARS },
    look: ['The container of the model in the same pod: does it run, is it ready, on which port?'],
    act: [
      'It starts slowly: give it a startup probe, so that no traffic comes before.',
      'Another port: correct the upstream of the sidecar.',
    ],
  },
] as const satisfies readonly AlertRule[];
