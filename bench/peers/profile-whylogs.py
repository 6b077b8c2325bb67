"""whylogs' profile of one Parquet file. usage: python profile-whylogs.py FILE
answers the bytes of the profile"""
import sys
import warnings

warnings.filterwarnings("ignore")
import pandas as pd
import whylogs

view = whylogs.log(pd.read_parquet(sys.argv[1])).view()
view.to_pandas()
print(len(view.serialize()))
