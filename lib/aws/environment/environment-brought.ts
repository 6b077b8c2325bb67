/** What an environment brings instead of having it made: a network, and what an earlier deployment left or somebody else owns. */
import { Duration, type Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { z } from 'zod';
import { durationMs, isDuration } from '../../contracts/duration.ts';
import { ProblemError } from '../../contracts/problem.ts';
import { Network } from '../network/network.ts';
import { REACHED_SERVICES } from '../network/reached-services.ts';

/** As EC2 numbers its things: eight digits, or seventeen. */
const id = (kind: string) =>
  z.string().regex(new RegExp(`^${kind}-(?:[0-9a-f]{8}|[0-9a-f]{17})$`), `${kind}- and 8 or 17 hexadecimal digits`);
const arn = (service: string, resource: string) =>
  z
    .string()
    .regex(
      new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]+:\\d{12}:${resource}[A-Za-z0-9_./-]+$`),
      `arn:aws:${service}:<region>:<account>:${resource}…`,
    );

/** A VPC for the functions. */
export const networkSchema = z
  .object({
    vpc: id('vpc'),
    subnets: z
      .array(
        z
          .object({
            id: id('subnet'),
            availabilityZone: z.string().min(1),
            routeTable: id('rtb').optional().describe('Where the gateway to S3 is entered: needed where one is made.'),
          })
          .strict(),
      )
      .min(1),
    securityGroups: z.array(id('sg')).default([]).describe('Absent: one is made.'),
    internet: z.boolean().default(false).describe('Whether the subnets have a way out.'),
    present: z.array(z.enum(REACHED_SERVICES)).default([]).describe('Services whose endpoints the VPC has.'),
  })
  .strict();

/** What exists already. */
export const existingSchema = z
  .object({
    bucket: z.string().min(3).max(63).optional().describe('Its name: versioned, with its events sent to EventBridge.'),
    stream: z
      .object({
        arn: arn('kinesis', 'stream/'),
        from: z
          .enum(['beginning', 'end'])
          .describe('What it holds already: counted, or not. Of a stream that a platform left: beginning.'),
        retention: z.string().refine(isDuration, 'a whole number and a unit: 7d').optional(),
      })
      .strict()
      .optional(),
    key: arn('kms', 'key/').optional(),
    policyKey: z.string().min(1).optional().describe('Name of the secret that hashes fields.'),
  })
  .strict();

/** Given ids are used as they stand; nothing is looked up. @throws ProblemError when a gateway cannot be entered anywhere */
export function networkOf(stack: Stack, config: z.output<typeof networkSchema>): Network {
  const { internet, present } = config;
  if (!internet && !present.includes('s3')) {
    const problems = config.subnets.flatMap(({ routeTable }, i) =>
      routeTable === undefined
        ? [
            {
              code: 'route-table',
              path: `network.subnets.${i}.routeTable`,
              message: 'is missing, so the gateway to S3 could not be entered',
              expected: 'rtb-…',
              fix: 'say it, or `present: [s3]` where the VPC has the gateway',
            },
          ]
        : [],
    );
    if (problems.length > 0) throw new ProblemError(problems);
  }
  const options = {
    vpc: ec2.Vpc.fromVpcAttributes(stack, 'Vpc', {
      vpcId: config.vpc,
      availabilityZones: [...new Set(config.subnets.map(({ availabilityZone }) => availabilityZone))].sort(),
    }),
    subnets: {
      subnets: config.subnets.map(({ id, availabilityZone, routeTable }) =>
        ec2.Subnet.fromSubnetAttributes(stack, `Subnet-${id}`, {
          subnetId: id,
          availabilityZone,
          routeTableId: routeTable,
        }),
      ),
    },
    securityGroups:
      config.securityGroups.length === 0
        ? undefined
        : config.securityGroups.map((id) => ec2.SecurityGroup.fromSecurityGroupId(stack, `Group-${id}`, id)),
  };
  return internet ? Network.withInternet(options) : Network.isolated({ ...options, present });
}

/** What the facade takes instead of making it. */
export function existingOf(
  stack: Stack,
  config: z.output<typeof existingSchema>,
  secretNamed: (name: string) => secretsmanager.ISecret,
): {
  readonly key?: kms.IKey;
  readonly bucket?: s3.IBucket;
  readonly stream?: {
    readonly stream: kinesis.IStream;
    readonly startingPosition: lambda.StartingPosition;
    readonly retention?: Duration;
  };
  readonly policyKey?: secretsmanager.ISecret;
} {
  const key = config.key === undefined ? undefined : kms.Key.fromKeyArn(stack, 'ExistingKey', config.key);
  const { bucket, stream, policyKey } = config;
  return {
    ...(key === undefined ? {} : { key }),
    ...(bucket === undefined
      ? {}
      : {
          bucket: s3.Bucket.fromBucketAttributes(stack, 'ExistingBucket', {
            bucketName: bucket,
            encryptionKey: key,
          }),
        }),
    ...(stream === undefined
      ? {}
      : {
          stream: {
            stream: kinesis.Stream.fromStreamAttributes(stack, 'ExistingStream', {
              streamArn: stream.arn,
              encryptionKey: key,
            }),
            startingPosition:
              stream.from === 'beginning' ? lambda.StartingPosition.TRIM_HORIZON : lambda.StartingPosition.LATEST,
            ...(stream.retention === undefined ? {} : { retention: Duration.millis(durationMs(stream.retention)) }),
          },
        }),
    ...(policyKey === undefined ? {} : { policyKey: secretNamed(policyKey) }),
  };
}
