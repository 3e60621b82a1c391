"""Statements about the session or the account instead of data.

Each either changes the session and answers with a status, or is accepted without effect (roles, grants,
warehouses, policies): this server enforces no privileges.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import sqlglot
from fakesnow.transforms import stage
from sqlglot import exp

from gong_assets.local.snowflake import fakesnow_patches
from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.locks import DEFAULT_LOCK_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from gong_assets.local.snowflake.session import Session

DONE = "SELECT 'Statement executed successfully.' AS \"status\""

_COMMENTS = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|//[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)

_ACCOUNT_OBJECTS = (
    r"(?:database\s+)?role|user|warehouse|network\s+(?:policy|rule)|resource\s+monitor|masking\s+policy|"
    r"row\s+access\s+policy|(?:storage|security|api|notification)\s+integration|(?:authentication|session)\s+policy"
)
_ACCOUNT_STATEMENT = re.compile(
    rf"(?:create|alter|drop|undrop)\s+(?:or\s+(?:replace|alter)\s+)?(?:{_ACCOUNT_OBJECTS})\b"
    r"|(?:grant|revoke)\s"
    r"|comment\s+(?:if\s+exists\s+)?on\s+(?:role|user|warehouse)\b"
    r"|alter\s+(?:table|view)\s.*\b(?:set|unset)\s+masking\s+policy\b"
    r"|alter\s+(?:table|view)\s.*\b(?:add|drop)\s+(?:all\s+)?row\s+access\s+polic(?:y|ies)\b"
    r"|alter\s+account\s",
    re.IGNORECASE | re.DOTALL,
)
_START_TRANSACTION = re.compile(r"start\s+transaction\b", re.IGNORECASE)
_UNSET = re.compile(r"unset\s+(\w+)\s*;?\s*\Z", re.IGNORECASE)
_REMOVE = re.compile(r"(?:remove|rm)\s+(?P<quote>'?)@(?P<path>\S+?)(?P=quote)\s*;?\s*\Z", re.IGNORECASE)
_SHOW_PARAMETERS = re.compile(r"show\s+parameters(?:\s+like\s+'(?P<like>(?:[^']|'')*)')?", re.IGNORECASE)
_SHOW_GRANTS = re.compile(r"show\s+(?:future\s+)?grants\b", re.IGNORECASE)

# The parameters that SHOW PARAMETERS lists, with their defaults; a session may set any other one too.
_DEFAULT_PARAMETERS: Mapping[str, str] = {
    "AUTOCOMMIT": "true",
    "LOCK_TIMEOUT": str(DEFAULT_LOCK_TIMEOUT_SECONDS),
    "QUERY_TAG": "",
    "QUOTED_IDENTIFIERS_IGNORE_CASE": "false",
    "TIMEZONE": "UTC",
}

_GRANT_COLUMNS = (
    "created_on",
    "privilege",
    "granted_on",
    "name",
    "granted_to",
    "grantee_name",
    "grant_option",
)


def answer_text(session: Session, sql: str) -> str | None:
    """The query that answers a command which sqlglot does not parse; None if ``sql`` is not one."""
    text = sql[_COMMENTS.match(sql).end() :]  # type: ignore[union-attr]  # the pattern matches an empty text too
    if _ACCOUNT_STATEMENT.match(text):
        return DONE
    if _START_TRANSACTION.match(text):
        session.transaction.begin()
        return DONE
    if unset := _UNSET.match(text):
        session.variables.pop(unset.group(1).upper(), None)
        return DONE
    if remove := _REMOVE.match(text):
        return _remove(session, remove.group("path"))
    if show := _SHOW_PARAMETERS.match(text):
        return _show_parameters(session, show.group("like"))
    if _SHOW_GRANTS.match(text):
        columns = ", ".join(f'NULL::VARCHAR AS "{name}"' for name in _GRANT_COLUMNS)
        return f"SELECT {columns} WHERE FALSE"
    return None


def answer_statement(session: Session, statement: exp.Expression) -> str | None:
    """The query that answers a parsed command; None for a statement about data."""
    match statement:
        case exp.Transaction():
            session.transaction.begin()
        case exp.Commit():
            session.transaction.commit()
        case exp.Rollback():
            session.transaction.rollback()
        case exp.Alter() if statement.args.get("kind") == "SESSION":
            _alter_session(session, statement)
        case exp.Set():
            _set_variables(session, statement)
        case exp.Use() if _kind(statement) in ("ROLE", "WAREHOUSE"):
            session.set_variable(f"current_{_kind(statement).lower()}", _identifier(statement.this))
        case exp.Use() if _kind(statement) == "SECONDARY ROLES":
            pass
        case exp.TruncateTable() if statement.args.get("exists"):
            if session.has_table(statement.expressions[0]):
                statement.set("exists", None)
                return None
        case exp.Drop() if _kind(statement) == "STAGE":
            _drop_stage(session, statement)
        case exp.Drop() if _kind(statement) == "DATABASE":
            session.drop_database(_identifier(statement), if_exists=bool(statement.args.get("exists")))
        case _:
            return None
    return DONE


def _kind(statement: exp.Expression) -> str:
    kind = statement.args.get("kind")
    return str(kind.name if isinstance(kind, exp.Expression) else kind or "").upper()


def _identifier(node: exp.Expression) -> str:
    identifier = node.find(exp.Identifier)
    quoted = identifier is not None and identifier.quoted
    name = str(identifier.name if identifier is not None else node.name)
    return name if quoted else name.upper()


def _alter_session(session: Session, statement: exp.Alter) -> None:
    change = statement.find(exp.AlterSession)
    if change is None:
        raise NotImplementedError(statement.sql(dialect="snowflake"))
    for item in change.expressions:
        if change.args.get("unset"):
            session.unset_parameter(item.name or item.this.name)
        else:
            session.set_parameter(item.this.this.name, _value(item.this.expression))


def _value(node: exp.Expression) -> str:
    if isinstance(node, exp.Boolean):
        return str(node.this).lower()
    return str(node.name or node.sql(dialect="snowflake"))


def _set_variables(session: Session, statement: exp.Set) -> None:
    for item in statement.expressions:
        session.variables[item.this.this.name.upper()] = item.this.expression


def _show_parameters(session: Session, like: str | None) -> str:
    rows = [
        (
            name,
            session.parameters.get(name, default),
            default,
            "SESSION" if name in session.parameters else "",
        )
        for name, default in sorted({**dict.fromkeys(session.parameters, ""), **_DEFAULT_PARAMETERS}.items())
    ]
    values = ", ".join(
        "(" + ", ".join(_literal(value) for value in (*row, "", "STRING")) + ")" for row in rows
    )
    columns = ("key", "value", "default", "level", "description", "type")
    selected = ", ".join(f'column{position} AS "{name}"' for position, name in enumerate(columns, 1))
    where = f" WHERE column1 ILIKE '{like}'" if like is not None else ""
    return f"SELECT {selected} FROM (VALUES {values}){where}"


def _literal(text: str) -> str:
    literal: str = exp.Literal.string(text).sql(dialect="snowflake")
    return literal


def _remove(session: Session, location: str) -> str:
    """REMOVE @stage/path: delete the staged files whose path starts so, and list them."""
    name, _, path = location.partition("/")
    full_name = session.stage_name(name)
    session.require_stage(full_name)
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


def _drop_stage(session: Session, statement: exp.Drop) -> None:
    (table,) = statement.find_all(exp.Table)
    name = session.stage_name(table.sql(dialect="snowflake"))
    session.transaction.commit()
    if not fakesnow_patches.drop_stage(session.duck, name) and not statement.args.get("exists"):
        raise SnowflakeError(
            2003, "02000", f"SQL compilation error: Stage '{name}' does not exist or not authorized."
        )


def parse_answer(sql: str) -> exp.Expression:
    """The parsed form of a query that a command answers with."""
    return sqlglot.parse_one(sql, read="snowflake")
