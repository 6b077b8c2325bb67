import { CustomResource, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { type Problem, ProblemError } from '../contracts/problem.ts';
import type { PublicationProperties } from '../contracts/publication.ts';
import type { Bindings } from './access/bindings.ts';
import { secretStatements } from './access/statements.ts';
import { acknowledge, acknowledgeResource } from './acknowledge.ts';
import { linesAsset } from './lines-asset.ts';
import type { Monitor } from './monitor.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { PlatformContext } from './platform-context.ts';
import { linkFrom, outermost } from './sharing/platform-links.ts';

export interface PublisherProps {
  readonly platform: PlatformContext;
  /** Hashes categories of baselines as fields of events are. @default none: a baseline with a hashed feature is refused */
  readonly policyKey?: secretsmanager.ISecret;
  /** Told of the monitors of each publication. @default nobody is */
  readonly onMonitors?: (monitors: readonly Monitor[]) => void;
}

/** What publications are handed to: the function of a platform, made here or found by its parameters. */
export interface IPublisher {
  /** Models that publications have brought so far; `undefined` where those of other apps are not known. */
  readonly models: ReadonlySet<string> | undefined;
  /** ARN of the function, as a stack may name it. */
  serviceToken(scope: Construct): string;
  /** @throws ProblemError when another publication of the app brings one of the models */
  claim(owner: string, monitors: readonly Monitor[]): void;
  /** Lets it read a baseline that lies in the bucket of the platform. */
  mayReadStored(key: string): void;
  /** Lets it read the files of a publication. */
  mayRead(bucketName: string): void;
}

/** Models and who brings them, within an app. */
export class Claims {
  readonly #owners = new Map<string, string>();

  get models(): ReadonlySet<string> {
    return new Set(this.#owners.keys());
  }

  /** @throws ProblemError when another publication brings one of the models */
  add(owner: string, monitors: readonly Monitor[]): void {
    const problems: Problem[] = [];
    for (const { model } of monitors) {
      const other = this.#owners.get(model);
      if (other === undefined) this.#owners.set(model, owner);
      else
        problems.push({
          code: 'twice',
          path: `${owner}: ${model}`,
          message: `the model has a monitor already, in ${other}`,
          expected: 'one monitor a model',
          fix: 'remove one of them',
        });
    }
    if (problems.length > 0) throw new ProblemError(problems);
  }
}

/** Shown when a monitor keeps events for a time of its own: no function takes them out of objects that models share. Acknowledge it where a job does. */
export const EVENTS_OF_A_MODEL = 'ml-monitoring-constructs:events-of-a-model';

function warnOfEvents(scope: Construct, monitors: readonly Monitor[]): void {
  const named = monitors.filter(({ declared }) => declared.retention?.events !== undefined).map(({ model }) => model);
  if (named.length === 0) return;
  Validations.of(scope).addWarning(
    EVENTS_OF_A_MODEL,
    `retention.events of ${named.join(', ')}: applied by \`mlmon erase --again\`, run once a day with the right grants.erase; acknowledge this where a job runs it, or use captureRetention for all models`,
  );
}

/** The function that writes what is deployed into the store. One a platform, for the publications of all stacks. */
export class Publisher extends Construct implements IPublisher {
  readonly handler: MonitoringFunction<'publisher'>;
  readonly #claims = new Claims();
  readonly #platform: PlatformContext;
  readonly #onMonitors: PublisherProps['onMonitors'];

  constructor(scope: Construct, id: string, props: PublisherProps) {
    super(scope, id);
    this.handler = new MonitoringFunction(this, 'Handler', {
      name: 'publisher',
      platform: props.platform,
      environment: { MLMON_POLICY_KEY_SECRET_ARN: props.policyKey?.secretArn },
    });
    this.#platform = props.platform;
    this.#onMonitors = props.onMonitors;
    acknowledge(
      this.handler.function,
      'Serverless-LambdaDLQ',
      'CloudFormation calls it and tells the deployment of what fails, which is undone',
    );
    for (const statement of secretStatements(props.policyKey)) this.handler.role.addToPolicy(statement);
  }

  /** Models that publications have brought so far. */
  get models(): ReadonlySet<string> {
    return this.#claims.models;
  }

  /** To another stack it is known by the parameter, so that no export ties the two together. */
  serviceToken(scope: Construct): string {
    return linkFrom(scope, this, 'publisherArn', this.#platform.environmentName, this.handler.function.functionArn);
  }

  /** @throws ProblemError when another publication of the app brings one of the models */
  claim(owner: string, monitors: readonly Monitor[]): void {
    this.#claims.add(owner, monitors);
    this.#onMonitors?.(monitors);
  }

  /** Lets it read a baseline that lies in the bucket of the platform. */
  mayReadStored(key: string): void {
    this.handler.role.addToPolicy(
      new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: [this.#platform.bucket.arnForObjects(key)] }),
    );
  }

  /** Lets it read the files of a publication: they lie in the bucket of assets of the stack that brings them, under digests as names. */
  mayRead(bucketName: string): void {
    const { partition } = Stack.of(this);
    const resource = `arn:${partition}:s3:::${bucketName}/*.ndjson`;
    this.handler.role.addToPolicy(new iam.PolicyStatement({ actions: ['s3:GetObject'], resources: [resource] }));
    acknowledgeResource(this.handler.role, resource, 'names of published files are digests of what they hold');
  }
}

export interface PublicationProps {
  readonly publisher: IPublisher;
  readonly monitors: readonly Monitor[];
  /** JSON of channels, routes and mutes. @default none: those of another publication stay */
  readonly alerting?: string;
  /** JSON of channels (`Delivery[]`) that get what is told of these models, and nothing else. @default none */
  readonly channels?: string;
  /** @default none */
  readonly bindings?: Bindings;
  /** Anything but `DESTROY` leaves what was published as it is when the stack goes. @default RemovalPolicy.DESTROY: its monitors get tombstones */
  readonly removalPolicy?: RemovalPolicy;
}

/**
 * Monitors and baselines into the store, as one file however many they are. What an earlier deployment of the same construct published and this
 * one lacks is removed.
 */
export class Publication extends Construct {
  constructor(scope: Construct, id: string, props: PublicationProps) {
    super(scope, id);
    warnOfEvents(this, props.monitors);
    props.publisher.claim(this.node.path, props.monitors);
    const lines = [...props.monitors]
      .sort((a, b) => (a.model < b.model ? -1 : 1))
      .map(({ line }) => JSON.stringify(line));
    const { bucketName, objectKey } = linesAsset(this, 'monitors', lines);
    props.publisher.mayRead(bucketName);
    for (const { line } of props.monitors)
      if (line.baseline !== null && 'key' in line.baseline) props.publisher.mayReadStored(line.baseline.key);
    const properties: Omit<PublicationProperties, 'ServiceToken'> = {
      AssetBucket: bucketName,
      AssetKey: objectKey,
      Owner: ownerOf(this),
      Alerting: props.alerting,
      Channels: props.channels,
      Bindings: props.bindings?.json,
    };
    new CustomResource(this, 'Resource', {
      resourceType: 'Custom::ModelMonitoringPublication',
      serviceToken: props.publisher.serviceToken(this),
      removalPolicy: props.removalPolicy ?? RemovalPolicy.DESTROY,
      properties: { ...properties },
    });
  }
}

/**
 * Names the publication for all apps that share the platform: names of stacks are of one stack in an account and region, paths are not. Where the
 * path begins with the name of the stack it says enough.
 */
function ownerOf(scope: Construct): string {
  const stack = outermost(scope);
  const { path } = scope.node;
  return stack.node.path === stack.stackName ? path : `${stack.stackName}:${path}`;
}
