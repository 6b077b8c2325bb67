/** A small stack with what the emulator has to do right, and nothing of ours: `cdk --app "npx tsx test/real/aws/corrections/app.ts"`. */
import { App, CfnOutput, Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import * as aps from 'aws-cdk-lib/aws-aps';
import * as athena from 'aws-cdk-lib/aws-athena';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import * as glue from 'aws-cdk-lib/aws-glue';
import * as kinesis from 'aws-cdk-lib/aws-kinesis';
import * as firehose from 'aws-cdk-lib/aws-kinesisfirehose';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { KinesisEventSource, S3OnFailureDestination } from 'aws-cdk-lib/aws-lambda-event-sources';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { LambdaDestination } from 'aws-cdk-lib/aws-s3-notifications';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import * as sns from 'aws-cdk-lib/aws-sns';
import { LambdaSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';

const stack = new Stack(new App(), 'Corrections', { env: { account: '000000000000', region: 'us-east-1' } });
const bucket = new s3.Bucket(stack, 'Bucket', { versioned: true, removalPolicy: RemovalPolicy.DESTROY });
const stream = new kinesis.Stream(stack, 'Stream', { shardCount: 1 });

/** Puts an object for everything it sees; does what the data of a record say. */
const code = `
const put = (key, body) => fetch(process.env.AWS_ENDPOINT_URL + '/' + process.env.BUCKET + '/' + key, { method: 'PUT', body });
exports.handler = async (event) => {
  const now = new Date().toISOString();
  if (event.Records?.[0]?.kinesis === undefined) {
    const kind = event.requestContext?.http ? 'url' : event.schedule ? 'schedule' : event.Records[0].s3 ? 's3' : 'sns';
    await put('seen/' + kind + '/' + Math.random(), JSON.stringify({ now, node: process.version, event }));
    return { statusCode: 200, body: now };
  }
  for (const record of event.Records) {
    const given = JSON.parse(Buffer.from(record.kinesis.data, 'base64').toString());
    await put('seen/record/' + given.id + '/' + Math.random(), JSON.stringify({ now, record }));
    if (given.do === 'throw') throw new Error('asked to');
    if (given.do === 'fail') return { batchItemFailures: [{ itemIdentifier: record.kinesis.sequenceNumber }] };
    console.log(JSON.stringify({ _aws: { Timestamp: Date.now(), CloudWatchMetrics: [{ Namespace: 'Corrections', Dimensions: [['Kind']], Metrics: [{ Name: 'Bad' }] }] }, Kind: given.kind ?? 'none', Bad: given.bad ?? 0 }));
  }
  return { batchItemFailures: [] };
};`;
const worker = new lambda.Function(stack, 'Worker', {
  runtime: lambda.Runtime.NODEJS_24_X,
  handler: 'index.handler',
  code: lambda.Code.fromInline(code),
  environment: { BUCKET: bucket.bucketName },
  timeout: Duration.seconds(10),
});
worker.addEventSource(
  new KinesisEventSource(stream, {
    startingPosition: lambda.StartingPosition.TRIM_HORIZON,
    batchSize: 100,
    maxBatchingWindow: Duration.seconds(60),
    bisectBatchOnError: true,
    reportBatchItemFailures: true,
    retryAttempts: 2,
    onFailure: new S3OnFailureDestination(bucket),
  }),
);
bucket.addEventNotification(s3.EventType.OBJECT_CREATED, new LambdaDestination(worker), { prefix: 'aws/lambda/' });
new scheduler.Schedule(stack, 'Schedule', {
  schedule: scheduler.ScheduleExpression.rate(Duration.minutes(5)),
  target: new LambdaInvoke(worker, { input: scheduler.ScheduleTargetInput.fromObject({ schedule: true }) }),
});
const url = worker.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.AWS_IAM });

const topic = new sns.Topic(stack, 'Topic');
topic.addSubscription(new LambdaSubscription(worker));
const alarm = new cloudwatch.Alarm(stack, 'Alarm', {
  metric: new cloudwatch.Metric({
    namespace: 'Corrections',
    metricName: 'Bad',
    dimensionsMap: { Kind: 'watched' },
    statistic: 'Maximum',
    period: Duration.minutes(1),
  }),
  threshold: 5,
  evaluationPeriods: 3,
  datapointsToAlarm: 2,
  treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
});
alarm.addAlarmAction(new SnsAction(topic));
alarm.addOkAction(new SnsAction(topic));

const database = new glue.CfnDatabase(stack, 'Database', {
  catalogId: stack.account,
  databaseInput: { name: 'corrections' },
});
const table = new glue.CfnTable(stack, 'Table', {
  catalogId: stack.account,
  databaseName: 'corrections',
  tableInput: {
    name: 'records',
    tableType: 'EXTERNAL_TABLE',
    parameters: { classification: 'parquet' },
    partitionKeys: ['dt', 'hr'].map((name) => ({ name, type: 'string' })),
    storageDescriptor: {
      location: `s3://${bucket.bucketName}/capture/`,
      columns: [
        { name: 'id', type: 'string' },
        { name: 'kind', type: 'string' },
        { name: 'bad', type: 'double' },
        { name: 'more', type: 'map<string,double>' },
      ],
    },
  },
});
table.addResourceDependency(database);
const delivery = new firehose.DeliveryStream(stack, 'Delivery', {
  source: new firehose.KinesisStreamSource(stream),
  destination: new firehose.S3Bucket(bucket, {
    dataOutputPrefix: 'capture/dt=!{timestamp:yyyy-MM-dd}/hr=!{timestamp:HH}/',
    errorOutputPrefix: 'capture-errors/!{firehose:error-output-type}/',
    bufferingInterval: Duration.seconds(60),
    bufferingSize: Size.mebibytes(64),
    dataFormatConversion: {
      schemaConfiguration: firehose.SchemaConfiguration.fromCfnTable(table),
      inputFormat: firehose.InputFormat.OPENX_JSON,
      outputFormat: firehose.OutputFormat.PARQUET,
    },
  }),
});
delivery.node.addDependency(table);
new athena.CfnWorkGroup(stack, 'Workgroup', {
  name: 'corrections',
  recursiveDeleteOption: true,
  workGroupConfiguration: { resultConfiguration: { outputLocation: `s3://${bucket.bucketName}/answers/` } },
});
new aps.CfnWorkspace(stack, 'Prometheus');

for (const [name, value] of Object.entries({ Bucket: bucket.bucketName, Stream: stream.streamName, Url: url.url }))
  new CfnOutput(stack, `${name}Output`, { value }).overrideLogicalId(name);
