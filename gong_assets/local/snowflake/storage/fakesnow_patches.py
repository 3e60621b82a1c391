"""Patches of fakesnow's module globals and fixed SQL, for differences that no subclass or rewrite can fix.

They are written for fakesnow 0.12.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from string import Template

import duckdb
from fakesnow import info_schema
from fakesnow import transforms as transforms_package
from fakesnow.transforms import show, stage, transforms
from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.sql import numbers, vector
from gong_assets.local.snowflake.sql.names import require_plain_name
from gong_assets.local.snowflake.sql.temporary_stages import SESSION_MARK, public_name

# fakesnow creates a temporary directory for staged files at import and never removes it.
with suppress(OSError):
    Path(stage.LOCAL_BUCKET_PATH).rmdir()

_fakesnow_internal_dir = stage.internal_dir
_fakesnow_stage_parts = stage.parts_from_var

_STAGES = "_fs_global._fs_information_schema._fs_stages"


def keep_stages_in(directory: Path) -> None:
    """Store staged files in ``directory``, where they persist between runs of the server."""
    directory.mkdir(parents=True, exist_ok=True)
    stage.LOCAL_BUCKET_PATH = str(directory.resolve())
    stage.internal_dir = _stage_directory
    stage.parts_from_var = _stage_parts


def _stage_parts(name: str, current_database: str | None, current_schema: str | None) -> tuple[str, str, str]:
    """Return the parts of a stage's name, which fakesnow puts into texts of SQL.

    Raises SnowflakeError for a name that cannot be part of a text or a path.
    """
    parts: tuple[str, str, str] = _fakesnow_stage_parts(name, current_database, current_schema)
    for part in parts:
        require_plain_name(part)
    return parts


def _stage_directory(name: str, path: str = "") -> str:
    """Return a directory of the stage with this full name.

    Raises SnowflakeError if the name, the path or a symbolic link leads out of the stage.
    """
    for part in name.split("."):
        require_plain_name(part)
    directory: str = _fakesnow_internal_dir(name, path)
    root = Path(stage.LOCAL_BUCKET_PATH, *name.split("."))
    links = [root, *root.parents[:2], *(entry for entry in root.rglob("*"))]
    if link := next((entry for entry in links if entry.is_symlink()), None):
        raise SnowflakeError(
            3001, "42501", f"SQL access control error: {os.fspath(link)} is a symbolic link in a stage"
        )
    return directory


def hide_temporary_stages_of_other_sessions() -> None:
    """Show a temporary stage to its session only, and by the name that the session gave it."""
    if transforms_package.show_stages is not show.show_stages:
        return
    create_stage, file_name_prefix, not_found = (
        stage.create_stage,
        stage._file_name_prefix,
        stage.not_found_error,
    )

    def show_stages(expression: exp.Expression, database: str | None, schema: str | None) -> exp.Expression:
        query = (
            show.show_stages(expression, database, schema) if isinstance(expression, exp.Show) else expression
        )
        if query is expression:
            return query
        own = f"ends_with(name, '{SESSION_MARK}' || getvariable('current_session'))"
        (star,) = query.expressions
        star.set("replace", [exp.maybe_parse(f"split_part(name, '{SESSION_MARK}', 1) AS name")])
        return query.where(f"NOT contains(name, '{SESSION_MARK}') OR {own}")

    def create_and_name(expression: exp.Expression, *session: str | None) -> exp.Expression:
        created = create_stage(expression, *session) if isinstance(expression, exp.Create) else expression
        if created is not expression:
            created.args["create_stage_name"] = public_name(created.args["create_stage_name"])
        return created

    transforms_package.show_stages = show_stages
    transforms_package.create_stage = create_and_name
    stage._file_name_prefix = lambda name: file_name_prefix(public_name(name))
    stage.not_found_error = lambda name: not_found(public_name(name))


def create_tables_of_all_columns() -> None:
    """Describe the query of CREATE TABLE ... AS SELECT * in DuckDB's SQL, and not in that of no database."""
    create_table_as = transforms_package.create_table_as
    if create_table_as.__module__ == __name__:
        return

    def create(expression: exp.Expression, duck: duckdb.DuckDBPyConnection) -> exp.Expression:
        query = expression.expression if isinstance(expression, exp.Create) else None
        select = query.unnest() if isinstance(query, exp.Subquery) else query
        if isinstance(select, exp.Select) and isinstance(expression.this, exp.Schema) and select.is_star:
            columns = duck.execute(f"DESCRIBE {select.sql('duckdb')}").fetchall()
            select.set("expressions", [exp.column(name) for name, *_ in columns])
        created: exp.Expression = create_table_as(expression, duck)
        return created

    transforms_package.create_table_as = create


def use_numbers_of_38_digits() -> None:
    """Replace fakesnow's 64-bit integers, and its cast of all aggregates of numbers to FLOAT."""
    transforms_package.integer_precision = numbers.integer_type
    transforms_package.numeric_agg_implicit_cast = lambda node: node


def columns_view_sql() -> str:
    """Return the SQL of INFORMATION_SCHEMA.COLUMNS with the VECTOR type and all integer types.

    DESCRIBE and SHOW COLUMNS read the view too. Raises RuntimeError if fakesnow's definition has changed.
    """
    original: str = info_schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW
    fallback = "else columns.data_type end as DATA_TYPE"
    integer = "columns.data_type='BIGINT'"
    if original.count(fallback) != 1 or original.count(integer) != 3:
        raise RuntimeError("The COLUMNS view of this version of fakesnow is not supported.")
    kind = (
        f"else coalesce({vector.snowflake_type_sql('columns.data_type')}, columns.data_type) end as DATA_TYPE"
    )
    integers = "columns.data_type in ('BIGINT', 'INTEGER', 'SMALLINT', 'TINYINT', 'HUGEINT', 'UBIGINT')"
    return (
        original.replace(fallback, kind)
        .replace(integer, integers)
        .replace("create view if not exists", "create or replace view")
    )


def list_views_as_tables() -> None:
    """Add views to INFORMATION_SCHEMA.TABLES, as on Snowflake, because dbt's catalog query expects them.

    Raises RuntimeError if fakesnow's definition of the view has changed.
    """
    original = info_schema.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW.template
    if "'VIEW'" in original:
        return
    table, tables = "'BASE TABLE' AS", "from duckdb_tables tables"
    never = 'to_timestamp(0)::timestamptz AS "LAST_ALTERED"'
    if any(original.count(part) != 1 for part in (table, tables, never)):
        raise RuntimeError("The TABLES view of this version of fakesnow is not supported.")
    both = """from (
    select database_name, schema_name, table_name, estimated_size, 'BASE TABLE' as kind from duckdb_tables
    union all
    select database_name, schema_name, view_name, null, 'VIEW' from duckdb_views
) tables"""
    info_schema.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW = Template(
        original.replace(table, "tables.kind AS")
        .replace(tables, both)
        # Unknown; fakesnow shows 1970.
        .replace(never, 'NULL::timestamptz AS "LAST_ALTERED"')
    )


def tables_view_sql(database: str) -> str:
    """Return the SQL that creates or replaces INFORMATION_SCHEMA.TABLES of a database."""
    sql: str = info_schema.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW.substitute(catalog=database)
    return sql.replace("create view if not exists", "create or replace view")


def describe_tables_of_every_database() -> None:
    """Make DESCRIBE TABLE work for temporary tables and tables of other databases.

    Raises RuntimeError if fakesnow's query has changed.
    """
    original = transforms.SQL_DESCRIBE_TABLE.template
    current = "FROM _fs_information_schema._fs_columns"
    if current in original:
        everywhere = original.replace(current, "FROM _fs_global._fs_information_schema._fs_columns")
        transforms.SQL_DESCRIBE_TABLE = Template(everywhere)
    elif "_fs_global" not in original:
        raise RuntimeError("The DESCRIBE TABLE query of this version of fakesnow is not supported.")


def quote_comments() -> None:
    """Make fakesnow store comments of tables and views that contain an apostrophe."""
    original = info_schema.insert_table_comment_sql
    if original.__module__ != info_schema.__name__:
        return

    def quoted(catalog: str, schema: str, table: str, comment: str | None) -> str:
        sql: str = original(catalog, schema, table, (comment or "").replace("'", "''"))
        return sql

    info_schema.insert_table_comment_sql = quoted


def drop_temporary_stages(duck: duckdb.DuckDBPyConnection) -> None:
    """Drop the temporary stages that a killed server left behind."""
    stages = duck.execute(
        f"SELECT database_name, schema_name, name FROM {_STAGES} WHERE type LIKE '%TEMPORARY'"
    ).fetchall()
    for database, schema, name in stages:
        drop_stage(duck, f"{database}.{schema}.{name}")


def drop_stage(duck: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Drop a stage and its files by its full name; returns False if it does not exist."""
    database, schema, stage_name = name.split(".")
    dropped = duck.execute(
        f"DELETE FROM {_STAGES} WHERE database_name = ? AND schema_name = ? AND name = ? RETURNING name",
        [database, schema, stage_name],
    ).fetchall()
    shutil.rmtree(stage.internal_dir(name), ignore_errors=True)
    return bool(dropped)
