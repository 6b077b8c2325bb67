"""Tags of a bucket, which a template gives and ministack forgets: the function of the CDK that empties buckets asks for them."""
from ministack.services import s3
from ministack.services.cloudformation import provisioners


def install() -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    create, update = handlers["create"], handlers["update"]

    def with_tags(logical_id, properties, stack):
        name, attributes = create(logical_id, properties, stack)
        _tag(name, properties)
        return name, attributes

    def with_new_tags(name, old, new, *more, **named):
        result = update(name, old, new, *more, **named)
        _tag(name, new)
        return result

    handlers.update(create=with_tags, update=with_new_tags)


def _tag(name: str, properties: dict) -> None:
    tags = {tag["Key"]: tag["Value"] for tag in properties.get("Tags") or []}
    if tags:
        s3._bucket_tags[name] = tags
    else:
        s3._bucket_tags.pop(name, None)
