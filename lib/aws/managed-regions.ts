/**
 * Where Amazon Managed Grafana and Managed Prometheus are. CloudFormation says of a missing one no more than that its type is unknown, at the end of
 * a deployment. Source: the endpoints of AWS as botocore 1.43.117 (November 2026) lists them, which agree with the pages "endpoints and quotas"
 * of the general reference; `absent` are regions listed for other services and not for this one.
 */
import { Token } from 'aws-cdk-lib';

export type ManagedService = 'grafana' | 'prometheus';

/** Of 10 regions and two of GovCloud. */
const GRAFANA = [
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-southeast-1',
  'ap-southeast-2',
  'eu-central-1',
  'eu-west-1',
  'eu-west-2',
  'us-east-1',
  'us-east-2',
  'us-gov-east-1',
  'us-gov-west-1',
  'us-west-2',
];

const PROMETHEUS = [
  'af-south-1',
  'ap-east-1',
  'ap-east-2',
  'ap-northeast-1',
  'ap-northeast-2',
  'ap-northeast-3',
  'ap-south-1',
  'ap-south-2',
  'ap-southeast-1',
  'ap-southeast-2',
  'ap-southeast-3',
  'ap-southeast-4',
  'ap-southeast-5',
  'ap-southeast-6',
  'ap-southeast-7',
  'ca-central-1',
  'ca-west-1',
  'eu-central-1',
  'eu-central-2',
  'eu-north-1',
  'eu-south-1',
  'eu-south-2',
  'eu-west-1',
  'eu-west-2',
  'eu-west-3',
  'il-central-1',
  'me-central-1',
  'me-south-1',
  'mx-central-1',
  'sa-east-1',
  'us-east-1',
  'us-east-2',
  'us-gov-east-1',
  'us-gov-west-1',
  'us-iso-east-1',
  'us-iso-west-1',
  'us-west-1',
  'us-west-2',
];

/** Regions that have neither. */
const OTHERS = [
  'cn-north-1',
  'cn-northwest-1',
  'eu-isoe-west-1',
  'eusc-de-east-1',
  'us-isob-east-1',
  'us-isob-west-1',
  'us-isof-east-1',
  'us-isof-south-1',
];

export const MANAGED_REGIONS: Readonly<Record<ManagedService, ReadonlySet<string>>> = {
  grafana: new Set(GRAFANA),
  prometheus: new Set(PROMETHEUS),
};
const KNOWN: ReadonlySet<string> = new Set([...PROMETHEUS, ...OTHERS]);

/** `unknown`: a region that is newer than the table, or known only when deployed. */
export function presence(service: ManagedService, region: string): 'present' | 'absent' | 'unknown' {
  if (Token.isUnresolved(region)) return 'unknown';
  if (MANAGED_REGIONS[service].has(region)) return 'present';
  return KNOWN.has(region) ? 'absent' : 'unknown';
}
