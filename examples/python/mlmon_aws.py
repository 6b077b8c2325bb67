"""Signs the requests of `mlmon_client.Monitor` for a collector on AWS, with the credentials of the service: a file to copy beside it.
Needs boto3.

    monitor = Monitor(os.environ["MLMON_URL"], model="churn", version="7", authorize=signed())

Each request is signed anew, so credentials that are renewed meanwhile are followed.
"""
import os
import re
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest


def signed(session=None, region=None):
    """For `authorize`: signs for a Function URL, which is what a collector that wants signatures has. Its region stands in the address;
    `region` is needed only behind a name of your own."""
    session = session or boto3.Session()

    def authorize(url, headers, body):
        named = re.search(r"\.lambda-url\.([a-z0-9-]+)\.on\.aws$", urlsplit(url).hostname or "")
        where = region or (named and named[1]) or session.region_name or os.environ["AWS_REGION"]
        request = AWSRequest(method="POST", url=url, headers=dict(headers), data=body)
        SigV4Auth(session.get_credentials().get_frozen_credentials(), "lambda", where).add_auth(request)
        return dict(request.headers.items())

    return authorize
