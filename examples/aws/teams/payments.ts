/**
 * The stack of a team, in an app of its own: its model, where it is told, and who may send. The platform is found by its name.
 * `npx cdk deploy --app "npx tsx examples/aws/teams/payments.ts"`
 */
import { join } from 'node:path';
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator } from 'aws-cdk-lib/aws-cloudwatch';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Channel, ModelMonitor, ModelMonitoring, Monitor } from 'ml-monitoring-constructs/aws';

const app = new App();
const stack = new Stack(app, 'Payments');
const monitoring = ModelMonitoring.fromEnvironment(stack, 'Monitoring', 'shared');

new ModelMonitor(stack, 'Fraud', {
  platform: monitoring,
  monitor: Monitor.fromFile(join(import.meta.dirname, 'fraud.yaml')),
  // The address of the team's webhook, made once by hand.
  channels: [Channel.slack(Secret.fromSecretNameV2(stack, 'Slack', 'payments/slack'))],
});

// The service that scores payments may send events of its model, the one that settles disputes may send the truth.
const scoring = new Role(stack, 'Scoring', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
const disputes = new Role(stack, 'Disputes', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
monitoring.grants.capture(scoring, 'fraud');
monitoring.grants.label(disputes, 'fraud');

// Metrics of the platform are the team's to use.
new Alarm(stack, 'ManyOpen', {
  metric: monitoring.metrics.openEpisodes('fraud'),
  threshold: 2,
  evaluationPeriods: 1,
  comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
  alarmDescription: 'More than one thing is wrong with the model of fraud',
});

new CfnOutput(stack, 'CollectorUrl', { value: monitoring.collector.url });
new CfnOutput(stack, 'ScoringRole', { value: scoring.roleArn });
