"""Everything that there is in an account, by kind, as JSON. AWS_ENDPOINT_URL and credentials come from the environment."""
import json

import boto3


def names(service: str, operation: str, field: str, key: str | None) -> list[str]:
    client = boto3.client(service)
    pages = client.get_paginator(operation).paginate() if client.can_paginate(operation) else [getattr(client, operation)()]
    return sorted(one if key is None else one[key] for page in pages for one in page.get(field, []))


def keys() -> list[str]:
    """Those that can still be used: a deleted one is only waiting."""
    client = boto3.client("kms")
    listed = [client.describe_key(KeyId=one)["KeyMetadata"] for one in names("kms", "list_keys", "Keys", "KeyId")]
    return sorted(one["KeyId"] for one in listed if one["KeyState"] == "Enabled")


LISTS = {
    "alarms": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "apis": ("apigatewayv2", "get_apis", "Items", "ApiId"),
    "buckets": ("s3", "list_buckets", "Buckets", "Name"),
    "dashboards": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "databases": ("glue", "get_databases", "DatabaseList", "Name"),
    "delivery streams": ("firehose", "list_delivery_streams", "DeliveryStreamNames", None),
    "event sources": ("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    "functions": ("lambda", "list_functions", "Functions", "FunctionName"),
    "log groups": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "parameters": ("ssm", "describe_parameters", "Parameters", "Name"),
    "queues": ("sqs", "list_queues", "QueueUrls", None),
    "roles": ("iam", "list_roles", "Roles", "RoleName"),
    "rules": ("events", "list_rules", "Rules", "Name"),
    "schedules": ("scheduler", "list_schedules", "Schedules", "Name"),
    "secrets": ("secretsmanager", "list_secrets", "SecretList", "Name"),
    "streams": ("kinesis", "list_streams", "StreamNames", None),
    "topics": ("sns", "list_topics", "Topics", "TopicArn"),
    "workgroups": ("athena", "list_work_groups", "WorkGroups", "Name"),
}
print(json.dumps({**{kind: names(*how) for kind, how in LISTS.items()}, "keys": keys()}))
