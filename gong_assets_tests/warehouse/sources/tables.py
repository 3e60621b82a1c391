"""Writing of tables in Snowflake as another product does, from records in Python."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gong_assets.warehouse.connection import Warehouse

Columns = Mapping[str, str]
"""The types of a table's columns, by name."""

_SEMI_STRUCTURED = ("VARIANT", "OBJECT", "ARRAY")
_ROWS_PER_STATEMENT = 100


def write_table(
    warehouse: Warehouse, schema: str, name: str, columns: Columns, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Create the table unless it exists, and append the rows. Names are quoted, as connectors do it."""
    table = f'"{schema}"."{name}"'
    declared = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
    values = ", ".join(
        f'ROW_DATA.VALUE:"{column}"'
        + ("" if kind.split()[0] in _SEMI_STRUCTURED else f"::{kind.split(' NOT')[0]}")
        for column, kind in columns.items()
    )
    with warehouse.connect() as connection, connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {table} ({declared})")
        for first in range(0, len(rows), _ROWS_PER_STATEMENT):
            # A missing key is a SQL NULL, and null would be a value of a VARIANT.
            document = json.dumps(
                [
                    {column: value for column, value in row.items() if value is not None}
                    for row in rows[first : first + _ROWS_PER_STATEMENT]
                ]
            )
            cursor.execute(
                f"INSERT INTO {table} SELECT {values} "
                "FROM LATERAL FLATTEN(INPUT => PARSE_JSON(%s)) AS ROW_DATA",
                (document,),
            )
