"""A small prediction service, monitored: a rule instead of a model, and labels a moment later instead of months.

    python3 serve_churn.py http://127.0.0.1:7007 1000 [TOKEN_FILE]
"""
import random
import sys
import time

from mlmon_client import Monitor

platform, count = sys.argv[1], int(sys.argv[2])
token = open(sys.argv[3]).read().strip() if len(sys.argv) > 3 else None
monitor = Monitor(platform, model="churn", version="1", token=token)
draw = random.Random(7)

for n in range(count):
    tenure, plan = draw.expovariate(1 / 24), draw.choices(["basic", "plus", "family"], [5, 3, 2])[0]
    started = time.perf_counter()
    score = 1 / (1 + 2.7183 ** (0.08 * tenure - (0.6 if plan == "basic" else 0.1)))
    latency = 1000 * (time.perf_counter() - started)
    monitor.prediction(id=f"order-{n}", numeric={"tenure": round(tenure, 2)}, categorical={"plan": plan},
                       score=score, predicted="leaves" if score > 0.5 else "stays", latency_ms=latency)
    monitor.label(id=f"order-{n}", truth="leaves" if draw.random() < score else "stays")

complete = monitor.flush(60) and monitor.dropped == 0
print("sent" if complete else "not all sent", "- dropped:", monitor.dropped)
sys.exit(0 if complete else 1)
