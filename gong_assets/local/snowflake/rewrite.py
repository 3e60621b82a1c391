"""Snowflake SQL that fakesnow does not know, or gets wrong, in terms that it and DuckDB understand.

Each rewrite is one function from a node of the syntax tree to its replacement. They run before fakesnow's own;
none of them looks at data or at a session.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import duckdb
from sqlglot import exp

from gong_assets.local.snowflake import aggregates, cortex_calls, variant, vector
from gong_assets.local.snowflake.flatten import table_function

# AI functions that sqlglot parses into nodes of their own.
_AI_NODES = (exp.AIEmbed, exp.AIClassify, exp.AIAgg, exp.AISummarizeAgg, exp.AISimilarity)

# Answered from the session's DuckDB variables, so that a view answers for the session that reads it.
_SESSION_FUNCTIONS: dict[type[exp.Expression], str] = {
    exp.CurrentRole: "current_role",
    exp.CurrentWarehouse: "current_warehouse",
    exp.CurrentAccount: "current_account",
    exp.CurrentUser: "current_user",
    exp.CurrentRegion: "current_region",
    exp.CurrentSession: "current_session",
}


def rewrite(statement: exp.Expression) -> exp.Expression:
    """``statement`` with every rewrite applied; raises SnowflakeError for what Snowflake refuses too."""
    for types, replace in _REWRITES:
        # Innermost first, so that a rewritten call may be the argument of another one.
        for node in reversed(list(statement.find_all(*types))):
            replacement = replace(node)
            if replacement is node:
                continue
            if node is statement:
                statement = replacement
            else:
                node.replace(replacement)
    return statement


def _merge_source_columns(node: exp.Merge) -> exp.Expression:
    """Values that MERGE inserts are columns of the source, even where the target has one of that name too."""
    source = node.args["using"].alias_or_name
    for insert in node.find_all(exp.Insert):
        for column in insert.expression.find_all(exp.Column):
            if not column.table:
                column.set("table", exp.to_identifier(source))
    return node


def _reserved_name(node: exp.Identifier) -> exp.Expression:
    """A name that only DuckDB reserves (AT, SUMMARIZE), quoted in the case that Snowflake gives it."""
    if node.quoted or node.name.lower() not in _duckdb_keywords():
        return node
    return exp.to_identifier(node.name.upper(), quoted=True)


@cache
def _duckdb_keywords() -> frozenset[str]:
    with duckdb.connect(":memory:") as duck:
        rows = duck.execute(
            "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
        ).fetchall()
    # DEFAULT in a list of values is a name to sqlglot and a keyword to both.
    return frozenset(name for (name,) in rows) - {"default"}


def _session_function(node: exp.Expression) -> exp.Expression:
    # A session without a warehouse has NULL for it.
    variable = _variable(_SESSION_FUNCTIONS[type(node)])
    return exp.Nullif(this=variable, expression=exp.Literal.string(""))


def _variable(name: str) -> exp.Expression:
    return exp.Anonymous(this="getvariable", expressions=[exp.Literal.string(name)])


def _anonymous_function(node: exp.Anonymous) -> exp.Expression:
    name = node.name.upper()
    if name.startswith("AI_") and not isinstance(node.parent, exp.Dot):
        return cortex_calls.call(name, node.expressions)
    if name == "LAST_QUERY_ID":
        return _variable("last_query_id")
    return node


def _ai_function(node: exp.Expression) -> exp.Expression:
    arguments = [node.this, *node.expressions, node.args.get("categories"), node.args.get("expression")]
    return cortex_calls.call(node.sql_name(), [argument for argument in arguments if argument is not None])


def _cortex_schema_function(node: exp.Dot) -> exp.Expression:
    if node.this.sql(dialect="snowflake").upper() != "SNOWFLAKE.CORTEX" or isinstance(node.parent, exp.Dot):
        return node
    called = node.expression
    arguments = called.expressions if isinstance(called, exp.Anonymous) else list(called.iter_expressions())
    return cortex_calls.call(
        called.name if isinstance(called, exp.Anonymous) else called.sql_name(), arguments
    )


def _vector_type(node: exp.DataType) -> exp.Expression:
    return vector.data_type(node) if node.this == exp.DataType.Type.VECTOR else node


def _without_keys(node: exp.Create) -> exp.Expression:
    """Primary, unique and foreign keys are accepted and not enforced, as on Snowflake's standard tables."""
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


def _limited_texts(node: exp.Create) -> exp.Expression:
    """A column of type VARCHAR(n) takes no longer text: DuckDB reads over the length."""
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


_REWRITES: tuple[tuple[tuple[type[exp.Expression], ...], Callable[..., exp.Expression]], ...] = (
    ((exp.Array,), variant.array),
    ((exp.Dot,), _cortex_schema_function),
    (_AI_NODES, _ai_function),
    ((exp.Anonymous,), _anonymous_function),
    (tuple(_SESSION_FUNCTIONS), _session_function),
    (vector.FUNCTIONS, vector.function),
    ((exp.DataType,), _vector_type),
    *variant.REWRITES,
    (aggregates.NODES, aggregates.aggregate),
    ((exp.Lateral, exp.TableFromRows), table_function),
    ((exp.Create,), _without_keys),
    ((exp.Create,), _limited_texts),
    ((exp.Merge,), _merge_source_columns),
    ((exp.Identifier,), _reserved_name),
)
