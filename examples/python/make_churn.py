"""Made-up customers for the tutorial: a month as it should be (reference.csv) and last week (last-week.csv), in whose last two
days prices come in cents and three in ten plans are lost. The same numbers at every run; only the dates follow the calendar.

    python3 make_churn.py [FOLDER]
"""
import csv
import math
import random
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

A_DAY = 167
# The last midnight whose day a platform has judged by now: it waits an hour for what is late.
END = (datetime.now(timezone.utc) - timedelta(hours=3)).replace(hour=0, minute=0, second=0, microsecond=0)


def write(path, start, days, seed, broken_from=None):
    draw = random.Random(seed)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "at", "tenure", "monthly", "plan", "score", "predicted", "churned"])
        for n in range(days * A_DAY):
            at = start + timedelta(days=n / A_DAY)
            tenure, monthly = draw.expovariate(1 / 24), max(5, draw.gauss(40, 12))
            plan = draw.choices(["basic", "plus", "family"], [5, 3, 2])[0]
            score = 1 / (1 + math.exp(0.08 * tenure - (0.6 if plan == "basic" else 0.1)))
            churned, lost = draw.random() < score, draw.random() < 0.3
            if broken_from is not None and at >= broken_from:
                monthly, plan = monthly * 100, "" if lost else plan
            rows.writerow([f"{path.stem}-{n}", at.isoformat(timespec="seconds"), f"{tenure:.2f}", f"{monthly:.2f}", plan,
                           f"{score:.4f}", "leaves" if score > 0.5 else "stays", "leaves" if churned else "stays"])


folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
write(folder / "reference.csv", END - timedelta(days=37), 30, seed=1)
write(folder / "last-week.csv", END - timedelta(days=7), 7, seed=2, broken_from=END - timedelta(days=2))
