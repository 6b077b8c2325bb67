"""Evidently on windows: its default drift preset, or its default tests by themselves, on every STRIDE-th hour of DATA against REFERENCE.

usage: python backtest-evidently.py REFERENCE DATA report|tests STRIDE
answers one JSON line: seconds of the imports, of reading, of the windows; windows done, windows there are
"""
import json
import sys
import time
import warnings

warnings.filterwarnings("ignore")
started = time.perf_counter()
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.legacy.calculations.stattests import get_stattest
from evidently.legacy.core import ColumnType
from evidently.presets import DataDriftPreset

imported = time.perf_counter()
reference_path, data_path, mode, stride = sys.argv[1:]
reference, data = pd.read_parquet(reference_path), pd.read_parquet(data_path)
windows = [rows for _, rows in data.groupby(data["when"].dt.floor("h"))]
reference, windows = reference.drop(columns="when"), [rows.drop(columns="when") for rows in windows]
numbers = [name for name in reference.columns if pd.api.types.is_numeric_dtype(reference[name])]
categories = [name for name in reference.columns if name not in numbers]
read = time.perf_counter()

drifted = 0
done = windows[:: int(stride)]
if mode == "report":
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
    expected = Dataset.from_pandas(reference, data_definition=definition)
    for rows in done:
        answer = Report([DataDriftPreset()]).run(reference_data=expected, current_data=Dataset.from_pandas(rows, data_definition=definition)).dict()
        drifted += sum(metric["value"]["count"] for metric in answer["metrics"] if "DriftedColumnsCount" in str(metric.get("metric_name") or metric.get("metric_id")))
else:
    kinds = [(name, ColumnType.Numerical if name in numbers else ColumnType.Categorical) for name in reference.columns]
    tests = {name: get_stattest(reference[name], windows[0][name], kind, None) for name, kind in kinds}
    for rows in done:
        for name, kind in kinds:
            drifted += bool(tests[name](reference[name], rows[name], kind, None).drifted)
ended = time.perf_counter()
print(json.dumps({
    "imports": imported - started, "reading": read - imported, "windows": ended - read,
    "done": len(done), "all": len(windows), "drifted": int(drifted),
}))
