"""Which statements and functions the server runs at all.

DuckDB has statements and functions that read and write files, change its configuration or run SQL texts.
Snowflake has none of them, so they fail as they do there: as syntax errors and unknown functions.
"""

from __future__ import annotations

import itertools
import re
from contextlib import suppress

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.tokens import TokenType

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.sql.names import invalid_identifier, named_table, require_plain_name

_STATEMENTS = (
    exp.Query, exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Copy, exp.Put, exp.ListStage,
    exp.Create, exp.Alter, exp.Drop, exp.Comment, exp.TruncateTable, exp.Describe, exp.Show, exp.Use, exp.Set,
    exp.Transaction, exp.Commit, exp.Rollback,
)  # fmt: skip
_COMMANDS = {"ALTER", "SHOW"}  # of which sqlglot does not parse every form
# What fakesnow shows of those. DuckDB would describe a table.
_SHOWN = re.compile(r"\s*USER\s+FUNCTIONS\b", re.IGNORECASE)
_CREATED = {"TABLE", "VIEW", "SCHEMA", "DATABASE", "STAGE", "SEQUENCE", "FILE FORMAT", "INDEX"}
_TABLE_FUNCTIONS = {"RESULT_SCAN", "GENERATOR"}
# Objects whose names are parts of paths.
_DIRECTORIES = {"DATABASE", "SCHEMA", "STAGE"}
# Of DuckDB. A session variable of Snowflake has no scope.
_SCOPED_SET = re.compile(r"\bset\s+(global|session|local|persist)\s+\w", re.IGNORECASE)
# Scalar functions of DuckDB that read its configuration, variables or files.
_DUCKDB_FUNCTIONS = {"CURRENT_SETTING", "GETENV", "GETVARIABLE", "READ_CSV", "READ_PARQUET", "WRITE_LOG"}


def parse_statement(sql: str) -> exp.Expression:
    """Return the only statement of ``sql``; raises SnowflakeError if there is none, or more than one."""
    statements = [each for each in sqlglot.parse(sql, read="snowflake") if each is not None]
    if not statements:
        raise SnowflakeError(900, "42601", "SQL compilation error: Empty SQL statement.")
    if len(statements) > 1:
        raise _statement_count_error(len(statements))
    return statements[0]


def require_one_statement(sql: str) -> None:
    """Raise SnowflakeError for more than one statement, also if sqlglot cannot parse them."""
    if ";" not in sql.rstrip("; \t\r\n"):
        return
    separators = [
        token.token_type is TokenType.SEMICOLON for token in sqlglot.tokenize(sql, read="snowflake")
    ]
    count = sum(1 for is_separator, _ in itertools.groupby(separators) if not is_separator)
    if count > 1:
        raise _statement_count_error(count)


def _statement_count_error(count: int) -> SnowflakeError:
    return SnowflakeError(
        8, "0A000", f"Actual statement count {count} did not match the desired statement count 1."
    )


def require_supported(sql: str, statement: exp.Expression) -> None:
    """Raise SnowflakeError for a statement or function that is DuckDB's and not Snowflake's."""
    if isinstance(statement, exp.Command):
        is_known = _is_known_command(statement)
    else:
        is_known = isinstance(statement, _STATEMENTS)
    if not is_known or (isinstance(statement, exp.Set) and _SCOPED_SET.search(sql)):
        raise _syntax_error(sql)
    if not isinstance(statement, exp.Query):
        _require_names_without_quotes(statement)
    if isinstance(statement, exp.Copy):
        _require_load(statement)
    elif isinstance(statement, exp.Create | exp.Drop):
        _require_known_object(statement)
    for table in statement.find_all(exp.Table):
        if isinstance(table.this, exp.Literal) and not isinstance(statement, exp.Copy):
            raise _invalid_url(table.this.name)
    for function in statement.find_all(exp.Func):
        name = function.name if isinstance(function, exp.Anonymous) else function.sql_name()
        is_table_function = isinstance(function, exp.Anonymous) and isinstance(
            function.parent, exp.Table | exp.Lateral | exp.TableFromRows
        )
        is_unknown = is_table_function and name.upper() not in _TABLE_FUNCTIONS
        if is_unknown or name.upper() in _DUCKDB_FUNCTIONS:
            raise SnowflakeError(2140, "42601", f"SQL compilation error: Unknown function {name.upper()}")


def _is_known_command(command: exp.Command) -> bool:
    """Return whether fakesnow and DuckDB may have a statement that sqlglot did not parse.

    DuckDB has the text as it was written, in which other texts and comments end elsewhere than on Snowflake.
    Raises SnowflakeError if it is more than one statement there.
    """
    word = str(command.this).upper()
    if word == "SHOW":
        return _SHOWN.match(str(command.expression)) is not None
    if word not in _COMMANDS:
        return False
    with suppress(duckdb.Error):  # Then it fails as a whole, or fakesnow translates it.
        count = len(duckdb.extract_statements(command.sql(dialect="duckdb")))
        if count > 1:
            raise _statement_count_error(count)
    return True


def _require_names_without_quotes(statement: exp.Expression) -> None:
    """Raise SnowflakeError for an object or a new column whose name has an apostrophe.

    fakesnow puts these names into texts, and DuckDB runs all statements that are in one.
    """
    for node in statement.find_all(exp.Table, exp.ColumnDef, exp.Show):
        parts = node.parts if isinstance(node, exp.Table) else node.find_all(exp.Identifier)
        for part in parts:
            if "'" in part.name:
                raise invalid_identifier(part.name)


def _require_load(statement: exp.Copy) -> None:
    """Raise SnowflakeError unless COPY loads a table from a stage."""
    target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    if not statement.args.get("kind"):
        raise _syntax_error("COPY")
    if not (isinstance(target, exp.Table) and isinstance(target.this, exp.Identifier)):
        raise NotImplementedError("COPY INTO a location")
    for source in statement.args["files"]:
        if isinstance(source.this, exp.Literal):
            raise _invalid_url(source.this.name)


def _require_known_object(statement: exp.Create | exp.Drop) -> None:
    """Raise SnowflakeError for an object that is DuckDB's, has a name that is a path, or is elsewhere."""
    kind = str(statement.args.get("kind")).upper()
    if isinstance(statement, exp.Create) and kind not in _CREATED:
        raise NotImplementedError(f"CREATE {kind}")
    if kind in _DIRECTORIES:
        for table in statement.find_all(exp.Table):
            named = table.find(exp.DynamicIdentifier)
            for name in (named_table(named.name) if named else table).find_all(exp.Identifier):
                require_plain_name(name.name)
    for item in statement.find_all(exp.Property):
        if item.name.upper() == "URL":
            raise _invalid_url(item.args["value"].name)


def _syntax_error(sql: str) -> SnowflakeError:
    word = re.search(r"\w+", sql)
    return SnowflakeError(
        1003,
        "42000",
        "SQL compilation error: syntax error line 1 at position 0 unexpected "
        f"'{word.group().upper() if word else sql[:20]}'.",
    )


def _invalid_url(url: str) -> SnowflakeError:
    return SnowflakeError(1011, "42601", f"SQL compilation error: invalid URL prefix found in: '{url}'")
