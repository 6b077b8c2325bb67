"""Runs statements of Athena's dialect on Spark, over the folder of a capture: translated by sqlglot, which may leave nothing out.

    spark.py <statements.json> <folder>        rows of each statement as JSON, on standard output
"""

import json
import os
import sys

import sqlglot

os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
from pyspark.sql import SparkSession  # noqa: E402

statements, folder = json.load(open(sys.argv[1])), sys.argv[2]
spark = (
    SparkSession.builder.master("local[1]")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.memory", "768m")
    .config("spark.sql.shuffle.partitions", "1")
    .config("spark.sql.warehouse.dir", os.path.join(folder, "warehouse"))
    # Times are UTC, and a partition key `05` is not the number 5.
    .config("spark.sql.session.timeZone", "UTC")
    .config("spark.sql.sources.partitionColumnTypeInference.enabled", "false")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
spark.read.parquet(os.path.join(folder, "capture")).createOrReplaceTempView("capture")
answers = []
for statement in statements:
    tree = sqlglot.parse_one(statement, read="athena", error_level=sqlglot.ErrorLevel.RAISE)
    for table in tree.find_all(sqlglot.exp.Table):
        table.set("db", None)
    translated = tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
    answers.append([row.asDict() for row in spark.sql(translated).collect()])
json.dump(answers, sys.stdout)
spark.stop()
