"""Names by chance for what a stack may leave behind: ministack gives buckets one, and to all else the name that it had before it was kept."""
from ministack.core.responses import new_uuid
from ministack.services.cloudformation import provisioners

KEPT = ("AWS::Kinesis::Stream", "AWS::SecretsManager::Secret")


def install() -> None:
    for type_name in KEPT:
        handlers = provisioners._RESOURCE_HANDLERS[type_name]
        handlers["create"] = _drawn(handlers["create"])


def _drawn(create):
    def with_chance(logical_id, properties, stack):
        # As ministack does it for buckets: what is drawn stays with the resource, so an update keeps the name.
        if not properties.get("Name") and not provisioners._NAME_SEED.get():
            provisioners._NAME_SEED.set(new_uuid()[:8])
        return create(logical_id, properties, stack)

    return with_chance
