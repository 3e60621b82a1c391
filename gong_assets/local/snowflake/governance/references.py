"""The tables that a statement reads and writes."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp


def target(statement: exp.Expression) -> exp.Table | None:
    """Return the table that a statement writes, creates or drops."""
    if isinstance(statement, exp.TruncateTable):
        return statement.expressions[0] if statement.expressions else None
    if isinstance(statement, exp.Drop) and statement.args.get("tables"):
        (dropped,) = statement.args["tables"]  # Snowflake drops one object at a time.
        return dropped if isinstance(dropped, exp.Table) else None
    if not isinstance(
        statement,
        (
            exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Copy, exp.Create, exp.Drop, exp.Alter,
            exp.Comment,
        ),
    ):  # fmt: skip
        return None
    found = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    if isinstance(found, exp.Column) and isinstance(statement, exp.Comment):
        parts = [part.copy() for part in found.parts[:-1]]
        return exp.Table(**dict(zip(("this", "db", "catalog"), reversed(parts), strict=False)))
    return found if isinstance(found, exp.Table) else None


def read_tables(statement: exp.Expression) -> Iterator[exp.Table]:
    """Yield the references to tables and views that a statement reads, without those to its CTEs."""
    written = target(statement)
    for table in list(statement.find_all(exp.Table)):
        if table is written or not isinstance(table.this, exp.Identifier):
            continue  # A stage or a table function.
        if table.db or not _is_cte(table):
            yield table


def _is_cte(table: exp.Table) -> bool:
    """Return whether the name is that of a CTE that is visible at this place.

    Elsewhere in the statement the same name may be a table. A CTE sees those before it in its own WITH, and
    itself if it is recursive: on the right of its UNION only. Elsewhere in it DuckDB reads the table.
    """
    name = folded(table.this)
    child: exp.Expression = table
    inside: exp.CTE | None = None
    sides: dict[int, exp.Expression] = {}  # the operand of each UNION that the name is in
    parent = table.parent
    while parent is not None:
        if isinstance(child, exp.CTE) and isinstance(parent, exp.With):
            inside = child
        elif isinstance(parent, exp.Union):
            sides[id(parent)] = child
        clause = parent if isinstance(parent, exp.With) else parent.args.get("with_")
        if isinstance(clause, exp.With):
            for cte in clause.expressions:
                if cte is inside:
                    union = cte.this
                    is_recursive = isinstance(union, exp.Union) and sides.get(id(union)) is union.expression
                    if clause.recursive and is_recursive and folded_alias(cte) == name:
                        return True
                    break
                if folded_alias(cte) == name:
                    return True
        if not isinstance(parent, exp.With):
            inside = None
        child, parent = parent, parent.parent
    return False


def folded(identifier: exp.Expression) -> str:
    """Return a name in the case in which it is stored."""
    quoted = isinstance(identifier, exp.Identifier) and identifier.quoted
    return str(identifier.name if quoted else identifier.name.upper())


def folded_alias(node: exp.Expression) -> str:
    alias = node.args.get("alias")
    return folded(alias.this) if isinstance(alias, exp.TableAlias) and alias.this else str(node.alias).upper()
