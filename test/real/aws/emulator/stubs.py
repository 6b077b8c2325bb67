"""Resource types that ministack refuses, taken as empty shells: they deploy, update and go, and nothing stands behind them.

Every one that a stack used is told at /_emulator/state, so that the tests can name them. Any other type stays refused.
"""
import uuid

from ministack.services.cloudformation import provisioners

ACCOUNT = "us-east-1:000000000000"

#: Type → physical id, and attributes made of it.
SHELLS = {
    "AWS::APS::Workspace": (
        f"arn:aws:aps:{ACCOUNT}:workspace/ws-{{id}}",
        lambda arn: {
            "Arn": arn,
            "WorkspaceId": arn.split("/")[-1],
            # Nothing listens here: what is sent to it is refused at once.
            "PrometheusEndpoint": f"http://127.0.0.1:9/workspaces/{arn.split('/')[-1]}/",
        },
    ),
    "AWS::APS::RuleGroupsNamespace": (f"arn:aws:aps:{ACCOUNT}:rulegroupsnamespace/ws/{{id}}", lambda arn: {"Arn": arn}),
    "AWS::Grafana::Workspace": ("g-{id}", lambda one: {"Id": one, "Endpoint": "127.0.0.1:9", "Status": "ACTIVE"}),
    "AWS::CloudWatch::CompositeAlarm": ("{id}", lambda one: {"Arn": f"arn:aws:cloudwatch:{ACCOUNT}:alarm:{one}"}),
    "AWS::Events::Archive": ("{id}", lambda one: {"ArchiveName": one, "Arn": f"arn:aws:events:{ACCOUNT}:archive/{one}"}),
    "AWS::CloudWatch::AlarmMuteRule": (
        f"arn:aws:cloudwatch:{ACCOUNT}:alarm-mute-rule:{{id}}",
        lambda arn: {"Arn": arn, "Status": "SCHEDULED"},
    ),
    "AWS::Chatbot::SlackChannelConfiguration": (
        "arn:aws:chatbot::000000000000:chat-configuration/slack-channel/{id}",
        lambda arn: {"Arn": arn},
    ),
    # What services are attached to: no cluster and no queue of jobs stands behind them.
    "AWS::EKS::PodIdentityAssociation": (
        f"arn:aws:eks:{ACCOUNT}:podidentityassociation/serving/a-{{id}}",
        lambda arn: {"AssociationArn": arn, "AssociationId": arn.split("/")[-1]},
    ),
    "AWS::Batch::JobDefinition": (f"arn:aws:batch:{ACCOUNT}:job-definition/{{id}}:1", lambda arn: {"JobDefinitionArn": arn}),
    "AWS::EC2::SecurityGroupIngress": ("sgr-{id}", lambda one: {"Id": one}),
    "AWS::ApplicationAutoScaling::ScalableTarget": ("service/{id}", lambda one: {"Id": one}),
    "AWS::ApplicationAutoScaling::ScalingPolicy": (
        f"arn:aws:autoscaling:{ACCOUNT}:scalingPolicy:{{id}}",
        lambda arn: {"Arn": arn},
    ),
}

used: list[dict] = []


def _shell(type_name: str, form: str, attributes) -> dict:
    def create(logical_id, properties, stack):
        physical_id = form.format(id=uuid.uuid4().hex[:12])
        used.append({"type": type_name, "logicalId": logical_id, "stack": stack})
        return physical_id, attributes(physical_id)

    return {
        "create": create,
        "update": lambda physical_id, old, new, stack: (physical_id, attributes(physical_id)),
        "delete": lambda physical_id, properties: None,
    }


def install() -> None:
    handlers = provisioners._RESOURCE_HANDLERS
    for type_name, (form, attributes) in SHELLS.items():
        if type_name in handlers:
            raise SystemExit(f"{type_name} is emulated now: take it from the shells")
        handlers[type_name] = _shell(type_name, form, attributes)
    alarm = handlers["AWS::CloudWatch::Alarm"]
    # Arithmetic over metrics is not emulated.
    shell = _shell("AWS::CloudWatch::Alarm (metric math)", "{id}", SHELLS["AWS::CloudWatch::CompositeAlarm"][1])

    def create(logical_id, properties, stack):
        return (shell if properties.get("Metrics") else alarm)["create"](logical_id, properties, stack)

    def update(physical_id, old, new, stack, logical_id=None):
        if new.get("Metrics"):
            return shell["update"](physical_id, old, new, stack)
        return alarm["update"](physical_id, old, new, stack, logical_id)

    def delete(physical_id, properties, *more, **named):
        return (shell if properties.get("Metrics") else alarm)["delete"](physical_id, properties, *more, **named)

    handlers["AWS::CloudWatch::Alarm"] = {**alarm, "create": create, "update": update, "delete": delete}
