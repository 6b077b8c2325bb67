import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as api from 'aws-cdk-lib/aws-apigatewayv2';
import * as authorizers from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { CollectorAccess } from './access/collector-access.ts';
import { secretStatements } from './access/statements.ts';
import { acknowledge } from './acknowledge.ts';
import { COLLECTOR_BURST, COLLECTOR_RATE, LOG_RETENTION } from './defaults.ts';
import { MonitoringFunction } from './monitoring-function.ts';
import type { PlatformContext } from './platform-context.ts';

export interface HttpDoorProps {
  readonly platform: PlatformContext;
  readonly access: CollectorAccess;
  readonly target: lambda.IFunction;
  /** KServe's logger is let in by its secret path. */
  readonly kserve: boolean;
  /** Requests a second. @default COLLECTOR_RATE: 100 */
  readonly rate?: number;
  /** Requests at once. @default COLLECTOR_BURST: 200 */
  readonly burst?: number;
}

const PATHS = ['/v1/events', '/v1/labels'];

/** An HTTP API in front of the collector: only its paths, limited, logged without paths or payloads. */
export class HttpDoor extends Construct {
  readonly api: api.HttpApi;
  readonly url: string;
  /** With keys alone. */
  readonly authorizer: MonitoringFunction<'authorizer'> | undefined;
  readonly accessLogs: logs.LogGroup;

  constructor(scope: Construct, id: string, props: HttpDoorProps) {
    super(scope, id);
    const { platform, access } = props;
    this.api = new api.HttpApi(this, 'Api', {
      description: `Collector of the model monitoring of ${platform.environmentName}`,
      createDefaultStage: false,
    });
    this.accessLogs = new logs.LogGroup(this, 'AccessLogs', {
      retention: LOG_RETENTION,
      removalPolicy: RemovalPolicy.DESTROY,
      ...(platform.key === undefined ? {} : { encryptionKey: platform.key }),
    });
    const stage = new api.CfnStage(this, 'Stage', {
      apiId: this.api.apiId,
      stageName: '$default',
      autoDeploy: true,
      defaultRouteSettings: {
        throttlingRateLimit: props.rate ?? COLLECTOR_RATE,
        throttlingBurstLimit: props.burst ?? COLLECTOR_BURST,
      },
      accessLogSettings: {
        destinationArn: this.accessLogs.logGroupArn,
        // Never the path: KServe's holds a secret.
        format: JSON.stringify({
          time: '$context.requestTime',
          requestId: '$context.requestId',
          route: '$context.routeKey',
          status: '$context.status',
          bytes: '$context.responseLength',
          error: '$context.error.messageString',
        }),
      },
    });
    const { region, urlSuffix } = Stack.of(this);
    this.url = `https://${this.api.apiId}.execute-api.${region}.${urlSuffix}/`;
    const integration = new HttpLambdaIntegration('Collector', props.target);
    if (access.keys !== undefined) {
      this.authorizer = new MonitoringFunction(this, 'Authorizer', {
        name: 'authorizer',
        platform,
        environment: { MLMON_KEYS_SECRET_ARN: access.keys.secretArn },
      });
      acknowledge(this.authorizer.function, 'Serverless-LambdaDLQ', 'the HTTP API waits for its answer');
      for (const statement of secretStatements(access.keys)) this.authorizer.role.addToPolicy(statement);
    }
    const authorizer = this.authorizerOf(access);
    if (authorizer !== undefined)
      for (const path of PATHS) this.api.addRoutes({ path, methods: [api.HttpMethod.POST], integration, authorizer });
    if (props.kserve) {
      const [route] = this.api.addRoutes({
        path: '/v1/kserve/{secret}',
        methods: [api.HttpMethod.POST],
        integration,
      });
      if (route !== undefined)
        acknowledge(
          route,
          'AwsSolutions-APIG4',
          "KServe's logger can sign nothing and send no header: the secret in its path lets it in, compared by the function",
        );
    }
    stage.node.addDependency(this.api);
  }

  private authorizerOf({ jwt }: CollectorAccess): api.IHttpRouteAuthorizer | undefined {
    if (jwt !== undefined)
      return new authorizers.HttpJwtAuthorizer('Tokens', jwt.issuer, { jwtAudience: [...jwt.audience] });
    if (this.authorizer !== undefined)
      return new authorizers.HttpLambdaAuthorizer('Keys', this.authorizer.function, {
        responseTypes: [authorizers.HttpLambdaResponseType.SIMPLE],
        identitySource: ['$request.header.Authorization'],
      });
    return undefined;
  }
}
