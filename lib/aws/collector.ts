import { Token } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { keys } from '../contracts/object-keys.ts';
import { ProblemError } from '../contracts/problem.ts';
import { CollectorAccess } from './access/collector-access.ts';
import { secretStatements } from './access/statements.ts';
import { acknowledge } from './acknowledge.ts';
import { HttpDoor } from './http-door.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { PlatformContext } from './platform-context.ts';

export interface CollectorProps {
  readonly platform: PlatformContext;
  /** @default CollectorAccess.iam() */
  readonly access?: CollectorAccess;
  /** Path segments that let KServe's logger in. @default none: KServe has no way in */
  readonly kserveSecret?: secretsmanager.ISecret;
  /** Hashes fields. @default none: an event of a monitor that hashes is refused */
  readonly policyKey?: secretsmanager.ISecret;
  /** Requests a second to an HTTP API. @default COLLECTOR_RATE: 100 */
  readonly rate?: number;
  /** Requests at once to an HTTP API. @default COLLECTOR_BURST: 200 */
  readonly burst?: number;
}

/** The door for senders: of a platform made here, or found by its parameters. */
export interface ICollector {
  /** Ends in a slash. Events go to `<url>v1/events`, labels to `<url>v1/labels`. */
  readonly url: string;
  /**
   * Lets a principal sign requests to it.
   * @param functionArn as the stack of the principal may name its function; left out, as the stack of the collector does
   */
  allow(grantee: iam.IGrantable, functionArn?: string): void;
  /** Lets a role that is known by its ARN sign requests to it. */
  admit(principalArn: string): void;
}

/** What signs requests to the Function URL of the function. */
export function signerStatements(functionArn: string): iam.PolicyStatement[] {
  const resources = [functionArn];
  return [
    new iam.PolicyStatement({
      actions: ['lambda:InvokeFunctionUrl'],
      resources,
      conditions: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } },
    }),
    // Asked for on top since October 2025; by the URL alone.
    new iam.PolicyStatement({
      actions: ['lambda:InvokeFunction'],
      resources,
      conditions: { Bool: { 'lambda:InvokedViaFunctionUrl': 'true' } },
    }),
  ];
}

/** The policy of the function lets a role or user, also of another account, sign requests to its Function URL. */
export function permitSigner(
  scope: Construct,
  name: string,
  {
    functionArn: functionName,
    principalArn: principal,
  }: { readonly functionArn: string; readonly principalArn: string },
): void {
  new lambda.CfnPermission(scope, `Sender-${name}`, {
    functionName,
    principal,
    action: 'lambda:InvokeFunctionUrl',
    functionUrlAuthType: lambda.FunctionUrlAuthType.AWS_IAM,
  });
  // Asked for on top since October 2025; by the URL alone.
  new lambda.CfnPermission(scope, `SenderByUrl-${name}`, {
    functionName,
    principal,
    action: 'lambda:InvokeFunction',
    invokedViaFunctionUrl: true,
  });
}

/** As a part of the id of a construct. */
export function signerName(principalArn: string): string {
  return principalArn.split(':').slice(4).join('-').replaceAll('/', '-');
}

/**
 * Takes events and labels over HTTP, checks them and writes them to the stream. For few events: above some fifty a second a producer that batches
 * costs less.
 */
export class Collector extends Construct implements ICollector {
  readonly #admitted = new Set<string>();
  readonly handler: MonitoringFunction<'collector'>;
  readonly access: CollectorAccess;
  /** With signed requests alone. */
  readonly functionUrl: lambda.FunctionUrl | undefined;
  /** With tokens and keys, and for KServe. */
  readonly door: HttpDoor | undefined;
  /** Ends in a slash. Events go to `<url>v1/events`, labels to `<url>v1/labels`. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: CollectorProps) {
    super(scope, id);
    const { platform, kserveSecret, policyKey } = props;
    this.access = props.access ?? CollectorAccess.iam();
    const { auth } = this.access;
    if (auth === 'path-secret' && kserveSecret === undefined)
      throw new ProblemError([
        {
          code: 'kserve-secret',
          path: 'kserveSecret',
          message: 'is missing, so nobody could send anything',
          expected: 'the secret whose path segments let KServe in',
        },
      ]);
    this.handler = new MonitoringFunction(this, 'Handler', {
      name: 'collector',
      platform,
      environment: {
        MLMON_AUTH: auth,
        MLMON_BINDINGS_KEY: keys.bindings(),
        MLMON_POLICY_KEY_SECRET_ARN: policyKey?.secretArn,
        MLMON_KSERVE_SECRET_ARN: kserveSecret?.secretArn,
      },
    });
    for (const statement of [...secretStatements(policyKey), ...secretStatements(kserveSecret)])
      this.handler.role.addToPolicy(statement);
    acknowledge(
      this.handler.function,
      'Serverless-LambdaDLQ',
      'senders wait for its answer and send again what failed',
    );
    if (auth === 'iam')
      this.functionUrl = this.handler.function.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.AWS_IAM });
    if (auth !== 'iam' || kserveSecret !== undefined)
      this.door = new HttpDoor(this, 'Door', {
        platform,
        access: this.access,
        target: this.handler.function,
        kserve: kserveSecret !== undefined,
        rate: props.rate,
        burst: props.burst,
      });
    this.url = this.functionUrl === undefined ? (this.door?.url ?? '') : this.functionUrl.url;
  }

  /** Lets a principal of this account sign requests to the Function URL. What it may send is a matter of bindings. */
  allow(grantee: iam.IGrantable, functionArn = this.handler.function.functionArn): void {
    if (this.functionUrl === undefined)
      throw new ProblemError([
        {
          code: 'no-function-url',
          path: 'collector.access',
          message: 'takes no signed requests',
          got: this.access.auth,
          expected: 'CollectorAccess.iam()',
          fix: 'grant by the subject of the token or the id of the key: grants.captureBy(…)',
        },
      ]);
    for (const statement of signerStatements(functionArn)) grantee.grantPrincipal.addToPrincipalPolicy(statement);
  }

  /**
   * Lets a role or user that was made elsewhere, in another account too, sign requests to the Function URL: by the function's own policy, so it must
   * be there when this is deployed. One of another account needs the same rights in a policy of its own besides.
   */
  admit(principalArn: string): void {
    if (this.functionUrl === undefined || this.#admitted.has(principalArn)) return;
    this.#admitted.add(principalArn);
    const name = Token.isUnresolved(principalArn) ? `${this.#admitted.size}` : signerName(principalArn);
    permitSigner(this, name, { functionArn: this.handler.function.functionArn, principalArn });
  }
}
