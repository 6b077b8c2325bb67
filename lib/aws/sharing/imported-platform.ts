import { CfnCondition, Fn, Names, Token } from 'aws-cdk-lib';
import * as events from 'aws-cdk-lib/aws-events';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { MetricDetail } from '../../contracts/cloudwatch-metrics.ts';
import type { ShownIn } from '../../contracts/dashboards.ts';
import { outgoingSource } from '../../contracts/outgoing-events.ts';
import { Grants } from '../access/grants.ts';
import { type ICollector, permitSigner, signerName, signerStatements } from '../collector.ts';
import type { IPlatformEvents } from '../events/platform-events.ts';
import { knownAtSynthesis } from '../known-at-synthesis.ts';
import type { Monitor } from '../monitor.ts';
import type { PlatformContext } from '../platform-context.ts';
import { Claims, type IPublisher } from '../publication.ts';
import { ModelMetrics } from '../watching/model-metrics.ts';
import { METRIC_DETAIL } from '../watching/watching-defaults.ts';
import { linkedContext } from './linked-platform.ts';
import type { IModelMonitoring } from './monitoring-platform.ts';
import { checkedName, expectLink, type Link, linkedValue, NONE } from './platform-links.ts';

/** Which platform of another app. */
export interface EnvironmentReference {
  /** Of the environment: what `environmentName` was, and the file is called. */
  readonly name: string;
  /** Which metrics of models the platform publishes. @default METRIC_DETAIL: 'minimal' */
  readonly metricDetail?: MetricDetail;
}

/** A platform of another app in the same account and region, by its parameters. Nothing is looked up at synthesis. */
export class ImportedPlatform extends Construct implements IModelMonitoring {
  readonly platform: PlatformContext;
  readonly publisher: IPublisher;
  readonly collector: ICollector;
  readonly grants: Grants;
  readonly metrics: ModelMetrics;
  readonly #name: string;
  #bus: events.IEventBus | undefined;

  constructor(scope: Construct, id: string, props: EnvironmentReference) {
    super(scope, id);
    const name = checkedName(props.name, 'name', 'refused');
    // Names of parameters are made of it, and CloudFormation reads those before anything else.
    knownAtSynthesis({ name });
    this.#name = name;
    const value = (link: Link): string => linkedValue(this, name, link);
    this.platform = linkedContext(this, name);
    this.publisher = new ImportedPublisher(name);
    const expectSigned = (): void =>
      expectLink(this, 'TakesSignedRequests', {
        value: value('collectorAccess'),
        expected: 'iam',
        told: `The collector of ${name} takes no signed requests: roles cannot be granted. Grant by the subject of a token or the id of a key: grants.captureBy`,
      });
    this.collector = {
      get url() {
        return value('collectorUrl');
      },
      allow(grantee: iam.IGrantable, functionArn = value('collectorArn')): void {
        expectSigned();
        for (const statement of signerStatements(functionArn)) grantee.grantPrincipal.addToPrincipalPolicy(statement);
      },
      admit: (principalArn: string): void => {
        const name = Token.isUnresolved(principalArn) ? Names.nodeUniqueId(this.node) : signerName(principalArn);
        if (this.node.tryFindChild(`Sender-${name}`) !== undefined) return;
        expectSigned();
        permitSigner(this, name, { functionArn: value('collectorArn'), principalArn });
      },
    };
    this.grants = new Grants(this, {
      platform: this.platform,
      collector: this.collector,
      publisher: this.publisher,
    });
    this.metrics = new ModelMetrics({ environmentName: name, detail: props.metricDetail ?? METRIC_DETAIL });
  }

  /** For rules; the deployment fails where the platform has no bus. */
  get eventBus(): IPlatformEvents {
    const name = this.#name;
    const arn = linkedValue(this, name, 'eventBusArn');
    expectLink(this, 'HasEventBus', {
      value: arn,
      told: `The platform ${name} has no bus: set eventBus in its environment, and deploy it`,
    });
    this.#bus ??= events.EventBus.fromEventBusArn(this, 'EventBus', arn);
    return {
      bus: this.#bus,
      busArn: (scope) => linkedValue(scope, name, 'eventBusArn'),
      source: outgoingSource(name),
    };
  }

  notifierRoleArn(scope: Construct): string {
    return linkedValue(scope, this.#name, 'notifierRoleArn');
  }

  ifShown(scope: Construct, text: (shownIn: ShownIn) => string): string {
    const base = linkedValue(scope, this.#name, 'dashboardBase');
    const isShown = (scope.node.tryFindChild('HasDashboards') ??
      new CfnCondition(scope, 'HasDashboards', {
        expression: Fn.conditionNot(Fn.conditionEquals(base, NONE)),
      })) as CfnCondition;
    return Fn.conditionIf(isShown.logicalId, text({ base, instance: this.#name }), '').toString();
  }

  topicKey(scope: Construct): kms.IKey {
    const present = scope.node.tryFindChild('TopicKey');
    if (present !== undefined) return present as unknown as kms.IKey;
    return kms.Key.fromKeyArn(scope, 'TopicKey', linkedValue(scope, this.#name, 'topicKeyArn'));
  }
}

/** Publications of other apps are known to the function alone: it refuses a model that another has. */
class ImportedPublisher implements IPublisher {
  readonly models = undefined;
  readonly #claims = new Claims();
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  serviceToken(scope: Construct): string {
    return linkedValue(scope, this.#name, 'publisherArn');
  }

  claim(owner: string, monitors: readonly Monitor[]): void {
    this.#claims.add(owner, monitors);
  }

  /** It may read all uploads. */
  mayReadStored(_key: string): void {}

  /** It may read files of the bucket of assets of its own stack, which is that of every stack bootstrapped alike. */
  mayRead(_bucketName: string): void {}
}
