"""PSI alone, in SQL: twenty bins of equal width over both files, or the categories. usage: python report-duckdb.py REFERENCE CURRENT
The least that a comparison can do in DuckDB: no quantiles, no missing values, no verdict. Answers PSI by column, one JSON line"""
import json
import sys

import duckdb

BINS = 20
reference, current = (f"read_parquet('{path}')" for path in sys.argv[1:3])
db = duckdb.connect()
kinds = {row[0]: row[1] for row in db.execute(f"describe select * from {reference}").fetchall()}
numbers = [name for name, kind in kinds.items() if kind != "VARCHAR"]
ends = ", ".join(f'min("{name}"), max("{name}")' for name in numbers)
sides = [db.execute(f"select {ends} from {side}").fetchone() for side in (reference, current)]
answers = {}
for name in kinds:
    key = f'"{name}"'
    if name in numbers:
        at = 2 * numbers.index(name)
        low = min(side[at] for side in sides)
        width = (max(side[at + 1] for side in sides) - low) / BINS or 1
        key = f"least({BINS - 1}, floor(({key} - {low!r}) / {width!r}))"
    counted = (f"select {key} as k, count(*) as n from {side} group by 1" for side in (reference, current))
    shares = (f"(select k, greatest(n / sum(n) over (), 0.0001) as p from ({rows}))" for rows in counted)
    a, b = shares
    answers[name] = db.execute(
        f"select sum((coalesce(a.p, 0.0001) - coalesce(b.p, 0.0001)) * ln(coalesce(a.p, 0.0001) / coalesce(b.p, 0.0001)))"
        f" from {a} a full join {b} b using (k)"
    ).fetchone()[0]
print(json.dumps(answers))
