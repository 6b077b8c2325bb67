"""Secrets of a template: what `Ref` gives is the ARN, and a generated string leaves out what it is told to."""
import json
import secrets
import string

from ministack.services import secretsmanager
from ministack.services.cloudformation import provisioners

from pinned import replace

_CLASSES = (
    ("ExcludeLowercase", string.ascii_lowercase),
    ("ExcludeUppercase", string.ascii_uppercase),
    ("ExcludeNumbers", string.digits),
    ("ExcludePunctuation", string.punctuation),
)


def install() -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def with_arn(logical_id, properties, stack):
        _, attributes = create(logical_id, properties, stack)
        return attributes["Arn"], attributes

    def with_name(arn, old, new, stack, logical_id=None):
        name, attributes = update(_name(arn), old, new, stack, logical_id=logical_id)
        return attributes["Arn"], attributes

    handlers.update(create=with_arn, update=with_name, delete=lambda arn, properties: delete(_name(arn), properties))
    replace(provisioners, "_sm_secret_string", "35e09b8c3f3d", _generated)


def _name(arn: str) -> str:
    return next((name for name, secret in secretsmanager._secrets.items() if secret["ARN"] == arn), arn)


def _generated(properties: dict) -> str:
    asked = properties.get("GenerateSecretString")
    if not asked or properties.get("SecretString"):
        return properties.get("SecretString", "")
    letters = "".join(some for flag, some in _CLASSES if str(asked.get(flag, False)).lower() != "true")
    letters = [one for one in letters if one not in asked.get("ExcludeCharacters", "")]
    made = "".join(secrets.choice(letters) for _ in range(int(asked.get("PasswordLength", 32))))
    if not asked.get("SecretStringTemplate"):
        return made
    return json.dumps({**json.loads(asked["SecretStringTemplate"]), asked["GenerateStringKey"]: made})
