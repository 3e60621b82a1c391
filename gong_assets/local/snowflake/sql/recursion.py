"""The limit of recursive queries, which Snowflake stops after 100 iterations with error 100189.

https://docs.snowflake.com/en/user-guide/queries-cte

A recursive CTE becomes one that counts its iterations in a further column, and a CTE of the original name
without that column.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

MAX_ITERATIONS = 100
MESSAGE = f"Recursion exceeded max iteration count ({MAX_ITERATIONS})"

_COUNTER = "_ITERATION"


def limit_recursion(node: exp.With) -> exp.Expression:
    """Let each recursive CTE fail if it needs more than MAX_ITERATIONS. The word RECURSIVE is optional."""
    for cte in list(node.expressions):
        if isinstance(cte.this, exp.Union) and any(_references(leaf, cte) for leaf in _leaves(cte.this)):
            node.set("recursive", True)
            node.set("expressions", [each for other in node.expressions for each in _counted(other, cte)])
    return node


def _counted(other: exp.CTE, recursive: exp.CTE) -> list[exp.CTE]:
    """Return the two CTEs that replace the recursive one; any other CTE is returned alone."""
    if other is not recursive:
        return [other]
    name = recursive.args["alias"].this
    stored = exp.to_identifier(f"_RECURSIVE_{name.name if name.quoted else name.name.upper()}", quoted=True)
    for leaf in _leaves(recursive.this):
        references = list(_references(leaf, recursive))
        for table in references:
            if not table.alias:
                table.set("alias", exp.TableAlias(this=name.copy()))
            table.set("this", stored.copy())
        _add_counter(leaf, references[0].args["alias"].this if references else None)
    counted = exp.CTE(this=recursive.this, alias=recursive.args["alias"].copy())
    counted.args["alias"].set("this", stored.copy())
    if columns := counted.args["alias"].columns:
        counted.args["alias"].set("columns", [*columns, _counter()])
    without = exp.select(exp.Star(except_=[_counter()])).from_(exp.Table(this=stored.copy()))
    return [counted, exp.CTE(this=without, alias=exp.TableAlias(this=name.copy()))]


def _add_counter(select: exp.Select, previous: exp.Identifier | None) -> None:
    """Add the number of the iteration to the columns; the anchor has no previous iteration."""
    if previous is None:
        select.append("expressions", exp.alias_(exp.Literal.number(0), _counter()))
        return
    for item in select.expressions:
        star = item.this if isinstance(item, exp.Column) else item
        if isinstance(star, exp.Star) and (star is item or item.table.upper() == previous.name.upper()):
            star.set("except_", [*(star.args.get("except_") or []), _counter()])
    last = exp.column(_counter(), table=previous.copy())
    error = exp.Anonymous(this="ERROR", expressions=[exp.Literal.string(MESSAGE)])
    following = exp.Add(this=last.copy(), expression=exp.Literal.number(1))
    limit = exp.GTE(this=last, expression=exp.Literal.number(MAX_ITERATIONS))
    select.append("expressions", exp.alias_(exp.case().when(limit, error).else_(following), _counter()))


def _leaves(query: exp.Expression) -> Iterator[exp.Select]:
    """Yield the SELECTs of a UNION ALL from left to right."""
    if isinstance(query, exp.Union):
        yield from _leaves(query.left)
        yield from _leaves(query.right)
    elif isinstance(query.unnest(), exp.Select):
        yield query.unnest()


def _references(select: exp.Select, cte: exp.CTE) -> Iterator[exp.Table]:
    name = cte.alias_or_name.upper()
    for table in select.find_all(exp.Table):
        if not table.db and table.name.upper() == name:
            yield table


def _counter() -> exp.Identifier:
    return exp.to_identifier(_COUNTER, quoted=True)
