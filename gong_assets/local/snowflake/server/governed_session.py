"""Users, roles and policies in a session: account statements, privileges, and the policies of its queries."""

from __future__ import annotations

import duckdb
from sqlglot import exp

from gong_assets.local.snowflake.errors import SnowflakeError
from gong_assets.local.snowflake.governance import account, references, show
from gong_assets.local.snowflake.governance.access import AccessCheck
from gong_assets.local.snowflake.governance.policies import Catalog, PolicyRewrite
from gong_assets.local.snowflake.governance.scope import Scope
from gong_assets.local.snowflake.governance.state import (
    ACCOUNTADMIN,
    ADMINISTRATOR,
    PUBLIC,
    WAREHOUSE,
    Governance,
    Identity,
    does_not_exist,
)
from gong_assets.local.snowflake.governance.table_policies import CreatedPolicies
from gong_assets.local.snowflake.governance.words import Words
from gong_assets.local.snowflake.server.connection import Connection
from gong_assets.local.snowflake.server.cursor import Cursor
from gong_assets.local.snowflake.sql.names import named_table
from gong_assets.local.snowflake.sql.rewrite_rules import rewrite

_NOT_ASSIGNED = (
    "SQL access control error: Requested role '{}' is not assigned to the executing user. Specify another "
    "role to activate."
)


class GovernedSession:
    """The identity of a session, and what follows from it for its statements."""

    def __init__(self, governance: Governance, connection: Connection, user: str) -> None:
        self._governance = governance
        self._connection = connection
        self._user = user
        found = governance.of_kind("USER").get(user, {})
        # https://docs.snowflake.com/en/sql-reference/sql/create-user: ('ALL') is the default.
        # The administrator has one role at a time.
        self._uses_secondary_roles = bool(found) and found.get("DEFAULT_SECONDARY_ROLES") != []
        self._only_role: str | None = None
        # A session that is older than the first user goes on without a warehouse.
        self._needs_warehouse = governance.is_enforced

    def log_in(self, role: str, warehouse: str, only_role: str | None) -> tuple[str, str]:
        """Return the role and the warehouse of a new session; raises SnowflakeError for a role of others.

        Args:
            role: the role of the login request, or an empty text for the default role.
            only_role: the role to which a programmatic access token is restricted.
        """
        governance = self._governance
        found = governance.of_kind("USER").get(self._user, {})
        if not governance.is_enforced:
            default = ACCOUNTADMIN if self._user == ADMINISTRATOR else PUBLIC
            return role or default, warehouse
        if only_role:
            self._only_role, self._uses_secondary_roles = only_role, False
        is_administrator = self._user not in governance.of_kind("USER")
        default = only_role or found.get("DEFAULT_ROLE") or ("ACCOUNTADMIN" if is_administrator else PUBLIC)
        chosen = role or str(default)
        if not self._may_activate(chosen):
            raise SnowflakeError(
                390189, "08001", f"Role '{chosen}' specified in the connect string does not exist or not "
                "authorized. Contact your local system administrator, or attempt to login with another role, "
                "e.g. PUBLIC."
            )  # fmt: skip
        wanted = warehouse or str(found.get("DEFAULT_WAREHOUSE") or (WAREHOUSE if is_administrator else ""))
        roles = governance.active_roles(Identity(self._user, chosen, self._uses_secondary_roles))
        return chosen, wanted if governance.privileges_on(roles, "WAREHOUSE", wanted) else ""

    @property
    def key(self) -> str:
        """What the translation of a query depends on, apart from its text."""
        if not self.is_active:
            return ""
        identity = self._scope.identity
        return f"{identity.user} {sorted(self._scope.roles)} {identity.role} {self._governance.version}"

    @property
    def is_active(self) -> bool:
        """Whether privileges or policies apply at all."""
        return self._governance.is_enforced or self._governance.has_policies

    @property
    def _scope(self) -> Scope:
        connection = self._connection
        role = connection.duckdb_variable("current_role")
        return Scope(
            self._governance,
            Identity(self._user, role, self._uses_secondary_roles),
            connection.database,
            connection.schema,
            self._kind_of,
            self._relations,
            self._has_container,
        )

    def run_account_statement(self, sql: str) -> str | None:
        """Run a statement on users, roles, grants, tags or policies, and return the query for its result."""
        return account.run(sql, self._scope)

    def with_policy_references(self, sql: str) -> str:
        return show.with_policy_references(sql, self._scope)

    def use(self, statement: exp.Expression) -> None:
        """Raise SnowflakeError if USE names a role or warehouse that the session may not use."""
        kind = statement.args.get("kind")
        word = str(kind.name if isinstance(kind, exp.Expression) else kind or "").upper()
        if word == "SECONDARY ROLES":
            self._uses_secondary_roles = str(statement.this.name).upper() == "ALL" and not self._only_role
            return
        if not self._governance.is_enforced:
            return
        identifier = statement.this.find(exp.Identifier)
        name = references.folded(identifier) if identifier else ""
        if word == "ROLE":
            if name not in self._governance.roles:
                raise SnowflakeError(
                    2043, "02000", "SQL compilation error: Object does not exist, or operation cannot be "
                    "performed."
                )  # fmt: skip
            if not self._may_activate(name):
                raise SnowflakeError(3013, "42501", _NOT_ASSIGNED.format(name))
        elif word == "WAREHOUSE" and not self._governance.privileges_on(self._scope.roles, "WAREHOUSE", name):
            raise SnowflakeError(
                2043,
                "02000",
                "SQL compilation error: Object does not exist, or operation cannot be performed.",
            )

    def _may_activate(self, role: str) -> bool:
        if self._only_role and role != self._only_role:
            return False
        return self._governance.may_activate(Identity(self._user, role), role)

    def check(self, sql: str, statement: exp.Expression) -> None:
        """Raise SnowflakeError if the session lacks a privilege that the statement needs."""
        if self._governance.is_enforced:
            AccessCheck(self._scope, has_warehouse=self._has_warehouse).check(sql, statement)

    def require_ownership(self, table: str) -> None:
        """Raise SnowflakeError unless the session owns a table or view, which is named as in a statement."""
        if self._governance.is_enforced:
            check = AccessCheck(self._scope, has_warehouse=self._has_warehouse)
            check.own("TABLE", self._scope.full_name("TABLE", Words(table).name()))

    def _has_warehouse(self) -> bool:
        return not self._needs_warehouse or bool(self._connection.duckdb_variable("current_warehouse"))

    def apply_policies(self, cursor: Cursor, statement: exp.Expression) -> exp.Expression:
        """Return a statement in DuckDB's dialect with the policies of the session."""
        if not self._governance.has_policies:
            return statement

        def to_duckdb(query: exp.Expression) -> exp.Expression:
            return cursor.to_duckdb(rewrite(query, ()))

        rewritten = PolicyRewrite(self._scope, Catalog(self._columns, self._view_sql, to_duckdb))
        return rewritten.apply(statement)

    def session_functions(self, statement: exp.Expression) -> exp.Expression:
        """Replace the functions that return the roles of the session, and names given by IDENTIFIER."""
        for node in list(statement.find_all(exp.DynamicIdentifier, exp.TableFromRows)):
            if isinstance(node, exp.TableFromRows) and not isinstance(node.this, exp.Literal):
                continue
            if not (isinstance(node.this, exp.Literal) and node.this.is_string):
                raise NotImplementedError("IDENTIFIER of an expression")
            table = node.parent if isinstance(node.parent, exp.Table) else node
            named = named_table(node.this.name)
            if isinstance(node, exp.DynamicIdentifier) and table is node:
                node.replace(named.this if not named.db else named)
                continue
            named.set("alias", table.args.get("alias"))
            table.replace(named)

        for function in list(statement.find_all(exp.Anonymous)):
            if function.name.upper() == "IS_ROLE_IN_SESSION" and len(function.expressions) == 1:
                roles = [exp.Literal.string(role) for role in sorted(self._scope.roles)]
                function.replace(exp.In(this=function.expressions[0].copy(), expressions=roles))
            elif function.name.upper() == "INVOKER_ROLE":
                function.replace(exp.Literal.string(self._scope.identity.role))
        return statement

    def creation(self, statement: exp.Expression) -> Creation | None:
        """Take the policies out of a CREATE, and return what remains to be done afterwards; else None."""
        target = references.target(statement)
        if not isinstance(statement, (exp.Create, exp.Drop)) or target is None:
            return None
        kind = str(statement.args.get("kind")).upper()
        if kind not in ("TABLE", "VIEW", "SCHEMA", "DATABASE", "STAGE"):
            return None
        if target.catalog == "temp" or statement.find(exp.TemporaryProperty):
            return None
        parts = [references.folded(part) for part in target.parts]
        scope = self._scope
        name = scope.full_name(kind, parts)
        return Creation(self._governance, scope, statement, kind, name)

    # ---------- DuckDB's catalog

    def _query(self, sql: str, *values: str) -> list[tuple[str, ...]]:
        try:
            rows: list[tuple[str, ...]] = self._connection.duck.execute(sql, list(values)).fetchall()
        except duckdb.TransactionException:
            return []  # The transaction is aborted, and the statement fails.
        return rows

    def _kind_of(self, name: str) -> str | None:
        """Return whether a full name is that of a TABLE or a VIEW; None if it is neither.

        Raises SnowflakeError for a name that differs from that of a table or view only in its case: DuckDB
        takes them for the same, and Snowflake does not.
        """
        parts = name.split(".", 2)
        if len(parts) != 3:
            return None
        for kind in ("TABLE", "VIEW"):
            columns = ("database_name", "schema_name", f"{kind.lower()}_name")
            condition = " AND ".join(f"lower({column}) = lower(?)" for column in columns)
            found = self._query(
                f"SELECT {', '.join(columns)} FROM duckdb_{kind.lower()}s() "
                f"WHERE {condition} AND NOT starts_with(schema_name, '_fs')",
                *parts,
            )
            if found and list(found[0]) != parts:
                raise does_not_exist(kind, name)
            if found:
                return kind
        return None

    def _relations(self, container: str) -> list[tuple[str, str]]:
        database, _, schema = container.partition(".")
        found = []
        for kind in ("TABLE", "VIEW"):
            rows = self._query(
                f"SELECT database_name, schema_name, {kind.lower()}_name FROM duckdb_{kind.lower()}s() "
                "WHERE NOT internal AND upper(database_name) = ? AND NOT starts_with(schema_name, '_fs')",
                database.upper(),
            )
            found += [(kind, ".".join(row)) for row in rows if not schema or row[1] == schema]
        return sorted(found)

    def _has_container(self, name: str) -> bool:
        database, _, schema = name.partition(".")
        return bool(
            self._query(
                "SELECT 1 FROM duckdb_schemas() WHERE upper(database_name) = ? "
                "AND (? = '' OR upper(schema_name) = ?)",
                *(database.upper(), schema, schema.upper()),
            )
        )

    def _columns(self, name: str) -> list[tuple[str, str]]:
        rows = self._query(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE upper(database_name) = ? "
            "AND schema_name = ? AND table_name = ? ORDER BY column_index",
            *name.split("."),
        )
        return [(column, kind) for column, kind in rows]

    def _view_sql(self, name: str) -> str:
        rows = self._query(
            "SELECT sql FROM duckdb_views() WHERE upper(database_name) = ? AND schema_name = ? "
            "AND view_name = ?",
            *name.split("."),
        )
        return rows[0][0]


class Creation:
    """The effect of a CREATE or DROP on the state of the account."""

    def __init__(
        self, governance: Governance, scope: Scope, statement: exp.Expression, kind: str, name: str
    ) -> None:
        self._governance = governance
        self._scope = scope
        self._kind = kind
        self._name = name
        self._drops = isinstance(statement, exp.Drop)
        self._existed = scope.kind_of(name) if kind in ("TABLE", "VIEW") else None
        if kind in ("SCHEMA", "DATABASE"):
            self._existed = kind if scope.has_container(name) else None
        self._keeps_grants = statement.find(exp.CopyGrantsProperty) is not None
        self._if_not_exists = bool(statement.args.get("exists")) and not self._drops
        self._policies = CreatedPolicies(statement, scope, (kind, name))

    def finish(self) -> None:
        """Record the owner, future grants and policies of what was created, or forget what was dropped.

        A replaced table or view loses its grants, unless it has COPY GRANTS, and its policies and tags:
        https://docs.snowflake.com/en/sql-reference/sql/create-table#usage-notes
        """
        governance, key = self._governance, (self._kind, self._name)
        with governance.lock:
            if self._existed and self._if_not_exists:
                return
            kept = {
                each
                for each in governance.grants
                if (each.kind, each.name) == key and each.privilege != "OWNERSHIP"
            }
            if self._existed:
                governance.remove_object(self._existed, self._name)
            if not self._drops:
                if governance.is_enforced:
                    governance.add_object(*key, self._scope.identity.role)
                if self._keeps_grants:
                    governance.grants |= kept
                self._policies.attach()
            governance.save()
