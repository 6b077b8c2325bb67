"""Answers statements of `mlmon profile sql` on a Trino of one process, which Python drives through the gateway that Spark brings along.

    profile-trino.py <jars>     reads {"sql", "to"} a line; writes the rows as CSV to the file `to`, if any, and answers a line
"""

import csv
import glob
import json
import os
import sys

import pyspark
from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway

gateway = os.path.join(os.path.dirname(pyspark.__file__), "jars", "py4j*.jar")
port = launch_gateway(
    jarpath=glob.glob(gateway)[0],
    classpath=os.path.join(sys.argv[1], "*"),
    javaopts=["-Xmx1g", "-XX:+UseSerialGC", "-Duser.timezone=America/New_York"],
    die_on_exit=True,
    redirect_stdout=open(os.devnull, "w"),
    redirect_stderr=open(os.devnull, "w"),
)
java = JavaGateway(gateway_parameters=GatewayParameters(port=port, auto_convert=True)).jvm
zone = java.io.trino.spi.type.TimeZoneKey.getTimeZoneKey("America/New_York")
session = java.io.trino.testing.TestingSession.testSessionBuilder().setCatalog("memory").setSchema("default")
trino = java.io.trino.testing.LocalQueryRunner.create(session.setTimeZoneKey(zone).build())
trino.createCatalog("memory", java.io.trino.plugin.memory.MemoryConnectorFactory(), {})
for line in sys.stdin:
    asked = json.loads(line)
    sql = asked["sql"]
    if asked["to"] is None:
        trino.execute(sql)
    else:
        names = list(trino.execute(f"SELECT * FROM ({sql}) AS answer LIMIT 0").getColumnNames())
        # One value a row: each that crosses the gateway is a call.
        cells = ", ".join(f"CAST({name} AS JSON)" for name in names)
        rows = trino.execute(f"SELECT json_format(CAST(ARRAY[{cells}] AS JSON)) FROM ({sql}) AS answer")
        with open(asked["to"], "w", newline="") as file:
            table = csv.writer(file)
            table.writerow(names)
            for row in rows.getMaterializedRows():
                table.writerow(json.loads(row.getField(0)))
    print("answered", flush=True)
trino.close()
