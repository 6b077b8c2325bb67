import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CustomResource, FileAssetPackaging, Stack, Stage } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import type { PublicationProperties } from '../contracts/publication.ts';
import type { Bindings } from './bindings.ts';
import type { Monitor } from './monitor.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { PlatformContext } from './platform-context.ts';

/** The function that writes what is deployed into the store. One a platform, for the publications of all stacks. */
export class Publisher extends Construct {
  readonly handler: MonitoringFunction<'publisher'>;

  constructor(scope: Construct, id: string, props: { readonly platform: PlatformContext }) {
    super(scope, id);
    this.handler = new MonitoringFunction(this, 'Handler', {
      name: 'publisher',
      platform: props.platform,
      environment: {},
    });
  }

  /** Lets it read the files of a publication: they lie in the bucket of assets of the stack that brings them, under digests as names. */
  mayRead(bucketName: string): void {
    const { partition } = Stack.of(this);
    this.handler.role.addToPolicy(
      new iam.PolicyStatement({
        actions: ['s3:GetObject'],
        resources: [`arn:${partition}:s3:::${bucketName}/*.ndjson`],
      }),
    );
  }
}

export interface PublicationProps {
  readonly publisher: Publisher;
  readonly monitors: readonly Monitor[];
  /** JSON of channels, routes and mutes. @default none: those of another publication stay */
  readonly alerting?: string;
  /** @default none */
  readonly bindings?: Bindings;
}

/**
 * Monitors and baselines into the store, as one file however many they are. What an earlier deployment of the same construct published and this
 * one lacks is removed.
 */
export class Publication extends Construct {
  constructor(scope: Construct, id: string, props: PublicationProps) {
    super(scope, id);
    const problems = twins(props.monitors);
    if (problems.length > 0) throw new ProblemError(problems);
    const lines = [...props.monitors]
      .sort((a, b) => (a.model < b.model ? -1 : 1))
      .map(({ line }) => JSON.stringify(line));
    const { bucketName, objectKey } = publishLines(this, lines);
    props.publisher.mayRead(bucketName);
    const properties: Omit<PublicationProperties, 'ServiceToken'> = {
      AssetBucket: bucketName,
      AssetKey: objectKey,
      Owner: this.node.path,
      Alerting: props.alerting,
      Bindings: props.bindings?.json,
    };
    new CustomResource(this, 'Resource', {
      resourceType: 'Custom::ModelMonitoringPublication',
      serviceToken: props.publisher.handler.function.functionArn,
      properties: { ...properties },
    });
  }
}

/** The file goes straight into the assembly, which is the output of synthesis. */
function publishLines(
  scope: Construct,
  lines: readonly string[],
): { readonly bucketName: string; readonly objectKey: string } {
  const body = lines.map((line) => `${line}\n`).join('');
  const digest = createHash('sha256').update(body).digest('hex');
  const fileName = `monitors.${digest}.ndjson`;
  const stage = Stage.of(scope);
  if (stage === undefined)
    throw new ProblemError([
      { code: 'no-app', path: scope.node.path, message: 'is in no App', fix: 'put the stack into an App or a Stage' },
    ]);
  writeFileSync(join(stage.outdir, fileName), body);
  return Stack.of(scope).synthesizer.addFileAsset({
    fileName,
    packaging: FileAssetPackaging.FILE,
    sourceHash: digest,
    displayName: `${scope.node.path}/monitors`,
  });
}

function twins(monitors: readonly Monitor[]): Problem[] {
  const seen = new Set<string>();
  return monitors.flatMap(({ model }) => {
    if (!seen.has(model)) {
      seen.add(model);
      return [];
    }
    return [
      {
        code: 'twice',
        path: `models: ${model}`,
        message: 'the model has a monitor already',
        expected: 'one monitor a model',
        fix: 'remove one of them',
      },
    ];
  });
}
