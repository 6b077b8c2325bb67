/** Props of what takes, keeps and works on events. */
import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Bindings } from '../../lib/aws/access/bindings.ts';
import { CollectorAccess } from '../../lib/aws/access/collector-access.ts';
import { Capture } from '../../lib/aws/capture.ts';
import { CaptureFormat } from '../../lib/aws/capture-format.ts';
import { CaptureTables } from '../../lib/aws/capture-tables.ts';
import { Cleaner } from '../../lib/aws/cleaner.ts';
import { Collector } from '../../lib/aws/collector.ts';
import { deployPolicies } from '../../lib/aws/deploy-policy.ts';
import { EncryptionKey } from '../../lib/aws/encryption-key.ts';
import { Evaluator } from '../../lib/aws/evaluator.ts';
import { EventStream, StreamCapacity } from '../../lib/aws/event-stream.ts';
import { FunctionSchedule } from '../../lib/aws/function-schedule.ts';
import { HttpDoor } from '../../lib/aws/http-door.ts';
import { Labeler } from '../../lib/aws/labeler.ts';
import { DeadLetterQueue, MessageQueue } from '../../lib/aws/message-queue.ts';
import { MonitoringFunction } from '../../lib/aws/monitoring-function.ts';
import { Network } from '../../lib/aws/network/network.ts';
import { VpcEndpoints } from '../../lib/aws/network/vpc-endpoints.ts';
import { ObjectTrigger } from '../../lib/aws/object-trigger.ts';
import { PolicyKey } from '../../lib/aws/policy-key.ts';
import { Profiler } from '../../lib/aws/profiler.ts';
import { Publication, Publisher } from '../../lib/aws/publication.ts';
import { Redrive } from '../../lib/aws/redrive.ts';
import { SageMakerCapture } from '../../lib/aws/sagemaker-capture.ts';
import { Store } from '../../lib/aws/store.ts';
import { StreamScaler } from '../../lib/aws/stream-scaler.ts';
import { broughtVpc } from './options.ts';
import { least } from './subjects.ts';
import { churn, fn, key, other, otherPlatform, platformIn, queue, secret, type Walk } from './walk.ts';

const minutes = (n: number) => () => Duration.minutes(n);
const capturedBucket = (stack: Stack, id = 'Captured') => s3.Bucket.fromBucketName(stack, id, id.toLowerCase());

/** A function in a network, with what it needs there. */
function placed(stack: Stack, network: Network): void {
  const bound = network.bind(stack);
  bound.connect([
    new MonitoringFunction(stack, 'Placed', {
      name: 'redrive',
      platform: { ...platformIn(stack), network: bound },
      environment: {},
    }),
  ]);
}

export const WALK_OF_DATA: Readonly<Record<string, Walk>> = {
  StoreProps: {
    make: (stack, props) => new Store(stack, 'Part', props),
    props: {
      key,
      captureRetention: () => Duration.days(30),
      failedRetention: () => Duration.days(3),
      removalPolicy: () => RemovalPolicy.DESTROY,
    },
  },
  EncryptionKeyProps: {
    make: (stack, props) => new EncryptionKey(stack, 'Part', props),
    props: { removalPolicy: () => RemovalPolicy.DESTROY },
  },
  EventStreamProps: {
    make: (stack, props) => new EventStream(stack, 'Part', props),
    props: {
      capacity: () => StreamCapacity.provisioned({ shards: 2 }),
      key,
      retention: () => Duration.days(2),
      removalPolicy: () => RemovalPolicy.DESTROY,
    },
  },
  ProvisionedCapacity: {
    make: (stack, props) => least(stack, { capacity: StreamCapacity.provisioned({ shards: 2, ...props }) }),
    props: { shards: () => 3, maximumShards: () => 4 },
  },
  BroughtStream: {
    make: (stack, props) =>
      least(stack, {
        stream: {
          stream: platformIn(stack).stream,
          startingPosition: lambda.StartingPosition.AT_TIMESTAMP,
          startingPositionTimestamp: 1,
          ...props,
        },
      }),
    props: {
      stream: (stack) =>
        kinesis.Stream.fromStreamArn(stack, 'Given', 'arn:aws:kinesis:eu-central-1:111122223333:stream/given'),
      startingPosition: () => lambda.StartingPosition.LATEST,
      startingPositionTimestamp: () => 2,
      retention: () => Duration.days(1),
    },
  },
  PolicyKeyProps: {
    make: (stack, props) => new PolicyKey(stack, 'Part', props),
    props: { key, removalPolicy: () => RemovalPolicy.DESTROY },
  },
  CaptureProps: {
    make: (stack, props) => new Capture(stack, 'Part', { platform: platformIn(stack), ...props }),
    props: {
      platform: otherPlatform,
      format: () => CaptureFormat.jsonLines(),
      buffer: minutes(1),
      queryBytesLimit: () => 10_000_000,
    },
  },
  CaptureTablesProps: {
    make: (stack, props) =>
      new CaptureTables(stack, 'Part', { platform: platformIn(stack), table: CaptureFormat.parquet().table, ...props }),
    props: {
      platform: otherPlatform,
      table: () => CaptureFormat.jsonLines().table,
      queryBytesLimit: () => 10_000_000,
    },
  },
  CollectorProps: {
    make: (stack, props) =>
      new Collector(stack, 'Part', {
        platform: platformIn(stack),
        access: CollectorAccess.jwt({ issuer: 'https://i.example.com', audience: ['ml'] }),
        ...props,
      }),
    props: {
      platform: otherPlatform,
      access: () => CollectorAccess.iam(),
      kserveSecret: (stack) => secret(stack),
      policyKey: (stack) => secret(stack),
      rate: () => 7,
      burst: () => 9,
    },
  },
  JwtAccess: {
    make: (stack, props) =>
      new Collector(stack, 'Part', {
        platform: platformIn(stack),
        access: CollectorAccess.jwt({ issuer: 'https://i.example.com', audience: ['ml'], ...props }),
      }),
    props: { issuer: () => 'https://other.example.com', audience: () => ['other'] },
  },
  HttpDoorProps: {
    make: (stack, props) =>
      new HttpDoor(stack, 'Part', {
        platform: platformIn(stack),
        access: CollectorAccess.jwt({ issuer: 'https://i.example.com', audience: ['ml'] }),
        target: fn(stack, 'Target').function,
        kserve: false,
        ...props,
      }),
    props: {
      platform: otherPlatform,
      access: (stack) => CollectorAccess.keys(secret(stack)),
      target: (stack) => fn(stack, 'Given').function,
      kserve: () => true,
      rate: () => 7,
      burst: () => 9,
    },
  },
  ProfilerProps: {
    make: (stack, props) =>
      new Profiler(stack, 'Part', {
        platform: platformIn(stack),
        startingPosition: lambda.StartingPosition.AT_TIMESTAMP,
        startingPositionTimestamp: 1,
        ...props,
      }),
    props: {
      platform: otherPlatform,
      startingPosition: () => lambda.StartingPosition.LATEST,
      startingPositionTimestamp: () => 2,
      batchWindow: () => Duration.seconds(3),
      batchSize: () => 100,
      retries: () => 1,
      recordAge: () => Duration.hours(1),
    },
  },
  RedriveProps: {
    make: (stack, props) => new Redrive(stack, 'Part', { platform: platformIn(stack), ...props }),
    props: { platform: otherPlatform },
  },
  ObjectTriggerProps: {
    make: (stack, props) =>
      new ObjectTrigger(stack, 'Part', {
        platform: platformIn(stack),
        bucket: capturedBucket(stack),
        prefixes: ['a/'],
        target: fn(stack, 'Target'),
        ...props,
      }),
    props: {
      // Of its own it takes the key alone.
      platform: (stack) => ({ ...otherPlatform(stack), key: key(stack) }),
      bucket: (stack) => capturedBucket(stack, 'Given'),
      prefixes: () => ['b/'],
      target: (stack) => fn(stack, 'Given'),
    },
  },
  SageMakerCaptureProps: {
    make: (stack, props) =>
      new SageMakerCapture(stack, 'Part', {
        platform: platformIn(stack),
        bucket: capturedBucket(stack),
        sources: [{ endpoint: 'churn', model: 'churn' }],
        ...props,
      } as never),
    props: { platform: otherPlatform, policyKey: (stack) => secret(stack) },
  },
  CapturedEndpoints: {
    make: (stack, props) =>
      new SageMakerCapture(stack, 'Part', {
        platform: platformIn(stack),
        bucket: capturedBucket(stack),
        sources: [{ endpoint: 'churn', model: 'churn' }],
        ...props,
      } as never),
    props: {
      bucket: (stack) => capturedBucket(stack, 'Given'),
      prefix: () => 'captured',
      sources: () => [{ endpoint: 'other', model: 'churn' }],
    },
  },
  EvaluatorProps: {
    make: (stack, props) =>
      new Evaluator(stack, 'Part', { platform: platformIn(stack), deadLetters: queue(stack), ...props }),
    props: {
      platform: otherPlatform,
      deadLetters: (stack) => queue(stack, 'Given'),
      concurrency: () => 3,
      linkBase: () => 'https://ml.example.com',
    },
  },
  LabelerProps: {
    make: (stack, props) =>
      new Labeler(stack, 'Part', {
        platform: platformIn(stack),
        capture: new Capture(stack, 'Capture', { platform: platformIn(stack) }),
        deadLetters: queue(stack),
        ...props,
      }),
    props: {
      platform: otherPlatform,
      capture: (stack) => new Capture(stack, 'Given', { platform: platformIn(stack), buffer: Duration.minutes(1) }),
      deadLetters: (stack) => queue(stack, 'Given'),
      every: minutes(9),
      linkBase: () => 'https://ml.example.com',
    },
  },
  CleanerProps: {
    make: (stack, props) =>
      new Cleaner(stack, 'Part', {
        platform: platformIn(stack),
        deadLetters: queue(stack),
        retention: Duration.days(21),
        ...props,
      }),
    props: {
      platform: otherPlatform,
      deadLetters: (stack) => queue(stack, 'Given'),
      retention: () => Duration.days(3),
    },
  },
  StreamScalerProps: {
    make: (stack, props) =>
      new StreamScaler(stack, 'Part', {
        platform: platformIn(stack),
        minimumShards: 1,
        maximumShards: 2,
        deadLetters: queue(stack),
        ...props,
      }),
    props: {
      platform: otherPlatform,
      minimumShards: () => 2,
      maximumShards: () => 8,
      deadLetters: (stack) => queue(stack, 'Given'),
      every: minutes(9),
    },
  },
  FunctionScheduleProps: {
    make: (stack, props) =>
      new FunctionSchedule(stack, 'Part', {
        function: fn(stack, 'Target'),
        every: Duration.minutes(1),
        deadLetters: queue(stack),
        ...props,
      }),
    props: {
      function: (stack) => fn(stack, 'Given'),
      every: minutes(9),
      deadLetters: (stack) => queue(stack, 'Given'),
    },
  },
  DeadLetterQueueProps: {
    make: (stack, props) => new DeadLetterQueue(stack, 'Part', props),
    props: { key },
  },
  MessageQueueProps: {
    make: (stack, props) => new MessageQueue(stack, 'Part', { functionTimeout: Duration.minutes(1), ...props }),
    props: { functionTimeout: minutes(9), deliveries: () => 2 },
  },
  MonitoringFunctionProps: {
    make: (stack, props) =>
      new MonitoringFunction(stack, 'Part', {
        name: 'cleaner',
        platform: platformIn(stack),
        environment: { MLMON_PACK_RETENTION_DAYS: '1' },
        ...props,
      } as never),
    props: {
      name: () => 'scaler',
      platform: otherPlatform,
      environment: () => ({ MLMON_PACK_RETENTION_DAYS: '2' }),
      memorySize: () => 333,
      timeout: minutes(2),
      logRetention: () => logs.RetentionDays.ONE_DAY,
      description: () => 'told',
    },
  },
  PublisherProps: {
    make: (stack, props) => {
      const told: string[] = [];
      const publisher = new Publisher(stack, 'Part', {
        platform: platformIn(stack),
        onMonitors: (monitors) => told.push(...monitors.map(({ model }) => model)),
        ...props,
      });
      publisher.claim('somebody', [churn]);
      return told;
    },
    props: { platform: otherPlatform, policyKey: (stack) => secret(stack), onMonitors: () => () => undefined },
  },
  PublicationProps: {
    make: (stack, props) =>
      new Publication(stack, 'Part', {
        publisher: new Publisher(stack, 'Publisher', { platform: platformIn(stack) }),
        monitors: [churn],
        ...props,
      }),
    props: {
      publisher: (stack) => new Publisher(stack, 'Given', { platform: platformIn(stack) }),
      monitors: () => [other],
      removalPolicy: () => RemovalPolicy.RETAIN,
      alerting: () => '{}',
      channels: () => '[]',
      bindings: () => {
        const bindings = new Bindings();
        bindings.add('key-1', 'events', 'churn');
        return bindings;
      },
    },
  },
  NetworkOptions: {
    make: (stack, props) => placed(stack, Network.isolated({ vpc: broughtVpc(stack), ...props })),
    props: {
      vpc: (stack) =>
        ec2.Vpc.fromVpcAttributes(stack, 'Given', {
          vpcId: 'vpc-00000002',
          availabilityZones: ['a', 'b'],
          isolatedSubnetIds: ['subnet-00000008', 'subnet-00000009'],
          isolatedSubnetRouteTableIds: ['rtb-00000008', 'rtb-00000009'],
        }),
      subnets: (stack) => ({
        subnets: [
          ec2.Subnet.fromSubnetAttributes(stack, 'Given', {
            subnetId: 'subnet-00000007',
            availabilityZone: 'a',
            routeTableId: 'rtb-00000007',
          }),
        ],
      }),
      securityGroups: (stack) => [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Given', 'sg-00000007')],
    },
  },
  IsolatedNetworkOptions: {
    make: (stack, props) => placed(stack, Network.isolated({ vpc: broughtVpc(stack), ...props })),
    props: { present: () => ['kinesis'] },
  },
  VpcEndpointsProps: {
    make: (stack, props) =>
      new VpcEndpoints(stack, 'Part', {
        vpc: broughtVpc(stack),
        subnets: {},
        securityGroups: [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-00000001')],
        functions: [
          new MonitoringFunction(stack, 'Target', { name: 'redrive', platform: platformIn(stack), environment: {} }),
        ],
        ...props,
      }),
    props: {
      vpc: (stack) =>
        ec2.Vpc.fromVpcAttributes(stack, 'Given', {
          vpcId: 'vpc-00000002',
          availabilityZones: ['a'],
          isolatedSubnetIds: ['subnet-00000009'],
          isolatedSubnetRouteTableIds: ['rtb-00000009'],
        }),
      subnets: (stack) => ({
        subnets: [
          ec2.Subnet.fromSubnetAttributes(stack, 'Given', {
            subnetId: 'subnet-00000007',
            availabilityZone: 'a',
            routeTableId: 'rtb-00000007',
          }),
        ],
      }),
      // A gateway has no group, so something that needs an endpoint is there.
      securityGroups: (stack) => [ec2.SecurityGroup.fromSecurityGroupId(stack, 'Given', 'sg-00000007')],
      functions: (stack) => [
        new MonitoringFunction(stack, 'Given', {
          name: 'notifier',
          platform: platformIn(stack),
          environment: {},
        }),
      ],
      present: () => ['s3'],
    },
  },
  DeployPolicyOptions: {
    make: (_, props) => deployPolicies(props),
    props: {
      stackPrefix: () => 'Ours',
      qualifier: () => 'acme',
      permissionsBoundary: () => 'arn:aws:iam::111122223333:policy/workloads',
      partition: () => 'aws-cn',
    },
  },
};
