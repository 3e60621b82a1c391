"""FLATTEN and SPLIT_TO_TABLE, the table functions that turn a value into rows.

Each call becomes an UNNEST in the select list of a lateral subquery. DuckDB streams this form; others become
a join of every row with itself.
"""

from __future__ import annotations

from sqlglot import exp

from gong_assets.local.snowflake.sql import macros

_FLATTEN_COLUMNS = ("KEY", "PATH", "INDEX", "VALUE")


def table_function(node: exp.Lateral | exp.TableFromRows) -> exp.Expression:
    """Return the subquery for FLATTEN or SPLIT_TO_TABLE, or the node itself for another table function."""
    called = node.this
    if isinstance(called, exp.Explode):
        return _flatten(node, _arguments(called))
    if isinstance(called, exp.SplitToTable):
        rows = macros.call("_split_rows", called.this.copy(), called.expression.copy())
        return _subquery(node, exp.select(_unnest(rows)), ["INDEX", "VALUE"])
    return node


def _flatten(node: exp.Expression, arguments: dict[str, exp.Expression]) -> exp.Expression:
    """Return the subquery for FLATTEN.

    SEQ and THIS are included only if the query uses them, because THIS copies the input to each row.
    """
    source = _input(arguments)
    outer = _is_true(arguments.get("OUTER"))
    join = node.parent
    if isinstance(join, exp.Join) and join.side == "LEFT" and _is_true(join.args.get("on")):
        # LEFT JOIN LATERAL FLATTEN(...) ON TRUE is the same as OUTER => TRUE, which streams.
        outer = True
        join.set("side", None)
        join.set("on", None)
    path = exp.Literal.string(arguments["PATH"].name if "PATH" in arguments else "")
    select = exp.select(_unnest(macros.call("_flatten_outer_at" if outer else "_flatten_at", source, path)))
    columns = list(_FLATTEN_COLUMNS)
    used = {column.name.upper() for column in node.root().find_all(exp.Column)}
    if "THIS" in used:
        select = select.select(source.copy())
        columns.append("THIS")
    if "SEQ" in used:
        select = select.select(exp.Anonymous(this="HASH", expressions=[source.copy()]))
        columns.append("SEQ")
    return _subquery(node, select, columns)


def _unnest(rows: exp.Expression) -> exp.Expression:
    # sqlglot generates DuckDB's := for named arguments from PropertyEQ.
    depth = exp.PropertyEQ(this=exp.to_identifier("max_depth"), expression=exp.Literal.number(2))
    return exp.Anonymous(this="UNNEST", expressions=[rows, depth])


def _subquery(node: exp.Expression, select: exp.Select, columns: list[str]) -> exp.Subquery:
    alias = node.args.get("alias")
    name = alias.this.copy() if alias and alias.this else exp.to_identifier("_ROWS")
    named = [exp.to_identifier(column, quoted=True) for column in columns]
    return exp.Subquery(this=select, alias=exp.TableAlias(this=name, columns=named))


def _arguments(explode: exp.Explode) -> dict[str, exp.Expression]:
    arguments = {}
    for argument in (explode.this, *explode.expressions):
        if isinstance(argument, exp.Kwarg):
            arguments[argument.this.name.upper()] = argument.expression
        else:
            arguments["INPUT"] = argument
    return arguments


def _input(arguments: dict[str, exp.Expression]) -> exp.Expression:
    if _is_true(arguments.get("RECURSIVE")):
        raise NotImplementedError("FLATTEN with RECURSIVE")
    source = exp.Anonymous(this="TO_JSON", expressions=[arguments["INPUT"].copy()])
    if path := arguments.get("PATH"):
        json_path = exp.Literal.string(f"$.{path.name}" if path.name else "$")
        return exp.Anonymous(this="JSON_EXTRACT", expressions=[source, json_path])
    return source


def _is_true(node: exp.Expression | None) -> bool:
    return isinstance(node, exp.Boolean) and bool(node.this)
