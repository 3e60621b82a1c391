"""Masking and row access policies, applied to a statement before DuckDB runs it.

A table with policies is replaced by a subquery: a masked column by the expression of its policy, and a row
access policy as its WHERE. A view is replaced by its own query if a policy applies within it. The active
roles are constants of a session, so most conditions are decided here, and a table that a role sees unmasked
stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.simplify import simplify

from gong_assets.local.snowflake.governance import references
from gong_assets.local.snowflake.governance.scope import Scope

_ROW = "_governed"
# Types of DuckDB that store several of Snowflake's.
_STORED: Mapping[str, tuple[str, ...]] = {
    "JSON": ("VARIANT", "ARRAY", "OBJECT"),
    "VARCHAR": ("VARCHAR",),
    "BOOLEAN": ("BOOLEAN",),
    "DATE": ("DATE",),
    "DOUBLE": ("FLOAT",),
    "FLOAT": ("FLOAT",),
    "TIMESTAMP": ("TIMESTAMP_NTZ", "TIMESTAMP", "DATETIME"),
    "TIMESTAMP WITH TIME ZONE": ("TIMESTAMP_TZ", "TIMESTAMP_LTZ"),
    "BLOB": ("BINARY",),
}
_NUMBERS = ("BIGINT", "INTEGER", "HUGEINT", "SMALLINT", "TINYINT")


@dataclass(frozen=True)
class Catalog:
    """What the rewrite reads from DuckDB.

    Attributes:
        columns: the columns of a relation, with their types in DuckDB.
        view_sql: the CREATE VIEW statement of a view, in DuckDB's dialect.
        to_duckdb: translates a query in Snowflake's dialect.
    """

    columns: Callable[[str], list[tuple[str, str]]]
    view_sql: Callable[[str], str]
    to_duckdb: Callable[[exp.Expression], exp.Expression]


class PolicyRewrite:
    """Applies the policies of a session to one statement."""

    def __init__(self, scope: Scope, catalog: Catalog) -> None:
        self._scope = scope
        self._governance = scope.governance
        self._catalog = catalog
        self._roles = scope.roles

    def apply(self, statement: exp.Expression) -> exp.Expression:
        """Return the statement, in DuckDB's dialect, with all policies applied.

        Raises:
            NotImplementedError: it changes or clones a table that has policies for the session.
        """
        if isinstance(statement, exp.Create) and str(statement.args.get("kind")).upper() == "VIEW":
            return statement  # Its policies apply when it is queried.
        written = references.target(statement)
        if written is not None and not isinstance(statement, (exp.Create, exp.Insert, exp.Copy, exp.Drop)):
            self._refuse(written)
        if isinstance(statement, exp.Create) and (clone := statement.args.get("clone")):
            self._refuse(clone.this)
        if self._protect(statement, self._scope.identity.role, (self._scope.database, self._scope.schema)):
            for column in statement.find_all(exp.Column):
                column.set("db", None)
                column.set("catalog", None)
        return statement

    def _refuse(self, table: exp.Table) -> None:
        name = self._name(table, (self._scope.database, self._scope.schema))
        if name and self._governed(name, self._scope.identity.role) is not None:
            raise NotImplementedError(f"a change of {name}, which has policies for this role")

    def _protect(self, query: exp.Expression, invoker: str, place: tuple[str | None, str | None]) -> bool:
        """Replace the governed tables that a query reads, in place, and return whether there are any."""
        changed = False
        for table in list(references.read_tables(query)):
            name = self._name(table, place)
            replacement = self._governed(name, invoker) if name else None
            if replacement is None:
                continue
            alias = table.args.get("alias") or exp.TableAlias(this=table.this.copy())
            subquery = exp.Subquery(this=replacement, alias=alias.copy())
            for clause in ("joins", "laterals", "pivots", "sample"):
                if value := table.args.get(clause):
                    subquery.set(clause, value)
            table.replace(subquery)
            changed = True
        return changed

    def _name(self, table: exp.Table, place: tuple[str | None, str | None]) -> str | None:
        if table.catalog == "temp":
            return None
        parts = [references.folded(part) for part in table.parts]
        qualified = [*place[: 3 - len(parts)], *parts] if len(parts) < 3 else parts
        if None in qualified:
            return None
        name = ".".join(map(str, qualified))
        return name if self._scope.kind_of(name) else None

    def _governed(self, name: str, invoker: str) -> exp.Expression | None:
        """Return the query that replaces a table or view, or None if no policy applies to it.

        https://docs.snowflake.com/en/sql-reference/functions/invoker_role: in the policy of a table that a
        view reads, INVOKER_ROLE is the owner of the view.
        """
        source = self._view_query(name) if self._scope.kind_of(name) == "VIEW" else None
        own = self._own_policies(name, invoker)
        if source is None and own is None:
            return None
        masks, condition = own or ({}, None)
        table = exp.Subquery(this=source) if source is not None else _table(name)
        table.set("alias", exp.TableAlias(this=exp.to_identifier(_ROW, quoted=True)))
        replaced = [
            exp.alias_(mask, column, quoted=True, copy=False) for column, mask in sorted(masks.items())
        ]
        star = exp.Star(replace=replaced) if replaced else exp.Star()
        query = exp.Select(expressions=[star]).from_(table, copy=False)
        return query.where(condition, copy=False) if condition is not None else query

    def _view_query(self, name: str) -> exp.Expression | None:
        """Return the query of a view with the policies of what it reads, or None if there are none."""
        created = _parsed(self._catalog.view_sql(name)).copy()
        query = created.expression
        database, schema, _ = name.split(".")
        if not self._protect(query, self._governance.owner("VIEW", name), (database, schema)):
            return None
        for column in query.find_all(exp.Column):
            column.set("db", None)
            column.set("catalog", None)
        # What stays a table of the view is looked up in the view's database, not in the session's.
        for table in references.read_tables(query):
            if not table.catalog:
                table.set("catalog", exp.to_identifier(database, quoted=True))
                table.set("db", table.args.get("db") or exp.to_identifier(schema, quoted=True))
        names = [exp.to_identifier(column, quoted=True) for column, _ in self._catalog.columns(name)]
        inner = exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier("_view"), columns=names))
        return exp.Select(expressions=[exp.Star()]).from_(inner, copy=False)

    def _own_policies(
        self, name: str, invoker: str
    ) -> tuple[dict[str, exp.Expression], exp.Expression | None] | None:
        """Return the masks by column and the condition of rows, or None if there are neither."""
        masks = {}
        for column, stored in self._catalog.columns(name):
            policy = self._governance.masking_policy(name, column, _snowflake_types(stored))
            if policy is None:
                continue
            definition = self._governance.of_kind("MASKING POLICY")[policy]
            tags = self._governance.tags_of_column(name, column)
            expression = self._expression(definition, [column], invoker, tags)
            if not (isinstance(expression, exp.Column) and expression.table == _ROW):
                masks[column] = self._translated(expression, stored)
        attached = self._governance.attachments.get(name)
        condition = None
        if attached and attached.row_access:
            policy, columns = attached.row_access
            definition = self._governance.of_kind("ROW ACCESS POLICY")[policy]
            condition = self._expression(definition, columns, invoker, {})
            condition = None if condition == exp.true() else self._translated(condition, None)
        return (masks, condition) if masks or condition is not None else None

    def _expression(
        self, definition: Mapping[str, object], columns: list[str], invoker: str, tags: Mapping[str, str]
    ) -> exp.Expression:
        """Return the body of a policy with its arguments and the session's roles, simplified."""
        arguments: list[list[str]] = definition["arguments"]  # type: ignore[assignment]
        values = {argument: column for (argument, _), column in zip(arguments, columns, strict=True)}

        def bind(node: exp.Expression) -> exp.Expression:
            if isinstance(node, exp.Column) and not node.table:
                column = values.get(references.folded(node.this))
                return exp.column(column, _ROW, quoted=True) if column else node
            return self._session_value(node, invoker, tags)

        body = sqlglot.parse_one(str(definition["body"]), read="snowflake")
        return simplify(body.transform(bind), dialect="snowflake")

    def _session_value(self, node: exp.Expression, invoker: str, tags: Mapping[str, str]) -> exp.Expression:
        if isinstance(node, exp.CurrentRole):
            return exp.Literal.string(self._scope.identity.role)
        if isinstance(node, exp.Anonymous):
            function, argument = node.name.upper(), node.expressions[0].name if node.expressions else ""
            if function == "INVOKER_ROLE":
                return exp.Literal.string(invoker)
            if function == "IS_ROLE_IN_SESSION":
                return exp.Boolean(this=argument in self._roles)
            if function == "SYSTEM$GET_TAG_ON_CURRENT_COLUMN":
                tag = self._scope.full_name("TAG", argument.upper().split("."))
                return exp.Literal.string(tags[tag]) if tag in tags else exp.null()
        return node

    def _translated(self, expression: exp.Expression, stored: str | None) -> exp.Expression:
        """Return an expression in DuckDB's dialect, with the type of the column that it replaces."""
        query = self._catalog.to_duckdb(exp.Select(expressions=[exp.alias_(expression, "VALUE")]))
        translated: exp.Expression = query.expressions[0].unalias()
        if stored is None:
            return translated
        return exp.Cast(this=translated, to=exp.DataType.build(stored, dialect="duckdb"))


def _table(name: str) -> exp.Table:
    database, schema, table = (exp.to_identifier(part, quoted=True) for part in name.split("."))
    return exp.Table(this=table, db=schema, catalog=database)


@lru_cache(maxsize=200)
def _parsed(sql: str) -> exp.Expression:
    return sqlglot.parse_one(sql, read="duckdb")


def _snowflake_types(stored: str) -> tuple[str, ...]:
    """Return the types of Snowflake that are stored as this type of DuckDB."""
    if stored in _NUMBERS or stored.startswith("DECIMAL"):
        return ("NUMBER",)
    return _STORED.get(stored, (stored,))
