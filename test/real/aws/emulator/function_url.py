"""Who called the address of a function: what AWS tells it of a signed request, and ministack leaves out."""
import re

from ministack.services import lambda_svc, sts

from pinned import replace

_KEY = re.compile(r"Credential=([^/]+)/")


def install() -> None:
    build = lambda_svc._build_function_url_event

    def with_caller(url_id, account_id, region, method, path, headers, *more, **named):
        event = build(url_id, account_id, region, method, path, headers, *more, **named)
        key = _KEY.search(headers.get("authorization", ""))
        if key is not None:
            session = sts._sessions.get(key[1]) or {}
            event["requestContext"]["authorizer"] = {
                "iam": {
                    "accessKey": key[1],
                    "accountId": account_id,
                    "callerId": session.get("UserId", account_id),
                    "cognitoIdentity": None,
                    "principalOrgId": None,
                    "userArn": session.get("Arn", f"arn:aws:iam::{account_id}:root"),
                    "userId": session.get("UserId", account_id),
                }
            }
        return event

    replace(lambda_svc, "_build_function_url_event", "1178f09ff75c", with_caller)
