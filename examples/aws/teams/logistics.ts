/**
 * Another team, with a queue as its channel and a service of many events that writes to the stream itself.
 * `npx cdk deploy --app "npx tsx examples/aws/teams/logistics.ts"`
 */
import { join } from 'node:path';
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Channel, ModelMonitor, ModelMonitoring, Monitor } from 'ml-monitoring-constructs/aws';

const app = new App();
const stack = new Stack(app, 'Logistics');
const monitoring = ModelMonitoring.fromEnvironment(stack, 'Monitoring', 'shared');
const alerts = new Queue(stack, 'Alerts', { enforceSSL: true });

new ModelMonitor(stack, 'DeliveryTime', {
  platform: monitoring,
  monitor: Monitor.fromFile(join(import.meta.dirname, 'delivery-time.yaml')),
  channels: [Channel.sqs(alerts)],
});

const planning = new Role(stack, 'Planning', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
monitoring.grants.produce(planning);

new CfnOutput(stack, 'AlertsUrl', { value: alerts.queueUrl });
