import { Stack, Token, TokenComparison, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import type * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { GRAFANA_PREFIX_PATTERN } from '../../contracts/grafana.ts';
import { type Problem, ProblemError, shown } from '../../contracts/problem.ts';
import { secretStatements } from '../access/statements.ts';
import { acknowledge } from '../acknowledge.ts';
import { MANAGED_REGIONS, presence } from '../managed-regions.ts';
import type { PlatformContext } from '../platform-context.ts';
import type { PrometheusWorkspace } from '../watching/prometheus.ts';
import { GrafanaFilling } from './grafana-filling.ts';
import type { GrafanaIdentity } from './grafana-identity.ts';
import { type GrafanaTarget, READER_REASON, readerStatements, tokenStatements } from './grafana-target.ts';
import { GrafanaWorkspace } from './grafana-workspace.ts';

/** Of a workspace that the platform makes. */
export interface ManagedGrafanaOptions {
  /** Who may sign in: it takes no users of its own. */
  readonly identity: GrafanaIdentity;
  /** It can be raised later, never lowered. @default GRAFANA_VERSION: '12.4' */
  readonly version?: string;
}

/** Which workspace of yours. */
export interface ExistingGrafanaOptions {
  /** `g-…` of Amazon Managed Grafana, in this account; of version 9 or later. */
  readonly workspaceId: string;
  /** Where it is: also for a platform in a region without Managed Grafana. @default the region of the stack */
  readonly region?: string;
  /** The role of the workspace, which is then let read the platform's series and the metrics of CloudWatch. @default none: let it yourself */
  readonly role?: iam.IRole;
  /** Begins the uids of dashboards, data sources and folder: another one for each platform that fills the same Grafana. @default 'mlmon' */
  readonly prefix?: string;
}

/** A Grafana that runs on machines of yours, or as a service of others. */
export interface SelfRunGrafanaOptions {
  /** `https://…`; the function must reach it, and trust its certificate as Node.js does. */
  readonly url: string;
  /** Holds a token of a service account that is an Admin, as plain text. */
  readonly token: secretsmanager.ISecret;
  /** Who Grafana is on AWS: may assume a role that reads the platform's series and the metrics of CloudWatch. @default none: Grafana asks with credentials of its own */
  readonly reader?: iam.IPrincipal;
  /** Begins the uids of dashboards, data sources and folder: another one for each platform that fills the same Grafana. @default 'mlmon' */
  readonly prefix?: string;
}

/** What a choice of Grafana is bound to. */
export interface GrafanaContext {
  readonly platform: PlatformContext;
  /** What dashboards show; `undefined` without Prometheus, and then there is nothing to show. */
  readonly prometheus: PrometheusWorkspace | undefined;
  /** Takes runs that could not be handed over. */
  readonly deadLetters: sqs.IQueue;
}

/** Id of the warning of a region that is newer than this release. */
export const UNKNOWN_REGION = 'model-monitoring:grafana-region';
/** Id of the warning of a role that this stack cannot give rights. */
export const GRAFANA_ROLE_UNCHANGED = 'model-monitoring:grafana-role';

/**
 * Who shows graphs of features. A choice that everybody must make: a managed workspace needs an identity provider and costs by the seat. Wherever
 * it is, six dashboards, a folder and two data sources are put there and kept as they are in this release.
 */
export class Grafana {
  /** Nobody: CloudWatch dashboards show the platform and a few metrics of each model. */
  static none(): Grafana {
    return new Grafana(null);
  }

  /** A workspace of Amazon Managed Grafana. Each Editor costs 9 $ and each Viewer 5 $ in a month in which they sign in. */
  static managed(options: ManagedGrafanaOptions): Grafana {
    return new Grafana((scope, context) => {
      const { region } = Stack.of(scope);
      refuseRegion(scope, region);
      const { platform, prometheus } = withPrometheus(context);
      const { workspace } = new GrafanaWorkspace(scope, 'Workspace', { ...options, platform, prometheus });
      return filling(scope, context, {
        settings: { WorkspaceId: workspace.attrId },
        statements: tokenStatements(scope, workspace.attrId),
        url: `https://${workspace.attrEndpoint}`,
      });
    });
  }

  /** A workspace of Amazon Managed Grafana that is there already. */
  static existing(options: ExistingGrafanaOptions): Grafana {
    const { workspaceId, region, role, prefix } = options;
    refusePrefix(prefix);
    return new Grafana((scope, context) => {
      refuseRegion(scope, region ?? Stack.of(scope).region);
      const { prometheus } = withPrometheus(context);
      if (role !== undefined) letRead(scope, role, prometheus);
      const target: GrafanaTarget = {
        settings: { WorkspaceId: workspaceId, ...(region === undefined ? {} : { WorkspaceRegion: region }) },
        statements: tokenStatements(scope, workspaceId, region),
        url: workspaceAddress(workspaceId, region ?? Stack.of(scope).region, Stack.of(scope).urlSuffix),
      };
      return filling(scope, context, target, prefix);
    });
  }

  /** A Grafana that runs elsewhere, of version 10.4 or later. */
  static selfRun(options: SelfRunGrafanaOptions): Grafana {
    const { url, token, reader, prefix } = options;
    refusePrefix(prefix);
    refuseAddress(url);
    return new Grafana((scope, context) => {
      const { platform, prometheus } = withPrometheus(context);
      if (platform.network !== undefined && !platform.network.internet)
        throw new ProblemError([
          {
            code: 'no-way-out',
            path: 'grafana',
            message: 'is filled by a function that has no way to the internet',
            expected: 'Grafana.managed, Grafana.existing or Grafana.none',
            fix: 'take one of these, or Network.withInternet',
          },
        ]);
      const assumed = reader === undefined ? undefined : readerRole(scope, reader, prometheus, platform);
      const target: GrafanaTarget = {
        settings: {
          Url: url,
          TokenSecretArn: token.secretArn,
          ...(assumed === undefined ? {} : { AssumeRoleArn: assumed.roleArn }),
        },
        statements: secretStatements(token),
        url,
      };
      return filling(scope, context, target, prefix);
    });
  }

  readonly #bind: ((scope: Construct, context: GrafanaContext) => GrafanaFilling) | null;

  private constructor(bind: ((scope: Construct, context: GrafanaContext) => GrafanaFilling) | null) {
    this.#bind = bind;
  }

  /** Makes what was chosen, below a construct of its own; nothing for none. @throws ProblemError for what cannot be shown or reached */
  bind(scope: Construct, id: string, context: GrafanaContext): GrafanaFilling | undefined {
    return this.#bind === null ? undefined : this.#bind(new Construct(scope, id), context);
  }
}

/** Of one that is not made here, so that it has no attributes: https://docs.aws.amazon.com/grafana/latest/userguide/authentication-in-AMG-SAML.html */
function workspaceAddress(workspaceId: string, region: string, urlSuffix: string): string {
  return `https://${workspaceId}.grafana-workspace.${region}.${urlSuffix}`;
}

function filling(scope: Construct, context: GrafanaContext, target: GrafanaTarget, prefix?: string): GrafanaFilling {
  const { platform, prometheus, deadLetters } = withPrometheus(context);
  return new GrafanaFilling(scope, 'Filling', { platform, prometheus, deadLetters, target, prefix });
}

function withPrometheus(context: GrafanaContext): GrafanaContext & { readonly prometheus: PrometheusWorkspace } {
  const { prometheus } = context;
  if (prometheus === undefined)
    throw new ProblemError([
      {
        code: 'grafana-without-prometheus',
        path: 'grafana',
        message: 'has nothing to show: its dashboards are over the series in Prometheus, and there is none',
        expected: 'Prometheus.managed() or Prometheus.existing(…) beside it, or Grafana.none()',
      },
    ]);
  return { ...context, prometheus };
}

function refuseRegion(scope: Construct, region: string): void {
  const present = presence('grafana', region);
  if (present === 'absent')
    throw new ProblemError([
      {
        code: 'grafana-region',
        path: 'grafana',
        message: 'Amazon Managed Grafana is not in this region',
        got: region,
        expected: [...MANAGED_REGIONS.grafana].join(', '),
        fix: 'take a workspace of one of these regions with Grafana.existing({ workspaceId, region }), your own with Grafana.selfRun, or Grafana.none()',
      },
    ]);
  if (present === 'unknown' && !Token.isUnresolved(region))
    Validations.of(scope).addWarning(
      UNKNOWN_REGION,
      `${region} is newer than this release: whether Amazon Managed Grafana is there is not known. Without it the deployment fails; then use Grafana.existing with a workspace of another region`,
    );
}

function refusePrefix(prefix: string | undefined): void {
  if (prefix === undefined || Token.isUnresolved(prefix) || GRAFANA_PREFIX_PATTERN.test(prefix)) return;
  throw new ProblemError([
    {
      code: 'grafana-prefix',
      path: 'grafana.prefix',
      message: 'cannot begin a uid of Grafana',
      got: shown(prefix),
      expected: '1 to 28 letters, digits, hyphens and underscores',
    },
  ]);
}

/** A token is sent there. */
function refuseAddress(url: string): void {
  if (Token.isUnresolved(url)) return;
  const problems: Problem[] = [];
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed?.protocol !== 'https:')
    problems.push({
      code: 'grafana-address',
      path: 'grafana.url',
      message: 'is no address that a token may be sent to',
      got: parsed === null ? shown(url) : `${parsed.protocol}//${parsed.host}`,
      expected: 'https://…',
    });
  else if (parsed.username !== '' || parsed.password !== '')
    problems.push({
      code: 'grafana-address',
      path: 'grafana.url',
      message: 'holds a name or a password',
      expected: 'an address alone',
      fix: 'put a token into the secret',
    });
  if (problems.length > 0) throw new ProblemError(problems);
}

function letRead(scope: Construct, role: iam.IRole, prometheus: PrometheusWorkspace): void {
  const { account } = Stack.of(scope);
  const isOurs =
    Token.compareStrings(role.env.account, account) !== TokenComparison.DIFFERENT &&
    readerStatements(prometheus).every((statement) => role.addToPrincipalPolicy(statement).statementAdded);
  if (isOurs) acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', READER_REASON);
  else
    Validations.of(scope).addWarning(
      GRAFANA_ROLE_UNCHANGED,
      'the role of the workspace cannot be changed from this stack: let it query the workspace of Managed Prometheus and read the metrics of CloudWatch where it is made (docs/how-to/look-in-grafana.md)',
    );
}

function readerRole(
  scope: Construct,
  reader: iam.IPrincipal,
  prometheus: PrometheusWorkspace,
  { environmentName }: PlatformContext,
): iam.Role {
  const role = new iam.Role(scope, 'Reader', {
    assumedBy: reader,
    description: `Grafana reads the model monitoring of ${environmentName}`,
  });
  for (const statement of readerStatements(prometheus)) role.addToPolicy(statement);
  acknowledge(role, 'AwsSolutions-IAM5[Resource::*]', READER_REASON);
  return role;
}
