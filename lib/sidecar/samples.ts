/** What the sidecar exports. */
import { METRIC, type MetricDefinition } from '../contracts/metric-names.ts';
import type { Sample } from '../pipeline/ports.ts';
import type { Delivery } from './delivery.ts';
import type { Intake } from './intake.ts';
import type { Ledger } from './ledger.ts';
import type { ModelProxy } from './proxy.ts';
import type { Receiver } from './receiver.ts';
import type { Spool } from './spool.ts';

export interface Measured {
  readonly ledger: Ledger;
  readonly spool: Spool;
  readonly intake: Intake;
  readonly delivery: Delivery;
  readonly receiver: Receiver;
  readonly proxy: ModelProxy | null;
  /** `null`: there is no disk. */
  readonly diskLimit: number | null;
}

export function sidecarSamples(measured: Measured): Sample[] {
  const { ledger, spool, intake, delivery, receiver, proxy, diskLimit } = measured;
  const ages = spool.ages();
  return [
    ...by(METRIC.sidecarReceived, 'source', ledger.received),
    one(METRIC.sidecarRecovered, ledger.recovered),
    one(METRIC.sidecarDelivered, ledger.delivered),
    ...by(METRIC.sidecarShed, 'reason', ledger.shed),
    one(METRIC.sidecarCut, ledger.cut),
    ...by(METRIC.sidecarIgnored, 'reason', ledger.ignored),
    ...by(METRIC.sidecarRefused, 'reason', ledger.refused),
    one(METRIC.sidecarLost, ledger.lost),
    one(METRIC.sidecarWaiting, spool.records),
    ...by(METRIC.sidecarTurnedAway, 'reason', receiver.turnedAway),
    one(METRIC.sidecarFailures, delivery.failedRequests),
    ...by(METRIC.sidecarQueueBytes, 'tier', {
      memory: spool.memory.used,
      ...(diskLimit === null ? {} : { disk: spool.diskBytes }),
    }),
    ...by(METRIC.sidecarQueueLimit, 'tier', {
      memory: spool.memory.limit,
      ...(diskLimit === null ? {} : { disk: diskLimit }),
    }),
    ...by(METRIC.sidecarQueueAge, 'tier', diskLimit === null ? { memory: ages.memory } : { ...ages }),
    one(METRIC.sidecarKeep, intake.keep),
    ...(diskLimit === null ? [] : [one(METRIC.sidecarDiskFailing, spool.failure === null ? 0 : 1)]),
    one(METRIC.sidecarTorn, spool.torn),
    ...(proxy === null
      ? []
      : [one(METRIC.sidecarConnections, proxy.connections), one(METRIC.sidecarUnreachable, proxy.unreachable)]),
  ];
}

function one({ name }: MetricDefinition, value: number): Sample {
  return { name, labels: {}, value };
}

function by({ name }: MetricDefinition, label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([key, value]) => ({ name, labels: { [label]: key }, value }));
}
