import type * as ec2 from 'aws-cdk-lib/aws-ec2';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';

/** A function as its network sees it; a `MonitoringFunction` is one. */
export interface PlacedFunction {
  readonly functionName: string;
  readonly function: IConstruct;
  /** What it may call says what must be reached. */
  readonly role: iam.Role;
}

/** A network as the parts of a platform use it. */
export interface PlacedNetwork {
  readonly vpc: ec2.IVpc;
  readonly subnets: ec2.SubnetSelection;
  readonly securityGroups: readonly ec2.ISecurityGroup[];
  /** Whether there is a way to addresses outside of AWS. */
  readonly internet: boolean;
  /** Makes what these functions need to reach what they call; `undefined` where nothing is made. Once, when all of them are there. */
  connect(functions: readonly PlacedFunction[]): VpcConnection | undefined;
}

/** What was made for the functions of a network. */
export interface VpcConnection extends IConstruct {
  /** That the functions reach, as actions name them; also by endpoints that were there. */
  readonly services: readonly string[];
  readonly endpoints: readonly ec2.IVpcEndpoint[];
}
