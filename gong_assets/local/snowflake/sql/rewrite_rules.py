"""Rewrites of Snowflake SQL that fakesnow does not support or translates incorrectly.

Each rewrite maps a node of the syntax tree to a replacement that fakesnow and DuckDB understand. Rewrites run
before fakesnow's own and depend neither on data nor on the session.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import duckdb
from sqlglot import exp

from gong_assets.local.snowflake.sql import (
    aggregates,
    dates,
    lambdas,
    macros,
    numbers,
    recursion,
    table_functions,
    variant,
    variant_contexts,
    vector,
)
from gong_assets.local.snowflake.sql.rewriter import Rewrite, apply_rewrites

# DuckDB variables of the session hold these values, so that a view returns those of the session that queries
# it.
_SESSION_FUNCTIONS: dict[type[exp.Expression], str] = {
    exp.CurrentRole: "current_role",
    exp.CurrentWarehouse: "current_warehouse",
    exp.CurrentAccount: "current_account",
    exp.CurrentUser: "current_user",
    exp.CurrentRegion: "current_region",
    exp.CurrentSession: "current_session",
}

_CHARACTER_TYPES = (exp.DataType.Type.CHAR, exp.DataType.Type.NCHAR, exp.DataType.Type.NVARCHAR)


def rewrite(statement: exp.Expression, cortex_calls: Iterable[Rewrite]) -> exp.Expression:
    """Apply all rewrites to a statement; raises SnowflakeError for SQL that Snowflake rejects.

    Array literals come first: the rewrites of Cortex calls build DuckDB lists that must not be rewritten to
    JSON.
    """
    return apply_rewrites(statement, (_ARRAY_LITERALS, *cortex_calls, *_REWRITES))


def _merge_source_columns(node: exp.Merge) -> exp.Expression:
    """Qualify the values that MERGE inserts with the source: the target may have columns of the same name.

    A table with an alias becomes a subquery, because fakesnow looks for columns with the name of the table.
    """
    using = node.args["using"]
    source = using.alias_or_name
    if isinstance(using, exp.Table) and using.alias:
        table = using.copy()
        table.set("alias", None)
        using.replace(exp.Subquery(this=exp.select("*").from_(table), alias=using.args["alias"].copy()))
    for insert in node.find_all(exp.Insert):
        for column in insert.expression.find_all(exp.Column):
            if not column.table:
                column.set("table", exp.to_identifier(source))
    return node


def _reserved_name(node: exp.Identifier) -> exp.Expression:
    """Quote a name that only DuckDB reserves (AT, SUMMARIZE), in the upper case that Snowflake stores."""
    if node.quoted or node.name.lower() not in _duckdb_keywords():
        return node
    return exp.to_identifier(node.name.upper(), quoted=True)


@cache
def _duckdb_keywords() -> frozenset[str]:
    with duckdb.connect(":memory:") as duck:
        rows = duck.execute(
            "SELECT keyword_name FROM duckdb_keywords()"
            " WHERE keyword_category IN ('reserved', 'type_function')"
        ).fetchall()
    # In a VALUES list sqlglot parses DEFAULT as a name, but it is a keyword in both dialects.
    return frozenset(name for (name,) in rows) - {"default"}


def _session_function(node: exp.Expression) -> exp.Expression:
    # DuckDB variables store an unset value as an empty string; Snowflake returns NULL.
    variable = macros.duckdb_variable(_SESSION_FUNCTIONS[type(node)])
    return exp.Nullif(this=variable, expression=exp.Literal.string(""))


def _last_query_id(node: exp.Anonymous) -> exp.Expression:
    return macros.duckdb_variable("last_query_id") if node.name.upper() == "LAST_QUERY_ID" else node


def _data_type(node: exp.DataType) -> exp.Expression:
    """Return the type of a vector, and VARCHAR for its synonyms. CHAR without a length has one character."""
    if node.this == exp.DataType.Type.VECTOR:
        return vector.data_type(node)
    if node.this not in _CHARACTER_TYPES:
        return node
    sizes = [size.copy() for size in node.expressions]
    if not sizes and node.this != exp.DataType.Type.NVARCHAR:
        sizes = [exp.DataTypeParam(this=exp.Literal.number(1))]
    return exp.DataType(this=exp.DataType.Type.VARCHAR, expressions=sizes)


def _remove_keys(node: exp.Create) -> exp.Expression:
    """Remove primary, unique and foreign keys: Snowflake does not enforce them on standard tables either."""
    schema = node.this
    if not isinstance(schema, exp.Schema):
        return node
    keys = (exp.PrimaryKey, exp.ForeignKey, exp.UniqueColumnConstraint, exp.Constraint)
    schema.set("expressions", [item for item in schema.expressions if not isinstance(item, keys)])
    column_keys = (exp.PrimaryKeyColumnConstraint, exp.UniqueColumnConstraint, exp.Reference)
    for column in schema.find_all(exp.ColumnDef):
        kept = [c for c in column.constraints if not isinstance(c.args.get("kind"), column_keys)]
        column.set("constraints", kept)
    return node


def _enforce_text_length(node: exp.Create) -> exp.Expression:
    """Add a CHECK constraint to VARCHAR(n) columns, because DuckDB ignores the length."""
    if not isinstance(node.this, exp.Schema):
        return node
    for column in node.this.find_all(exp.ColumnDef):
        kind = column.kind
        size = kind.find(exp.DataTypeParam) if kind and kind.is_type(*exp.DataType.TEXT_TYPES) else None
        if size is not None:
            length = exp.Length(this=exp.Column(this=column.this.copy()))
            check = exp.CheckColumnConstraint(this=exp.LTE(this=length, expression=size.this.copy()))
            column.append("constraints", exp.ColumnConstraint(kind=check))
    return node


_ARRAY_LITERALS = Rewrite((exp.Array,), variant.array)
_REWRITES = (
    Rewrite((exp.Anonymous,), _last_query_id),
    Rewrite(tuple(_SESSION_FUNCTIONS), _session_function),
    Rewrite(vector.FUNCTIONS, vector.function),
    Rewrite((exp.DataType,), _data_type),
    # Lambdas come before casts and paths, whose operands they check.
    *lambdas.REWRITES,
    *numbers.REWRITES,
    *dates.REWRITES,
    # VARIANTs become casts before casts are rewritten.
    *variant_contexts.REWRITES,
    *variant.REWRITES,
    Rewrite(aggregates.NODES, aggregates.aggregate),
    Rewrite((exp.Lateral, exp.TableFromRows), table_functions.table_function),
    Rewrite((exp.With,), recursion.limit_recursion),
    Rewrite((exp.Create,), _remove_keys),
    Rewrite((exp.Create,), _enforce_text_length),
    Rewrite((exp.Merge,), _merge_source_columns),
    Rewrite((exp.Identifier,), _reserved_name),
)
