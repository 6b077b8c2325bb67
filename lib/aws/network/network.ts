import * as ec2 from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { PlacedNetwork } from './placed-network.ts';
import type { ReachedService } from './reached-services.ts';
import { VpcEndpoints } from './vpc-endpoints.ts';

/** Where in a VPC the functions are put. */
export interface NetworkOptions {
  readonly vpc: ec2.IVpc;
  /** Two zones or more, so that one may fail. @default the private subnets of the VPC, or its isolated ones */
  readonly subnets?: ec2.SubnetSelection;
  /** Of the functions. @default a group of its own: nothing in, and HTTPS out */
  readonly securityGroups?: readonly ec2.ISecurityGroup[];
}

/** Of a VPC without a way out, which needs endpoints. */
export interface IsolatedNetworkOptions extends NetworkOptions {
  /** Services whose endpoints the VPC has already; they must admit the functions. @default none: every endpoint that is needed is made */
  readonly present?: readonly ReachedService[];
}

/** Where the functions of a platform run. Without one they run in the network of Lambda, which reaches everything and costs nothing. */
export class Network {
  /** In subnets with a way out, by a NAT gateway or a proxy that is none of our business: AWS and receivers of alerts are reached by it. */
  static withInternet(options: NetworkOptions): Network {
    return new Network(options, true, []);
  }

  /**
   * In subnets without any way out. Endpoints are made for what the functions call, at some 7 $ a month for each in each zone; only S3's costs
   * nothing. Alerts then go by SNS or SQS: a receiver on the internet is refused.
   */
  static isolated(options: IsolatedNetworkOptions): Network {
    return new Network(options, false, options.present ?? []);
  }

  readonly internet: boolean;
  readonly #options: NetworkOptions;
  readonly #present: readonly ReachedService[];

  private constructor(options: NetworkOptions, internet: boolean, present: readonly ReachedService[]) {
    this.#options = options;
    this.internet = internet;
    this.#present = present;
  }

  bind(parent: Construct): PlacedNetwork {
    const scope = new Construct(parent, 'Network');
    const { vpc } = this.#options;
    const subnets = this.#options.subnets ?? {};
    const securityGroups = this.#options.securityGroups ?? [ownGroup(scope, vpc)];
    return {
      vpc,
      subnets,
      securityGroups,
      internet: this.internet,
      connect: (functions) =>
        this.internet
          ? undefined
          : new VpcEndpoints(scope, 'Endpoints', { vpc, subnets, securityGroups, functions, present: this.#present }),
    };
  }
}

/** What the functions call listens on 443, and a gateway has no address to name: where there is no route, nothing is reached by it. */
function ownGroup(scope: Construct, vpc: ec2.IVpc): ec2.ISecurityGroup {
  const group = new ec2.SecurityGroup(scope, 'Functions', {
    vpc,
    description: 'Functions of the model monitoring',
    allowAllOutbound: false,
  });
  group.addEgressRule(ec2.Peer.anyIpv4(), ec2.Port.HTTPS, 'AWS and receivers of alerts');
  return group;
}
