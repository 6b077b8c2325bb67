/**
 * What functions in a VPC must reach: the services that their own code calls, by the start of the actions that they are allowed, with the
 * endpoints that lead there. What AWS itself does with the rights of a function's role does not go through the VPC.
 */
import * as ec2 from 'aws-cdk-lib/aws-ec2';

/** Service, as actions name it → its interface endpoints. S3 has a gateway, which costs nothing. */
export const SERVICE_ENDPOINTS = {
  s3: [],
  kinesis: [ec2.InterfaceVpcEndpointAwsService.KINESIS_STREAMS],
  secretsmanager: [ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER],
  sqs: [ec2.InterfaceVpcEndpointAwsService.SQS],
  sns: [ec2.InterfaceVpcEndpointAwsService.SNS],
  lambda: [ec2.InterfaceVpcEndpointAwsService.LAMBDA],
  events: [ec2.InterfaceVpcEndpointAwsService.EVENTBRIDGE],
  ssm: [ec2.InterfaceVpcEndpointAwsService.SSM],
  athena: [ec2.InterfaceVpcEndpointAwsService.ATHENA],
  cloudwatch: [ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_MONITORING],
  aps: [ec2.InterfaceVpcEndpointAwsService.PROMETHEUS_WORKSPACES],
  // Making tokens, and the workspace itself: two endpoints.
  grafana: [ec2.InterfaceVpcEndpointAwsService.GRAFANA, ec2.InterfaceVpcEndpointAwsService.GRAFANA_WORKSPACE],
} as const;
/** A service of AWS that functions of a platform call. */
export type ReachedService = keyof typeof SERVICE_ENDPOINTS;
export const REACHED_SERVICES = Object.keys(SERVICE_ENDPOINTS) as readonly ReachedService[];

/** Action, or `service:` for all of a service → who calls it, and why no endpoint is needed. */
export const CALLED_BY_AWS: Readonly<Record<string, string>> = {
  'logs:': 'Lambda delivers what a function prints',
  'xray:': 'Lambda writes the segments of invocations; our code sends none',
  'ec2:': 'Lambda makes the network interfaces of a function in a VPC; its code is denied the same',
  'kms:': 'S3, Kinesis, SQS, SNS and Secrets Manager use the key for their caller',
  'glue:': 'Athena reads the catalogue for its caller',
  'sqs:ChangeMessageVisibility': 'Lambda reads the queue and calls the function',
  'sqs:DeleteMessage': 'Lambda reads the queue and calls the function',
  'sqs:GetQueueAttributes': 'Lambda reads the queue and calls the function',
  'sqs:ReceiveMessage': 'Lambda reads the queue and calls the function',
};

/** Services that a function with these actions may call by itself, and actions of which nothing is known. */
export function reachedBy(actions: readonly string[]): {
  readonly services: readonly ReachedService[];
  readonly unknown: readonly string[];
} {
  const services = new Set<ReachedService>();
  const unknown: string[] = [];
  for (const action of actions) {
    const service = action.slice(0, action.indexOf(':'));
    if (action in CALLED_BY_AWS || `${service}:` in CALLED_BY_AWS) continue;
    if (service in SERVICE_ENDPOINTS) services.add(service as ReachedService);
    else unknown.push(action);
  }
  return { services: [...services].sort(), unknown };
}
