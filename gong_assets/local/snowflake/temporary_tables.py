"""A session's temporary tables and views, by the full names that Snowflake gives them.

DuckDB has one namespace for the temporary tables of a connection; on Snowflake each belongs to a schema, and hides
a permanent table of that name there.
"""

from __future__ import annotations

from sqlglot import exp

FullName = tuple[str | None, str | None, str]


class TemporaryTables:
    """Which temporary tables and views a session has, and how statements that name them reach DuckDB's namespace."""

    def __init__(self) -> None:
        self._names: set[FullName] = set()

    def resolve(self, statement: exp.Expression, database: str | None, schema: str | None) -> None:
        """Point every mention of a temporary table in ``statement`` at DuckDB's namespace, in place.

        A temporary table that ``statement`` creates is known from now on, one that it drops is forgotten.
        """
        created = _created(statement)
        if created is not None:
            self._names.add(full_name(created, database, schema))
        ctes = {cte.alias_or_name.upper() for cte in statement.find_all(exp.CTE)}
        for table in list(statement.find_all(exp.Table)):
            name = full_name(table, database, schema)
            if name not in self._names or (not table.db and table.name.upper() in ctes):
                continue
            if isinstance(statement, exp.Drop):
                self._names.discard(name)
            # fakesnow looks for its bookkeeping in the catalog that a new table names.
            table.set("db", None if table is created else exp.to_identifier("main", quoted=True))
            table.set("catalog", None if table is created else exp.to_identifier("temp", quoted=True))


def _created(statement: exp.Expression) -> exp.Table | None:
    if not (isinstance(statement, exp.Create) and statement.find(exp.TemporaryProperty)):
        return None
    target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    return target if statement.kind in ("TABLE", "VIEW") and isinstance(target, exp.Table) else None


def full_name(table: exp.Table, database: str | None, schema: str | None) -> FullName:
    """The (database, schema, name) that ``table`` stands for, in the case in which they are stored."""

    def folded(part: exp.Expression | None) -> str | None:
        if not isinstance(part, exp.Identifier):
            return None
        return str(part.name if part.quoted else part.name.upper())

    return (
        folded(table.args.get("catalog")) or database,
        folded(table.args.get("db")) or schema,
        folded(table.this) or "",
    )
