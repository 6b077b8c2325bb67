"""NannyML's univariate drift with its default methods, the current file as one chunk. usage: python report-nannyml.py REFERENCE CURRENT
answers the names of the columns with an alert, one JSON line"""
import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")
# It would tell its makers of this run.
os.environ["NML_DISABLE_USAGE_LOGGING"] = "True"
import nannyml
import pandas as pd

reference, current = (pd.read_parquet(path) for path in sys.argv[1:3])
names = list(reference.columns)
categories = [name for name in names if not pd.api.types.is_numeric_dtype(reference[name])]
calculator = nannyml.UnivariateDriftCalculator(
    column_names=names, treat_as_categorical=categories, chunk_size=len(current)
)
calculator.fit(reference)
found = calculator.calculate(current).filter(period="analysis").to_df()
alerts = [name for name in names if found[name].xs("alert", axis=1, level=-1).iloc[0].any()]
print(json.dumps(alerts))
