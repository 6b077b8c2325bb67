import { Stack } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { type Problem, ProblemError } from '../../contracts/problem.ts';
import type { PlacedFunction, VpcConnection } from './placed-network.ts';
import { REACHED_SERVICES, type ReachedService, reachedBy, SERVICE_ENDPOINTS } from './reached-services.ts';

export interface VpcEndpointsProps {
  readonly vpc: ec2.IVpc;
  readonly subnets: ec2.SubnetSelection;
  /** Of the functions; let into the endpoints. */
  readonly securityGroups: readonly ec2.ISecurityGroup[];
  /** Whose rights say what is reached. */
  readonly functions: readonly PlacedFunction[];
  /** Services whose endpoints there are. @default none */
  readonly present?: readonly ReachedService[];
}

/** Endpoints for whatever the functions may call: found by their rights, so that a new right brings its endpoint. */
export class VpcEndpoints extends Construct implements VpcConnection {
  /** That the functions reach, also by endpoints that were there. */
  readonly services: readonly ReachedService[];
  readonly endpoints: readonly ec2.IVpcEndpoint[];

  constructor(scope: Construct, id: string, props: VpcEndpointsProps) {
    super(scope, id);
    const { vpc, subnets } = props;
    const present = new Set(props.present);
    this.services = servicesOf(props.functions);
    const made = this.services.filter((service) => !present.has(service));
    const endpoints: ec2.IVpcEndpoint[] = [];
    // S3 is always among them, and by its gateway: files, answers to CloudFormation and what is published go there.
    if (made.includes('s3'))
      endpoints.push(
        new ec2.GatewayVpcEndpoint(this, 's3', {
          vpc,
          service: ec2.GatewayVpcEndpointAwsService.S3,
          subnets: [subnets],
        }),
      );
    const listed = made.flatMap((service) => SERVICE_ENDPOINTS[service]);
    if (listed.length > 0) {
      const group = new ec2.SecurityGroup(this, 'Group', {
        vpc,
        description: 'Endpoints for the functions of the model monitoring',
        allowAllOutbound: false,
      });
      for (const [i, one] of props.securityGroups.entries())
        new ec2.CfnSecurityGroupIngress(this, `From${i}`, {
          groupId: group.securityGroupId,
          sourceSecurityGroupId: one.securityGroupId,
          ipProtocol: 'tcp',
          fromPort: 443,
          toPort: 443,
          description: 'Functions of the model monitoring',
        });
      for (const service of listed)
        endpoints.push(
          new ec2.InterfaceVpcEndpoint(this, service.shortName, {
            vpc,
            service,
            subnets,
            securityGroups: [group],
            privateDnsEnabled: true,
            open: false,
          }),
        );
    }
    this.endpoints = endpoints;
    // A function that is called while it is deployed (the publication) must find its way.
    for (const { function: one } of props.functions) one.node.addDependency(this);
  }
}

/** @throws ProblemError when a function may call what no endpoint is known of */
function servicesOf(functions: readonly PlacedFunction[]): readonly ReachedService[] {
  const found = new Set<ReachedService>();
  const problems: Problem[] = [];
  for (const one of functions) {
    const { services, unknown } = reachedBy(actionsOf(one));
    for (const service of services) found.add(service);
    for (const action of unknown)
      problems.push({
        code: 'no-endpoint',
        path: 'network',
        message: `${one.functionName} calls a service of which no endpoint is known`,
        got: action,
        expected: `one of ${REACHED_SERVICES.join(', ')}`,
        fix: 'take Network.withInternet',
      });
  }
  if (problems.length > 0) throw new ProblemError(problems);
  return REACHED_SERVICES.filter((service) => found.has(service));
}

/** That its role is allowed so far. */
function actionsOf({ role }: PlacedFunction): readonly string[] {
  const policy = role.node.tryFindChild('DefaultPolicy');
  if (!(policy instanceof iam.Policy)) return [];
  const { Statement = [] } = Stack.of(role).resolve(policy.document.toJSON()) as {
    Statement?: readonly { readonly Effect: string; readonly Action: string | readonly string[] }[];
  };
  return Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action);
}
