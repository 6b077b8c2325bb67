import { Names, Stack, Validations } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import type { ICollector } from '../collector.ts';
import { producerStatements } from '../event-stream.ts';
import type { PlatformContext } from '../platform-context.ts';
import { type IPublisher, Publication } from '../publication.ts';
import { platformSeenFrom, type SeenContext } from '../sharing/linked-platform.ts';
import { Bindings } from './bindings.ts';
import { eraserStatements } from './eraser-access.ts';
import { admitProducer, otherAccount } from './other-account.ts';
import { operatorStatements, readerStatements } from './people-access.ts';

/** Shown when a sender is granted a model that no monitor of the app declares at that moment; acknowledge it where monitors come another way. */
export const UNKNOWN_MODEL = 'ml-monitoring-constructs:unknown-model';

/** Who signs requests: neither keys nor subjects of tokens look like it. */
const SIGNER = /^arn:[a-z-]+:iam::\d{12}:(?:role|user)\//;

/** What grants are written to. */
export interface GrantsProps {
  readonly platform: PlatformContext;
  readonly collector: ICollector;
  readonly publisher: IPublisher;
  /** Those that the platform's own publication carries. @default a publication of its own in each stack */
  readonly bindings?: Bindings;
}

/** Who may send what. A sender is bound to its models: what it sends of others is refused. */
export class Grants {
  readonly #scope: IConstruct;
  readonly #props: GrantsProps;

  constructor(scope: IConstruct, props: GrantsProps) {
    this.#scope = scope;
    this.#props = props;
  }

  /** The role may send events of the model to the collector's Function URL. */
  capture(role: iam.IRole, model: string): void {
    this.#signer(role);
    this.#bindingsOf(Stack.of(role)).add(role.roleArn, 'events', this.#known(model));
  }

  /** The role may send ground truth of the model. Labels steer what is told of its accuracy, so this is a right of its own. */
  label(role: iam.IRole, model: string): void {
    this.#signer(role);
    this.#bindingsOf(Stack.of(role)).add(role.roleArn, 'labels', this.#known(model));
  }

  /** The same for a sender that is known by a text: the subject of a token, the id of a key, or the ARN of a role that was made elsewhere. */
  captureBy(principal: string, model: string): void {
    this.#bind(principal, 'events', model);
  }

  /** The same for a sender that is known by a text. */
  labelBy(principal: string, model: string): void {
    this.#bind(principal, 'labels', model);
  }

  /**
   * The role may write to the stream itself: events and labels of any model, since the stream knows no models. For senders of many events, which
   * use the producer helper. A role of another account is let in by policies of the stream and of its key, and needs the same rights there.
   */
  produce(role: iam.IRole): void {
    const { stream, key } = this.#seenFrom(role);
    const account = otherAccount(role, Stack.of(this.#scope));
    if (account !== undefined) admitProducer(this.#props.platform, role, account);
    for (const statement of producerStatements(stream, key)) role.addToPrincipalPolicy(statement);
  }

  /** The role may look at everything by `mlmon serve --store s3://…` and list by `mlmon … --platform s3://…`, and change nothing. */
  read(role: iam.IRole): void {
    const { bucket, key } = this.#seenFrom(role);
    for (const statement of readerStatements(bucket, key)) role.addToPrincipalPolicy(statement);
  }

  /**
   * The role may decide by `mlmon monitor|baseline|alert … --platform s3://…`: for people on call and for pipelines that publish. It reads all that
   * the page shows, and neither events nor configuration are its to change.
   */
  operate(role: iam.IRole): void {
    const { bucket, key } = this.#seenFrom(role);
    for (const statement of operatorStatements(bucket, key)) role.addToPrincipalPolicy(statement);
  }

  /**
   * The role may erase predictions by their ids, `mlmon erase --platform s3://…`: it reads and writes captured events of all models. A right for few,
   * assumed for the purpose.
   */
  erase(role: iam.IRole): void {
    const { bucket, key } = this.#seenFrom(role);
    for (const statement of eraserStatements(bucket, key)) role.addToPrincipalPolicy(statement);
  }

  #bind(principal: string, right: 'events' | 'labels', model: string): void {
    if (SIGNER.test(principal)) this.#props.collector.admit(principal);
    this.#bindingsOf(Stack.of(this.#scope)).add(principal, right, this.#known(model));
  }

  /** A role of another account is given nothing here: the collector lets it in, and it needs the same rights there. */
  #signer(role: iam.IRole): void {
    if (otherAccount(role, Stack.of(this.#scope)) !== undefined) this.#props.collector.admit(role.roleArn);
    this.#props.collector.allow(role, this.#seenFrom(role).collectorArn);
  }

  #seenFrom(role: iam.IRole): SeenContext {
    return platformSeenFrom(role, this.#scope, this.#props.platform);
  }

  /** A role of another stack is bound from there: this stack must not depend on one that depends on it. */
  #bindingsOf(stack: Stack): Bindings {
    const { bindings } = this.#props;
    if (bindings !== undefined && stack === Stack.of(this.#scope)) return bindings;
    const id = `ModelMonitoringBindings${Names.nodeUniqueId(this.#scope.node)}`;
    const present = stack.node.tryFindChild(id);
    if (present instanceof SenderBindings) return present.bindings;
    return new SenderBindings(stack, id, this.#props.publisher).bindings;
  }

  #known(model: string): string {
    if (model !== '*' && this.#props.publisher.models?.has(model) === false)
      Validations.of(this.#scope).addWarning(
        UNKNOWN_MODEL,
        `grants: no monitor of this app declares the model ${model} so far; declare it before, or acknowledge this where its monitor comes another way`,
      );
    return model;
  }
}

/** Bindings of the roles of one stack. */
class SenderBindings extends Publication {
  readonly bindings: Bindings;

  constructor(scope: Stack, id: string, publisher: IPublisher) {
    const bindings = new Bindings();
    super(scope, id, { publisher, monitors: [], bindings });
    this.bindings = bindings;
  }
}
