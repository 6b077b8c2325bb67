/** An environment that makes what others leave out: a network, a bus, people and producers of other accounts. */
import type { EnvironmentInput } from '../../lib/aws/environment/environment-schema.ts';

export const WIDE: EnvironmentInput = {
  account: '111122223333',
  region: 'eu-central-1',
  encryption: 'own-key',
  network: {
    vpc: 'vpc-00000001',
    subnets: [{ id: 'subnet-00000001', availabilityZone: 'eu-central-1a', routeTable: 'rtb-00000001' }],
  },
  grafana: { type: 'managed', identity: 'identity-center' },
  eventBus: { archive: '30d' },
  alerting: {
    channels: [
      { type: 'email', address: 'team@example.com' },
      { type: 'slack-channel', workspace: 'T012345', channel: 'C012345' },
    ],
    maintenance: [{ at: '02:00', for: '2h', reason: 'backups' }],
  },
  producers: ['arn:aws:iam::444455556666:role/shop'],
  people: { operators: ['arn:aws:iam::444455556666:role/pipeline'], readers: ['444455556666'] },
};
