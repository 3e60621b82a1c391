"""fakesnow's transforms of a statement, as fakesnow and as the local server call them."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import duckdb
from fakesnow.cursor import FakeSnowflakeCursor
from fakesnow.variables import Variables
from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.server.translation import translate
from gong_assets.local.snowflake.sql.indexed_statement import IndexedStatement
from gong_assets.local.snowflake.storage import fakesnow_patches

# As the server does: it replaces some of fakesnow's transforms.
fakesnow_patches.create_tables_of_all_columns()
fakesnow_patches.hide_temporary_stages_of_other_sessions()
fakesnow_patches.use_numbers_of_38_digits()

# fakesnow describes tables with it, and there are none.
EMPTY = duckdb.connect()
NOW = re.compile(r"'\d{4}-\d\d-\d\dT[^']*'")


def transformed(sql: str) -> tuple[str, str] | None:
    """Return a statement in DuckDB's dialect, of fakesnow and of the local server.

    None if either refuses it, or if fakesnow describes a table of it, which does not exist here.
    """
    try:
        statement = translate(sql, {})
        indexed = IndexedStatement(statement.copy())
        by_fakesnow = _transform(statement)
        _transform(indexed)
    except (SnowflakeError, NotImplementedError, duckdb.CatalogException):
        return None
    return _text(by_fakesnow), _text(indexed.root)


def _transform(statement: exp.Expression | IndexedStatement) -> exp.Expression:
    session = SimpleNamespace(
        database="D", schema="S", db_path=Path("data"), variables=Variables(),
        table_stages=SimpleNamespace(),
    )  # fmt: skip
    cursor = SimpleNamespace(_conn=session, _duck_conn=EMPTY)
    result: exp.Expression = FakeSnowflakeCursor._transform(cursor, statement, None)
    return result


def _text(statement: exp.Expression) -> str:
    properties = {name: str(value) for name, value in statement.args.items()}
    return NOW.sub("now", f"{statement.sql(dialect='duckdb')} {properties}")
