"""Evidently's default drift preset on two Parquet files. usage: python report-evidently.py REFERENCE CURRENT
answers the names of the columns whose drift it would report, one JSON line"""
import json
import sys
import warnings

warnings.filterwarnings("ignore")
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

frames = [pd.read_parquet(path) for path in sys.argv[1:3]]
numbers = [name for name in frames[0].columns if pd.api.types.is_numeric_dtype(frames[0][name])]
categories = [name for name in frames[0].columns if name not in numbers]
definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
reference, current = (Dataset.from_pandas(frame, data_definition=definition) for frame in frames)
answer = Report([DataDriftPreset()]).run(reference_data=reference, current_data=current).dict()
drifted = []
for metric in answer["metrics"]:
    config = metric.get("config") or {}
    if "column" not in config or "threshold" not in config:
        continue
    value, limit = float(metric["value"]), config["threshold"]
    # Its tests answer with a p-value or with a distance.
    low = "p_value" in str(metric.get("metric_name", ""))
    if (value < limit) if low else (value >= limit):
        drifted.append(config["column"])
print(json.dumps(drifted))
