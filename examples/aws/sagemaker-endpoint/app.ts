/**
 * A platform that watches a SageMaker endpoint by its Data Capture: nothing about the model or its container changes.
 * `npx cdk deploy --all --app "npx tsx examples/aws/sagemaker-endpoint/app.ts" -c modelName=<a model of SageMaker>`
 */
import { join } from 'node:path';
import { App, RemovalPolicy, Stack } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { CfnEndpoint, CfnEndpointConfig } from 'aws-cdk-lib/aws-sagemaker';
import { Channel, Grafana, ModelMonitoring, Monitor } from 'ml-monitoring-constructs/aws';

const app = new App();
const modelName: string = app.node.tryGetContext('modelName') ?? 'churn-2026-11';

/** The endpoint and its team's bucket. */
const serving = new Stack(app, 'ChurnEndpoint');
const captured = new Bucket(serving, 'Captured', {
  encryption: BucketEncryption.S3_MANAGED,
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  enforceSSL: true,
  // The platform hears of new files by EventBridge.
  eventBridgeEnabled: true,
  removalPolicy: RemovalPolicy.RETAIN,
});
const configuration = new CfnEndpointConfig(serving, 'Configuration', {
  productionVariants: [
    {
      modelName,
      variantName: 'blue',
      initialVariantWeight: 1,
      initialInstanceCount: 1,
      instanceType: 'ml.c6g.large',
    },
  ],
  dataCaptureConfig: {
    enableCapture: true,
    initialSamplingPercentage: 100,
    destinationS3Uri: captured.s3UrlForObject('captured'),
    captureOptions: [{ captureMode: 'Input' }, { captureMode: 'Output' }],
    captureContentTypeHeader: { csvContentTypes: ['text/csv'], jsonContentTypes: ['application/json'] },
  },
});
new CfnEndpoint(serving, 'Endpoint', {
  endpointName: 'churn',
  endpointConfigName: configuration.attrEndpointConfigName,
});

/** The platform, which reads what the endpoint captures. */
const platform = new Stack(app, 'ChurnMonitoring');
new ModelMonitoring(platform, 'Monitoring', {
  grafana: Grafana.none(),
  channels: [Channel.email('ml-platform@example.com')],
  models: [Monitor.fromFile(join(import.meta.dirname, 'churn.yaml'))],
  sageMaker: {
    bucket: captured,
    prefix: 'captured',
    // Rows of CSV without names: these are the columns, in the order in which the endpoint is called.
    sources: [{ endpoint: 'churn', model: 'churn', inputs: ['tenure', 'plan'], output: 'score' }],
  },
});
