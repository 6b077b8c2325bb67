"""Athena over Glue tables, run by DuckDB: columns with the types of the table, and what our queries use of Trino's SQL."""
import re

import duckdb
from ministack.services import athena
from ministack.services.firehose import _hive_to_duckdb_type

from pinned import replace

#: Functions of Trino that DuckDB lacks, or that mean something else there.
MACROS = (
    "CREATE MACRO from_iso8601_timestamp(text) AS CAST(text AS TIMESTAMPTZ)",
    "CREATE MACRO to_unixtime(moment) AS epoch(moment)",
    "CREATE MACRO element_at(pairs, name) AS map_extract(pairs, name)[1]",
    "CREATE MACRO regexp_like(text, pattern) AS regexp_matches(text, pattern)",
    "CREATE MACRO to_utf8(text) AS encode(text)",
    "CREATE MACRO to_hex(bytes) AS hex(bytes)",
    "CREATE MACRO from_utf8(bytes) AS decode(bytes)",
    "CREATE MACRO from_hex(digits) AS unhex(digits)",
    "CREATE MACRO json_parse(text) AS CAST(text AS JSON)",
)

#: Rows made of columns: `UNNEST(ARRAY[ROW(…), …]) AS alias (names)` is one column each in Trino, and one of all in DuckDB.
ROWS = re.compile(r"UNNEST\(ARRAY\[(ROW\((?:[^']|'[^']*')*?\))\]\) AS (\w+) \(([\w, ]+)\)")


def of_rows(query: str) -> str:
    """The query as DuckDB reads it."""

    def lateral(found: re.Match) -> str:
        rows, alias, names = found.groups()
        columns = ", ".join(f"struct_extract(one, {i + 1}) AS {name}" for i, name in enumerate(names.split(", ")))
        return f"LATERAL (SELECT {columns} FROM (SELECT UNNEST([{rows}]) AS one)) AS {alias}"

    return ROWS.sub(lateral, query)


def install() -> None:
    connect = duckdb.connect

    def with_macros(*given, **named):
        connection = connect(*given, **named)
        connection.execute("SET TimeZone = 'UTC'")
        for macro in MACROS:
            connection.execute(macro)
        return connection

    duckdb.connect = with_macros
    run = athena._run_duckdb

    async def of_trino(query, database, catalog=None):
        return await run(of_rows(query), database, catalog)

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

    replace(athena, "_run_duckdb", "734c2e91cdac", of_trino)
    replace(athena, "_table_relation", "a1a2686723d2", relation)
    replace(athena, "_empty_relation", "9b6b848915d9", empty)


def _columns(table: dict, partitions: bool) -> list[tuple[str, str]]:
    columns = table["StorageDescriptor"]["Columns"] + ((table.get("PartitionKeys") or []) if partitions else [])
    return [(column["Name"], _hive_to_duckdb_type(column["Type"])) for column in columns]
