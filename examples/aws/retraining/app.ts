/**
 * A team's own stack, deployed after the platform and apart from it: starts the team's training pipeline when its model performs worse, and keeps
 * what else is found about the model in a queue, for a program that is written later.
 *
 *   npx cdk deploy --app 'node --import tsx examples/aws/retraining/app.ts' -c model=flight-delay -c pipeline=<ARN of a SageMaker pipeline>
 */
import { App, CfnOutput, Stack } from 'aws-cdk-lib';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { EventRule, EventTarget, ModelMonitoring } from 'ml-monitoring-constructs/aws';

const app = new App();
const stack = new Stack(app, 'Retraining');
const model = String(stack.node.tryGetContext('model') ?? 'flight-delay');
const pipeline = String(
  stack.node.tryGetContext('pipeline') ??
    stack.formatArn({ service: 'sagemaker', resource: 'pipeline', resourceName: `${model}-train` }),
);

const events = ModelMonitoring.fromEnvironment(stack, 'Monitoring', 'production').eventBus!;

new EventRule(stack, 'Retrain', {
  events,
  description: `Trains ${model} anew when it performs worse`,
  types: ['ml.episode.opened.v1'],
  models: [model],
  signals: ['performance'],
  // Not while people are spared, e.g. in a maintenance window.
  withheld: false,
  target: EventTarget.sageMakerPipeline(pipeline, {
    episode: '$.detail.data.episode',
    modelVersion: '$.detail.data.version',
  }),
});

const findings = new sqs.Queue(stack, 'Findings', { enforceSSL: true });
new EventRule(stack, 'Keep', { events, models: [model], target: EventTarget.queue(findings) });
new CfnOutput(stack, 'FindingsUrl', { value: findings.queueUrl });
