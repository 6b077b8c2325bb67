/**
 * The platform of a company: teams attach their models to it from apps of their own (payments.ts, logistics.ts).
 * `npx cdk deploy --app "npx tsx examples/aws/teams/platform.ts"`
 */
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { Channel, Grafana, ModelMonitoring } from 'ml-monitoring-constructs/aws';

const app = new App();
const stack = new Stack(app, 'SharedMonitoring');

const monitoring = new ModelMonitoring(stack, 'Monitoring', {
  grafana: Grafana.none(),
  // What other apps find it by.
  environmentName: 'shared',
  // Hears of the platform itself, and of models whose teams bring no channel.
  channels: [Channel.email('ml-platform@example.com')],
});

new CfnOutput(stack, 'BucketName', { value: monitoring.platform.bucket.bucketName });
new CfnOutput(stack, 'StreamName', { value: monitoring.platform.stream.streamName });
