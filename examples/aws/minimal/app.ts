/** The smallest platform: one model, one person who is told. `npx cdk deploy --app "npx tsx examples/aws/minimal/app.ts"` */
import { App, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Channel, Grafana, ModelMonitoring, Monitor } from 'ml-monitoring-constructs/aws';

const app = new App();
const stack = new Stack(app, 'ModelMonitoringMinimal');

const monitoring = new ModelMonitoring(stack, 'Monitoring', {
  grafana: Grafana.none(),
  channels: [Channel.email('ml-platform@example.com')],
  models: [Monitor.of({ model: 'churn', owner: 'team-crm', features: { tenure: { type: 'numeric' } } })],
});

// The service that makes the predictions may send events of its model, and of no other.
const service = new Role(stack, 'Service', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
monitoring.grants.capture(service, 'churn');
