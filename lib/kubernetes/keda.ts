/** Scaling by the records that wait in the log: objects of KEDA. */
import { ApiObject } from 'cdk8s';
import type { Construct } from 'constructs';
import type { Platform } from './platform.ts';
import type { ScalingSpec } from './scaling.ts';
import type { SecretKey } from './secret-key.ts';

/** A step hands partitions over: down only after a window of calm, in seconds. */
const COOLDOWN_SECONDS = 300;

/** @internal */
export function scaleByLag(
  scope: Construct,
  { props }: Platform,
  name: string,
  labels: Readonly<Record<string, string>>,
  spec: Extract<ScalingSpec, { kind: 'lag' }>,
): void {
  const { log, namespace } = props;
  const { sasl, tls } = log.options;
  const metadata = { name, namespace, labels: { ...labels } };
  const references: readonly (readonly [string, SecretKey | undefined])[] = [
    ['username', sasl?.username],
    ['password', sasl?.password],
    ['ca', tls?.ca],
    ['cert', tls?.certificate],
    ['key', tls?.key],
  ];
  const secretTargetRef = references.flatMap(([parameter, reference]) =>
    reference === undefined ? [] : [{ parameter, name: reference.secret, key: reference.key }],
  );
  if (secretTargetRef.length > 0)
    new ApiObject(scope, 'TriggerAuthentication', {
      apiVersion: 'keda.sh/v1alpha1',
      kind: 'TriggerAuthentication',
      metadata,
      spec: { secretTargetRef },
    });
  new ApiObject(scope, 'ScaledObject', {
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledObject',
    metadata,
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicaCount: spec.minimum,
      // More than there are partitions would wait.
      maxReplicaCount: Math.max(spec.minimum, Math.min(spec.maximum ?? log.partitions, log.partitions)),
      cooldownPeriod: COOLDOWN_SECONDS,
      advanced: {
        horizontalPodAutoscalerConfig: { behavior: { scaleDown: { stabilizationWindowSeconds: COOLDOWN_SECONDS } } },
      },
      triggers: [
        {
          type: 'kafka',
          metadata: {
            bootstrapServers: log.options.brokers.join(','),
            consumerGroup: `${log.group}-profiler`,
            topic: log.topic,
            lagThreshold: String(spec.lagPerReplica),
            // As our consumers do: the cursor in the store decides, and a new one begins with the oldest record.
            offsetResetPolicy: 'earliest',
            allowIdleConsumers: 'false',
            ...(tls === undefined ? {} : { tls: 'enable' }),
            ...(sasl === undefined ? {} : { sasl: SASL[sasl.mechanism] }),
          },
          ...(secretTargetRef.length === 0 ? {} : { authenticationRef: { name } }),
        },
      ],
    },
  });
}

const SASL = { plain: 'plaintext', 'scram-sha-256': 'scram_sha256', 'scram-sha-512': 'scram_sha512' } as const;
