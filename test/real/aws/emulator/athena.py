"""Athena over Glue tables, run by DuckDB: columns with the types of the table, and the functions of Trino that our queries use."""
import duckdb
from ministack.services import athena
from ministack.services.firehose import _hive_to_duckdb_type

from pinned import replace

#: Functions of Trino that DuckDB lacks, or that mean something else there.
MACROS = (
    "CREATE MACRO from_iso8601_timestamp(text) AS CAST(text AS TIMESTAMPTZ)",
    "CREATE MACRO to_unixtime(moment) AS epoch(moment)",
    "CREATE MACRO element_at(pairs, name) AS map_extract(pairs, name)[1]",
)


def install() -> None:
    connect = duckdb.connect

    def with_macros(*given, **named):
        connection = connect(*given, **named)
        connection.execute("SET TimeZone = 'UTC'")
        for macro in MACROS:
            connection.execute(macro)
        return connection

    duckdb.connect = with_macros
    parquet = athena._table_relation

    def relation(table, files):
        if athena._data_format(table) != "json":
            return parquet(table, files)
        partitions = athena._hive_options(athena._path_partition_keys(table, files))
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _columns(table, partitions=False))
        listed = athena._sql_list(files)
        return f"read_json({listed}, format = 'newline_delimited', columns = {{{columns}}}, ignore_errors = true, {partitions})"

    def empty(table):
        columns = ", ".join(f'CAST(NULL AS {kind}) AS "{name}"' for name, kind in _columns(table, partitions=True))
        return f"(SELECT {columns} WHERE FALSE)"

    replace(athena, "_table_relation", "a1a2686723d2", relation)
    replace(athena, "_empty_relation", "9b6b848915d9", empty)


def _columns(table: dict, partitions: bool) -> list[tuple[str, str]]:
    columns = table["StorageDescriptor"]["Columns"] + ((table.get("PartitionKeys") or []) if partitions else [])
    return [(column["Name"], _hive_to_duckdb_type(column["Type"])) for column in columns]
