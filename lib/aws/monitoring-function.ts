import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { EnvironmentText, FunctionName } from '../contracts/functions.ts';
import { FUNCTION_RIGHTS } from './access/function-rights.ts';
import { keyStatements, networkInterfaceStatements, objectStatements, streamStatements } from './access/statements.ts';
import { acknowledge, acknowledgePrefix } from './acknowledge.ts';
import { FUNCTION_ARCHITECTURE, FUNCTION_RUNTIME, FUNCTION_SIZES, LOG_RETENTION } from './defaults.ts';
import { FUNCTIONS_CONTEXT, functionCode, HANDLER } from './function-code.ts';
import type { PlatformContext } from './platform-context.ts';

/** What every function is told, from the platform. */
type CommonName = 'MLMON_BUCKET' | 'MLMON_STREAM_ARN' | 'MLMON_ENVIRONMENT';
/** What a construct says on top. */
export type OwnEnvironment<N extends FunctionName> = Omit<EnvironmentText<N>, CommonName>;

/** Which function, and what it must be told. */
export interface MonitoringFunctionProps<N extends FunctionName> {
  /** Which of the functions. */
  readonly name: N;
  readonly platform: PlatformContext;
  /** Variables beyond those of every function. */
  readonly environment: OwnEnvironment<N>;
  /** @default the memory of `FUNCTION_SIZES` */
  readonly memorySize?: number;
  /** @default the time-out of `FUNCTION_SIZES` */
  readonly timeout?: Duration;
  /** @default LOG_RETENTION: a month */
  readonly logRetention?: logs.RetentionDays;
  /** @default no more than what its name needs */
  readonly description?: string;
}

/**
 * One function of the platform: its bundle, a role of its own without managed policies, its log group, traces. It may touch what
 * `FUNCTION_RIGHTS` names and nothing else; the construct around it adds the rest to `role`.
 */
export class MonitoringFunction<N extends FunctionName = FunctionName> extends Construct {
  readonly function: lambda.Function;
  readonly role: iam.Role;
  readonly logGroup: logs.LogGroup;
  readonly functionName: N;

  constructor(scope: Construct, id: string, props: MonitoringFunctionProps<N>) {
    super(scope, id);
    const { name, platform } = props;
    const size = FUNCTION_SIZES[name];
    this.functionName = name;
    this.logGroup = new logs.LogGroup(this, 'Logs', {
      retention: props.logRetention ?? LOG_RETENTION,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(platform.key === undefined ? {} : { encryptionKey: platform.key }),
    });
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: `${name} of the model monitoring of ${platform.environmentName}`,
    });
    const rights = FUNCTION_RIGHTS[name];
    for (const statement of [
      new iam.PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [this.logGroup.logGroupArn],
      }),
      ...objectStatements(platform.bucket, rights),
      ...streamStatements(platform.stream, rights.stream),
      ...keyStatements(platform.key),
      ...(platform.network === undefined ? [] : networkInterfaceStatements()),
    ])
      this.role.addToPolicy(statement);
    this.function = new lambda.Function(this, 'Resource', {
      code: functionCode(name, this.node.tryGetContext(FUNCTIONS_CONTEXT)),
      handler: HANDLER,
      runtime: FUNCTION_RUNTIME,
      architecture: FUNCTION_ARCHITECTURE,
      memorySize: props.memorySize ?? size.memorySize,
      timeout: props.timeout ?? size.timeout,
      role: this.role,
      logGroup: this.logGroup,
      tracing: lambda.Tracing.ACTIVE,
      description: props.description ?? `Model monitoring: ${name}`,
      ...(platform.network === undefined
        ? {}
        : {
            vpc: platform.network.vpc,
            vpcSubnets: platform.network.subnets,
            securityGroups: [...platform.network.securityGroups],
          }),
      environment: {
        MLMON_BUCKET: platform.bucket.bucketName,
        MLMON_STREAM_ARN: platform.stream.streamArn,
        MLMON_ENVIRONMENT: platform.environmentName,
        ...definedOnly(props.environment),
      },
    });
    acknowledge(
      this.role,
      'AwsSolutions-IAM5[Resource::*]',
      platform.network === undefined
        ? 'X-Ray has no resources to name: xray:PutTraceSegments and xray:PutTelemetryRecords are given for all or none'
        : 'neither X-Ray nor network interfaces that do not exist yet have resources to name; code in the function is denied the interfaces',
    );
    for (const prefix of new Set([...rights.read, ...rights.write, ...rights.remove]))
      acknowledgePrefix(
        this.role,
        platform,
        prefix,
        `keys under ${prefix} are named by models, times and digests, which are not known when deployed`,
      );
  }
}

function definedOnly(environment: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
