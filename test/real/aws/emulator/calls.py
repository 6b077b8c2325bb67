"""Every call of AWS that a function makes, with what the policies of its role were then: the tests evaluate them (recorded-policies.ts).

A function has credentials of its own, so a call tells who made it whatever client it uses. What a call is for a policy (action, resource,
keys of conditions) is told by the tables of ministack, except where those lack what our policies ask for.
"""
import collections
import hashlib
import json
import urllib.parse

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import athena, iam
from ministack.services.cloudformation import _stacks

from pinned import replace

#: Calls of many at once are checked as calls of one.
_BATCHES = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sns:PublishBatch": "sns:Publish",
}
#: Method and length of the path → action.
_GRAFANA = {
    ("GET", 2): "DescribeWorkspace",
    ("GET", 3): "ListWorkspaceServiceAccounts",
    ("POST", 3): "CreateWorkspaceServiceAccount",
    ("DELETE", 4): "DeleteWorkspaceServiceAccount",
    ("GET", 5): "ListWorkspaceServiceAccountTokens",
    ("POST", 5): "CreateWorkspaceServiceAccountToken",
    ("DELETE", 6): "DeleteWorkspaceServiceAccountToken",
}
#: Of AWS itself, as https://docs.aws.amazon.com/aws-managed-policy/latest/reference/ tells them: functions of the CDK have it.
_MANAGED = {
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole": {
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": "*",
            }
        ]
    }
}
#: What can be under a key of one's own, or is named by one: their properties are told.
_DESCRIBED = (
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::Kinesis::Stream",
    "AWS::SQS::Queue",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
    "AWS::Lambda::Function",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Athena::WorkGroup",
    "AWS::Glue::Table",
)


class Calls:
    def __init__(self):
        #: Access key → configuration of the function.
        self.callers: dict[str, dict] = {}
        self.counts: collections.Counter = collections.Counter()
        #: Digest → the documents of policies.
        self.policies: dict[str, list] = {}
        #: Physical id → what was deployed, also after it went.
        self.resources: dict[str, dict] = {}
        #: Functions that ran → the policies that they last had.
        self.roles: dict[str, str] = {}

    def install(self) -> None:
        dispatch = app._dispatch_service_request

        async def recorded(method, path, headers, body, query_params, request_id):
            config = self.callers.get(app.extract_access_key_id(headers, query_params) or "")
            if config is not None:
                self._record(config, method, path, headers, body, query_params)
            if "/aps/aws4_request" in headers.get("authorization", ""):
                # Managed Prometheus takes what it is sent; what arrives is tested against a real one.
                return 200, {}, b""
            return await dispatch(method, path, headers, body, query_params, request_id)

        replace(app, "_dispatch_service_request", "17e5ef6dcfa0", recorded)

    def seen(self, method: str, path: str, headers: dict) -> None:
        """A request that another file of this folder answers, before ministack."""
        config = self.callers.get(app.extract_access_key_id(headers, {}) or "")
        if config is not None:
            self._record(config, method, path, headers, b"", {})

    def credentials(self, config: dict) -> dict[str, str]:
        """Of a function that starts."""
        digest = hashlib.sha256(config["FunctionArn"].encode()).hexdigest().upper()
        key = f"ASIA{digest[:16]}"
        self.callers[key] = config
        return {"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": "emulator", "AWS_SESSION_TOKEN": "emulator"}

    def invocation(self, config: dict) -> None:
        """What services do with its role follows from what is deployed, and stays known when that goes."""
        name = config["FunctionName"]
        if name not in self.roles:
            self.describe()
        self.roles[name] = self._policies(config["Role"])

    def describe(self) -> None:
        for stack in list(_stacks.values()):
            for logical_id, resource in list(stack.get("_resources", {}).items()):
                if resource.get("ResourceType") not in _DESCRIBED or not resource.get("PhysicalResourceId"):
                    continue
                properties = {k: v for k, v in resource.get("Properties", {}).items() if k not in ("Code", "BucketName")}
                is_policy = resource["ResourceType"] == "AWS::S3::BucketPolicy"
                name = f"policy of {properties['Bucket']}" if is_policy else resource["PhysicalResourceId"]
                self.resources[name] = {
                    "logicalId": logical_id,
                    "type": resource["ResourceType"],
                    "properties": properties,
                    "attributes": resource.get("Attributes", {}),
                }

    def told(self) -> dict:
        self.describe()
        counts = [
            {"function": function, "action": action, "resource": resource, "context": json.loads(context), "policies": digest, "count": n}
            for (function, action, resource, context, digest), n in list(self.counts.items())
        ]
        return {"calls": counts, "policies": self.policies, "resources": self.resources, "roles": self.roles}

    def _record(self, config, method, path, headers, body, query_params) -> None:
        routing = app._routing_params(method, path, headers, body, query_params)
        service = app.detect_service(method, path, headers, routing)
        region = app.extract_region(headers)
        account = config["FunctionArn"].split(":")[4]
        for action, resource, context in _asked(service, method, path, headers, body, query_params, routing, region, account):
            key = (config["FunctionName"], action, resource, json.dumps(context, sort_keys=True), self._policies(config["Role"]))
            self.counts[key] += 1

    def _policies(self, role_arn: str) -> str:
        account, name = role_arn.split(":")[4], role_arn.rsplit("/", 1)[-1]
        role = iam._roles.get_scoped(account, None, name) or {}
        documents = list((role.get("InlinePolicies") or {}).values())
        for arn in role.get("AttachedPolicies", []):
            documents.append(_MANAGED.get(arn) or iam_evaluator._resolve_managed_policy_document(arn, account))
        text = json.dumps([json.loads(one) if isinstance(one, str) else one for one in documents], sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        if digest not in self.policies:
            self.policies[digest] = json.loads(text)
        return digest


def _asked(service, method, path, headers, body, query_params, routing, region, account):
    """(action, resource, keys of conditions) of a call."""
    if "/aps/aws4_request" in headers.get("authorization", ""):
        workspace = path.split("/")[2]
        return [("aps:RemoteWrite", f"arn:aws:aps:{region}:{account}:workspace/{workspace}", {})]
    if "/grafana/aws4_request" in headers.get("authorization", ""):
        # /workspaces/<id>/serviceaccounts/<id>/tokens/<id>
        parts = [part for part in path.split("/") if part]
        action = _GRAFANA[(method, len(parts))]
        return [(f"grafana:{action}", f"arn:aws:grafana:{region}:{account}:/workspaces/{parts[1]}", {})]
    if service == "s3":
        action = iam_actions.extract_iam_action(service, method, path, headers, body, routing)
        resource = iam_actions.extract_resource_arn(service, method, path, headers, body, routing, region, account)
        # A listing of everything is one with an empty prefix.
        context = {"s3:prefix": ""} if action in ("s3:ListBucket", "s3:ListBucketVersions") else {}
        told = iam_actions.s3_service_context(action, query_params, path, headers)
        context.update({name: value for name, value in told.items() if name == "s3:prefix"})
        more = iam_actions.s3_additional_checks(method, path, headers, body, routing)
        return [(action, resource, context), *((extra, arn, {}) for extra, arn in more)]
    body = app._decompress_request_body(body, headers)
    action = iam_actions.extract_iam_action(service, method, path, headers, body, routing)
    resource = iam_actions.extract_resource_arn(service, method, path, headers, body, routing, region, account)
    if action is None:
        # Told as it is, so that it is refused and seen.
        action = f"{service}:{method} {path}"
    if service == "athena" and resource == "*":
        # A question is named by its number: the workgroup that it runs in is the resource.
        asked = athena._executions.get_scoped(account, region, json.loads(body).get("QueryExecutionId")) or {}
        resource = f"arn:aws:athena:{region}:{account}:workgroup/{asked.get('WorkGroup')}"
    context = {}
    if action == "cloudwatch:PutMetricData":
        context["cloudwatch:namespace"] = _parameter(body, headers, "Namespace")
    return [(_BATCHES.get(action, action), resource, context)]


def _parameter(body: bytes, headers: dict, name: str) -> str:
    if "json" in headers.get("content-type", ""):
        return json.loads(body)[name]
    return urllib.parse.parse_qs(body.decode())[name][0]
