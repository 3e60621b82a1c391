"""The places where fakesnow keeps state in module globals or fixed SQL, so that nothing but patching helps.

Everything here is written against fakesnow 0.12; what can be done by subclassing or rewriting is done there.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from string import Template

import duckdb
from fakesnow import info_schema
from fakesnow.transforms import stage, transforms

from gong_assets.local.snowflake import vector

# fakesnow makes a temporary directory for staged files when it is imported, and leaves it behind.
with suppress(OSError):
    Path(stage.LOCAL_BUCKET_PATH).rmdir()

_STAGES = "_fs_global._fs_information_schema._fs_stages"


def keep_stages_in(directory: Path) -> None:
    """Keep staged files in ``directory``, where they outlive the process."""
    directory.mkdir(parents=True, exist_ok=True)
    stage.LOCAL_BUCKET_PATH = str(directory.resolve())


def columns_view_sql() -> str:
    """INFORMATION_SCHEMA.COLUMNS (which DESCRIBE and SHOW COLUMNS read too) with VECTOR and every integer type.

    Raises RuntimeError if fakesnow's view is no longer the one that this was written for.
    """
    original: str = info_schema.SQL_CREATE_GLOBAL_INFORMATION_SCHEMA_COLUMNS_VIEW
    fallback = "else columns.data_type end as DATA_TYPE"
    integer = "columns.data_type='BIGINT'"
    if original.count(fallback) != 1 or original.count(integer) != 3:
        raise RuntimeError("This version of fakesnow describes columns in another way.")
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
    """Let INFORMATION_SCHEMA.TABLES have the views too, as Snowflake's has; dbt's catalog is made of it.

    Raises RuntimeError if fakesnow's view is no longer the one that this was written for.
    """
    original = info_schema.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW.template
    if "'VIEW'" in original:
        return
    table, tables = "'BASE TABLE' AS", "from duckdb_tables tables"
    never = 'to_timestamp(0)::timestamptz AS "LAST_ALTERED"'
    if any(original.count(part) != 1 for part in (table, tables, never)):
        raise RuntimeError("This version of fakesnow lists tables in another way.")
    both = """from (
    select database_name, schema_name, table_name, estimated_size, 'BASE TABLE' as kind from duckdb_tables
    union all
    select database_name, schema_name, view_name, null, 'VIEW' from duckdb_views
) tables"""
    info_schema.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW = Template(
        original.replace(table, "tables.kind AS")
        .replace(tables, both)
        # It is not known, and 1970 would be shown.
        .replace(never, 'NULL::timestamptz AS "LAST_ALTERED"')
    )


def tables_view_sql(database: str) -> str:
    """INFORMATION_SCHEMA.TABLES of a database, also of one that was made before views were listed in it."""
    sql: str = info_schema.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW.substitute(catalog=database)
    return sql.replace("create view if not exists", "create or replace view")


def describe_tables_of_every_database() -> None:
    """Let DESCRIBE TABLE see other databases than the current one, and temporary tables.

    Raises RuntimeError if fakesnow's query is no longer the one that this was written for.
    """
    original = transforms.SQL_DESCRIBE_TABLE.template
    local = "FROM _fs_information_schema._fs_columns"
    if local in original:
        everywhere = original.replace(local, "FROM _fs_global._fs_information_schema._fs_columns")
        transforms.SQL_DESCRIBE_TABLE = Template(everywhere)
    elif "_fs_global" not in original:
        raise RuntimeError("This version of fakesnow describes tables in another way.")


def forget_temporary_stages(duck: duckdb.DuckDBPyConnection) -> None:
    """Drop the temporary stages of sessions that a killed server left behind."""
    left = duck.execute(
        f"SELECT database_name, schema_name, name FROM {_STAGES} WHERE type LIKE '%TEMPORARY'"
    ).fetchall()
    for database, schema, name in left:
        drop_stage(duck, f"{database}.{schema}.{name}")


def drop_stage(duck: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Drop a stage with its files by its full name; False if there is none."""
    database, schema, stage_name = name.split(".")
    dropped = duck.execute(
        f"DELETE FROM {_STAGES} WHERE database_name = ? AND schema_name = ? AND name = ? RETURNING name",
        [database, schema, stage_name],
    ).fetchall()
    shutil.rmtree(stage.internal_dir(name), ignore_errors=True)
    return bool(dropped)
