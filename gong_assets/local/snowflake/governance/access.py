"""The privileges that a statement on tables, views and other objects of a schema needs.

https://docs.snowflake.com/en/user-guide/security-access-control-privileges. Each statement's page lists them
under "Access control requirements".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from gong_assets.local.snowflake.cortex.function_catalog import CORTEX_PREFIX
from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.governance import references
from gong_assets.local.snowflake.governance.scope import Scope
from gong_assets.local.snowflake.governance.state import ACCOUNTADMIN, does_not_exist, insufficient_privileges
from gong_assets.local.snowflake.governance.words import Words

# https://docs.snowflake.com/en/user-guide/snowflake-cortex/aisql#required-privileges
_CORTEX_ROLES = ("SNOWFLAKE.CORTEX_USER", "SNOWFLAKE.AI_FUNCTIONS_USER")
# Functions of DuckDB for those of Cortex that need no privilege.
_FREE_OF_CORTEX = f"{CORTEX_PREFIX}ai_count_tokens"


class AccessCheck:
    """Checks one statement of a session.

    Args:
        has_warehouse: whether the session has a warehouse that it may use.
    """

    def __init__(self, scope: Scope, *, has_warehouse: Callable[[], bool]) -> None:
        self._scope = scope
        self._governance = scope.governance
        self._roles = scope.roles
        self._primary = scope.governance.with_inherited([scope.identity.role])
        self._has_warehouse = has_warehouse

    def check(self, sql: str, statement: exp.Expression) -> None:
        """Raise SnowflakeError if the session lacks a privilege that the statement needs."""
        if isinstance(statement, exp.Use):
            self._use(statement)
            return
        if isinstance(statement, exp.Command):
            words = Words(sql)
            kind = words.take("ALTER") and words.take_one("TABLE", "VIEW", "SCHEMA", "DATABASE")
            if kind:
                words.take("IF", "EXISTS")
                self.own(kind, self._scope.full_name(kind, words.name()))
            return
        reads = list(references.read_tables(statement))
        for table in reads:
            # What SHOW names may be a schema, and what RENAME TO names does not exist yet.
            may_be_missing = isinstance(statement, exp.Show) or isinstance(table.parent, exp.AlterRename)
            self._relation(table, "SELECT", may_be_missing=may_be_missing)
        target = references.target(statement)
        # A schema is a table without a name of its own.
        if target is not None and all(isinstance(part, exp.Identifier) for part in target.parts):
            self._write(statement, target)
        if reads or isinstance(statement, (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Copy)):
            self._require_warehouse()
        self._cortex(statement)

    def _require_warehouse(self) -> None:
        if not self._has_warehouse():
            raise SnowflakeError(
                606, "57P03", "No active warehouse selected in the current session. Select an active "
                "warehouse with the 'use warehouse' command."
            )  # fmt: skip

    def _use(self, statement: exp.Use) -> None:
        kind = statement.args.get("kind")
        word = str(kind.name if isinstance(kind, exp.Expression) else kind or "").upper()
        table = statement.find(exp.Table)
        if word not in ("DATABASE", "SCHEMA", "") or table is None:
            return
        parts = [references.folded(part) for part in table.parts]
        if word == "DATABASE" or (word == "" and len(parts) == 1 and self._scope.has_container(parts[0])):
            self._container("DATABASE", parts[-1])
        else:
            self._schema(self._scope.full_name("SCHEMA", parts))

    def _full_name(self, table: exp.Table) -> str:
        return self._scope.full_name("TABLE", [references.folded(part) for part in table.parts])

    def _is_temporary(self, table: exp.Table) -> bool:
        return bool(table.catalog == "temp")

    def _relation(self, table: exp.Table, *privileges: str, may_be_missing: bool = False) -> None:
        """Raise SnowflakeError unless the session has the privileges on a table or view.

        DuckDB finds views of its own by names that no schema has.
        """
        if self._is_temporary(table):
            return
        name = self._full_name(table)
        database, schema, _ = name.split(".", 2)
        if database == "SNOWFLAKE" and schema != "INFORMATION_SCHEMA":
            self._snowflake(name)
            return
        if schema == "INFORMATION_SCHEMA":
            self._container("DATABASE", database)
            return
        self._schema(f"{database}.{schema}")
        kind = self._scope.kind_of(name)
        if kind is None:
            if may_be_missing:
                return
            raise does_not_exist("TABLE", name)
        held = self._governance.privileges_on(self._roles, kind, name)
        if not held:
            raise does_not_exist(kind, name)
        if "OWNERSHIP" not in held and not set(privileges) <= held:
            raise insufficient_privileges(kind, name)

    def _snowflake(self, name: str) -> None:
        """Views of the usage of the account are visible to ACCOUNTADMIN and by database roles.

        https://docs.snowflake.com/en/sql-reference/account-usage#account-usage-views-by-database-role
        """
        granted = any(
            each.role in self._roles
            and (
                (each.kind == "DATABASE ROLE" and each.name.startswith("SNOWFLAKE.")
                 and each.name not in _CORTEX_ROLES)
                or (each.privilege == "IMPORTED PRIVILEGES" and each.name == "SNOWFLAKE")
            )
            for each in self._governance.grants
        )  # fmt: skip
        if not granted and ACCOUNTADMIN not in self._roles:
            raise does_not_exist("VIEW", name)

    def _schema(self, name: str) -> None:
        self._container("DATABASE", name.partition(".")[0])
        self._container("SCHEMA", name)

    def _container(self, kind: str, name: str) -> None:
        """Raise SnowflakeError unless the session has a privilege on the database or schema."""
        if not self._governance.privileges_on(self._roles, kind, name) and self._scope.has_container(name):
            raise does_not_exist(kind, name)

    def own(self, kind: str, name: str) -> None:
        """Raise SnowflakeError unless the session owns the object."""
        if kind in ("TABLE", "VIEW"):
            found = self._scope.kind_of(name)
            if found is None:
                return
            kind = found
            self._schema(name.rpartition(".")[0])
        held = self._governance.privileges_on(self._roles, kind, name)
        if not held:
            raise does_not_exist(kind, name)
        if "OWNERSHIP" not in held:
            raise insufficient_privileges(kind, name)

    def _write(self, statement: exp.Expression, table: exp.Table) -> None:
        if isinstance(statement, exp.Create):
            self._create(statement, table)
        elif isinstance(statement, (exp.Drop, exp.Alter, exp.Comment)):
            kind = str(statement.args.get("kind")).upper()
            if kind in ("TABLE", "VIEW", "COLUMN") and not self._is_temporary(table):
                self.own("TABLE", self._full_name(table))
            elif kind in ("SCHEMA", "DATABASE"):
                parts = [references.folded(part) for part in table.parts]
                name = self._scope.full_name(kind, parts)
                if self._scope.has_container(name):
                    self.own(kind, name)
        else:
            self._relation(table, *_needed(statement), may_be_missing=bool(statement.args.get("exists")))

    def _create(self, statement: exp.Create, table: exp.Table) -> None:
        """https://docs.snowflake.com/en/sql-reference/sql/create-table#access-control-requirements

        Creating needs the privilege of the primary role, which owns the new object. A temporary table needs
        no privilege on the schema but USAGE.
        """
        kind = str(statement.args.get("kind")).upper()
        parts = [references.folded(part) for part in table.parts]
        if kind in ("DATABASE", "SCHEMA"):
            name = self._scope.full_name(kind, parts)
            if self._scope.has_container(name):
                if statement.args.get("replace"):
                    self.own(kind, name)
            elif kind == "DATABASE":
                self._require_primary("CREATE DATABASE", "ACCOUNT", "")
            else:
                self._require_primary("CREATE SCHEMA", "DATABASE", name.partition(".")[0])
            return
        name = self._scope.full_name("TABLE", parts)
        schema = name.rpartition(".")[0]
        is_temporary = statement.find(exp.TemporaryProperty) is not None
        if is_temporary and kind == "TABLE":
            return
        self._schema(schema)
        existing = self._scope.kind_of(name) if kind in ("TABLE", "VIEW") else None
        if existing and statement.args.get("replace"):
            self.own(existing, name)
        if not (existing and statement.args.get("exists")):
            self._require_primary(f"CREATE {kind}", "SCHEMA", schema)

    def _require_primary(self, privilege: str, kind: str, name: str) -> None:
        self._governance.require(self._primary, privilege, kind, name)

    def _cortex(self, statement: exp.Expression) -> None:
        """Raise SnowflakeError unless the session may call the Cortex functions in the statement.

        Their calls are already those of DuckDB's functions.
        """
        called = [function.name.lower() for function in statement.find_all(exp.Anonymous)]
        if not any(
            name.startswith(CORTEX_PREFIX) and not name.startswith(_FREE_OF_CORTEX) for name in called
        ):
            return
        role = any(
            self._governance.has(self._roles, "USAGE", "DATABASE ROLE", name) for name in _CORTEX_ROLES
        )
        if not role or not self._governance.has(self._roles, "USE AI FUNCTIONS", "ACCOUNT"):
            raise SnowflakeError(
                3001, "42501", "SQL access control error: Insufficient privileges to call AI functions. They "
                "need USE AI FUNCTIONS on the account, and the database role SNOWFLAKE.CORTEX_USER."
            )  # fmt: skip


def _needed(statement: exp.Expression) -> Iterator[str]:
    """Yield the privileges that a statement needs on the table that it changes."""
    if isinstance(statement, exp.Insert):
        yield "INSERT"
        # https://docs.snowflake.com/en/sql-reference/sql/insert: OVERWRITE deletes the rows.
        if statement.args.get("overwrite"):
            yield "DELETE"
    elif isinstance(statement, exp.Merge):
        yield "SELECT"
        kinds = {exp.Insert: "INSERT", exp.Update: "UPDATE"}
        for when in statement.find_all(exp.When):
            yield kinds.get(type(when.args["then"]), "DELETE")
    else:
        names = {exp.Update: "UPDATE", exp.Delete: "DELETE", exp.TruncateTable: "TRUNCATE"}
        yield names.get(type(statement), "INSERT")
