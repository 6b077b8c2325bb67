"""The same prediction service, straight onto the stream of a deployment on AWS.

    python3 stream_churn.py STREAM 1000 [POLICY_KEY_FILE]
"""
import json
import random
import sys

import boto3
from mlmon_kinesis import KinesisMonitor

stream, count = sys.argv[1], int(sys.argv[2])
key = json.load(open(sys.argv[3])) if len(sys.argv) > 3 else None
features = {"tenure": {"type": "numeric"}, "plan": {"type": "categorical"}}
if key is not None:
    features["customer"] = {"type": "categorical", "policy": "hash"}
monitor = KinesisMonitor(boto3.client("kinesis"), stream, model="churn", version="1", features=features, key=key)
draw = random.Random(7)

for n in range(count):
    tenure, plan = draw.expovariate(1 / 24), draw.choices(["basic", "plus", "family"], [5, 3, 2])[0]
    score = 1 / (1 + 2.7183 ** (0.08 * tenure - (0.6 if plan == "basic" else 0.1)))
    monitor.prediction(id=f"order-{n}", numeric={"tenure": round(tenure, 2)},
                       categorical={"plan": plan, **({"customer": f"customer {n}"} if key else {})},
                       score=score, predicted="leaves" if score > 0.5 else "stays")
    monitor.label(id=f"order-{n}", truth="leaves" if draw.random() < score else "stays")

complete = monitor.flush(60) and monitor.dropped == monitor.failed == 0
print("sent" if complete else "not all sent", "- dropped:", monitor.dropped, "failed:", monitor.failed)
sys.exit(0 if complete else 1)
