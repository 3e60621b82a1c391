"""Statements that change the session or the account rather than data.

Those on users, roles, grants, tags and policies are run by `governance`. A few other account statements are
accepted and ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import sqlglot
from fakesnow.transforms import stage
from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.governance.scope import SUCCESS
from gong_assets.local.snowflake.server.connection import Connection
from gong_assets.local.snowflake.server.governed_session import GovernedSession
from gong_assets.local.snowflake.sql.statements import require_one_statement
from gong_assets.local.snowflake.storage import fakesnow_patches
from gong_assets.local.snowflake.storage.writer_lock import DEFAULT_LOCK_TIMEOUT_SECONDS

_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|//[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)

_IGNORED = re.compile(
    r"comment\s+(?:if\s+exists\s+)?on\s+(?:role|user|warehouse)\b|alter\s+account\s", re.IGNORECASE
)
_START_TRANSACTION = re.compile(r"start\s+transaction\b", re.IGNORECASE)
_UNSET = re.compile(r"unset\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
_REMOVE = re.compile(r"(?:remove|rm)\s+(?P<quote>'?)@(?P<path>\S+?)(?P=quote)\s*;?\s*\Z", re.IGNORECASE)
# https://docs.snowflake.com/en/sql-reference/sql/alter-table-column
_TEXT = r"'(?:[^'\\]|''|\\.)*'"
_SHOW_PARAMETERS = re.compile(rf"show\s+parameters(?:\s+like\s+(?P<like>{_TEXT}))?", re.IGNORECASE)
_COLUMN_COMMENT = rf"(?:column\s+)?(?P<column>\w+)\s+comment\s+(?P<text>{_TEXT})"
_COLUMN_COMMENTS = re.compile(
    rf"alter\s+table\s+(?P<table>[\w.]+)\s+(?:alter|modify)\s+(?P<columns>(?:column\s+)?\w+\s+comment\s+{_TEXT}.*)",
    re.IGNORECASE | re.DOTALL,
)
# Parameters that SHOW PARAMETERS always lists, with their defaults. A session may set others too.
_DEFAULT_PARAMETERS: Mapping[str, str] = {
    "AUTOCOMMIT": "true",
    "LOCK_TIMEOUT": str(DEFAULT_LOCK_TIMEOUT_SECONDS),
    "QUERY_TAG": "",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": "false",
    "TIMEZONE": "UTC",
}


def run_text_command(connection: Connection, governed: GovernedSession, sql: str) -> exp.Expression | None:
    """Run a command that sqlglot cannot parse and return the query for its result.

    Returns None if ``sql`` is not such a command. Raises SnowflakeError for more than one statement.
    """
    require_one_statement(sql)
    text = sql[_COMMENTS.match(sql).end() :]  # type: ignore[union-attr]  # always matches
    query = governed.run_account_statement(text)
    if query is None and (changed := _COLUMN_COMMENTS.match(text)):
        governed.require_ownership(changed["table"])
    query = query or _run_text_command(connection, text)
    return None if query is None else _parse(query)


def run_parsed_command(connection: Connection, statement: exp.Expression) -> exp.Expression | None:
    """Run a parsed command and return the query for its result; None for a statement on data."""
    match statement:
        case exp.Transaction():
            connection.transaction.begin()
        case exp.Commit():
            connection.transaction.commit()
        case exp.Rollback():
            connection.transaction.rollback()
        case exp.Alter() if statement.args.get("kind") == "SESSION":
            _alter_session(connection, statement)
        case exp.Set():
            _set_variables(connection, statement)
        case exp.Use() if _kind(statement) in ("ROLE", "WAREHOUSE"):
            connection.set_duckdb_variable(f"current_{_kind(statement).lower()}", _identifier(statement.this))
        case exp.Use() if _kind(statement) == "SECONDARY ROLES":
            pass
        case exp.TruncateTable() if statement.args.get("exists"):
            if connection.has_table(statement.expressions[0]):
                statement.set("exists", None)
                return None
        case exp.Drop() if _kind(statement) == "STAGE":
            _drop_stage(connection, statement)
        case exp.Drop() if _kind(statement) == "DATABASE":
            connection.drop_database(_identifier(statement), if_exists=bool(statement.args.get("exists")))
        case exp.Create() if statement.args.get("replace") and _kind(statement) in ("DATABASE", "SCHEMA"):
            connection.drop_for_replacement(_kind(statement), statement.this)
            return None
        case _:
            return None
    return _parse(SUCCESS)


def _parse(sql: str) -> exp.Expression:
    return sqlglot.parse_one(sql, read="snowflake")


def _run_text_command(connection: Connection, text: str) -> str | None:
    if _IGNORED.match(text):
        return SUCCESS
    if _START_TRANSACTION.match(text):
        connection.transaction.begin()
        return SUCCESS
    if unset := _UNSET.match(text):
        connection.session_variables.pop(unset.group(1).upper(), None)
        return SUCCESS
    if remove := _REMOVE.match(text):
        return _remove(connection, remove.group("path"))
    if show := _SHOW_PARAMETERS.match(text):
        return _show_parameters(connection, show.group("like"))
    if comments := _COLUMN_COMMENTS.match(text):
        _comment_columns(connection, comments["table"], comments["columns"])
        return SUCCESS
    return None


def _kind(statement: exp.Expression) -> str:
    kind = statement.args.get("kind")
    return str(kind.name if isinstance(kind, exp.Expression) else kind or "").upper()


def _identifier(node: exp.Expression) -> str:
    identifier = node.find(exp.Identifier)
    quoted = identifier is not None and identifier.quoted
    name = str(identifier.name if identifier is not None else node.name)
    return name if quoted else name.upper()


def _alter_session(connection: Connection, statement: exp.Alter) -> None:
    change = statement.find(exp.AlterSession)
    if change is None:
        raise NotImplementedError(statement.sql(dialect="snowflake"))
    for item in change.expressions:
        if change.args.get("unset"):
            connection.unset_parameter(item.name or item.this.name)
        else:
            connection.set_parameter(item.this.this.name, _value(item.this.expression))


def _value(node: exp.Expression) -> str:
    if isinstance(node, exp.Boolean):
        return str(node.this).lower()
    return str(node.name or node.sql(dialect="snowflake"))


def _set_variables(connection: Connection, statement: exp.Set) -> None:
    for item in statement.expressions:
        connection.session_variables[item.this.this.name.upper()] = item.this.expression


def _show_parameters(connection: Connection, like: str | None) -> str:
    rows = [
        (
            name,
            connection.parameters.get(name, default),
            default,
            "SESSION" if name in connection.parameters else "",
        )
        for name, default in sorted(
            {**dict.fromkeys(connection.parameters, ""), **_DEFAULT_PARAMETERS}.items()
        )
    ]
    values = ", ".join(
        "(" + ", ".join(_literal(value) for value in (*row, "", "STRING")) + ")" for row in rows
    )
    columns = ("key", "value", "default", "level", "description", "type")
    selected = ", ".join(f'column{position} AS "{name}"' for position, name in enumerate(columns, 1))
    where = f" WHERE column1 ILIKE {_literal(_parse(like).name)}" if like is not None else ""
    return f"SELECT {selected} FROM (VALUES {values}){where}"


def _literal(text: str) -> str:
    literal: str = exp.Literal.string(text).sql(dialect="snowflake")
    return literal


def _remove(connection: Connection, location: str) -> str:
    """Delete the staged files whose path starts with that of REMOVE, and return the query that lists them."""
    name, _, path = location.partition("/")
    full_name = connection.stage_name(name)
    connection.require_stage(full_name)
    prefix = stage.internal_dir(full_name, path)
    root = Path(stage.internal_dir(full_name))
    removed = []
    for file in sorted(root.rglob("*")):
        if file.is_file() and str(file).startswith(prefix):
            file.unlink()
            removed.append(stage.internal_file_name(str(file)))
    if not removed:
        return 'SELECT NULL::VARCHAR AS "name", NULL::VARCHAR AS "result" WHERE FALSE'
    values = ", ".join(f"({_literal(file)}, 'removed')" for file in removed)
    return f'SELECT column1 AS "name", column2 AS "result" FROM (VALUES {values})'


def _comment_columns(connection: Connection, table: str, columns: str) -> None:
    with connection.transaction.ddl(connection.lock_timeout):
        for column in re.finditer(_COLUMN_COMMENT, columns, re.IGNORECASE):
            text = _parse(column["text"]).name.replace("'", "''")
            connection.duck.execute(
                f"COMMENT ON COLUMN {table.upper()}.{column['column'].upper()} IS '{text}'"
            )


def _drop_stage(connection: Connection, statement: exp.Drop) -> None:
    (table,) = statement.find_all(exp.Table)
    name = connection.stage_name(table.sql(dialect="snowflake"))
    connection.transaction.commit()
    connection.temporary_stages.remove(name)
    if not fakesnow_patches.drop_stage(connection.duck, name) and not statement.args.get("exists"):
        raise SnowflakeError(
            2003, "02000", f"SQL compilation error: Stage '{name}' does not exist or not authorized."
        )
