"""Answers statements of `mlmon profile sql` on a Spark of one process, over one Parquet file as the table `nasty`.

    profile-spark.py <file.parquet>     reads {"sql", "conf", "to"} a line; writes the rows as CSV into the folder `to` and answers a line
"""

import json
import os
import sys

os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
from pyspark.sql import SparkSession  # noqa: E402

spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.memory", "1g")
    .config("spark.sql.shuffle.partitions", "2")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
spark.read.parquet(sys.argv[1]).createOrReplaceTempView("nasty")
for line in sys.stdin:
    asked = json.loads(line)
    for name, value in asked["conf"].items():
        spark.conf.set(name, value)
    spark.sql(asked["sql"]).write.csv(asked["to"], header=True)
    print("answered", flush=True)
spark.stop()
