"""Translation of a Snowflake statement into a syntax tree that fakesnow and DuckDB can run."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from gong_assets.local.snowflake.cortex import call_translation
from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.sql.column_names import name_columns
from gong_assets.local.snowflake.sql.rewrite_rules import rewrite
from gong_assets.local.snowflake.sql.statements import parse_statement, require_supported
from gong_assets.local.snowflake.sql.unsupported_sql import reject_unsupported


def translate(sql: str, session_variables: Mapping[str, exp.Expression]) -> exp.Expression:
    """Parse and rewrite a statement; raises SnowflakeError for SQL that Snowflake rejects."""
    statement = parse_statement(sql)
    require_supported(sql, statement)
    reject_unsupported(sql, statement)
    name_columns(sql, statement)
    if _substitute_variables(statement, session_variables):
        require_supported(sql, statement)  # A value may be in the place of a table.
    return rewrite(statement, call_translation.REWRITES)


def _substitute_variables(statement: exp.Expression, session_variables: Mapping[str, exp.Expression]) -> bool:
    """Replace session variables by their values, and return whether there were any."""
    substituted = False
    for parameter in list(statement.find_all(exp.Parameter)):
        # $1 is a column of a staged file.
        if isinstance(parameter.this, exp.Var):
            name = parameter.this.name.upper()
            if name not in session_variables:
                raise SnowflakeError(2211, "02000", f"Session variable '${name}' does not exist")
            parameter.replace(session_variables[name].copy())
            substituted = True
    return substituted
