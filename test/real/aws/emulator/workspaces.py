"""Managed Grafana as far as service accounts and their tokens go. Behind a workspace stands whatever Grafana a test names; nothing until then.

    POST /_emulator_grafana {"address": "127.0.0.1:1234", "authority": "/tmp/ca.pem"}

names it; functions that start from then on trust the authority. Keys are `glsa_1_ofTheEmulator` and so on, so that a Grafana of a test can know
them before. The answer, also to an empty body: the accounts, the tokens that are there, how many were made, and how long each was to live.
"""
import json
import os
import re
import time
import urllib.parse

PATH = re.compile(r"^/workspaces/([^/]+)(?:/serviceaccounts(?:/([^/]+)(?:/tokens(?:/([^/]+))?)?)?)?$")

behind = {"address": "127.0.0.1:9"}
accounts: dict[str, dict] = {}
made = {"accounts": 0, "tokens": 0}
lifetimes: list[int] = []


def install(application):
    """The application with the service before it."""

    async def wrapped(scope, receive, send):
        if scope["type"] != "http":
            return await application(scope, receive, send)
        ours = scope["path"] == "/_emulator_grafana"
        signed = dict(scope["headers"]).get(b"authorization", b"")
        if not ours and b"/grafana/aws4_request" not in signed:
            return await application(scope, receive, send)
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        given = json.loads(body) if body else {}
        if ours:
            if given:
                behind["address"] = given["address"]
                os.environ["NODE_EXTRA_CA_CERTS"] = given["authority"]
            names = [one["name"] for one in accounts.values()]
            tokens = [token["key"] for one in accounts.values() for token in one["tokens"].values()]
            status, answer = 200, {"accounts": names, "tokens": tokens, "made": made["tokens"], "lifetimes": lifetimes}
        else:
            status, answer = _answer(scope["method"], scope["path"], given)
        headers = [(b"content-type", b"application/json")]
        if status == 404:
            headers.append((b"x-amzn-errortype", b"ResourceNotFoundException"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    return wrapped


def _answer(method, path, given):
    match = PATH.match(urllib.parse.unquote(path))
    if match is None:
        return 404, {"message": "no such call"}
    workspace, account_id, token_id = match.groups()
    named = {"workspaceId": workspace}
    if path.endswith("/serviceaccounts"):
        if method == "GET":
            listed = [{"id": one, "name": each["name"], "isDisabled": "false", "grafanaRole": "ADMIN"} for one, each in accounts.items()]
            return 200, {**named, "serviceAccounts": listed}
        made["accounts"] += 1
        new = str(made["accounts"])
        accounts[new] = {"name": given["name"], "tokens": {}}
        return 200, {**named, "id": new, "name": given["name"], "grafanaRole": given["grafanaRole"]}
    if account_id is None:
        return 200, {"workspace": {"id": workspace, "endpoint": behind["address"], "status": "ACTIVE", "grafanaVersion": "12.4"}}
    account = accounts.get(account_id)
    if account is None:
        return 404, {"message": "no such account"}
    named["serviceAccountId"] = account_id
    if path.endswith("/tokens") and method == "GET":
        return 200, {**named, "serviceAccountTokens": [{k: v for k, v in one.items() if k != "key"} for one in account["tokens"].values()]}
    if path.endswith("/tokens"):
        made["tokens"] += 1
        new = str(made["tokens"])
        key = f"glsa_{new}_ofTheEmulator"
        now = time.time()
        account["tokens"][new] = {"id": new, "name": given["name"], "key": key, "createdAt": now, "expiresAt": now + given["secondsToLive"]}
        lifetimes.append(given["secondsToLive"])
        return 200, {**named, "serviceAccountToken": {"id": new, "name": given["name"], "key": key}}
    if method != "DELETE":
        return 404, {"message": "no such call"}
    if token_id is None:
        del accounts[account_id]
        return 200, named
    token = account["tokens"].pop(token_id, None)
    if token is None:
        return 404, {"message": "no such token"}
    return 200, {**named, "tokenId": token_id}

