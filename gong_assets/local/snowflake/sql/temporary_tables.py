"""The temporary tables and views of a session.

On Snowflake a temporary table belongs to a schema and hides a permanent table of the same name there. DuckDB
has one namespace for all temporary tables of a connection, so names are mapped between the two.
"""

from __future__ import annotations

from sqlglot import exp

FullName = tuple[str | None, str | None, str]


class TemporaryTables:
    """Registry of a session's temporary tables and views by their full Snowflake names."""

    def __init__(self) -> None:
        self._names: set[FullName] = set()

    def __bool__(self) -> bool:
        """Return whether the session has had a temporary table."""
        return bool(self._names)

    def resolve(self, statement: exp.Expression, database: str | None, schema: str | None) -> None:
        """Redirect references to temporary tables in ``statement`` to DuckDB's namespace, in place.

        Also registers a temporary table that ``statement`` creates and unregisters one that it drops.
        """
        if str(statement.args.get("kind")).upper() == "STAGE":
            return
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
            # For a new table fakesnow writes metadata to the catalog that the name contains, so it must
            # contain none.
            table.set("db", None if table is created else exp.to_identifier("main", quoted=True))
            table.set("catalog", None if table is created else exp.to_identifier("temp", quoted=True))


def _created(statement: exp.Expression) -> exp.Table | None:
    if not (isinstance(statement, exp.Create) and statement.find(exp.TemporaryProperty)):
        return None
    target = statement.this.this if isinstance(statement.this, exp.Schema) else statement.this
    return target if statement.kind in ("TABLE", "VIEW") and isinstance(target, exp.Table) else None


def full_name(table: exp.Table, database: str | None, schema: str | None) -> FullName:
    """Return the (database, schema, name) of ``table`` in their stored case."""

    def folded(part: exp.Expression | None) -> str | None:
        if not isinstance(part, exp.Identifier):
            return None
        return str(part.name if part.quoted else part.name.upper())

    return (
        folded(table.args.get("catalog")) or database,
        folded(table.args.get("db")) or schema,
        folded(table.this) or "",
    )
