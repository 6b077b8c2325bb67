"""SciPy's two-sample Kolmogorov-Smirnov test on every number of two Parquet files. usage: python report-scipy.py REFERENCE CURRENT
answers [statistic, p-value] by column, one JSON line"""
import json
import sys

import pandas as pd
from scipy import stats

reference, current = (pd.read_parquet(path) for path in sys.argv[1:3])
answers = {}
for name in reference.columns:
    if pd.api.types.is_numeric_dtype(reference[name]):
        found = stats.ks_2samp(reference[name].to_numpy(), current[name].to_numpy())
        answers[name] = [float(found.statistic), float(found.pvalue)]
print(json.dumps(answers))
