/**
 * What CloudFormation does to each type of resource that a platform can be made of, with the rights of whoever deploys. From the handlers of the
 * resource types (schemas of CloudFormation's registry, 2026-11), less what our templates never set; of types without handlers there, from the
 * service's own reference of actions.
 */

const API = ['apigateway:DELETE', 'apigateway:GET', 'apigateway:PATCH', 'apigateway:POST', 'apigateway:PUT'];
const VENDED_LOGS = [
  'logs:CreateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:DescribeLogGroups',
  'logs:DescribeResourcePolicies',
  'logs:GetLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:UpdateLogDelivery',
];
/** What a service asks of its caller who names a key. */
const KEY_USE = ['kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'];
const CUSTOM = ['lambda:InvokeFunction'];

const named = (service: string, names: string): string[] => names.split(' ').map((name) => `${service}:${name}`);

/** Type → actions. */
export const DEPLOY_ACTIONS: Readonly<Record<string, readonly string[]>> = {
  'AWS::APS::RuleGroupsNamespace': named(
    'aps',
    'CreateRuleGroupsNamespace DeleteRuleGroupsNamespace DescribeRuleGroupsNamespace ListTagsForResource PutRuleGroupsNamespace TagResource UntagResource',
  ),
  'AWS::APS::Workspace': [
    ...named(
      'aps',
      'CreateAlertManagerDefinition CreateLoggingConfiguration CreateWorkspace DeleteAlertManagerDefinition DeleteLoggingConfiguration DeleteWorkspace DescribeAlertManagerDefinition DescribeLoggingConfiguration DescribeQueryLoggingConfiguration DescribeWorkspace DescribeWorkspaceConfiguration ListTagsForResource PutAlertManagerDefinition TagResource UntagResource UpdateLoggingConfiguration UpdateWorkspaceAlias UpdateWorkspaceConfiguration',
    ),
    ...VENDED_LOGS,
    ...KEY_USE,
  ],
  'AWS::ApiGatewayV2::Api': [...API, 'apigateway:TagResource', 'apigateway:UntagResource'],
  'AWS::ApiGatewayV2::Authorizer': API,
  'AWS::ApiGatewayV2::Integration': API,
  'AWS::ApiGatewayV2::Route': API,
  'AWS::ApiGatewayV2::Stage': [...API, 'apigateway:TagResource', 'apigateway:UntagResource', ...VENDED_LOGS],
  'AWS::Athena::WorkGroup': named(
    'athena',
    'CreateWorkGroup DeleteWorkGroup GetWorkGroup ListTagsForResource TagResource UntagResource UpdateWorkGroup',
  ),
  'AWS::Chatbot::SlackChannelConfiguration': [
    ...named(
      'chatbot',
      'CreateSlackChannelConfiguration DeleteSlackChannelConfiguration DescribeSlackChannelConfigurations ListAssociations ListTagsForResource TagResource UntagResource UpdateSlackChannelConfiguration',
    ),
    'iam:PassRole',
  ],
  'AWS::CloudWatch::Alarm': named(
    'cloudwatch',
    'DeleteAlarms DescribeAlarms ListTagsForResource PutMetricAlarm TagResource UntagResource',
  ),
  'AWS::CloudWatch::AlarmMuteRule': named(
    'cloudwatch',
    'DeleteAlarmMuteRule GetAlarmMuteRule ListTagsForResource PutAlarmMuteRule TagResource UntagResource',
  ),
  'AWS::CloudWatch::CompositeAlarm': named(
    'cloudwatch',
    'DeleteAlarms DescribeAlarms ListTagsForResource PutCompositeAlarm TagResource UntagResource',
  ),
  'AWS::CloudWatch::Dashboard': named(
    'cloudwatch',
    'DeleteDashboards GetDashboard ListTagsForResource PutDashboard TagResource UntagResource',
  ),
  'AWS::EC2::SecurityGroup': named(
    'ec2',
    'AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress CreateSecurityGroup CreateTags DeleteSecurityGroup DeleteTags DescribeInstances DescribeSecurityGroups RevokeSecurityGroupEgress RevokeSecurityGroupIngress UpdateSecurityGroupRuleDescriptionsEgress UpdateSecurityGroupRuleDescriptionsIngress',
  ),
  'AWS::EC2::SecurityGroupIngress': named(
    'ec2',
    'AuthorizeSecurityGroupIngress DescribeSecurityGroupRules DescribeSecurityGroups RevokeSecurityGroupIngress UpdateSecurityGroupRuleDescriptionsIngress',
  ),
  'AWS::EC2::VPCEndpoint': named(
    'ec2',
    'CreateTags CreateVpcEndpoint DeleteTags DeleteVpcEndpoints DescribeSecurityGroups DescribeSubnets DescribeVpcEndpoints DescribeVpcs ModifyVpcEndpoint',
  ),
  'AWS::Events::Archive': [...named('events', 'CreateArchive DeleteArchive DescribeArchive UpdateArchive'), ...KEY_USE],
  'AWS::Events::EventBus': [
    ...named(
      'events',
      'CreateEventBus DeleteEventBus DescribeEventBus ListTagsForResource PutPermission RemovePermission TagResource UntagResource UpdateEventBus',
    ),
    ...KEY_USE,
  ],
  'AWS::Events::EventBusPolicy': named('events', 'DescribeEventBus PutPermission RemovePermission'),
  'AWS::Events::Rule': [
    ...named(
      'events',
      'DeleteRule DescribeRule ListTagsForResource ListTargetsByRule PutRule PutTargets RemoveTargets TagResource UntagResource',
    ),
    'iam:PassRole',
  ],
  'AWS::Glue::Database': named('glue', 'CreateDatabase DeleteDatabase GetDatabase UpdateDatabase'),
  'AWS::Glue::Table': named('glue', 'CreateTable DeleteTable GetTable UpdateTable'),
  'AWS::Grafana::Workspace': [
    ...named(
      'grafana',
      'CreateWorkspace DeleteWorkspace DescribeWorkspace DescribeWorkspaceAuthentication DescribeWorkspaceConfiguration ListTagsForResource TagResource UntagResource UpdateWorkspace UpdateWorkspaceAuthentication UpdateWorkspaceConfiguration',
    ),
    ...named(
      'sso',
      'CreateManagedApplicationInstance DeleteManagedApplicationInstance DescribeRegisteredRegions GetApplicationInstance GetSharedSsoConfiguration ListApplicationInstances',
    ),
    ...named(
      'ec2',
      'DescribeDhcpOptions DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets DescribeVpcs GetManagedPrefixListEntries',
    ),
    'organizations:DescribeOrganization',
    'iam:CreateServiceLinkedRole',
    'iam:PassRole',
  ],
  'AWS::IAM::ManagedPolicy': named(
    'iam',
    'AttachRolePolicy CreatePolicy CreatePolicyVersion DeletePolicy DeletePolicyVersion DetachRolePolicy GetPolicy GetPolicyVersion ListEntitiesForPolicy ListPolicyVersions',
  ),
  'AWS::IAM::Policy': named('iam', 'DeleteRolePolicy GetRolePolicy PutRolePolicy'),
  'AWS::IAM::Role': named(
    'iam',
    'AttachRolePolicy CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy GetRole GetRolePolicy ListAttachedRolePolicies ListRolePolicies PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription',
  ),
  'AWS::KMS::Key': named(
    'kms',
    'CreateKey DescribeKey DisableKey DisableKeyRotation EnableKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus ListResourceTags PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource UpdateKeyDescription',
  ),
  'AWS::Kinesis::ResourcePolicy': named('kinesis', 'DeleteResourcePolicy GetResourcePolicy PutResourcePolicy'),
  'AWS::Kinesis::Stream': [
    ...named(
      'kinesis',
      'AddTagsToStream CreateStream DecreaseStreamRetentionPeriod DeleteStream DescribeStreamSummary IncreaseStreamRetentionPeriod ListTagsForResource ListTagsForStream RemoveTagsFromStream StartStreamEncryption StopStreamEncryption TagResource UntagResource UpdateShardCount UpdateStreamMode',
    ),
    ...KEY_USE,
  ],
  'AWS::KinesisFirehose::DeliveryStream': [
    ...named(
      'firehose',
      'CreateDeliveryStream DeleteDeliveryStream DescribeDeliveryStream ListTagsForDeliveryStream TagDeliveryStream UntagDeliveryStream UpdateDestination',
    ),
    'iam:GetRole',
    'iam:PassRole',
  ],
  'AWS::Lambda::EventInvokeConfig': named(
    'lambda',
    'DeleteFunctionEventInvokeConfig GetFunctionEventInvokeConfig PutFunctionEventInvokeConfig UpdateFunctionEventInvokeConfig',
  ),
  'AWS::Lambda::EventSourceMapping': named(
    'lambda',
    'CreateEventSourceMapping DeleteEventSourceMapping GetEventSourceMapping ListTags TagResource UntagResource UpdateEventSourceMapping',
  ),
  'AWS::Lambda::Function': [
    ...named(
      'lambda',
      'CreateFunction DeleteFunction GetFunction GetFunctionCodeSigningConfig GetFunctionRecursionConfig GetFunctionScalingConfig GetRuntimeManagementConfig TagResource UntagResource UpdateFunctionCode UpdateFunctionConfiguration',
    ),
    ...named('ec2', 'DescribeNetworkInterfaces DescribeSecurityGroups DescribeSubnets DescribeVpcs'),
    's3:GetObject',
    's3:GetObjectVersion',
    'iam:PassRole',
  ],
  'AWS::Lambda::Permission': named('lambda', 'AddPermission GetPolicy RemovePermission'),
  'AWS::Lambda::Url': named(
    'lambda',
    'CreateFunctionUrlConfig DeleteFunctionUrlConfig GetFunctionUrlConfig UpdateFunctionUrlConfig',
  ),
  'AWS::Logs::LogGroup': [
    ...named(
      'logs',
      'AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteRetentionPolicy DescribeLogGroups DescribeResourcePolicies DisassociateKmsKey GetDataProtectionPolicy ListTagsForResource PutRetentionPolicy TagResource UntagResource',
    ),
  ],
  'AWS::Logs::LogStream': named('logs', 'CreateLogStream DeleteLogStream DescribeLogStreams'),
  'AWS::S3::Bucket': named(
    's3',
    'CreateBucket DeleteBucket GetAccelerateConfiguration GetAnalyticsConfiguration GetBucketAcl GetBucketCORS GetBucketLogging GetBucketMetadataTableConfiguration GetBucketNotification GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPublicAccessBlock GetBucketTagging GetBucketVersioning GetBucketWebsite GetEncryptionConfiguration GetIntelligentTieringConfiguration GetInventoryConfiguration GetLifecycleConfiguration GetMetricsConfiguration GetReplicationConfiguration ListBucket PutBucketLogging PutBucketNotification PutBucketOwnershipControls PutBucketPublicAccessBlock PutBucketTagging PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration',
  ),
  'AWS::S3::BucketPolicy': named('s3', 'DeleteBucketPolicy GetBucketPolicy PutBucketPolicy'),
  'AWS::SNS::Subscription': named('sns', 'GetSubscriptionAttributes SetSubscriptionAttributes Subscribe Unsubscribe'),
  'AWS::SNS::Topic': named(
    'sns',
    'CreateTopic DeleteTopic GetDataProtectionPolicy GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource SetTopicAttributes TagResource UntagResource',
  ),
  'AWS::SNS::TopicPolicy': named('sns', 'GetTopicAttributes SetTopicAttributes'),
  'AWS::SQS::Queue': named(
    'sqs',
    'CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags SetQueueAttributes TagQueue UntagQueue',
  ),
  'AWS::SQS::QueuePolicy': named('sqs', 'GetQueueAttributes SetQueueAttributes'),
  'AWS::SSM::Parameter': named(
    'ssm',
    'AddTagsToResource DeleteParameter GetParameters ListTagsForResource PutParameter RemoveTagsFromResource',
  ),
  'AWS::Scheduler::Schedule': [
    ...named('scheduler', 'CreateSchedule DeleteSchedule GetSchedule UpdateSchedule'),
    'iam:PassRole',
  ],
  'AWS::SecretsManager::Secret': [
    ...named(
      'secretsmanager',
      'CreateSecret DeleteSecret DescribeSecret GetRandomPassword TagResource UntagResource UpdateSecret',
    ),
    ...KEY_USE,
  ],
  'Custom::ModelMonitoringGrafana': CUSTOM,
  'Custom::ModelMonitoringPublication': CUSTOM,
  'Custom::S3AutoDeleteObjects': CUSTOM,
};
